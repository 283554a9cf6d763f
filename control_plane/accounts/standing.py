"""Who has a say about grants: people whom more than one person, or the installation itself, let in.

An administrator enrols people, and lets somebody have a new key; so neither may be enough to sign a grant, or one
person alone would make a quorum that does as it is told.
Promises: a grant that lapsed leaves its holder their say, so that lapsed grants lock nobody out; one that was ended
does not. Does not: know in which roles people sign (see `grants`).
"""

from __future__ import annotations

from sqlmodel import Session, col, func, select

from audit.record import Act, parse_leaf
from control_plane import ledger
from control_plane.errors import Refused
from control_plane.tables.accounts import GrantRow, KeyRow
from control_plane.tables.registry import LeafRow, PersonRow
from edge_runtime.core import dsse

__all__ = ["RENEWED", "TAKEN", "has_key", "has_say", "key_digest", "key_since", "require_key", "spoke"]

RENEWED, TAKEN = "renewed", "taken"
"""Why the log says that a key was enrolled: by codes that others handed out; by its holder, with the key before it."""


def has_say(session: Session, row: PersonRow) -> bool:
    """Return whether somebody may sign grants, by how they came in.

    Either two people granted them a role, or the installation did, and nobody ended that; or they are an administrator
    whom the installation enrolled, with the key that they have had since, or one that they took in its place. Whose key
    is retired, and who left, has none.
    """
    if row.retired is not None or not has_key(session, row):
        return False
    mine = select(GrantRow.id).where(
        GrantRow.person == row.id,
        GrantRow.behalf == "",
        col(GrantRow.granted).is_not(None),
        col(GrantRow.ended).is_(None),
    )
    if session.exec(mine.limit(1)).first() is not None:
        return True
    return "administrator" in row.roles and _is_first(session, row.id, key_digest(row.public_key))


def _is_first(session: Session, person: str, digest: str) -> bool:
    """Return whether the installation enrolled somebody with a key, or with one that this one took the place of."""
    enrolling = select(LeafRow.data).where(
        LeafRow.kind == "person",
        LeafRow.name == person,
        LeafRow.digest == digest,
        col(LeafRow.act).in_((str(Act.PERSON_ENROLLED), str(Act.KEY_ENROLLED))),
    )
    found = [parse_leaf(data) for data in session.exec(enrolling)]
    if any(leaf.act is Act.PERSON_ENROLLED and leaf.actor.id == ledger.SYSTEM for leaf in found):
        return True
    return any(leaf.reason.code == TAKEN and _is_first(session, person, leaf.before) for leaf in found)


def has_key(session: Session, row: PersonRow) -> bool:
    """Return whether somebody has a key that is not retired."""
    return bool(row.public_key) and session.get(KeyRow, dsse.key_id(row.public_key)) is None


def require_key(session: Session, row: PersonRow) -> None:
    """Refuse to let somebody in whose key was retired, or who left, since they showed who they are.

    Raises:
        Refused: it was.
    """
    if row.retired is not None or not has_key(session, row):
        raise Refused("expected somebody with a key that is not retired, got another")


def spoke(session: Session, row: PersonRow, entry: int) -> bool:
    """Return whether somebody is here, and had the key that they have now by that entry of the log.

    What was said with a key before it counts no more: it may have been in other hands.
    """
    return row.retired is None and has_key(session, row) and key_since(session, row) < entry


def key_since(session: Session, row: PersonRow) -> int:
    """Return the entry of the log that enrolled the present key of a person."""
    enrolling = select(func.max(LeafRow.seq)).where(
        LeafRow.kind == "person",
        LeafRow.name == row.id,
        LeafRow.digest == key_digest(row.public_key),
        col(LeafRow.act).in_((str(Act.PERSON_ENROLLED), str(Act.KEY_ENROLLED))),
    )
    return session.exec(enrolling).one()


def key_digest(public_key: bytes) -> str:
    """Return how entries of the log name a key; "" for that of somebody who has none yet."""
    return f"sha256:{dsse.key_id(public_key)}" if public_key else ""
