"""Whether the rows of reviewing say what the entries of the log say: objections first, since a missing one frees.

Promises: each difference is one line that names the row or entry, never a person's text. Does not: verify drafts, of
which the log says nothing, or what follows from revisions and is a hint for lists (`waiting`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlmodel import Session, col, select

from audit.record import Act, LeafRecord
from control_plane.tables.registry import ProposalRow
from control_plane.tables.reviewing import CommentRow, ObjectionRow, OpeningRow, RequestRow, ThreadRow

__all__ = ["problems"]

_OBJECTING = {"object": Act.OBJECTED, "reject": Act.REJECTED}
_TALKING = {Act.COMMENTED, Act.OBJECTED}
_ENDED = {Act.EXPIRED: "expired", Act.ABANDONED: "closed", Act.RELEASED: "released"}
Leaves = Mapping[int, LeafRecord]


def problems(session: Session, leaves: Leaves) -> Iterator[str]:
    """Yield what differs between rows of reviewing and the entries of the log."""
    yield from _objections(session, leaves)
    yield from _talk(session, leaves)
    yield from _asked_and_opened(session, leaves)
    yield from _states(session, leaves)


def _objections(session: Session, leaves: Leaves) -> Iterator[str]:
    known = set()
    for row in session.exec(select(ObjectionRow).order_by(col(ObjectionRow.leaf))):
        known.add(row.leaf)
        leaf = leaves.get(row.leaf)
        said = (leaf.act, leaf.actor.id, leaf.actor.role, leaf.manifest, leaf.object.name) if leaf else None
        if said != (_OBJECTING.get(row.act), row.person, row.role, row.manifest, f"proposal-{row.proposal}"):
            yield f"objection {row.leaf}: its entry of the log says something else"
        back = leaves.get(row.taken_back) if row.taken_back is not None else None
        named = {one.seq for one in leaves.values() if _takes_back(one, row.leaf)}
        if (row.taken_back is not None) != bool(named) or (back is not None and back.actor.id != row.person):
            yield f"objection {row.leaf}: taken back otherwise than the log says"
    logged = {seq for seq, leaf in leaves.items() if leaf.act == Act.OBJECTED}
    yield from (f"entry {seq}: its objection is gone" for seq in sorted(logged - known))


def _takes_back(leaf: LeafRecord, entry: int) -> bool:
    return leaf.act == Act.OBJECTION_TAKEN_BACK and leaf.reason.code == f"entry-{entry}"


def _talk(session: Session, leaves: Leaves) -> Iterator[str]:
    known = set()
    for row in session.exec(select(CommentRow).order_by(col(CommentRow.leaf))):
        known.add(row.leaf)
        leaf = leaves.get(row.leaf)
        if (
            leaf is None
            or leaf.act not in _TALKING
            or (leaf.actor.id, leaf.reason.code)
            != (
                row.person,
                f"thread-{row.thread}",
            )
        ):
            yield f"comment {row.leaf}: its entry of the log says something else"
    logged = {seq for seq, leaf in leaves.items() if leaf.act in _TALKING}
    yield from (f"entry {seq}: its comment is gone" for seq in sorted(logged - known))
    for thread in session.exec(select(ThreadRow).order_by(col(ThreadRow.id))):
        leaf = leaves.get(thread.resolved) if thread.resolved is not None else None
        if (thread.resolved is not None) and (leaf is None or leaf.actor.id != thread.resolved_by):
            yield f"thread {thread.id}: resolved otherwise than the log says"


def _asked_and_opened(session: Session, leaves: Leaves) -> Iterator[str]:
    for row in session.exec(select(RequestRow).order_by(col(RequestRow.leaf))):
        leaf = leaves.get(row.leaf)
        said = (leaf.act, leaf.actor.id, leaf.reason.code) if leaf else None
        if said != (Act.REVIEW_REQUESTED, row.by, row.role or row.person):
            yield f"request {row.leaf}: its entry of the log says something else"
    for opening in session.exec(select(OpeningRow).order_by(col(OpeningRow.leaf))):
        leaf = leaves.get(opening.leaf)
        said = (leaf.act, leaf.actor.id, leaf.manifest) if leaf else None
        if said != (Act.OPENED, opening.person, opening.manifest):
            yield f"opening {opening.leaf}: its entry of the log says something else"


def _states(session: Session, leaves: Leaves) -> Iterator[str]:
    """Yield proposals that are open although the log says that they are over."""
    over: dict[str, str] = {}
    for seq in sorted(leaves):
        leaf = leaves[seq]
        if leaf.act in _ENDED and leaf.object.kind == "proposal":
            over[leaf.object.name] = _ENDED[leaf.act]
        elif leaf.act == Act.EDITED:
            over.pop(leaf.object.name, None)
    for row in session.exec(select(ProposalRow).order_by(col(ProposalRow.number))):
        said = over.get(f"proposal-{row.number}", "")
        if said and row.state != said:
            yield f"proposal {row.number}: {row.state}, although the log says that it is {said}"
