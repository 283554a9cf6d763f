"""What an app brings along: whom to trust, where to ask, and the token of a private channel.

    trust/root.json         the first root: whom to trust
    trust/second-source     one line, which may be missing: an address or a folder that offers withdrawals besides
    trust/census            one line, which may be missing: the address that is told once a day; without it nobody is

Promises: no root, no trust. Does not: ask anybody anything.
"""

from __future__ import annotations

from pathlib import Path

from audit.frozen import frozen
from edge_runtime.core.errors import InvalidDocument, NotTrusted, Unavailable
from edge_runtime.delivery.access import Access, Pace, is_private, is_web, require_plain

__all__ = ["Sources", "shipped_trust", "sources_of"]

MAX_ADDRESS_BYTES = 2_000


@frozen
class Sources:
    """Where a device asks: the source of its channel with the token for it, and a second one of withdrawals, or "".

    `pace` is how slow either may be, `census` the address that is told once a day, or "".
    """

    first: str | None
    access: Access | None
    second: str
    pace: Pace = Pace()
    census: str = ""


def shipped_trust(trust: str | Path | None) -> bytes:
    """Return the root that the app ships.

    Raises:
        NotTrusted: V1, no folder was named.
        Unavailable: it cannot be read.
    """
    if trust is None:
        raise NotTrusted(
            "expected the folder with the organisation's root.json, got none",
            check="V1",
            hint="ship the server's trust/ folder with your app; trust on first use does not exist here",
        )
    try:
        return (Path(trust) / "root.json").read_bytes()
    except OSError as error:
        raise Unavailable(f"expected root.json in the trust folder, got {error.strerror}") from error


def sources_of(trust: str | Path, source: str | None, *, token: str, header: str, pace: Pace | None) -> Sources:
    """Return where a device asks.

    Raises:
        InvalidDocument: an address, the token or its header is of another form, or there is a token and no source.
        Unavailable: the token would be sent in the clear, or the trust folder cannot be read.
    """
    if token and source is None:
        raise InvalidDocument("expected a source for the token, got none")
    second, census = (_line(Path(trust) / name) for name in ("second-source", "census"))
    for address in (source, second, census):
        if address and is_web(address):
            require_plain(address)
    if census and not (is_web(census) and is_private(census)):
        raise InvalidDocument("expected an https address in census, or one of this machine, got another")
    access = Access(source, token, header) if token and source else None
    return Sources(source, access, second, pace or Pace(), census=census)


def _line(file: Path) -> str:
    if not file.exists():
        return ""
    try:
        with file.open("rb") as opened:
            address = opened.read(MAX_ADDRESS_BYTES).decode().strip()
    except OSError as error:
        raise Unavailable(f"expected {file.name} in the trust folder, got {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidDocument(f"expected one address in {file.name}, got other bytes") from error
    if not address or not address.isprintable():
        raise InvalidDocument(f"expected one address in {file.name}, got something else")
    return address
