"""What the threads of one process share about the log: whose turn it is to publish it or to ask witnesses.

Does not: outlive the process; nothing here is needed after a crash.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from control_plane.accounts.waiting import Line

__all__ = ["Asking"]


@dataclass(slots=True)
class Asking:
    """A lock for one to ask at a time, and the size of the log that each witness was last seen to know.

    `publishing` is the line of those who publish: one of them at a time looks at the lock that processes share.
    """

    turn: threading.Lock = field(default_factory=threading.Lock)
    sizes: dict[str, int] = field(default_factory=dict)
    publishing: Line = field(default_factory=lambda: Line(at_once=1, waiting=1000, wait_s=30, what="publications"))
