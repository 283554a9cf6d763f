"""Making an evidence pack: everything that an outsider needs to check a stretch of the log, as files.

Promises:
1. The files follow from their material alone: the same material and key give the same bytes.
2. `pack.note` lists the digest and the size of every other file under the log's signature, so that no file can be
   changed, added or left out unseen.
3. The table, the events and the sample are generated from the entries, by the functions that the verifier uses.

It does not check the material: `audit.pack.check_pack` does, and whoever makes a pack runs it before handing it over.

Files: see docs/formats.md, "Evidence pack". Source: C2SP tlog-tiles, tlog-checkpoint, signed-note.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audit.acts import Outcome
from audit.canonical import canonical, parse_canonical
from audit.checkpoint import parse_checkpoint
from audit.errors import InvalidFormat
from audit.lines import MAX_PROOF_LINES, parse_hash
from audit.merkle import Frontier
from audit.note import Signer, parse_note, sign_note
from audit.pack import ocsf, sample, table
from audit.pack.container import is_path
from audit.record import LeafRecord, parse_leaf
from audit.tiles import ENTRIES, TILE_WIDTH, Tile, encode_bundle, level_count, levels_of

FORMAT = "mentorplane-pack/2"
SAMPLE_FORMAT = "mentorplane-sample/1"
NOTE, SCOPE, SAMPLE = "pack.note", "pack.json", "sample.json"
CHECKPOINT_A, CHECKPOINT_B, CONSISTENCY, FRONTIER_A = "checkpoint-a", "checkpoint-b", "consistency", "frontier-a"
CSV, OCSF, OPENINGS, POLICY = "entries.csv", "entries.ocsf.jsonl", "openings.jsonl", "policy"
REPORTS = ("report.html", "report.pdf")
RELEASE = "release/"
ERASED, ERASED_LEAF, ERASED_PROOF = "erased/", ".leaf", ".tlog-proof"
MAX_NOTE_FILES = 9_000  # lines that a signed note can hold

_LINE = re.compile(r"([0-9a-f]{64}) (0|[1-9][0-9]{0,15}) (\S+)")
_SCOPE = {
    "format": str,
    "origin": str,
    "kind": str,
    "from": str,
    "to": str,
    "channel": str,
    "release": int,
    "first": int,
    "last": int,
}
_KINDS = ("period", "release")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pack is about: the entries `first` to `last`, and why these.

    kind     "period": all entries from `since` up to, not with, `until`; "release": all about one release
    since, until   RFC 3339 UTC times of a period, or ""
    channel, release   channel and number of the release, or "" and 0
    """

    origin: str
    kind: str
    first: int
    last: int
    since: str = ""
    until: str = ""
    channel: str = ""
    release: int = 0

    def encode(self) -> bytes:
        """Return the canonical bytes of the scope."""
        return canonical(
            {
                "format": FORMAT,
                "origin": self.origin,
                "kind": self.kind,
                "from": self.since,
                "to": self.until,
                "channel": self.channel,
                "release": self.release,
                "first": self.first,
                "last": self.last,
            }
        )


def parse_scope(data: bytes) -> Scope:
    """Parse the scope of a pack.

    Raises:
        InvalidFormat: it is not the canonical form of a scope.
    """
    document = parse_canonical(data)
    if not isinstance(document, dict) or set(document) != set(_SCOPE) or document["format"] != FORMAT:
        raise InvalidFormat(f"expected the scope of a pack of format {FORMAT}, got something else")
    if any(type(document[name]) is not kind for name, kind in _SCOPE.items()) or document["kind"] not in _KINDS:
        raise InvalidFormat("expected the members of a scope to have their types, got others")
    if not 0 <= document["first"] <= document["last"] or document["release"] < 0:
        raise InvalidFormat("expected a first entry not after the last, got another")
    times = (document["from"], document["to"])
    if not all(map(_TIME.fullmatch, times)) or (all(times) and times[0] >= times[1]):
        raise InvalidFormat("expected times of a period, the first before the second, got others")
    about_release = document["kind"] == "release"
    if {about_release} != {bool(document["release"]), bool(document["channel"])} or (about_release and any(times)):
        raise InvalidFormat("expected either a release with its channel and number or a period, got a mixture")
    return Scope(
        document["origin"],
        document["kind"],
        document["first"],
        document["last"],
        since=document["from"],
        until=document["to"],
        channel=document["channel"],
        release=document["release"],
    )


