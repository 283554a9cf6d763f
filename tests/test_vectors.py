"""Golden vectors: the bytes of every format of ours stay what they are, and mean what docs/formats.md says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from audit.checkpoint import open_checkpoint
from audit.note import parse_note
from audit.openings import check_openings, encode_openings, parse_openings
from audit.record import encode_leaf, parse_leaf
from audit.reveal import parse_reveal
from audit.rollups import parse_rollups
from audit.tiles import parse_bundle, parse_tile
from control_plane.sync.lock import parse_lock
from edge_runtime.core import canonical
from edge_runtime.core.agreement import parse_agreement
from edge_runtime.core.approval import parse_rules
from edge_runtime.core.basis import encode_basis, parse_basis
from edge_runtime.core.counts import encode as encode_telling
from edge_runtime.core.counts import parse as parse_telling
from edge_runtime.core.errors import InvalidDocument, MentorplaneError
from edge_runtime.core.include import parse_include
from edge_runtime.core.mandates import encode_mandates, parse_mandates
from edge_runtime.core.manifest import parse_manifest
from edge_runtime.core.model import parse_model_card
from edge_runtime.core.policy import encode_policy, parse_policy
from edge_runtime.core.prompt import parse_prompt
from edge_runtime.core.reader.model import parse_reader_model
from edge_runtime.core.receipt import parse_receipt
from edge_runtime.core.release import encode_release, encode_withdrawals, parse_release, parse_withdrawals
from edge_runtime.core.rollout import encode_words, parse_words
from edge_runtime.core.session_type import parse_session_type
from edge_runtime.core.trust import Delivery, adopt, open_prompt, running
from edge_runtime.core.trustfile import encode_trust, parse_trust
from edge_runtime.core.vocabulary import parse_vocabulary
from tests.conftest import places
from tests.vectors import generate

ROUND_TRIPS: dict[str, Callable[[bytes], bytes]] = {
    "approval-rules.json": lambda data: canonical.encode(parse_rules(data).as_json()),
    "basis.json": lambda data: encode_basis(*parse_basis(data)),
    "census.json": lambda data: encode_telling(parse_telling(data)),
    "checkpoint.txt": lambda data: parse_note(data).encode(),
    "leaf-1.json": lambda data: encode_leaf(parse_leaf(data)),
    "leaf.json": lambda data: encode_leaf(parse_leaf(data)),
    "lock.json": lambda data: parse_lock(data).encode(),
    "mandates.json": lambda data: encode_mandates(parse_mandates(data)),
    "manifest-2.json": lambda data: parse_manifest(data).encode(),
    "manifest.json": lambda data: parse_manifest(data + b"\n" + golden("shard.json")).encode().split(b"\n")[0],
    "openings.jsonl": lambda data: encode_openings(parse_openings(data)),
    "policy.json": lambda data: encode_policy(parse_policy(data)),
    "receipt.json": lambda data: parse_receipt(data).encode(),
    "receipt-1.json": lambda data: parse_receipt(data).encode(),
    "reveal.json": lambda data: parse_reveal(data).encode(),
    "rollup.json": lambda data: encode_telling(parse_telling(data)),
    "rollups.txt": lambda data: parse_rollups(data).encode(),
    "runs.json": lambda data: encode_telling(parse_telling(data)),
    "release-1.json": lambda data: encode_release(parse_release(data)),
    "release.json": lambda data: encode_release(parse_release(data)),
    "shard.json": lambda data: parse_manifest(golden("manifest.json") + b"\n" + data).encode().split(b"\n")[1],
    "trust-3.json": lambda data: encode_trust(parse_trust(data)),
    "trust.json": lambda data: encode_trust(parse_trust(data)),
    "stages.json": lambda data: encode_words("production", parse_words(data, "production")),
    "withdrawals.json": lambda data: encode_withdrawals("production", parse_withdrawals(data, "production")),
}


def golden(name: str) -> bytes:
    """Return a golden file from the disk."""
    return (generate.FOLDER / name).read_bytes()


def delivery() -> Delivery:
    """Return the example release as a device would have fetched it, with nothing withdrawn."""
    kinds = ("approval-rules", "handoff", "policy", "prompt")
    closures = {canonical.digest(data): data for data in (golden(f"{kind}.json") for kind in kinds)}
    parts = {
        canonical.digest(data): data for data in (golden(f"{one}.json") for one in ("shard", "statements", "mandates"))
    }
    withdrawn = golden("withdrawals-none.json")
    return Delivery("production", golden("trust.json"), golden("release.json"), withdrawn, parts, closures)


def test_golden_files_are_what_the_generator_makes() -> None:
    """`make vectors` would change nothing: no byte of any format moved unseen."""
    on_disk = {str(p.relative_to(generate.FOLDER)): p.read_bytes() for p in generate.FOLDER.rglob("*") if p.is_file()}
    made = generate.files()
    assert sorted(on_disk) == sorted(made)
    assert [name for name in made if made[name] != on_disk[name]] == []


def test_examples_in_the_formats_page_are_the_golden_files() -> None:
    """Every example of docs/formats.md is a golden file, long texts cut at an ellipsis, and every format has one."""
    page = generate.FORMATS.read_text(encoding="utf-8")
    assert generate.with_examples(page, generate.files()) == page
    examples = set(re.findall(r"<!-- example: (\S+) -->", page))
    assert examples >= {*ROUND_TRIPS, "prompt.json", "statement.json", "envelope.json"}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_each_format_reads_back_to_the_same_bytes(name: str) -> None:
    """Parsing a golden file and encoding it again gives its bytes."""
    assert ROUND_TRIPS[name](golden(name)) == golden(name)


@pytest.mark.parametrize("name", ["prompt.json", "handoff.json", "statement.json", "envelope.json"])
def test_each_signed_or_frozen_document_is_canonical(name: str) -> None:
    """Documents that are never written again from records are canonical as they stand."""
    assert canonical.encode(canonical.parse(golden(name), max_bytes=100_000)) == golden(name)


@pytest.mark.parametrize("name", ["prompt.json", "handoff.json"])
def test_example_closures_are_prompts(name: str) -> None:
    """The example closures are read as prompts."""
    assert parse_prompt(golden(name)).name


@pytest.mark.parametrize(
    ("name", "parse"),
    [
        ("agreement.json", parse_agreement),
        ("include.de.json", parse_include),
        ("include.json", parse_include),
        ("model.json", parse_model_card),
        ("reader.json", parse_reader_model),
        ("session-type.json", parse_session_type),
        ("vocabulary.json", parse_vocabulary),
    ],
)
def test_example_of_each_kind_is_read_strictly(name: str, parse: Callable[[bytes], object]) -> None:
    """The example of each kind is read; a missing or unknown member is refused, and no flipped bit goes unseen."""
    data = golden(name)
    read, document = parse(data), canonical.parse(data, max_bytes=100_000)
    for member in document:
        if member != "translation_of":
            with pytest.raises(InvalidDocument):
                parse(canonical.encode({key: value for key, value in document.items() if key != member}))
    with pytest.raises(InvalidDocument):
        parse(canonical.encode({**document, "more": 1}))
    for place in range(0, len(data), 7):
        try:
            assert parse(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]) != read
        except InvalidDocument:
            continue


def test_canonical_json_accepts_one_spelling_only() -> None:
    """Each accepted text has its digest; each refused one is refused for what it is."""
    cases = json.loads(golden("canonical.json"))
    for case in cases["accepted"]:
        data = case["bytes"].encode()
        assert canonical.encode(canonical.parse(data, max_bytes=1000)) == data
        assert canonical.digest(data) == case["digest"]
    for case in cases["refused"]:
        with pytest.raises(InvalidDocument):
            canonical.parse(case["bytes"].encode(), max_bytes=1000)


def test_the_log_files_hold_what_the_release_proves() -> None:
    """Entry bundle, tile and checkpoint of the example log agree with the leaf that the release carries."""
    entries = parse_bundle(golden("log/tile/entries/000.p/4"), 4)
    assert entries[3] == golden("leaf.json")
    assert check_openings(map(parse_leaf, entries), parse_openings(golden("openings.jsonl"))).ok
    assert len(parse_tile(golden("log/tile/0/000.p/4"), 4)) == 4
    keys = [generate.UNSAFE_LOG.verifier, generate.UNSAFE_WITNESS.verifier]
    opened = open_checkpoint(golden("checkpoint.txt"), keys, generate.LOG_ORIGIN)
    assert (opened.checkpoint.size, len(opened.witnesses)) == (4, 1)


def test_a_device_accepts_the_example_release() -> None:
    """The golden release passes V4 to V9, and its prompt opens."""
    state = adopt(None, delivery()).state
    assert state.manifest.number == 1
    assert open_prompt(state, "summary-first-opener", golden("prompt.json")).tier == "R2"


def test_a_device_stops_what_the_example_withdraws() -> None:
    """With the golden withdrawal list nothing runs under the same name."""
    state = adopt(None, replace(delivery(), withdrawals=golden("withdrawals.json"))).state
    assert running(state, "summary-first-opener") is None


@pytest.mark.sampled
@pytest.mark.parametrize("member", ["release", "withdrawals"])
def test_no_flipped_byte_of_the_example_is_accepted(member: str) -> None:
    """A bit flipped anywhere in a file is refused, or leaves the verified release as it was."""
    good = delivery() if member != "withdrawals" else replace(delivery(), withdrawals=golden("withdrawals.json"))
    data, expected = getattr(good, member), adopt(None, good).state
    for place in places(len(data), about=150):
        flipped = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            state = adopt(None, replace(good, **{member: flipped})).state
        except MentorplaneError:
            continue
        assert replace(state, checkpoint=expected.checkpoint) == expected
