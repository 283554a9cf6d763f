"""The manifest: all that a release consists of; its digest is what people sign.

Written out it is lines: the head, which holds everything but the entries, and the entries in shards. People sign the
digest of the head, which names each shard by its digest; a device fetches those shards that it does not hold. How many
there are follows from the number of entries, and which one an entry is in from its kind and name. A manifest of the
version before is one line with all its entries.

Promises: `parse_manifest(m.encode()) == m`; entries are sorted and unique, epochs and numbers start at 1; an entry in
another shard than its own and an unknown kind, tier or member are refused.
Does not: say whether the manifest is approved (see `trust`). Format: docs/formats.md, `mentorplane-manifest/3`.
"""

from __future__ import annotations

from functools import lru_cache

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.entries import KINDS, LEAST_TIERS, TIERS, Entry, is_ordered, parse_entry, parse_listing
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields, is_digest
from edge_runtime.core.parts import Part
from edge_runtime.core.shards import divide, join, parse_shards

__all__ = [
    "DRAFT",
    "FORMAT",
    "KINDS",
    "LEAST_TIERS",
    "PREVIOUS",
    "TIERS",
    "Entry",
    "Manifest",
    "Model",
    "is_previous",
    "manifest_digest",
    "parse_entry",
    "parse_listing",
    "parse_manifest",
    "shards_of",
]

FORMAT = "mentorplane-manifest/3"
PREVIOUS = "mentorplane-manifest/2"
DRAFT = "draft"
"""The channel of a developer's own root, and the organisation that it is of: neither comes without the other."""
MAX_BYTES = 8_000_000


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
    `lifts` are the digests of the withdrawals that no longer hold: whoever approves it knew of them. `version` is the
    format that it is written in.
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
    version: str = FORMAT

    def encode(self) -> bytes:
        """Return the manifest written out: the head, whose digest people sign, and a line for each shard."""
        if self.version == PREVIOUS:
            return self._head({"entries": [entry.as_json() for entry in self.entries]})
        shards = divide(self.entries)
        return b"\n".join((self._head({"shards": [Part.of(shard).as_json() for shard in shards]}), *shards))

    def _head(self, listed: canonical.JsonObject) -> bytes:
        return canonical.encode(
            {
                **listed,
                "format": self.version,
                "organisation": self.organisation,
                "channel": self.channel,
                "number": self.number,
                "base": self.base,
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
    def digest(self) -> str:
        """Return what people sign."""
        return manifest_digest(self.encode())

    @property
    def settings(self) -> Settings:
        """Return what a release sets beside its entries: a change of it is a change of the highest tier."""
        return self.locales, self.stages, self.models, self.fresh_for_s, self.valid_for_s, self.lifts

    def find(self, kind: str, name: str) -> Entry | None:
        """Return the entry of that kind and name, if there is one."""
        return next((entry for entry in self.entries if entry.key == (kind, name)), None)

    def admits(self, model: str) -> bool:
        """Return whether devices may read with the model of this digest ("": none): one that is named, if any is."""
        return not self.models or any(named.digest == model for named in self.models)


def manifest_digest(written: bytes) -> str:
    """Return the digest of a manifest written out: that of its first line."""
    return canonical.digest(written.split(b"\n", 1)[0])


def changed_entries(manifest: Manifest, base: Manifest | None) -> tuple[Entry, ...]:
    """Return the entries of `manifest` that `base` does not hold just so."""
    before = set(base.entries) if base else set()
    return tuple(entry for entry in manifest.entries if entry not in before)


def is_previous(head: bytes) -> bool:
    """Return whether this is a manifest of the version before, or else the head of one.

    Raises:
        InvalidDocument: it is no canonical JSON.
    """
    return bool(parse_listing(head, max_bytes=MAX_BYTES).get("format") == PREVIOUS)


@lru_cache(maxsize=4)
def shards_of(head: bytes) -> tuple[Part, ...]:
    """Return what names the shards of a manifest, in their order; none for one of the version before.

    Raises:
        InvalidDocument: it is no canonical JSON, or names no shards as it should.
    """
    document = parse_listing(head, max_bytes=MAX_BYTES)
    if document.get("format") == PREVIOUS:
        return ()
    fields = Fields({"shards": document.get("shards"), "format": document.get("format")}, FORMAT)
    return parse_shards(fields, max_bytes=MAX_BYTES)


@lru_cache(maxsize=4)
def parse_manifest(data: bytes) -> Manifest:
    """Return the manifest that is written out in `data`.

    Raises:
        InvalidDocument: not canonical, a member is missing, unknown, mistyped or out of bounds, or a shard is not the
            one that the head names.
    """
    if len(data) > MAX_BYTES:
        raise InvalidDocument(f"{FORMAT}: expected at most {MAX_BYTES} bytes, got {len(data)}")
    head, *shards = data.split(b"\n")
    document = parse_listing(head, max_bytes=MAX_BYTES)
    version = PREVIOUS if document.get("format") == PREVIOUS and not shards else FORMAT
    fields = Fields(document, version)
    manifest = Manifest(
        entries=fields.items("entries", parse_entry)
        if version == PREVIOUS
        else join(parse_shards(fields, max_bytes=MAX_BYTES), shards),
        organisation=fields.name("organisation"),
        channel=fields.name("channel"),
        number=fields.integer("number", at_least=1),
        base=fields.digest("base", empty=True),
        locales=fields.texts("locales"),
        stages=fields.items("stages", parse_stage, at_most=20),
        models=fields.items("models", parse_model, at_most=100),
        fresh_for_s=fields.integer("fresh_for_s", at_least=60),
        valid_for_s=fields.integer("valid_for_s", at_least=60),
        rollback_to=fields.integer("rollback_to"),
        emergency=fields.boolean("emergency"),
        lifts=fields.items("lifts", parse_lift),
        version=version,
    )
    fields.close()
    _verify_consistent(manifest)
    return manifest


def _verify_consistent(manifest: Manifest) -> None:
    form = manifest.version
    if (manifest.channel == DRAFT) != (manifest.organisation == DRAFT):
        raise InvalidDocument(
            f"{form}: expected the channel {DRAFT!r} of a developer's own root alone, and no other there"
        )
    if form == PREVIOUS and not is_ordered(manifest.entries):  # shards give them so
        raise InvalidDocument(f"{form}: expected entries sorted by kind and name, each once")
    if list(manifest.lifts) != sorted(set(manifest.lifts)):
        raise InvalidDocument(f"{form}: expected lifted withdrawals sorted, each once")
    if (manifest.number == 1) != (manifest.base == ""):
        raise InvalidDocument(f"{form}: expected a base digest from the second release on, and none before")
    if manifest.valid_for_s < manifest.fresh_for_s:
        raise InvalidDocument(f"{form}: expected valid_for_s to be at least fresh_for_s")


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
