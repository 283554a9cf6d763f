"""The entries of a manifest: what they say, and how a list of them is read quickly.

Promises: an unknown kind, tier or member is refused; a list reads the same whether it is read quickly or not.
Format: docs/formats.md, *Manifest*.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from functools import lru_cache

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import MAX_NAME_LENGTH, NAME, is_digest, is_name

__all__ = ["KINDS", "LEAST_TIERS", "TIERS", "Entry", "is_ordered", "parse_entry", "parse_listing"]

KINDS = (
    "agreement",
    "approval-rules",
    "handoff",
    "include",
    "model",
    "policy",
    "prompt",
    "session-type",
    "vocabulary",
)
TIERS = ("R0", "R1", "R2", "R3", "R4")
LEAST_TIERS = {"approval-rules": "R4", "handoff": "R4", "model": "R3", "policy": "R4", "vocabulary": "R4"}
"""The kinds whose tier nobody may state lower."""
_LISTED = b'"entries":'
_ENTRY = re.compile(
    f'"author":"({NAME})","digest":"(sha256:[0-9a-f]{{64}})","epoch":([1-9][0-9]{{0,14}}),'
    f'"kind":"({"|".join(KINDS)})","name":"({NAME})","tier":"({"|".join(TIERS)})"'
)
"""The inside of an entry in canonical JSON."""


@frozen
class Entry:
    """One governed thing: what it is called, which content it has, how risky it is, who wrote it.

    `epoch` counts the changes of this entry and never falls; `digest` names the closure; `author` is a
    pseudonymous person id.
    """

    kind: str
    name: str
    epoch: int
    digest: str
    tier: str
    author: str

    def __hash__(self) -> int:
        return hash(self.digest)  # enough to tell entries apart, and remembered by the text: coverage asks often

    def __lt__(self, other: Entry) -> bool:
        return (self.key, self.epoch, self.digest) < (other.key, other.epoch, other.digest)

    @property
    def key(self) -> tuple[str, str]:
        """Return what identifies the entry within a manifest: kind and name."""
        return self.kind, self.name

    def as_json(self) -> canonical.JsonObject:
        """Return the entry as a JSON object."""
        return {
            "author": self.author,
            "digest": self.digest,
            "epoch": self.epoch,
            "kind": self.kind,
            "name": self.name,
            "tier": self.tier,
        }


def is_ordered(entries: Sequence[Entry]) -> bool:
    """Return whether entries are sorted by kind and name, each once."""
    keys = [(entry.kind, entry.name) for entry in entries]
    return all(map(operator.lt, keys, keys[1:]))


def parse_listing(data: bytes, *, max_bytes: int, within: tuple[str | int, ...] = ()) -> canonical.JsonObject:
    """Return the object that canonical bytes hold, as `canonical.parse` does, with its list of entries read already.

    A release states the same list in its manifest and in each signed statement, thousands of entries in a large
    library, each time a device starts: here each list is read once. What is between the brackets and what is around
    them are canonical each, so the whole is; the name occurs once, so nothing else can be taken for the list. Any
    other form goes the long way, and gets its error there.

    Args:
        data: the bytes.
        max_bytes: how many may be read.
        within: the path to the object that holds the list, where it is not the document itself.
    """
    start = data.find(_LISTED) + len(_LISTED)
    end = data.find(b"]", start) + 1
    entries = _read_entries(data[start:end]) if len(data) <= max_bytes and data.count(_LISTED) == 1 and end else None
    if entries is None:
        return canonical.parse(data, max_bytes=max_bytes)
    document = canonical.parse(data[:start] + b"[]" + data[end:], max_bytes=max_bytes)
    holder = document
    try:
        for step in within:
            holder = holder[step]  # type: ignore[index]
        if holder["entries"] == []:
            holder["entries"] = entries
            return document
    except (LookupError, TypeError):
        pass
    return canonical.parse(data, max_bytes=max_bytes)


@lru_cache(maxsize=4)
def _read_entries(listed: bytes) -> tuple[Entry, ...] | None:
    """Return the entries of a list in canonical JSON; None if it is anything else."""
    if not (listed.startswith(b"[{") and listed.endswith(b"}]") and listed.isascii()):
        return None
    entries = tuple(map(_read_entry, listed[2:-2].decode("ascii").split("},{")))
    return None if None in entries else entries  # type: ignore[return-value]


@lru_cache(maxsize=32_768)
def _read_entry(inside: str) -> Entry | None:
    """Return the entry with this inside; the same record each time, so that manifests and statements share theirs."""
    found = _ENTRY.fullmatch(inside)
    if found is None:
        return None
    author, digest, epoch, kind, name, tier = found.groups()
    if len(author) > MAX_NAME_LENGTH or len(name) > MAX_NAME_LENGTH:
        return None
    return Entry(kind, name, int(epoch), digest=digest, tier=tier, author=author)


def parse_entry(document: object) -> Entry:
    """Return the entry that a JSON object holds.

    Raises:
        InvalidDocument: a member is missing, unknown or mistyped.
    """
    if isinstance(document, Entry):  # read by `parse_listing`
        return document
    match document:
        case {"kind": str(kind), "name": str(name), "digest": str(digest), "author": str(author), **rest} if (
            kind in KINDS and is_name(name) and is_digest(digest) and is_name(author)
        ):
            match rest:
                case {"tier": str(tier), "epoch": int(epoch), **more} if (
                    tier in TIERS and epoch >= 1 and epoch is not True and not more
                ):
                    return Entry(kind, name, epoch, digest=digest, tier=tier, author=author)
    raise InvalidDocument("expected entries of kind, name, epoch from 1, digest, tier and author")
