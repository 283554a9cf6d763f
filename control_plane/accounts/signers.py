"""Who may sign a grant, end one, and let somebody enrol a new key: keepers and whoever is enrolled to approve.

Promises: it takes somebody other than whom it is for, whom more than one person let in (see `standing`); that a grant
of theirs lapsed does not matter. Does not: count to two (see `grants`, `invitations` and `leaving`).
"""

from __future__ import annotations

from sqlmodel import Session

from control_plane import db
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.accounts.standing import has_say
from control_plane.plane import ControlPlane
from edge_runtime.core.approval import APPROVING

__all__ = ["SIGNERS", "require_signer", "role_of"]

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
        identity, roles, say = row.id, tuple(row.roles), has_say(session, row)
    if not set(roles).intersection(SIGNERS):
        wanted = f"expected a person enrolled as {' or '.join(SIGNERS)}, got one who is not"
        rights.refuse(plane, identity, attempt, role=roles[0], message=wanted)
    if identity == grantee:
        rights.refuse(plane, identity, attempt, role=roles[0], message="expected others to grant it, got the grantee")
    if grantee and not say:
        wanted = "expected a person who was granted a role by two others, got one whom nobody granted any"
        hint = "whom an administrator enrolled, or gave a new key, signs grants once they hold a role themselves"
        rights.refuse(plane, identity, attempt, role=roles[0], message=wanted, hint=hint)
