"""The entries of a manifest: what they say, and how a list of them is read quickly.

Promises: an unknown kind, tier or member is refused; a list reads the same whether it is read quickly or not.
Format: docs/formats.md, *Manifest*.
"""

from __future__ import annotations

import operator
import re
import sys
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import NamedTuple

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
    f'^"author":"({NAME})","digest":"(sha256:[0-9a-f]{{64}})","epoch":([1-9][0-9]{{0,14}}),'
    f'"kind":"({"|".join(KINDS)})","name":"({NAME})","tier":"({"|".join(TIERS)})"$',
    re.MULTILINE,
)
"""The inside of an entry in canonical JSON, as a line."""
_MAX_KNOWN = 32_768
_KEY = operator.itemgetter(0, 1)


class Entry(NamedTuple):
    """One governed thing: what it is called, which content it has, how risky it is, who wrote it.

    `epoch` counts the changes of this entry and never falls; `digest` names the closure; `author` is a
    pseudonymous person id. A tuple, since a large library makes, hashes and compares tens of thousands of them each
    time an app starts, and of a tuple nothing of that is a call of Python (docs/adr/0016).
    """

    kind: str
    name: str
    epoch: int
    digest: str
    tier: str
    author: str

    @property
    def key(self) -> tuple[str, str]:
        """Return what identifies the entry within a manifest: kind and name."""
        return self[:2]

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
    keys = list(map(_KEY, entries))
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


_KNOWN: dict[str, Entry] = {}
"""Entries by their insides: the same record each time, so that manifests and statements share theirs."""
_MAKE = partial(tuple.__new__, Entry)


@lru_cache(maxsize=4)
def _read_entries(listed: bytes) -> tuple[Entry, ...] | None:
    """Return the entries of a list in canonical JSON; None if it is anything else."""
    if not (listed.startswith(b"[{") and listed.endswith(b"}]") and listed.isascii()) or b"\n" in listed:
        return None
    insides = listed[2:-2].decode("ascii").split("},{")
    found = list(map(_KNOWN.get, insides))
    if None in found:
        unknown = [inside for inside, entry in zip(insides, found, strict=True) if entry is None]
        read = _read_lines(unknown)
        if read is None:
            return None
        if len(_KNOWN) + len(read) > _MAX_KNOWN:
            _KNOWN.clear()
        fresh = dict(zip(unknown, read, strict=True))
        _KNOWN.update(fresh)
        found = [entry or fresh[inside] for inside, entry in zip(insides, found, strict=True)]
    return tuple(found)  # type: ignore[arg-type]


def _read_lines(insides: Sequence[str]) -> list[Entry] | None:
    """Return the entries with these insides, none of which has a line feed; None if one is anything else."""
    found = _ENTRY.findall("\n".join(insides))
    if len(found) != len(insides):
        return None
    authors, digests, epochs, kinds, names, tiers = zip(*found, strict=True)
    if max(map(len, authors)) > MAX_NAME_LENGTH or max(map(len, names)) > MAX_NAME_LENGTH:
        return None
    kinds, tiers, authors = (tuple(map(sys.intern, few)) for few in (kinds, tiers, authors))
    return list(map(_MAKE, zip(kinds, names, map(int, epochs), digests, tiers, authors, strict=True)))


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
