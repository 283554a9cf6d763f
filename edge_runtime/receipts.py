"""Receipts: a content-free record of each run, each linked to the one before.

Promises: a receipt holds ids, digests and counts, never text, a name or an address; the chain shows a removed or
altered receipt. Does not: leave the device. Format: docs/formats.md, `mentorplane-receipt/1`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from audit.frozen import frozen, replace
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields

__all__ = ["Receipt", "Receipts"]

FORMAT = "mentorplane-receipt/1"
MAX_LINE_BYTES = 20_000
LOCK_TIMEOUT_S = 10


@frozen
class Receipt:
    """What happened in one run. `findings` counts by type; `sent_bytes` is what left the device in all."""

    number: int
    previous: str
    at: str
    prompt: str
    version: str
    manifest: str
    route: str
    rules: tuple[str, ...]
    findings: Mapping[str, int]
    sent_bytes: int
    outcome: str

    def encode(self) -> bytes:
        """Return the canonical bytes: what the next receipt links to."""
        return canonical.encode(self.as_json())

    def as_json(self) -> JsonObject:
        """Return the receipt as a JSON object."""
        return {
            "format": FORMAT,
            "number": self.number,
            "previous": self.previous,
            "at": self.at,
            "prompt": self.prompt,
            "version": self.version,
            "manifest": self.manifest,
            "route": self.route,
            "rules": list(self.rules),
            "findings": dict(self.findings),
            "sent_bytes": self.sent_bytes,
            "outcome": self.outcome,
        }

    @property
    def digest(self) -> str:
        """Return the fingerprint that names this receipt."""
        return canonical.digest(self.encode())


def parse_receipt(data: bytes) -> Receipt:
    """Return the receipt that canonical bytes hold.

    Raises:
        InvalidDocument: malformed.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_LINE_BYTES), FORMAT)
    counts = fields.json_object("findings")
    receipt = Receipt(
        number=fields.integer("number", at_least=1),
        previous=fields.digest("previous", empty=True),
        at=fields.time("at"),
        prompt=fields.name("prompt"),
        version=fields.digest("version"),
        manifest=fields.digest("manifest"),
        route=fields.text("route", at_most=20),
        rules=fields.texts("rules"),
        findings={kind: Fields(counts, "receipt findings", tagged=False).integer(kind) for kind in counts},
        sent_bytes=fields.integer("sent_bytes"),
        outcome=fields.text("outcome", at_most=40),
    )
    fields.close()
    return receipt


class Receipts:
    """The chain of receipts in one home."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "receipts.jsonl"
        self._lock_path = folder / "receipts.lock"

    def append(self, receipt: Receipt) -> Receipt:
        """Link `receipt` to the last one, write it to the disk, and return it as written."""
        from filelock import FileLock  # it brings asyncio: only where a receipt is written

        with FileLock(self._lock_path, timeout=LOCK_TIMEOUT_S):
            last = self._last()
            linked = replace(receipt, number=last.number + 1 if last else 1, previous=last.digest if last else "")
            with self._path.open("ab") as file:
                file.truncate(self._whole_bytes())  # a line that a crash cut off was never acknowledged
                file.write(linked.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        return linked

    def verify(self) -> int:
        """Return how many receipts there are, each linked to the one before.

        Raises:
            InvalidDocument: one is malformed, or the chain is broken at it.
        """
        previous, number = "", 0
        for line in self._path.read_bytes().splitlines() if self._path.exists() else ():
            receipt = parse_receipt(line)
            if receipt.previous != previous or receipt.number != number + 1:
                raise InvalidDocument(f"expected receipt {number + 1} to follow the one before, got a break")
            previous, number = receipt.digest, receipt.number
        return number

    def _whole_bytes(self) -> int:
        """Return how many bytes of the file are whole lines."""
        tail, start = self._tail()
        return start + tail.rfind(b"\n") + 1

    def _last(self) -> Receipt | None:
        whole = self._tail()[0].split(b"\n")[:-1]
        return parse_receipt(whole[-1]) if whole else None

    def _tail(self) -> tuple[bytes, int]:
        try:
            with self._path.open("rb") as file:
                start = max(0, file.seek(0, os.SEEK_END) - 2 * MAX_LINE_BYTES)
                file.seek(start)
                return file.read(), start
        except FileNotFoundError:
            return b"", 0