@dataclass(frozen=True, slots=True)
class Material:
    """What a pack is made of.

    checkpoint_a, consistency   the older checkpoint and the proof from it to the newer; empty for a pack from entry 0
    checkpoint_b   the newer checkpoint, verbatim, with all its signatures
    frontier_a     right edge of the tree at the older checkpoint
    entries        the entries from `start_of(size of A)` up to the size of B; empty where there is none to be had
    tiles          hashes of the published hash tiles that `tiles_between` names
    openings, policy   verbatim files
    extra          further files, such as those below `release/`
    """

    scope: Scope
    checkpoint_b: bytes
    frontier_a: Frontier
    entries: Sequence[bytes]
    tiles: Mapping[Tile, bytes]
    checkpoint_a: bytes = b""
    consistency: tuple[bytes, ...] = ()
    openings: bytes = b""
    policy: bytes = b""
    nonce: str = ""
    extra: Mapping[str, bytes] = field(default_factory=dict)


def start_of(size_a: int) -> int:
    """Return the index of the first entry in the bundle that holds entry `size_a`."""
    return size_a - size_a % TILE_WIDTH


def bundles_between(size_a: int, size_b: int) -> list[Tile]:
    """Return the entry bundles that hold the entries from `size_a` up to `size_b`."""
    return _tiles(ENTRIES, size_a, size_b)


def tiles_between(size_a: int, size_b: int) -> list[Tile]:
    """Return the hash tiles above the entries from `size_a` up to `size_b`, bottom-up: all that their proofs need."""
    return [tile for level in levels_of(size_b) for tile in _tiles(level, size_a, size_b)]


