"""Sharded manifests and their parts: both sides derive the same shards, and nothing but those is read."""

from __future__ import annotations

import dataclasses
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument, NewerFormat, NotTrusted
from edge_runtime.core.manifest import PREVIOUS, Entry, Manifest, parse_manifest, shards_of
from edge_runtime.core.parts import Part, pack, packed_bytes, unpack
from edge_runtime.core.release import encode_release, open_release, parse_release, parts_of
from edge_runtime.core.trust import adopt
from tests.simulator import Organisation

DIGEST = "sha256:" + "0a" * 32


def manifest(prompts: int, *, changed: int = -1) -> Manifest:
    """Return a manifest of so many prompts, one of them changed."""
    names = sorted(f"prompt-{number}" for number in range(prompts))
    entries = [
        Entry("prompt", name, 2 if number == changed else 1, DIGEST, "R1", "p-maya")
        for number, name in enumerate(names)
    ]
    return dataclasses.replace(Organisation().build({}), entries=tuple(entries))


def rewritten(made: Manifest, shards: list[list[Entry]]) -> bytes:
    """Return the manifest with these shards instead of its own, under a head that names them."""
    lines = [
        canonical.encode({"format": "mentorplane-shard/1", "entries": [entry.as_json() for entry in shard]})
        for shard in shards
    ]
    head = canonical.parse(made.encode().split(b"\n")[0], max_bytes=10**6)
    named = [Part.of(line).as_json() for line in lines]
    return b"\n".join([canonical.encode({**head, "shards": named}), *lines])


def held(made: Manifest) -> list[list[Entry]]:
    """Return the entries of each shard."""
    shards = made.encode().split(b"\n")[1:]
    return [[Entry(**entry) for entry in canonical.parse(shard, max_bytes=10**6)["entries"]] for shard in shards]


@pytest.mark.parametrize(("prompts", "shards"), [(0, 1), (1, 1), (128, 1), (129, 2), (257, 4), (600, 8)])
def test_how_many_shards_follows_from_the_number_of_entries(prompts: int, shards: int) -> None:
    """A small library is one shard; a large one a power of two; each reads back the same."""
    made = manifest(prompts)

    assert len(shards_of(made.encode().split(b"\n")[0])) == shards
    assert parse_manifest(made.encode()) == made
    assert rewritten(made, held(made)) == made.encode()


def test_one_changed_entry_changes_the_head_and_one_shard() -> None:
    """So that is all a device has to fetch; and what people sign changes with it."""
    before, after = manifest(600), manifest(600, changed=77)

    differing = [a != b for a, b in zip(before.encode().split(b"\n"), after.encode().split(b"\n"), strict=True)]

    assert (differing[0], sum(differing)) == (True, 2)
    assert before.digest != after.digest == canonical.digest(after.encode().split(b"\n")[0])


def test_an_entry_in_another_shard_is_refused() -> None:
    """Attack: an entry is listed in two shards, or where nobody looks for it, or shards are divided otherwise."""
    made = manifest(300)
    first, second, *others = held(made)
    for shards in (
        [first, sorted([*second, first[0]]), *others],
        [first[1:], sorted([*second, first[0]]), *others],
        [second, first, *others],
        [first, second, *others, []],
        [[*first[1:], first[0]], second, *others],
        [[first[0], *first], second, *others],
        [sorted(entry for shard in held(made) for entry in shard)],
        [],
    ):
        with pytest.raises(InvalidDocument):
            parse_manifest(rewritten(made, shards))


def test_shards_that_the_head_does_not_name_are_refused() -> None:
    """Attack: shards of different manifests are recombined, left out, added or repeated: mix and match."""
    made, other = manifest(300), manifest(300, changed=5)
    lines, others = made.encode().split(b"\n"), other.encode().split(b"\n")
    mixed = [a if a == b else b for a, b in zip(lines[1:], others[1:], strict=True)]
    for data in ([lines[0], *mixed], lines[:-1], [*lines, lines[1]], [lines[0]], [lines[0], lines[2], lines[1]]):
        with pytest.raises(InvalidDocument):
            parse_manifest(b"\n".join(data))


@pytest.mark.parametrize("change", [{"size": 10**9}, {"size": 0}, {"digest": "sha256:0"}, {"more": 1}])
def test_a_shard_is_named_strictly(change: dict[str, object]) -> None:
    """Sizes have bounds, so that no head makes a device fetch without end."""
    head = canonical.parse(manifest(1).encode().split(b"\n")[0], max_bytes=10**6)
    data = canonical.encode({**head, "shards": [{**head["shards"][0], **change}]})
    with pytest.raises(InvalidDocument):
        shards_of(data)
    with pytest.raises(InvalidDocument):
        shards_of(canonical.encode({**head, "shards": [{**head["shards"][0], "size": 7_000_000}] * 2}))


