"""How a source is asked: the token of the app for a private channel, the same on all devices; how slow it may be.

Promises: the token goes to the one source that it was given for, in one header, over TLS or to this machine; an address
carries no secret. Does not: speak HTTP (see `web`). Source: DESIGN section 8; docs/adr/0013.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from audit.frozen import frozen, member
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.hosts import is_this_machine

__all__ = ["USER_AGENT", "Access", "Pace", "is_private", "is_web", "require_plain"]

USER_AGENT = "mentorplane"
"""What a request for files or to the census says of who asks: the same on all devices."""
DEFAULT_HEADER = "Authorization"
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


@frozen
class Pace:
    """The slowest that a source may be: seconds of grace for a file and for a look, and bytes in each second after."""

    file_s: float = 30.0
    look_s: float = 300.0
    min_bytes_per_s: int = 2_000


@frozen
class Access:
    """The token of an app, the header that carries it, and the source that it is for."""

    source: str
    token: str = member(repr=False)
    header: str = DEFAULT_HEADER

    def __post_init__(self) -> None:
        """Refuse a token that could be more than one header, or that would be sent in the clear.

        Raises:
            InvalidDocument: the token or the name of the header is of another form.
            Unavailable: the source is neither encrypted nor on this machine.
        """
        if not _TOKEN.fullmatch(self.token):
            raise InvalidDocument("expected a token of visible ASCII characters without blanks")
        if not _HEADER.fullmatch(self.header):
            raise InvalidDocument("expected the name of a header for the token, such as Authorization")
        if is_web(self.source) and not is_private(self.source):
            raise Unavailable(
                "expected https for a source that is sent a token, got an address that is not encrypted",
                hint="use https, or an address of this machine",
            )

    def headers(self, address: str) -> dict[str, str]:
        """Return what a request to `address` carries of this: nothing unless it is the source of the token."""
        if address.rstrip("/") != self.source.rstrip("/"):
            return {}
        return {self.header: f"Bearer {self.token}" if self.header.lower() == "authorization" else self.token}


def is_web(address: str) -> bool:
    """Return whether an address is one of the web, not a folder."""
    return address.startswith(("http://", "https://"))


def is_loopback(address: str) -> bool:
    """Return whether an address of the web is on this machine."""
    return is_this_machine(urlsplit(address).hostname or "")


def is_private(address: str) -> bool:
    """Return whether what is sent to an address of the web is encrypted, or stays on this machine."""
    return address.startswith("https://") or is_loopback(address)


def require_plain(address: str) -> None:
    """Refuse an address of the web that carries a name, a secret or a query: addresses are logged along the way.

    Raises:
        InvalidDocument: it does.
    """
    try:
        parts = urlsplit(address)
        plain = bool(parts.hostname) and "@" not in parts.netloc and not parts.query and not parts.fragment
    except ValueError:
        plain = False
    if not plain:
        raise InvalidDocument("expected the address of a source without name, password, query and fragment")