def _tiles(level: int, size_a: int, size_b: int) -> list[Tile]:
    first, new = level_count(size_a, level) // TILE_WIDTH, level_count(size_b, level)
    return [Tile(level, n, min(TILE_WIDTH, new - n * TILE_WIDTH)) for n in range(first, -(-new // TILE_WIDTH))]


def pack_files(material: Material) -> dict[str, bytes]:
    """Return the files of a pack but for its note."""
    scope, text = material.scope, parse_note(material.checkpoint_b).text
    size_a, size_b = material.frontier_a.size, parse_checkpoint(text).size
    start = start_of(size_a)
    if len(material.entries) != size_b - start:
        raise ValueError(f"expected {size_b - start} entries, got {len(material.entries)}")
    files = dict(material.extra)
    for tile in bundles_between(size_a, size_b):
        a, b = tile.entry_range
        files[tile.path] = encode_bundle([entry for entry in material.entries[a - start : b - start] if entry])
    files |= {tile.path: data for tile, data in material.tiles.items()}
    files |= {SCOPE: scope.encode(), CHECKPOINT_B: material.checkpoint_b, FRONTIER_A: material.frontier_a.encode()}
    if size_a:
        files |= {CHECKPOINT_A: material.checkpoint_a, CONSISTENCY: encode_proof(material.consistency)}
    files |= {OPENINGS: material.openings, POLICY: material.policy}
    chosen = material.entries[scope.first - start : scope.last + 1 - start]
    rows, events, population = [table.HEADER], [], []
    for entry in chosen:
        leaf = _lenient(entry)
        if leaf is not None:
            row = table.row_of(leaf, entry)
            rows.append(table.csv_row(row))
            events.append(ocsf.event_line(row, origin=scope.origin))
            population += [leaf.seq] if is_change(leaf) else []
    files |= {CSV: b"".join(rows), OCSF: b"".join(events)}
    files[SAMPLE] = encode_sample(text, material.nonce, population)
    return files


def _lenient(entry: bytes) -> LeafRecord | None:
    """Parse an entry; one that a forger spoilt has no row, and the verifier names it."""
    try:
        return parse_leaf(entry)
    except InvalidFormat:
        return None


def is_change(leaf: LeafRecord) -> bool:
    """Return whether an entry belongs to the population of changes."""
    return leaf.act in sample.CHANGES and leaf.outcome == Outcome.DONE


def encode_sample(checkpoint_text: str, nonce: str, population: Sequence[int]) -> bytes:
    """Return the sample file: nonce, seed, size of the population, and the entries drawn."""
    seed = sample.seed_of(checkpoint_text, nonce)
    document = {
        "format": SAMPLE_FORMAT,
        "nonce": nonce,
        "seed": seed.hex(),
        "population": len(population),
        "drawn": list(sample.draw(seed, population)),
    }
    return canonical(document)


def parse_sample(data: bytes) -> dict[str, Any]:
    """Parse a sample file.

    Raises:
        InvalidFormat: it is not the canonical form of one.
    """
    document = parse_canonical(data)
    wanted = {"format": str, "nonce": str, "seed": str, "population": int, "drawn": list}
    if not isinstance(document, dict) or set(document) != set(wanted) or document["format"] != SAMPLE_FORMAT:
        raise InvalidFormat(f"expected a sample of format {SAMPLE_FORMAT}, got something else")
    if any(type(document[name]) is not kind for name, kind in wanted.items()):
        raise InvalidFormat("expected the members of a sample to have their types, got others")
    return document


def encode_proof(hashes: Sequence[bytes]) -> bytes:
    """Return a proof as lines of base64."""
    return b"".join(base64.b64encode(value) + b"\n" for value in hashes)


def parse_proof(data: bytes) -> tuple[bytes, ...]:
    """Parse a proof in lines of base64.

    Raises:
        InvalidFormat: it is not one, or not in its one form.
    """
    *lines, rest = data.split(b"\n")
    if rest or len(lines) > 2 * MAX_PROOF_LINES:
        raise InvalidFormat("expected a proof of hashes in base64, one on a line, got something else")
    try:
        return tuple(parse_hash(line.decode()) for line in lines)
    except UnicodeDecodeError as error:
        raise InvalidFormat("expected a proof in lines of base64, got something else") from error


def sign_pack(files: Mapping[str, bytes], signer: Signer) -> bytes:
    """Return the note of a pack: digest, size and path of every file, under the log's signature."""
    if len(files) > MAX_NOTE_FILES or NOTE in files or not all(is_path(path) for path in files):
        raise ValueError(f"expected at most {MAX_NOTE_FILES} files with paths of a pack: choose a shorter period")
    lines = (f"{hashlib.sha256(files[path]).hexdigest()} {len(files[path])} {path}\n" for path in sorted(files))
    return sign_note(FORMAT + "\n" + "".join(lines), [signer])


def parse_listing(text: str) -> dict[str, tuple[str, int]]:
    """Parse the text of a pack's note into digest and size by path.

    Raises:
        InvalidFormat: it is not the note of a pack, or not in its one form.
    """
    first, *lines = text.removesuffix("\n").split("\n")
    if first != FORMAT or not text.endswith("\n"):
        raise InvalidFormat(f"expected the note of a pack of format {FORMAT}, got something else")
    listed: dict[str, tuple[str, int]] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None or not is_path(match[3]) or match[3] == NOTE:
            raise InvalidFormat("expected lines of digest, size and path, got something else")
        listed[match[3]] = (match[1], int(match[2]))
    if list(listed) != sorted(listed) or len(listed) != len(lines):
        raise InvalidFormat("expected files sorted by path, each once, got another order")
    return listed