def test_parts_that_are_missing_or_others_are_not_trusted() -> None:
    """V5: every shard and every group of statements is the one that the release file names."""
    organisation = Organisation()
    organisation.release(organisation.base_documents())
    good = organisation.deliver()
    for digest, data in good.parts.items():
        for held_instead in ({}, {digest: data[:-1]}, {digest: data.replace(b"p-maya", b"p-mara") + b" "}):
            parts = {**{name: part for name, part in good.parts.items() if name != digest}, **held_instead}
            with pytest.raises(NotTrusted) as caught:
                adopt(None, dataclasses.replace(good, parts=parts))
            assert caught.value.check == "V5"


def test_statements_of_one_manifest_stand_in_one_group() -> None:
    """So a device that holds those of earlier releases fetches one group for the next."""
    organisation = Organisation()
    organisation.release(organisation.base_documents())
    before = set(organisation.deliver().parts)
    organisation.release({("prompt", "opener"): organisation.base_documents()["prompt", "opener"]})
    delivered = organisation.deliver()

    release = parse_release(delivered.release)
    assert len(release.groups) == 2
    assert len(set(delivered.parts) - before) == 2, "one shard and one group are new"
    assert open_release(release, delivered.parts)[1] == tuple(organisation.statements)


def test_a_manifest_of_the_version_before_goes_in_a_release_of_the_version_before() -> None:
    """Older devices read it, whole and with plain closures; so do these."""
    organisation = Organisation()
    organisation.manifest = organisation.build(organisation.base_documents(), version=PREVIOUS)
    made, organisation.manifest = organisation.manifest, None
    organisation.vouch(made, [("p-tom", "facilitator"), ("p-ines", "community-host")])
    delivered = organisation.deliver(made)

    assert canonical.parse(delivered.release, max_bytes=10**6)["format"] == "mentorplane-release/1"
    assert parts_of(parse_release(delivered.release)) == ()
    assert adopt(None, delivered).state.manifest == made
    assert made.encode().count(b"\n") == 0
    mixed = {**canonical.parse(delivered.release, max_bytes=10**6), "manifest": manifest(1).encode().decode()}
    for manifest_of_other in (manifest(1).encode().decode(), manifest(1).encode().split(b"\n")[0].decode()):
        with pytest.raises(InvalidDocument):
            parse_release(canonical.encode({**mixed, "manifest": manifest_of_other}))


@pytest.mark.parametrize("name", ["mentorplane-manifest", "mentorplane-release"])
def test_a_later_version_is_told_apart_from_what_is_malformed(name: str) -> None:
    """A device can say that it is too old; anything that is no later version is just not read."""
    organisation = Organisation()
    organisation.release(organisation.base_documents())
    data = organisation.deliver().release
    for version, error in (("9", NewerFormat), ("12", NewerFormat), ("0", InvalidDocument), ("9x", InvalidDocument)):
        document = canonical.parse(data, max_bytes=10**6)
        holder = document
        if name == "mentorplane-manifest":
            holder = canonical.parse(document["manifest"].encode(), max_bytes=10**6)
        holder["format"] = f"{name}/{version}"
        if holder is not document:
            document["manifest"] = canonical.encode(holder).decode()
        with pytest.raises(error) as caught:
            parts_of(parse_release(canonical.encode(document)))
        assert (type(caught.value), getattr(caught.value, "format", "")) == (
            error,
            f"{name}/{version}" if error is NewerFormat else "",
        )
    assert encode_release(parse_release(data)) == data


@given(st.binary(max_size=300))
def test_what_is_packed_unpacks_to_the_same_bytes(data: bytes) -> None:
    """Within the bound, and the compressed form within its own."""
    assert unpack(pack(data), max_bytes=len(data)) == data
    assert len(pack(data)) <= packed_bytes(len(data))


def test_a_compression_bomb_is_refused() -> None:
    """Attack: a kilobyte that unpacks to megabytes: refused before they are made; so is one byte too many."""
    bomb = pack(b"\0" * 50_000_000)
    assert len(bomb) < 50_000
    with pytest.raises(InvalidDocument, match="at most 1000 bytes"):
        unpack(bomb, max_bytes=1000)
    with pytest.raises(InvalidDocument):
        unpack(pack(b"12345"), max_bytes=4)


def test_a_stream_that_ends_early_or_goes_on_is_refused() -> None:
    """Every cut and every flipped bit is refused, those that a compressed stream ends in too; nothing may follow.

    With a checksum that fits as well: what is no stream, or not one whole stream.
    """
    packed = pack(b"what was published " * 20)
    for data in (b"", packed + b"\0", packed + packed, b"no zlib", *(packed[:end] for end in range(len(packed)))):
        with pytest.raises(InvalidDocument):
            unpack(data, max_bytes=1000)
    for place, bit in itertools.product(range(len(packed)), range(8)):
        flipped = packed[:place] + bytes([packed[place] ^ 1 << bit]) + packed[place + 1 :]
        with pytest.raises(InvalidDocument):
            unpack(flipped, max_bytes=1000)
    stream = packed[:-4]
    for data in (b"", b"no zlib", stream[:-1], stream + b"\0", stream + stream):
        with pytest.raises(InvalidDocument):
            unpack(data + zlib.crc32(data).to_bytes(4, "big"), max_bytes=1000)
