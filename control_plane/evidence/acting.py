"""Who acts on the evidence, and in which role: the role of compliance if they hold it, else their first."""

from __future__ import annotations

from sqlmodel import Session

from control_plane import ledger
from control_plane.accounts.rights import find_row
from control_plane.tables.registry import PersonRow

__all__ = ["role_of"]

_ROLE = "compliance"


def role_of(session: Session, actor: str) -> str:
    """Return the role under which an act on the evidence is logged; the installation's own for nobody in particular.

    Raises:
        NotFound: there is no such person.
    """
    if actor == ledger.SYSTEM:
        return ledger.SYSTEM
    row: PersonRow = find_row(session, actor)
    return _ROLE if _ROLE in row.roles else row.roles[0]
