"""Who keeps and erases texts: compliance and administrators, each time with a reason and their passphrase.

Does not: act; see `holding`, `erasing` and `retention`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from control_plane.accounts import passphrases, rights
from control_plane.accounts.rights import Attempt
from control_plane.plane import ControlPlane
from edge_runtime.core.errors import InvalidDocument

__all__ = ["KEEPERS", "Asking", "require_keeper"]

KEEPERS = ("compliance", "administrator")
MAX_REASON_LENGTH = 2000
_TICKET = re.compile("[A-Za-z0-9][A-Za-z0-9._:/#@+=~-]{0,127}")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for it, why in their own words, their passphrase, and a reference to the request if there is one."""

    by: str
    reason: str = field(repr=False)
    passphrase: str = field(repr=False)
    ticket: str = ""


def require_keeper(plane: ControlPlane, asking: Asking, *, attempt: Attempt) -> str:
    """Return the role in which a person may do it, once their passphrase has opened their key.

    Raises:
        NotFound: there is no such person.
        Refused: they have no such role, or gave a wrong passphrase; the log says so.
        InvalidDocument: no reason, one that is too long, or a ticket that is none.
    """
    if not 0 < len(asking.reason.strip()) <= MAX_REASON_LENGTH:
        raise InvalidDocument(f"expected a reason of 1 to {MAX_REASON_LENGTH} characters")
    if asking.ticket and not _TICKET.fullmatch(asking.ticket):
        raise InvalidDocument("expected a ticket of letters, digits and ._:/#@+=~- without blanks")
    role = rights.require_role(plane, asking.by, KEEPERS, attempt=attempt)
    passphrases.open_key(plane, asking.by, asking.passphrase)
    return role
