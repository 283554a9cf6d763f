"""Language models that can answer: one protocol; a cloud model, one on this device; which is asked, and how much."""
