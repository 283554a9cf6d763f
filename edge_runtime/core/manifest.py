"""The manifest: all that a release consists of; its digest is what people sign.

Promises: `parse_manifest(m.encode()) == m`; entries are sorted and unique, epochs and numbers start at 1;
an unknown kind, tier or member is refused.
Does not: say whether the manifest is approved (see `trust`). Format: docs/formats.md, `mentorplane-manifest/2`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from functools import lru_cache

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import MAX_NAME_LENGTH, NAME, Fields, is_digest, is_name

__all__ = [
    "DRAFT",
    "FORMAT",
    "KINDS",
    "LEAST_TIERS",
    "TIERS",
    "Entry",
    "Manifest",
    "Model",
    "parse_entry",
    "parse_listing",
    "parse_manifest",
]

FORMAT = "mentorplane-manifest/2"
DRAFT = "draft"
"""The channel of a developer's own root, and the organisation that it is of: neither comes without the other."""
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
MAX_BYTES = 8_000_000
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


@frozen
class Model:
    """A model file that the release relies on: its name, digest and size in bytes."""

    name: str
    digest: str
    size_bytes: int

    def as_json(self) -> canonical.JsonObject:
        """Return the model as a JSON object."""
        return {"name": self.name, "digest": self.digest, "size_bytes": self.size_bytes}


Settings = tuple[tuple[str, ...], tuple[int, ...], tuple[Model, ...], int, int, tuple[str, ...]]
"""Locales, stages, models, `fresh_for_s`, `valid_for_s` and lifted withdrawals of a release."""


@frozen
class Manifest:
    """What a release consists of.

    `base` is the digest of the manifest before, "" for the first. `emergency` says that people were asked for the
    quorum of emergencies: it stands inside what they sign, so that no approval given in calm serves in haste.
    `lifts` are the digests of the withdrawals that no longer hold: whoever approves it knew of them.
    """

    organisation: str
    channel: str
    number: int
    base: str
    entries: tuple[Entry, ...]
    locales: tuple[str, ...]
    stages: tuple[int, ...]
    models: tuple[Model, ...]
    fresh_for_s: int
    valid_for_s: int
    rollback_to: int
    emergency: bool = False
    lifts: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """Return the canonical bytes: what the digest is taken over."""
        return canonical.encode(
            {
                "format": FORMAT,
                "organisation": self.organisation,
                "channel": self.channel,
                "number": self.number,
                "base": self.base,
                "entries": [entry.as_json() for entry in self.entries],
                "locales": list(self.locales),
                "stages": list(self.stages),
                "models": [model.as_json() for model in self.models],
                "fresh_for_s": self.fresh_for_s,
                "valid_for_s": self.valid_for_s,
                "rollback_to": self.rollback_to,
                "emergency": self.emergency,
                "lifts": list(self.lifts),
            }
        )

    @property
    def settings(self) -> Settings:
        """Return what a release sets beside its entries: a change of it is a change of the highest tier."""
        return self.locales, self.stages, self.models, self.fresh_for_s, self.valid_for_s, self.lifts

    def find(self, kind: str, name: str) -> Entry | None:
        """Return the entry of that kind and name, if there is one."""
        return next((entry for entry in self.entries if entry.key == (kind, name)), None)


def is_ordered(entries: Sequence[Entry]) -> bool:
    """Return whether entries are sorted by kind and name, each once."""
    keys = [(entry.kind, entry.name) for entry in entries]
    return all(map(operator.lt, keys, keys[1:]))


def changed_entries(manifest: Manifest, base: Manifest | None) -> tuple[Entry, ...]:
    """Return the entries of `manifest` that `base` does not hold just so."""
    before = set(base.entries) if base else set()
    return tuple(entry for entry in manifest.entries if entry not in before)


@lru_cache(maxsize=4)
def parse_manifest(data: bytes) -> Manifest:
    """Return the manifest that canonical bytes hold.

    Raises:
        InvalidDocument: not canonical, or a member is missing, unknown, mistyped or out of bounds.
    """
    fields = Fields(parse_listing(data, max_bytes=MAX_BYTES), FORMAT)
    manifest = Manifest(
        organisation=fields.name("organisation"),
        channel=fields.name("channel"),
        number=fields.integer("number", at_least=1),
        base=fields.digest("base", empty=True),
        entries=fields.items("entries", parse_entry),
        locales=fields.texts("locales"),
        stages=fields.items("stages", parse_stage, at_most=20),
        models=fields.items("models", parse_model, at_most=100),
        fresh_for_s=fields.integer("fresh_for_s", at_least=60),
        valid_for_s=fields.integer("valid_for_s", at_least=60),
        rollback_to=fields.integer("rollback_to"),
        emergency=fields.boolean("emergency"),
        lifts=fields.items("lifts", parse_lift),
    )
    fields.close()
    if (manifest.channel == DRAFT) != (manifest.organisation == DRAFT):
        raise InvalidDocument(
            f"{FORMAT}: expected the channel {DRAFT!r} of a developer's own root alone, and no other there"
        )
    if not is_ordered(manifest.entries):
        raise InvalidDocument(f"{FORMAT}: expected entries sorted by kind and name, each once")
    if list(manifest.lifts) != sorted(set(manifest.lifts)):
        raise InvalidDocument(f"{FORMAT}: expected lifted withdrawals sorted, each once")
    if (manifest.number == 1) != (manifest.base == ""):
        raise InvalidDocument(f"{FORMAT}: expected a base digest from the second release on, and none before")
    if manifest.valid_for_s < manifest.fresh_for_s:
        raise InvalidDocument(f"{FORMAT}: expected valid_for_s to be at least fresh_for_s")
    return manifest


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
            holder["entries"] = list(entries)
            return document
    except (LookupError, TypeError):
        pass
    return canonical.parse(data, max_bytes=max_bytes)


@lru_cache(maxsize=4)
def _read_entries(listed: bytes) -> tuple[Entry, ...] | None:
    """Return the entries of a list in canonical JSON; None if it is anything else."""
    if not (listed.startswith(b"[{") and listed.endswith(b"}]") and listed.isascii()):
        return None
    entries = []
    for inside in listed[2:-2].decode("ascii").split("},{"):
        found = _ENTRY.fullmatch(inside)
        if found is None:
            return None
        author, digest, epoch, kind, name, tier = found.groups()
        if len(author) > MAX_NAME_LENGTH or len(name) > MAX_NAME_LENGTH:
            return None
        entries.append(Entry(kind, name, int(epoch), digest=digest, tier=tier, author=author))
    return tuple(entries)


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
    raise InvalidDocument(f"{FORMAT}: expected entries of kind, name, epoch from 1, digest, tier and author")


def parse_model(document: object) -> Model:
    """Return the model that a JSON object names; raises `InvalidDocument` if it does not."""
    fields = Fields(document, "manifest model", tagged=False)
    model = Model(fields.name("name"), fields.digest("digest"), fields.integer("size_bytes", at_least=1))
    fields.close()
    return model


def parse_lift(value: object) -> str:
    """Return the digest of a withdrawal; raises `InvalidDocument` if it is not one."""
    if not isinstance(value, str) or not is_digest(value):
        raise InvalidDocument(f"{FORMAT}: expected digests of withdrawals in member 'lifts'")
    return value


def parse_stage(value: object) -> int:
    """Return a percentage from 1 to 100; raises `InvalidDocument` if it is not one."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 100:
        raise InvalidDocument(f"{FORMAT}: expected percentages from 1 to 100 in member 'stages'")
    return value
