"""A receipt: the content-free record of one run, and the commitments by which its owner may prove what it held.

Promises: 1. a receipt holds ids, digests, counts and commitments, never text, a name or an address. 2. A commitment
is salted by a secret: without that it says nothing, not even whether two texts were the same; one salt says nothing of
another. 3. The tree over the receipts of a day tells nothing by its root, its size or a path in it, not even how many
receipts there are, as long as they are few.
Does not: keep anything (see `edge_runtime.receipts`). Format: docs/formats.md, `mentorplane-receipt/2`; `/1` is still
read.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Mapping

from audit import merkle
from audit.frozen import frozen, replace
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.fields import Fields

__all__ = [
    "CALLS",
    "FORMAT",
    "FORMAT_1",
    "INPUT",
    "MAX_LINE_BYTES",
    "MOST_PLACES",
    "OUTPUT",
    "SENT",
    "Receipt",
    "leaves_of",
    "parse_receipt",
    "said",
    "salt_of",
]

FORMAT, FORMAT_1 = "mentorplane-receipt/2", "mentorplane-receipt/1"
OUTPUT, CALLS, SENT, INPUT = "output", "calls", "disclosure", "input/"
"""Places that a receipt commits to: the text a person got, what a model called, the text that left, each input."""
MOST_PLACES = 100
MAX_LINE_BYTES = 40_000
LEAST_LEAVES = 64
"""The tree of a day has so many leaves, or the next power of two: what there are no receipts for is drawn."""
_COMMITMENT = re.compile(r"hmac-sha256:[0-9a-f]{64}")
_TIGHT = (",", ":")


@frozen
class Receipt:
    """What happened in one run. `findings` counts by type; `sent_bytes` is what left the device in all.

    `release` and `stage` are those in force, `stage` 0 for a release that is not the newest; `model` is who answered,
    "" for nobody; `checks` says of each check of the output whether it passed; `commitments` are by place.
    """

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
    release: int = 0
    stage: int = 0
    obligations: tuple[str, ...] = ()
    model: str = ""
    checks: Mapping[str, bool] | None = None
    commitments: tuple[tuple[str, str], ...] = ()
    form: str = FORMAT

    def encode(self) -> bytes:
        """Return the canonical bytes: what the next receipt links to."""
        return canonical.encode(self.as_json())

    def as_json(self) -> JsonObject:
        """Return the receipt as a JSON object."""
        document = {
            "format": self.form,
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
        return document if self.form == FORMAT_1 else document | self._later()

    def _later(self) -> JsonObject:
        checks = self.checks or {}
        return {
            "release": self.release,
            "stage": self.stage,
            "obligations": list(self.obligations),
            "model": self.model,
            "passed": sorted(name for name, passed in checks.items() if passed),
            "failed": sorted(name for name, passed in checks.items() if not passed),
            "commitments": [{"place": place, "commitment": made} for place, made in self.commitments],
        }

    @property
    def digest(self) -> str:
        """Return the fingerprint that names this receipt."""
        return canonical.digest(self.encode())

    @property
    def day(self) -> str:
        """Return the day of the run, in UTC."""
        return self.at[:10]


def said(value: object) -> str:
    """Return the text that a commitment to `value` is made to: of a text itself, else its JSON in one form.

    >>> said("so"), said(["b", "ä"])
    ('so', '["b","ä"]')
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, separators=_TIGHT)
    return text.encode("utf-8", "replace").decode()


def salt_of(secret: bytes, number: int, place: str) -> bytes:
    """Return the salt of one commitment: it says nothing about the day's secret, nor about any other salt."""
    return hmac.digest(secret, f"salt\0{number}\0{place}".encode(), "sha256")


def leaves_of(receipts: Iterable[Receipt], secret: bytes) -> list[bytes]:
    """Return the leaf hashes of a day's tree: those of its receipts and drawn ones, in an order that tells nothing.

    Args:
        receipts: of one day, with commitments.
        secret: that of the day, from which the drawn ones come.
    """
    leaves = [merkle.leaf_hash(one.encode()) for one in receipts]
    size = max(LEAST_LEAVES, 1 << max(len(leaves) - 1, 0).bit_length())
    drawn = (hmac.digest(secret, f"leaf\0{index}".encode(), "sha256") for index in range(size - len(leaves)))
    return sorted([*leaves, *drawn])


def parse_receipt(data: bytes) -> Receipt:
    """Return the receipt that canonical bytes hold.

    Raises:
        InvalidDocument: malformed.
    """
    document = canonical.parse(data, max_bytes=MAX_LINE_BYTES)
    form = FORMAT_1 if document.get("format") == FORMAT_1 else FORMAT
    fields = Fields(document, form)
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
        form=form,
    )
    if form == FORMAT:
        receipt = _with_later(receipt, fields)
    fields.close()
    return receipt


def _with_later(receipt: Receipt, fields: Fields) -> Receipt:
    checks = dict.fromkeys(fields.texts("passed"), True) | dict.fromkeys(fields.texts("failed"), False)
    return replace(
        receipt,
        release=fields.integer("release"),
        stage=fields.integer("stage"),
        obligations=fields.texts("obligations"),
        model=fields.text("model", at_most=200, empty=True),
        checks=checks or None,
        commitments=fields.items("commitments", _parse_commitment, at_most=MOST_PLACES),
    )


def _parse_commitment(document: object) -> tuple[str, str]:
    fields = Fields(document, "receipt commitment", tagged=False)
    place, made = fields.text("place", at_most=200), fields.text("commitment", at_most=100)
    fields.close()
    if not _COMMITMENT.fullmatch(made):
        raise fields.refuse("commitment", "hmac-sha256: and 64 hex digits")
    return place, made
