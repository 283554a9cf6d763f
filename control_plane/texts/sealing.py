"""Keys of texts and what is encrypted under them, in the transaction of the act.

Each key belongs to one person, one retention class and one month; it is random and wrapped by `keys/texts.key`. With it
stands the person's display name, encrypted, and the commitment to it that leaves carry; each reason stands in a row of
its own. The salt of a commitment is encrypted with its text.

Promises: equal texts look unrelated; a text cannot be moved to another entry or key without failing to decrypt.
Does not: decide who may read, or destroy anything (see `erasing`). Source: RFC 8439 (ChaCha20-Poly1305).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from sqlmodel import Session, col, select

from audit.record import commit
from control_plane.plane import ControlPlane
from control_plane.tables.registry import TextKeyRow, TextRow
from edge_runtime.core.errors import Unavailable

__all__ = [
    "NAME",
    "REASON",
    "Said",
    "add_key",
    "current_key",
    "open_aside",
    "open_name",
    "open_text",
    "say",
    "seal_aside",
    "store",
    "unwrap",
]

NAME, REASON = "actor.name", "reason.text"
"""The members of a leaf whose texts are kept here."""
KEY_BYTES, SALT_BYTES, NONCE_BYTES = 32, 16, 12
_NAME_PLACE = b"name"


@dataclass(frozen=True, slots=True)
class Said:
    """A text of a person, and the secret salt of its commitment."""

    text: str = field(repr=False)
    salt: bytes = field(repr=False)

    @property
    def commitment(self) -> str:
        """What the log and signed statements hold of it."""
        return commit(self.text, self.salt)


def say(plane: ControlPlane, text: str) -> Said:
    """Return a text with a fresh salt."""
    return Said(text, plane.random(SALT_BYTES))


def current_key(plane: ControlPlane, session: Session, person: str, *, retention: str) -> TextKeyRow:
    """Return the key for what a person writes now, made if there is none; it takes over their display name."""
    month = f"{plane.now():%Y-%m}"
    same = (TextKeyRow.person == person, TextKeyRow.retention == retention, TextKeyRow.month == month)
    found = session.exec(select(TextKeyRow).where(*same, col(TextKeyRow.erased_by).is_(None))).first()
    if found is not None:
        return found
    living = select(TextKeyRow).where(TextKeyRow.person == person, col(TextKeyRow.erased_by).is_(None))
    last = session.exec(living.order_by(col(TextKeyRow.at).desc(), TextKeyRow.id).limit(1)).first()
    name = open_name(plane, last).text if last is not None and last.name else ""
    return add_key(plane, session, person, retention=retention, name=name)


def add_key(plane: ControlPlane, session: Session, person: str, *, retention: str, name: str) -> TextKeyRow:
    """Make a key of a person for this month, with their display name under it; "" if none is known."""
    identity = "k-" + plane.random(8).hex()
    key, said = plane.random(KEY_BYTES), say(plane, name)
    row = TextKeyRow(
        id=identity,
        person=person,
        retention=retention,
        month=f"{plane.now():%Y-%m}",
        wrapped=_encrypt(plane, plane.keys.texts, key, place=identity.encode()),
        name=said.commitment if name else "",
        name_data=_encrypt(plane, key, said.salt + name.encode(), place=_NAME_PLACE) if name else b"",
        at=plane.now(),
    )
    session.add(row)
    session.flush()
    return row


def store(plane: ControlPlane, session: Session, seq: int, *, key: TextKeyRow, said: Said) -> None:
    """Keep the reason behind an entry."""
    plain = said.salt + said.text.encode()
    data = _encrypt(plane, unwrap(plane, key), plain, place=_place(seq, REASON))
    session.add(TextRow(leaf=seq, field=REASON, key=key.id, data=data))
    session.flush()


def unwrap(plane: ControlPlane, row: TextKeyRow) -> bytes:
    """Return a key that is not destroyed.

    Raises:
        Unavailable: it is, or was changed from outside, or `keys/texts.key` is another one.
    """
    return _decrypt(plane.keys.texts, row.wrapped, place=row.id.encode())


def open_name(plane: ControlPlane, row: TextKeyRow) -> Said:
    """Return the display name under a key that is not destroyed."""
    return _said(_decrypt(unwrap(plane, row), row.name_data, place=_NAME_PLACE))


def open_text(key: bytes, row: TextRow) -> Said:
    """Return the text of a row, given its key."""
    return _said(_decrypt(key, row.data, place=_place(row.leaf, row.field)))


def seal_aside(plane: ControlPlane, key: TextKeyRow, text: str, *, place: str) -> bytes:
    """Return a text that no entry of the log commits to, encrypted for a place outside it, such as `draft/7`."""
    return _encrypt(plane, unwrap(plane, key), text.encode(), place=place.encode())


def open_aside(plane: ControlPlane, key: TextKeyRow, data: bytes, *, place: str) -> str:
    """Return what `seal_aside` encrypted under a key that is not destroyed."""
    return _decrypt(unwrap(plane, key), data, place=place.encode()).decode()


def _place(seq: int, member: str) -> bytes:
    return f"{seq}/{member}".encode()


def _said(plain: bytes) -> Said:
    return Said(plain[SALT_BYTES:].decode(), plain[:SALT_BYTES])


def _encrypt(plane: ControlPlane, key: bytes, plain: bytes, *, place: bytes) -> bytes:
    nonce = plane.random(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, place)


def _decrypt(key: bytes, data: bytes, *, place: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], place)
    except (InvalidTag, TypeError, ValueError) as error:
        raise Unavailable(
            "expected a text as it was encrypted, got something else",
            hint="the database or keys/texts.key was changed from outside; see `mentorplane audit verify`",
        ) from error
