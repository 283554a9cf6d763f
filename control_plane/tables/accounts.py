"""The tables of accounts: tokens, sessions, keys besides a person's present one, identities, invitations, grants.

Secrets are stored as their SHA-256: whoever reads the database can use none of them. What a row repeats of signed
bytes is an index; the bytes beside it are what counts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field, SQLModel

from control_plane.tables.registry import UtcTime

__all__ = ["MOVED", "ContactRow", "GrantRow", "IdentityRow", "InvitationRow", "KeyRow", "SessionRow", "TokenRow"]


MOVED = "moved"
"""Why an address is encrypted anew: the key that it was under expired."""


def _json() -> Column[Any]:
    return Column(JSON, nullable=False)


def _bytes() -> Column[bytes]:
    return Column(LargeBinary, nullable=False)


def _time() -> Column[datetime]:
    return Column(UtcTime, nullable=False)


def _maybe() -> Column[datetime]:
    return Column(UtcTime, nullable=True)


class TokenRow(SQLModel, table=True):
    """An API token, as the SHA-256 of its text: whose, for what, until when.

    `machine` names the service account that uses it, "" for a person's own; then `person` answers for what
    it does. `used_at` is coarse, and `at` before the first use.
    """

    __tablename__ = "token"
    hash: str = Field(primary_key=True)
    id: str = Field(unique=True)
    person: str = Field(foreign_key="person.id", index=True)
    machine: str = ""
    name: str
    scopes: list[str] = Field(sa_column=_json())
    key: str = ""
    expires_at: datetime = Field(sa_column=_time())
    used_at: datetime = Field(sa_column=_time())
    revoked_at: datetime | None = Field(default=None, sa_column=_maybe())
    at: datetime = Field(sa_column=_time())


class SessionRow(SQLModel, table=True):
    """A person who signed in, as the SHA-256 of their cookie; `seen_at` is coarse."""

    __tablename__ = "session"
    hash: str = Field(primary_key=True)
    person: str = Field(foreign_key="person.id", index=True)
    seen_at: datetime = Field(sa_column=_time())
    expires_at: datetime = Field(sa_column=_time())
    at: datetime = Field(sa_column=_time())


class KeyRow(SQLModel, table=True):
    """A key of a person's besides their present one: retired, or sealed under a machine's token.

    `enrolled` and `retired` are the entries of the log that say so; a retired key has nothing sealed any more.
    """

    __tablename__ = "person_key"
    id: str = Field(primary_key=True)
    person: str = Field(foreign_key="person.id", index=True)
    custody: str
    roles: list[str] = Field(sa_column=_json())
    public_key: bytes = Field(sa_column=_bytes())
    sealed_key: dict[str, Any] = Field(sa_column=_json())
    enrolled: int
    retired: int | None = None
    at: datetime = Field(sa_column=_time())


class IdentityRow(SQLModel, table=True):
    """Whom an identity provider vouches for: a subject of an issuer is one person."""

    __tablename__ = "identity"
    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    person: str = Field(foreign_key="person.id", index=True)
    at: datetime = Field(sa_column=_time())


class ContactRow(SQLModel, table=True):
    """A person's e-mail address, encrypted under a text key of theirs, and who entered it."""

    __tablename__ = "contact"
    person: str = Field(primary_key=True, foreign_key="person.id")
    key: str = Field(foreign_key="text_key.id", index=True)
    data: bytes = Field(sa_column=_bytes())
    by: str = Field(foreign_key="person.id")
    at: datetime = Field(sa_column=_time())


class InvitationRow(SQLModel, table=True):
    """A code handed to a person, or a proof of theirs, as its SHA-256: good once, for one purpose, for a while."""

    __tablename__ = "invitation"
    hash: str = Field(primary_key=True)
    person: str = Field(foreign_key="person.id", index=True)
    purpose: str
    expires_at: datetime = Field(sa_column=_time())
    used_at: datetime | None = Field(default=None, sa_column=_maybe())
    at: datetime = Field(sa_column=_time())


class GrantRow(SQLModel, table=True):
    """Who holds a role from when to when; in force once `granted`, the entry of the log that says so, is there.

    `envelope` is the signed statement ({} where the enrolment itself is the evidence); `behalf` is the absent person
    for whom a delegate holds the role; `previous` is the grant that this one takes over from, with `handed_over`.
    """

    __tablename__ = "role_grant"
    id: str = Field(primary_key=True)
    person: str = Field(foreign_key="person.id", index=True)
    role: str = Field(index=True)
    behalf: str = ""
    previous: str = ""
    since: datetime = Field(sa_column=_time())
    until: datetime = Field(sa_column=_time())
    digest: str = ""
    envelope: dict[str, Any] = Field(sa_column=_json())
    granted: int | None = None
    handed_over: int | None = None
    ended: int | None = None
    ended_at: datetime | None = Field(default=None, sa_column=_maybe())
    at: datetime = Field(sa_column=_time())
