"""What must hold when something is released, asked in one place: by hand, at its time, at the end of a trial.

Promises: nothing is released past an obstacle; each has a word, which the log says when a proposal is suspended.
Does not: change anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from control_plane import trust
from control_plane.errors import Refused
from control_plane.lifecycle import emergency
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.reports import require_passed
from control_plane.registry.withdrawals import stopped_anywhere
from control_plane.reviewing import expiry, objections
from control_plane.reviewing.review import require_current
from control_plane.tables.registry import ProposalRow, RevisionRow
from edge_runtime.core import coverage, dsse
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.manifest import changed_entries, parse_manifest

__all__ = ["Obstacle", "obstacle"]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why something cannot be released: a word, and the error that says it to people."""

    code: str
    error: MentorplaneError


def obstacle(plane: ControlPlane, session: Session, proposal: ProposalRow, *, revision: RevisionRow) -> Obstacle | None:
    """Return the first thing that stands in the way of releasing a revision; None if nothing does."""
    conditions: tuple[tuple[str, Callable[[], None]], ...] = (
        ("expired", lambda: expiry.require_alive(proposal, plane.now())),
        ("stale", lambda: require_current(session, revision)),
        ("checks", lambda: require_passed(session, revision, now=plane.now())),
        ("objection", lambda: objections.require_unobjected(session, revision)),
        ("approvals", lambda: _require_quorum(plane, session, revision)),
        ("keyring", lambda: _require_keyring(plane, session, revision)),
        ("withdrawn", lambda: _require_in_use(plane, session, revision)),
        ("review-overdue", lambda: emergency.require_reviewed(plane, session, proposal)),
    )
    for code, require in conditions:
        try:
            require()
        except MentorplaneError as error:
            return Obstacle(code, error)
    return None


def _require_quorum(plane: ControlPlane, session: Session, revision: RevisionRow) -> None:
    _, missing = store.shortfalls(plane, session, revision)
    if missing:
        raise Refused(_what_is_missing(missing))


def _require_keyring(plane: ControlPlane, session: Session, revision: RevisionRow) -> None:
    rows = store.statements_for(session, revision)
    trust.require_signed_keyring(plane, [dsse.parse_envelope(row.envelope) for row in rows])


def _what_is_missing(missing: Sequence[coverage.Shortfall]) -> str:
    """Return what lacks most, how many approvals, and in which roles."""
    entry = max(missing, key=lambda short: short.people).entry
    what = f"{entry.kind} {entry.name!r}" if entry else "the release as a whole"
    return f"expected people to have approved {what}, which lacks {coverage.lacking(missing, entry)}"


def _require_in_use(plane: ControlPlane, session: Session, revision: RevisionRow) -> None:
    """Refuse a revision that brings what is withdrawn, on whichever channel, and does not lift it."""
    manifest = parse_manifest(revision.manifest)
    stopped = stopped_anywhere(plane, session, lifts=manifest.lifts)
    brought = [
        entry for entry in changed_entries(manifest, store.base_of(session, revision)) if entry.digest in stopped
    ]
    if brought:
        raise Refused(
            f"expected content that is in use, got {brought[0].kind} {brought[0].name!r}, which is withdrawn",
            hint="a rollback with --lift proposes to lift the withdrawal, which takes a quorum",
        )
