"""Speed and memory, side by side with the peer in one run. Figures are reported in docs/performance.md."""
