"""What people see of the work: lists, inboxes, a proposal as a whole and what becomes of it, hand-over.

Modules: `listing`, `queries`, `course`, `batches` (what was opened, and approved at once), `handover`.
"""

from __future__ import annotations

__all__: list[str] = []
