"""Who holds which role at a moment: read from the rows of grants, for whoever has to decide.

Promises: a role in which people approve is held only while a grant that the log knows is in force, to somebody who is
eligible for it; the others are held by whoever is enrolled with them, and approve nothing. A delegate holds the role
of an absent person, who does not hold it meanwhile; nobody delegates what was delegated to them.
Does not: grant, delegate or end (see `grants` and `delegations`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, or_, select

from control_plane import db
from control_plane.tables.accounts import GrantRow
from control_plane.tables.registry import PersonRow
from edge_runtime.core import canonical
from edge_runtime.core.approval import APPROVING

__all__ = ["Holding", "enrolment_digest", "first_grants", "held_roles", "holding"]

FIRST_GRANT_DAYS = 56


@dataclass(frozen=True, slots=True)
class Holding:
    """That somebody holds a role: by which grant ("" for a role of enrolment), and for whom if that is delegated."""

    person: str
    role: str
    grant: str = ""
    behalf: str = ""


def holding(session: Session, row: PersonRow, role: str, *, now: datetime) -> Holding | None:
    """Return how a person holds a role at a moment; None if they do not.

    A grant of their own comes before what was delegated to them.
    """
    if role not in row.roles or row.retired is not None:
        return None
    if role not in APPROVING:
        return Holding(row.id, role)
    asked = ("holding", row.id, role, now)
    return db.once(session, asked, lambda: _holding(session, row, role, now=now), of=(GrantRow,))


def _holding(session: Session, row: PersonRow, role: str, *, now: datetime) -> Holding | None:
    mine = sorted(_in_force(session, role, now, person=row.id), key=lambda grant: (grant.behalf != "", grant.id))
    for grant in mine:
        if grant.behalf:
            if _has_own(session, role, now, person=grant.behalf):
                return Holding(row.id, role, grant.id, grant.behalf)
        elif not _is_away(session, role, now, person=row.id):
            return Holding(row.id, role, grant.id)
    return None


def held_roles(session: Session, row: PersonRow, now: datetime) -> tuple[str, ...]:
    """Return the roles that a person holds at a moment, in the order of their enrolment."""
    return tuple(role for role in row.roles if holding(session, row, role, now=now) is not None)


def _in_force(session: Session, role: str, now: datetime, *, person: str) -> list[GrantRow]:
    query = select(GrantRow).where(
        GrantRow.person == person,
        GrantRow.role == role,
        GrantRow.since <= now,
        GrantRow.until > now,
        col(GrantRow.granted).is_not(None),
        or_(col(GrantRow.ended_at).is_(None), col(GrantRow.ended_at) > now),
        or_(GrantRow.previous == "", col(GrantRow.handed_over).is_not(None)),
    )
    return list(session.exec(query))


def _has_own(session: Session, role: str, now: datetime, *, person: str) -> bool:
    """Return whether somebody holds a role by a grant of their own: only that can be delegated."""
    return any(not grant.behalf for grant in _in_force(session, role, now, person=person))


def _is_away(session: Session, role: str, now: datetime, *, person: str) -> bool:
    """Return whether somebody acts for this person in that role now."""
    query = select(GrantRow.id).where(
        GrantRow.behalf == person,
        GrantRow.role == role,
        GrantRow.since <= now,
        GrantRow.until > now,
        col(GrantRow.granted).is_not(None),
        or_(col(GrantRow.ended_at).is_(None), col(GrantRow.ended_at) > now),
    )
    return session.exec(query).first() is not None


def first_grants(row: PersonRow) -> list[GrantRow]:
    """Return the grants that come with somebody's enrolment by the installation: one for each role that takes one."""
    until = row.at + timedelta(days=FIRST_GRANT_DAYS)
    return [
        GrantRow(id=f"{row.id}.{role}", person=row.id, role=role, since=row.at, until=until, envelope={}, at=row.at)
        for role in row.roles
        if role in APPROVING
    ]


def enrolment_digest(row: PersonRow, first: Iterable[GrantRow]) -> str:
    """Return the digest by which the log says what somebody is enrolled with."""
    held = [{"role": grant.role, "until": f"{grant.until:%Y-%m-%dT%H:%M:%SZ}"} for grant in first]
    return canonical.digest(canonical.encode({"custody": row.custody, "roles": list(row.roles), "holds": held}))
