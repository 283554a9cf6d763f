"""What the threads of one process share about the log: whose turn it is to ask witnesses, and what those know.

Does not: outlive the process; nothing here is needed after a crash.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

__all__ = ["Asking"]


@dataclass(slots=True)
class Asking:
    """A lock for one to ask at a time, and the size of the log that each witness was last seen to know."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    sizes: dict[str, int] = field(default_factory=dict)
