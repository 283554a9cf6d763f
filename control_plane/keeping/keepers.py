"""Who keeps and erases texts: compliance and administrators, each time with a reason, and showing that they are here.

Does not: act; see `holding`, `erasing` and `retention`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from audit.record import Auth
from control_plane.accounts import presence, rights
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.plane import ControlPlane
from control_plane.purposes import doing
from edge_runtime.core.errors import InvalidDocument

__all__ = ["KEEPERS", "Asking", "require_keeper"]

KEEPERS = ("compliance", "administrator")
_TICKET = re.compile("[A-Za-z0-9][A-Za-z0-9._:/#@+=~-]{0,127}")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for it, why in their own words, what shows that they are here, and a reference to the request if any.

    `role` is the one in which they ask, "" for the only one that fits.
    """

    by: str
    reason: str = field(repr=False)
    passphrase: str | Proof = field(repr=False)
    ticket: str = ""
    role: str = ""


def require_keeper(plane: ControlPlane, asking: Asking, *, attempt: Attempt, what: tuple[str, ...]) -> tuple[str, Auth]:
    """Return the role in which a person may do it, and how they showed that they are here.

    A proof by their own key is for `doing(attempt.code, *what)`.

    Raises:
        NotFound: there is no such person.
        Refused: they have no such role, or gave a wrong passphrase or proof; the log says so.
        InvalidDocument: no reason, one that is too long, or a ticket that is none; or as for `rights.require_role`.
    """
    rights.require_reason(asking.reason)
    if asking.ticket and not _TICKET.fullmatch(asking.ticket):
        raise InvalidDocument("expected a ticket of letters, digits and ._:/#@+=~- without blanks")
    role = rights.require_role(plane, asking.by, KEEPERS, attempt=attempt, chosen=asking.role)
    return role, presence.require(plane, asking.by, asking.passphrase, purpose=doing(attempt.code, *what))
