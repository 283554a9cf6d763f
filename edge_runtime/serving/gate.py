"""Who may ask: programs of this machine that hold the token, through an address that nobody else's name leads to.

Promises:
1. Only a loopback address is bound, and only a request to it, or to `localhost`, is answered: a foreign name that was
   pointed at this machine (DNS rebinding) reads nothing.
2. A page of another origin reads nothing and sends nothing, but of those that were named at the start.
3. Every question needs the token of this home, compared in constant time; its file is its owner's alone (0600).
4. A body is JSON of a bounded size.

Does not: tell one program that holds the token from another, or encrypt: loopback traffic stays inside this machine.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from audit.frozen import frozen, member
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.serving.errors import Refusal

__all__ = [
    "MAX_BODY_BYTES",
    "TOKEN_FILE",
    "Gate",
    "check_body_headers",
    "check_host",
    "check_token",
    "kept_token",
    "too_large",
]

MAX_BODY_BYTES = 2 * 1024 * 1024
TOKEN_FILE = "serve-token"  # noqa: S105 - the name of a file
_TOKEN = re.compile(r"[!-~]{16,512}")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


def check_host(host: str) -> str:
    """Return a loopback address, in its one spelling.

    Raises:
        InvalidDocument: it is another address, or a name.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise InvalidDocument("expected a loopback address to bind, such as 127.0.0.1: only this machine is answered")
    return str(address)


def check_token(token: str) -> str:
    """Return a token that was given.

    Raises:
        InvalidDocument: it is too short to be a secret, or holds what no header can.
    """
    if not _TOKEN.fullmatch(token):
        raise InvalidDocument("expected a token of 16 to 512 visible ASCII characters")
    return token


def kept_token(home: Path) -> str:
    """Return the token in the file of this home, made if there is none.

    Raises:
        Unavailable: the file is not its owner's alone, holds no token, or cannot be read or written.
    """
    path = home / TOKEN_FILE
    try:
        if not path.exists():
            _write_token(path, secrets.token_urlsafe(32))
        return _read_token(path)
    except OSError as error:
        raise Unavailable(f"expected a home in which a token can be kept, got {error.strerror}") from error


def _write_token(path: Path, token: str) -> None:
    """Write a token, whole or not at all; one that another process wrote meanwhile stays."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(token + "\n")
    with suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()


def _read_token(path: Path) -> str:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Unavailable(f"expected {TOKEN_FILE} to be its owner's alone", hint=f"remove it, or chmod 600 {path}")
    token = path.read_text("ascii", errors="replace").strip()
    if not _TOKEN.fullmatch(token):
        raise Unavailable(f"expected a token in {TOKEN_FILE}, got something else", hint="remove the file")
    return token


@frozen
class Gate:
    """What a request must show.

    `literal` is the bound address as URLs write it; `addresses` are those that `Host` may name, and `origins` the pages
    that may ask.
    """

    literal: str
    addresses: frozenset[str]
    origins: frozenset[str]
    token: str = member(repr=False)

    @classmethod
    def of(cls, host: str, port: int, *, origins: Sequence[str], token: str) -> Gate:
        """Return the gate of a bound address.

        Raises:
            InvalidDocument: an origin has another form.
        """
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise InvalidDocument("expected an origin such as http://localhost:5173 or app://coach")
        literal = f"[{host}]" if ":" in host else host
        addresses = frozenset({f"{literal}:{port}", f"localhost:{port}"})
        return cls(literal, addresses, frozenset(origins), check_token(token))

    def check_address(self, headers: Sequence[tuple[str, str]]) -> str:
        """Return the origin of the page that asks, "" if it is no page.

        Args:
            headers: name, in lower case, and value of each.

        Raises:
            Refusal: it came through another name, or from a page that was not named.
        """
        hosts = [value.lower() for name, value in headers if name == "host"]
        if len(hosts) != 1 or hosts[0] not in self.addresses:
            raise Refusal(
                "expected a request to the address that is served", code="host", status=HTTPStatus.MISDIRECTED_REQUEST
            )
        origins = [value for name, value in headers if name == "origin"]
        if origins and (len(origins) != 1 or origins[0] not in self.origins):
            raise Refusal(
                "expected no page, or one that --allow-origin names", code="origin", status=HTTPStatus.FORBIDDEN
            )
        return origins[0] if origins else ""

    def check_token(self, headers: Sequence[tuple[str, str]]) -> None:
        """Let only a program through that holds the token.

        Raises:
            Refusal: it does not.
        """
        given = [value for name, value in headers if name == "authorization"]
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        right = secrets.compare_digest(token.strip().encode("utf-8", "surrogateescape"), self.token.encode())
        if scheme.lower() != "bearer" or not right:
            raise Refusal(
                "expected the token of this device as a bearer token",
                code="invalid_api_key",
                status=HTTPStatus.UNAUTHORIZED,
            )


def check_body_headers(headers: Mapping[str, str]) -> None:
    """Refuse a body that is no JSON, or that says of itself that it is too large.

    Raises:
        Refusal: it does.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal("expected application/json", code="content_type", status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > MAX_BODY_BYTES:
        raise too_large()


def too_large() -> Refusal:
    """Return the refusal of a body that is too large."""
    return Refusal(
        f"expected a body of at most {MAX_BODY_BYTES} bytes",
        code="request_too_large",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )
