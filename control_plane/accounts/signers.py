"""Who may sign a grant, end one, and let somebody enrol a new key: keepers and whoever is enrolled to approve.

Promises: it takes somebody other than whom it is for, whom more than one person let in (see `standing`); that a grant
of theirs lapsed does not matter; a first signature counts only as long as its signer could still give it.
Does not: count to two (see `grants`, `invitations` and `leaving`).
"""

from __future__ import annotations

from sqlmodel import Session

from control_plane import db
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.accounts.standing import has_say
from control_plane.errors import Refused
from control_plane.plane import ControlPlane
from control_plane.tables.registry import PersonRow
from edge_runtime.core import dsse
from edge_runtime.core.approval import APPROVING

__all__ = ["require_heard", "require_signer", "require_still", "role_of"]

SIGNERS = ("administrator", *APPROVING)
"""Roles of whoever may sign a grant, and end one."""


def role_of(session: Session, person: str) -> str:
    """Return the role in which somebody signs a grant: as a keeper if they are one."""
    roles = rights.find_row(session, person).roles
    return next((role for role in SIGNERS if role in roles), roles[0])


def require_signer(plane: ControlPlane, actor: str, *, attempt: Attempt, grantee: str = "") -> None:
    """Refuse whoever may not end a grant, or sign one for `grantee`.

    Raises:
        NotFound: there is no such person.
        Refused: they may not; the log says that they tried.
    """
    rights.require_scope(plane, actor, attempt=attempt)
    with db.read(plane.engine) as session:
        row = rights.find_row(session, actor)
        identity, role, (message, hint) = row.id, row.roles[0], _why_not(session, row, grantee)
    if message:
        rights.refuse(plane, identity, attempt, role=role, message=message, hint=hint)


def require_still(session: Session, actor: str, *, grantee: str = "") -> None:
    """Refuse who lost it since they were asked, in a transaction of `rights.acting`, which refuses who has left.

    Raises:
        Refused: they did.
    """
    message, hint = _why_not(session, rights.find_row(session, actor), grantee)
    if message:
        raise Refused(message, hint=hint)


def require_heard(session: Session, signer: str, envelope: dsse.Envelope, *, grantee: str) -> None:
    """Refuse a signature that its signer could not give any more, or gave with a key that they have no more.

    Raises:
        Refused: it is one.
    """
    row = rights.find_row(session, signer)
    if (
        row.retired is not None
        or any(_why_not(session, row, grantee))
        or not dsse.verified_by(envelope, row.public_key)
    ):
        raise Refused(
            "expected a first signature that still counts, got one of who left, lost it or has another key by now",
            hint="let somebody propose it anew",
        )


def _why_not(session: Session, row: PersonRow, grantee: str) -> tuple[str, str]:
    """Return why somebody may not sign, and what helps; nothing if they may."""
    if not set(row.roles).intersection(SIGNERS):
        return f"expected a person enrolled as {' or '.join(SIGNERS)}, got one who is not", ""
    if row.id == grantee:
        return "expected others to grant it, got the grantee", ""
    if grantee and not has_say(session, row):
        return (
            "expected a person who was granted a role by two others, got one whom nobody granted any",
            "whom an administrator enrolled, or gave a new key, signs grants once they hold a role themselves",
        )
    return "", ""
