"""The records of several parts of `/v1`. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

__all__ = [
    "FieldDiff",
    "GrantRecord",
    "Material",
    "Person",
    "Proposal",
    "Proving",
    "Release",
    "Span",
    "Stated",
    "VersionInfo",
    "Window",
]


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """A member that changed, by its path within the closure, and its text before and after in one row of spans."""

    field: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A grant as its list shows it.

    `state` is "proposed", "to-hand-over", "later", "in-force", "ended" or "expired"; `behalf` is the absent person
    of
    a delegation; `digest` is that of what is signed.
    """

    id: str
    person: str
    role: str
    state: str
    since: datetime
    until: datetime
    behalf: str
    previous: str
    digest: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """All that somebody needs to decide about a proposal without believing the server.

    `manifest` and `closures` are the very bytes, as text: their digests are for the reader to derive. Cases,
    recordings and earlier contents are what the checks are given besides. Entries are named `kind name`.
    For the review of a release besides: `before`, the manifest that it stands on, with its contents among
    `closures`.
    For an author besides: the `title` that they sign, which entries they `sign` for, and the passages and words
    that
    files `share`, as they were written.
    """

    number: int
    revision: int
    state: str
    channel: str
    organisation: str
    manifest: str
    closures: Mapping[str, str]
    cases: Mapping[str, Mapping[str, Any]]
    recordings: Mapping[str, Mapping[str, Any]]
    earlier: Mapping[str, tuple[str, ...]]
    title: str = ""
    signs: tuple[str, ...] = ()
    shared: Mapping[str, str] = field(default_factory=dict)
    before: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the console shows them; `locked` after too many wrong passphrases, `left` for good."""

    id: str
    login: str
    name: str
    roles: tuple[str, ...]
    custody: str
    locked: bool
    left: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A set of changes: `manifest` is the digest that people sign.

    `state` is open, scheduled, suspended, rejected, expired, released or closed; whatever is not decided ends at
    `expires_at`.
    """

    number: int
    channel: str
    title: str
    state: str
    revision: int
    manifest: str
    base: str
    author: str
    editor: str
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Proving:
    """That somebody is here, signed by their own key: when, random bytes in hex, the signature in base64."""

    at: str
    nonce: str
    signature: str


@dataclass(frozen=True, slots=True)
class Release:
    """A released manifest; `leaf` is its index in the audit log."""

    channel: str
    number: int
    manifest: str
    proposal: int
    by: str
    at: datetime
    entries: int
    leaf: int


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text that stayed, was added or was removed."""

    op: Literal["same", "added", "removed"]
    text: str


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement signed with the person's own key, and the salt in base64 of its commitment to title or reason."""

    envelope: Mapping[str, Any]
    salt: str


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One released version of an entry."""

    epoch: int
    digest: str
    author: str
    channel: str
    release: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """When a trial on a channel ends, and what happens then: keep, or return."""

    ends_at: datetime
    then: str
