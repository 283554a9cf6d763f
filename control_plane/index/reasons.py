"""The reasons behind entries that can still be read: those that are not erased."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from audit.record import LeafRecord
from control_plane import texts
from control_plane.plane import ControlPlane

__all__ = ["reasons"]


def reasons(plane: ControlPlane, session: Session, records: Sequence[LeafRecord]) -> dict[int, tuple[str, ...]]:
    """Return the reasons of some entries by index; an entry without one that can be read is left out."""
    found = texts.reasons(session, plane, [record.seq for record in records if record.reason.text])
    return {seq: (reason,) for seq, reason in found.items()}
