"""Manifests and statements: their lists of entries are read once, and just as strictly as the long way reads them."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import KINDS, PREVIOUS, TIERS, Entry, parse_entry, parse_listing, parse_manifest
from tests.simulator import Organisation

NAMES = st.from_regex(r"[a-z0-9]{1,3}([-.][a-z0-9]{1,2})?", fullmatch=True)
DIGEST = "sha256:" + "0a" * 32
ENTRIES = st.builds(
    lambda kind, name, epoch, tier, author: Entry(kind, name, epoch, digest=DIGEST, tier=tier, author=author),
    st.sampled_from(KINDS),
    NAMES,
    st.integers(1, 2**53 - 1),
    st.sampled_from(TIERS),
    NAMES,
)
TRICKY = st.sampled_from(['"entries":[', '","entries":[]', "},{", "]", '\\"entries":', "é", "}]"])


def read(data: bytes, within: tuple[str | int, ...] = ()) -> object:
    """Return what either way makes of the bytes, after holding one against the other."""

    def outcome(parsed: object) -> object:
        try:
            document = parsed(data)  # type: ignore[operator]
            holder = document
            for step in within:
                holder = holder[step]
            if isinstance(holder.get("entries"), list | tuple):
                holder["entries"] = [parse_entry(entry) for entry in holder["entries"]]
        except (InvalidDocument, LookupError, TypeError) as error:
            return type(error)
        return document

    quick = outcome(lambda data: parse_listing(data, max_bytes=100_000, within=within))
    assert quick == outcome(lambda data: canonical.parse(data, max_bytes=100_000))
    return quick


def test_a_line_feed_in_a_list_hides_nothing() -> None:
    """Attack: an entry that is none, with a good one on a line of its own inside, is refused both ways."""
    good = canonical.encode(Entry("prompt", "a", 1, digest=DIGEST, tier="R1", author="b").as_json())[1:-1]
    for inside in (b"x\n" + good, good + b"\n", b"\n" + good, good + b"\n" + good):
        assert read(b'{"entries":[{%b},{%b}]}' % (good, inside)) is InvalidDocument


@given(st.lists(ENTRIES, max_size=4), TRICKY, st.dictionaries(NAMES, TRICKY, max_size=2))
def test_a_list_of_entries_reads_the_same_both_ways(entries: list[Entry], text: str, more: dict[str, str]) -> None:
    """Whatever stands around the list, even text that looks like one."""
    document = {**more, "entries": [entry.as_json() for entry in entries], "reason": text}
    assert isinstance(read(canonical.encode(document)), dict)
    nested = {**more, "before": [{"entries": document["entries"], "x": text}]}
    assert isinstance(read(canonical.encode(nested), ("before", 0)), dict)
    read(canonical.encode(nested))
    read(canonical.encode(document), ("before", 0))
    read(canonical.encode({**document, "about": {"entries": []}}))


@given(st.lists(ENTRIES, min_size=1, max_size=2), st.integers(0), st.integers(1, 255))
def test_a_changed_byte_reads_the_same_both_ways(entries: list[Entry], at: int, flip: int) -> None:
    """Each way accepts what the other does, and gives the same."""
    data = bytearray(canonical.encode({"entries": [entry.as_json() for entry in entries], "z": "]"}))
    data[at % len(data)] ^= flip
    read(bytes(data))


@pytest.mark.parametrize(
    "spelling",
    [
        lambda text: text.replace(":", ": "),
        lambda text: text.replace("[{", "[ {"),
        lambda text: text.replace('"epoch":1', '"epoch":1.0'),
        lambda text: text.replace('"epoch":1', '"epoch":01'),
        lambda text: text.replace('"epoch":1', '"epoch":0'),
        lambda text: text.replace('"epoch":1', '"epoch":9007199254740993'),
        lambda text: text.replace('"name":"a"', '"name":"\\u0061"'),
        lambda text: text.replace('"name":"a"', f'"name":"{"a" * 81}"'),
        lambda text: text.replace('"name":"a"', '"name":"a","name":"a"'),
        lambda text: text.replace("}]", "},]"),
        lambda text: text.replace("}]", '}],"entries":[]'),
    ],
)
def test_other_spellings_are_refused_both_ways(spelling: object) -> None:
    """Blanks, floats, leading zeros, escapes, repeated keys, names that are too long."""
    entry = Entry("prompt", "a", 1, digest=DIGEST, tier="R1", author="b")
    text = spelling(canonical.encode({"entries": [entry.as_json()]}).decode())  # type: ignore[operator]
    assert read(text.encode()) is InvalidDocument


def test_more_bytes_than_allowed_are_refused() -> None:
    """Also where the list alone is longer than what is left without it."""
    entry = Entry("prompt", "a", 1, digest=DIGEST, tier="R1", author="b")
    data = json.dumps({"entries": [entry.as_json()]}, separators=(",", ":"), sort_keys=True).encode()
    with pytest.raises(InvalidDocument, match="bytes"):
        parse_listing(data, max_bytes=len(data) - 1)
    assert parse_listing(data, max_bytes=len(data))["entries"] == (entry,)


def test_an_emergency_is_stated_inside_what_people_sign() -> None:
    """The member is required, true or false, and changes the digest; the first version is no longer read."""
    calm = Organisation().build({}, version=PREVIOUS)
    haste = dataclasses.replace(calm, emergency=True)
    assert parse_manifest(haste.encode()) == haste != parse_manifest(calm.encode())
    assert haste.digest != calm.digest
    document = json.loads(calm.encode())
    for changed in ({"emergency": 0}, {"emergency": "false"}, {"format": "mentorplane-manifest/1"}):
        with pytest.raises(InvalidDocument):
            parse_manifest(canonical.encode({**document, **changed}))
    del document["emergency"]
    with pytest.raises(InvalidDocument, match="emergency"):
        parse_manifest(canonical.encode(document))
