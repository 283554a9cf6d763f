"""Where messages may go: to addresses of the public internet, unless the operator allows others.

Promises: the very address that was judged is the one that is connected to, so that a name cannot lead elsewhere
afterwards; redirects are never followed; no proxy is used.
Does not: know what is sent. Source: OWASP SSRF Prevention Cheat Sheet.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["post", "require_url"]

TIMEOUT_S = 10.0
MAX_URL = 2000
_MOST_READ = 65_536
_ASIDE = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "fec0::/10")))
"""What leads inside although it may count as global: metadata of a cloud, IPv4 within IPv6 and its translation."""


def require_url(url: str, *, private: bool) -> None:
    """Refuse what is no address to send to.

    Raises:
        InvalidDocument: it is malformed, holds a password, or is not `https:` (`http:` where private ones are allowed).
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidDocument("expected a URL to send to, got something else") from error
    schemes = ("https", "http") if private else ("https",)
    sane = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_URL
    if not sane or parts.scheme not in schemes or not parts.hostname or port == 0:
        raise InvalidDocument(f"expected a URL that begins with {' or '.join(f'{one}://' for one in schemes)}")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidDocument("expected a URL without user, password and fragment")
    if _literal(parts.hostname) and not private:
        _require_public(parts.hostname)


def post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> tuple[int, str]:
    """Send a message and return the status of the answer, and its `Retry-After`.

    Raises:
        InvalidDocument: as `require_url`, or the name leads to an address that is not public.
        Unavailable: nobody answered.
    """
    require_url(url, private=private)
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable("expected a host that can be found, got none") from error
    addresses = [str(one[4][0]) for one in found]
    if not private:
        for address in addresses:
            _require_public(address)
    connection = _Pinned(host, port, address=addresses[0], secure=secure)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body=body, headers=dict(headers))
        response = connection.getresponse()
        response.read(_MOST_READ)
        return response.status, response.headers.get("Retry-After", "")
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"expected an answer, got {type(error).__name__}") from error
    finally:
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever its host's name leads to by now."""

    def __init__(self, host: str, port: int, *, address: str, secure: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S)
        self._address, self._secure = address, secure
        self.default_port = 443 if secure else 80

    def connect(self) -> None:
        """Connect to the address that was judged; the certificate must be the name's."""
        plain = socket.create_connection((self._address, self.port), timeout=TIMEOUT_S)
        context = ssl.create_default_context() if self._secure else None
        self.sock = context.wrap_socket(plain, server_hostname=self.host) if context else plain


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _require_public(address: str) -> None:
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None) or found
    if not (found.is_global and inner.is_global) or found.is_multicast or any(found in net for net in _ASIDE):
        raise InvalidDocument(
            "expected a public address to send to, got a private one",
            hint="MENTORPLANE_WEBHOOKS_TO_PRIVATE=on allows them",
        )
