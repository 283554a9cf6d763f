"""The receipts of a home: a content-free record of each run, each linked to the one before.

    home/receipts.jsonl    one line a run
    home/rollups.jsonl     which receipts one roll-up stands for
    home/salts/            what opens their commitments (see `salts`)

Promises: 1. the chain shows a removed or altered receipt. 2. What a receipt commits to can be opened with this home
alone; what was said in a crisis is committed to under a secret that nobody keeps. 3. A roll-up of a day tells nothing.
Does not: leave the device. Formats: docs/formats.md, `mentorplane-receipt/2` and `mentorplane-rollup-kept/1`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from audit import merkle
from audit.commitment import commit
from audit.frozen import frozen, replace
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.receipt import (
    FORMAT,
    MAX_LINE_BYTES,
    MOST_PLACES,
    OUTPUT,
    Receipt,
    leaves_of,
    parse_receipt,
    said,
    salt_of,
)
from edge_runtime.home import holding
from edge_runtime.salts import SECRET_BYTES, Salts, open_private

__all__ = ["Place", "Receipt", "Receipts", "Rollup"]

ROLLUP = "mentorplane-rollup-kept/1"
LOCK_TIMEOUT_S = 10


@frozen
class Rollup:
    """The receipts of one day, from number `first` to `last`, that the root of one tree stands for."""

    channel: str
    day: str
    first: int
    last: int
    root: str


@frozen
class Place:
    """Where a receipt stands in the tree of its roll-up, and the hashes that lead from there to the root."""

    rollup: Rollup
    index: int
    size: int
    path: tuple[bytes, ...]


class Receipts:
    """The chain of receipts in one home."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "receipts.jsonl"
        self._lock_path = folder / "receipts.lock"
        self._rollups = folder / "rollups.jsonl"
        self._salts = Salts(folder)

    def append(self, receipt: Receipt, texts: Mapping[str, object] | None = None) -> Receipt:
        """Link `receipt` to the last one, commit it to `texts`, write it to the disk, and return it as written.

        Args:
            receipt: the receipt, but for its number, its link and its commitments.
            texts: what its owner may prove later, by place; none, and nobody can ever open what it commits to.
        """
        with self._locked():
            last = self._last()
            number, previous = (last.number + 1, last.digest) if last else (1, "")
            secret = secrets.token_bytes(SECRET_BYTES) if texts is None else self._salts.drawn(receipt.day)
            places = sorted((texts or {OUTPUT: ""}).items())[:MOST_PLACES]
            made = tuple((place, commit(said(text), salt_of(secret, number, place))) for place, text in places)
            linked = replace(receipt, number=number, previous=previous, commitments=made, form=FORMAT)
            _append(self._path, linked.encode())
        return linked

    def verify(self) -> int:
        """Return how many receipts there are, each linked to the one before.

        Raises:
            InvalidDocument: one is malformed, or the chain is broken at it.
        """
        return sum(1 for _ in self.all())

    def all(self) -> Iterator[Receipt]:
        """Yield the receipts, each linked to the one before.

        Raises:
            InvalidDocument: one is malformed, or the chain is broken at it.
        """
        previous, number = "", 0
        for line in _lines(self._path):
            receipt = parse_receipt(line)
            if receipt.previous != previous or receipt.number != number + 1:
                raise InvalidDocument(f"expected receipt {number + 1} to follow the one before, got a break")
            previous, number = receipt.digest, receipt.number
            yield receipt

    def since(self, number: int) -> list[Receipt]:
        """Return the receipts after one, in order; whether they are linked is not looked at.

        Raises:
            InvalidDocument: one is malformed.
        """
        return [parse_receipt(line) for line in _lines(self._path)[number:]]

    def count(self) -> int:
        """Return the number of the last receipt, 0 before the first."""
        last = self._last()
        return last.number if last else 0

    def salt(self, receipt: Receipt, place: str) -> bytes:
        """Return the salt of one commitment.

        Raises:
            Unavailable: the secret of its day was destroyed.
        """
        return salt_of(self._salts.of(receipt.day), receipt.number, place)

    def forget(self, before: str) -> int:
        """Destroy the salts of the days before a day, and return of how many: nothing of them can be proven then."""
        with self._locked():
            return self._salts.forget(before)

    def gather(self, channel: str, day: str, receipts: Iterable[Receipt]) -> Rollup | None:
        """Make and keep the roll-up of those receipts that are of one day; None if there are none."""
        given = [one for one in receipts if one.form == FORMAT and one.day == day]
        if not given:
            return None
        with self._locked():
            root = merkle.root_of(leaves_of(given, self._salts.drawn(day)))
            made = Rollup(channel, day, given[0].number, last=given[-1].number, root="sha256:" + root.hex())
            _append(self._rollups, canonical.encode(_rollup_document(made)))
        return made

    def place_of(self, receipt: Receipt) -> Place | None:
        """Return where a receipt stands in the roll-up of its day; None if there is no roll-up.

        Raises:
            Unavailable: the secret of its day was destroyed.
            InvalidDocument: the receipts of that day are not those that the roll-up was made of.
        """
        kept = map(_parse_rollup, _lines(self._rollups))
        made = next((one for one in kept if one.day == receipt.day and one.first <= receipt.number <= one.last), None)
        if made is None:
            return None
        within = [one for one in self.all() if made.first <= one.number <= made.last]
        given = [one for one in within if one.form == FORMAT and one.day == made.day]
        leaves = leaves_of(given, self._salts.of(made.day))
        if "sha256:" + merkle.root_of(leaves).hex() != made.root:
            raise InvalidDocument("expected the receipts that the roll-up was made of, got others")
        index = leaves.index(merkle.leaf_hash(receipt.encode()))
        return Place(made, index, len(leaves), merkle.inclusion_proof(leaves, index))

    def _locked(self) -> AbstractContextManager[None]:
        return holding(self._lock_path, "receipts", timeout_s=LOCK_TIMEOUT_S)

    def _last(self) -> Receipt | None:
        whole = _tail(self._path)[0].split(b"\n")[:-1]
        return parse_receipt(whole[-1]) if whole else None


def _lines(path: Path) -> list[bytes]:
    """Return the whole lines of a file: one that a crash cut off was never acknowledged."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def _append(path: Path, line: bytes) -> None:
    tail, start = _tail(path)
    with open_private(path) as file:
        file.truncate(start + tail.rfind(b"\n") + 1)  # what a crash cut off
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _tail(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - 2 * MAX_LINE_BYTES)
            file.seek(start)
            return file.read(), start
    except FileNotFoundError:
        return b"", 0


def _rollup_document(made: Rollup) -> JsonObject:
    return {
        "format": ROLLUP,
        "channel": made.channel,
        "day": made.day,
        "first": made.first,
        "last": made.last,
        "root": made.root,
    }


def _parse_rollup(data: bytes) -> Rollup:
    fields = Fields(canonical.parse(data, max_bytes=MAX_LINE_BYTES), ROLLUP)
    made = Rollup(
        channel=fields.name("channel"),
        day=fields.text("day", at_most=10),
        first=fields.integer("first", at_least=1),
        last=fields.integer("last", at_least=1),
        root=fields.digest("root"),
    )
    fields.close()
    return made
