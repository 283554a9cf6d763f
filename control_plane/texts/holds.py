"""Which legal holds are in force, and on whose entries.

Does not: place or lift them (see `holding`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from audit.record import parse_leaf
from control_plane import db
from control_plane.errors import NotFound
from control_plane.plane import ControlPlane
from control_plane.tables.registry import HoldRow, LeafRow, TextKeyRow

__all__ = ["EVERYBODY", "Hold", "hold_record", "holds_on", "holds_on_texts", "in_force", "list_holds"]

EVERYBODY = ""
"""Whom a hold is on that covers all entries."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on a person's texts, or on everybody's if `person` is ""; `placed` and `lifted` are entries of the log."""

    id: str
    person: str
    placed: int
    lifted: int | None
    at: datetime


def holds_on(session: Session, *people: str) -> tuple[str, ...]:
    """Return the ids of the holds in force on any of these people, sorted."""
    covered = {EVERYBODY, *(one for one in people if one)}
    # Few are in force, and every act asks: choosing here is cheaper than saying whom to choose.
    holds = session.exec(select(HoldRow.id, HoldRow.person).where(col(HoldRow.lifted).is_(None)))
    return tuple(sorted(identity for identity, person in holds if person in covered))


def holds_on_texts(session: Session, keys: Iterable[TextKeyRow]) -> tuple[str, ...]:
    """Return the ids of the holds in force on what is under some keys, sorted.

    They cover the texts of whoever wrote them, and those in entries about somebody who is held: what one person wrote
    about another is evidence about both.
    """
    rows = session.exec(select(HoldRow).where(col(HoldRow.lifted).is_(None))).all()
    if not rows:
        return ()
    held: dict[str, set[str]] = {}
    for row in rows:
        held.setdefault(row.person, set()).add(row.id)
    found = set(held.get(EVERYBODY, ()))
    for key in keys:
        found |= held.get(key.person, set())
        if held.keys() <= {EVERYBODY, key.person}:
            continue
        for data in session.exec(select(LeafRow.data).where(LeafRow.subject == key.id)):
            leaf = parse_leaf(data)
            found |= held.get(leaf.actor.behalf or EVERYBODY, set())
            found |= held.get(leaf.object.name if leaf.object.kind == "person" else EVERYBODY, set())
    return tuple(sorted(found))


def list_holds(plane: ControlPlane, *, lifted: bool = False) -> tuple[Hold, ...]:
    """Return the holds in force, oldest first; with those that were lifted if asked."""
    query = select(HoldRow).order_by(col(HoldRow.placed))
    with db.read(plane.engine) as session:
        rows = session.exec(query if lifted else query.where(col(HoldRow.lifted).is_(None)))
        return tuple(hold_record(row) for row in rows)


def in_force(session: Session, identity: str) -> HoldRow:
    """Return the row of a hold in force.

    Raises:
        NotFound: none of that id is.
    """
    row = session.get(HoldRow, identity)
    if row is None or row.lifted is not None:
        raise NotFound("expected the id of a hold in force, got another", hint="`mentorplane audit hold list`")
    return row


def hold_record(row: HoldRow) -> Hold:
    """Return the record of a hold."""
    return Hold(row.id, row.person, row.placed, row.lifted, row.at)
