"""How long texts of people are kept: periods, legal holds, erasing, and erasing again what an old copy brings back.

Modules: `erasing`, `holding`, `retention`, `replaying`, `keepers` (who may do so).
"""

from __future__ import annotations

__all__: list[str] = []
