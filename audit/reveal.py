"""A revealed run: what its owner shows of it, for somebody who need not believe them.

A device keeps a receipt of each run, which commits to texts under salts that only its home holds. To prove one text the
owner hands on the receipt, that text with its salt, and the way from the receipt to the roll-up of its day, whose value
the log's entry of that day stands for. Nothing else of any other run is in it: the hashes on the way are of receipts
that hold salted values themselves, or were drawn.

Promises:
1. Exactly one byte string stands for a reveal: `parse_reveal(data).encode() == data`.
2. `verify_reveal` returns only if each text is the one that the receipt commits to, and the way, if there is one, leads
   from this receipt to the value of a roll-up of its day.
Does not: say that a device computed what its receipt says. Whoever has the home may write what they like into it; what
they cannot do is change it after the day on which the log holds its roll-up (see `commands.verify_reveal`).

Source: RFC 6962 section 2.1.1; docs/formats.md, `mentorplane-reveal/1`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from audit.canonical import MAX_INTEGER, canonical, parse_canonical
from audit.commitment import verify_commitment
from audit.errors import InvalidFormat, NotProven
from audit.frozen import frozen
from audit.lines import parse_base64
from audit.merkle import HASH_BYTES, leaf_hash, verify_inclusion

__all__ = ["BEGINNING", "MAX_REVEAL_BYTES", "SUFFIX", "Reveal", "Shown", "Way", "parse_reveal", "verify_reveal"]

FORMAT, RECEIPT = "mentorplane-reveal/1", "mentorplane-receipt/2"
SUFFIX = ".reveal"
BEGINNING = b'{"format":"mentorplane-reveal/1",'
MAX_REVEAL_BYTES = 8 << 20
_SALT = re.compile("[0-9a-f]{64}")
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_RECEIPT = {
    **dict.fromkeys(("format", "previous", "at", "prompt", "version", "manifest", "route", "outcome", "model"), str),
    **dict.fromkeys(("number", "sent_bytes", "release", "stage"), int),
    **dict.fromkeys(("rules", "obligations", "passed", "failed", "commitments"), list),
    "findings": dict,
}
_WAY = {"channel": str, "index": int, "path": list, "root": str, "size": int}


@frozen
class Shown:
    """A text, the place in the receipt that commits to it, and the salt."""

    place: str
    text: str
    salt: bytes


@frozen
class Way:
    """The hashes that lead from a receipt to the value of its day's roll-up on a channel."""

    channel: str
    index: int
    size: int
    path: tuple[bytes, ...]
    root: bytes


@frozen
class Reveal:
    """A receipt as its members, the texts shown of it, and its way, if its device told a roll-up of the day."""

    receipt: Mapping[str, Any]
    texts: tuple[Shown, ...]
    way: Way | None = None

    @property
    def day(self) -> str:
        """Return the day of the run, by the clock of its device, in UTC."""
        return str(self.receipt["at"])[:10]

    def encode(self) -> bytes:
        """Return the bytes of the file: canonical JSON.

        Raises:
            InvalidFormat: a member is not what canonical JSON can hold.
        """
        texts = [{"place": one.place, "salt": one.salt.hex(), "text": one.text} for one in self.texts]
        way = [] if self.way is None else [_way_document(self.way)]
        return canonical({"format": FORMAT, "receipt": dict(self.receipt), "rollup": way, "texts": texts})


def _way_document(way: Way) -> dict[str, object]:
    return {
        "channel": way.channel,
        "index": way.index,
        "path": [base64.b64encode(node).decode() for node in way.path],
        "root": "sha256:" + way.root.hex(),
        "size": way.size,
    }


def parse_reveal(data: bytes) -> Reveal:
    """Parse a reveal without verifying anything.

    Raises:
        InvalidFormat: it is malformed, too long, or of another version.
    """
    document = parse_canonical(data, max_bytes=MAX_REVEAL_BYTES)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidFormat(f"expected a document of {FORMAT}, got something else")
    if set(document) != {"format", "receipt", "rollup", "texts"}:
        raise InvalidFormat("expected receipt, rollup and texts in a reveal, got other members")
    ways, texts = document["rollup"], document["texts"]
    if not isinstance(ways, list) or len(ways) > 1 or not isinstance(texts, list):
        raise InvalidFormat("expected a list of texts and at most one rollup, got something else")
    receipt = _parse_receipt(document["receipt"])
    return Reveal(receipt, tuple(map(_parse_text, texts)), _parse_way(ways[0]) if ways else None)


def _shaped(document: object, members: Mapping[str, type], what: str) -> dict[str, Any]:
    if not isinstance(document, dict) or set(document) != set(members):
        raise InvalidFormat(f"expected the members of a {what}, got others")
    if any(type(document[name]) is not kind for name, kind in members.items()):
        raise InvalidFormat(f"expected the members of a {what} to have their types, got others")
    return document


def _parse_receipt(document: object) -> dict[str, Any]:
    receipt = _shaped(document, _RECEIPT, "receipt")
    if receipt["format"] != RECEIPT or not _TIME.fullmatch(receipt["at"]):
        raise InvalidFormat(f"expected a receipt of {RECEIPT} with its time, got something else")
    for one in receipt["commitments"]:
        _shaped(one, {"place": str, "commitment": str}, "commitment")
    places = [one["place"] for one in receipt["commitments"]]
    if len(set(places)) != len(places):
        raise InvalidFormat("expected one commitment to a place, got two")
    return receipt


def _parse_text(document: object) -> Shown:
    shown = _shaped(document, {"place": str, "salt": str, "text": str}, "text")
    if not _SALT.fullmatch(shown["salt"]):
        raise InvalidFormat("expected a salt of 32 bytes in lower-case hex, got something else")
    return Shown(shown["place"], shown["text"], bytes.fromhex(shown["salt"]))


def _parse_way(document: object) -> Way:
    way = _shaped(document, _WAY, "rollup")
    if not all(type(node) is str for node in way["path"]) or not _DIGEST.fullmatch(way["root"]):
        raise InvalidFormat("expected hashes as texts, got something else")
    path = tuple(map(parse_base64, way["path"]))
    if any(len(node) != HASH_BYTES for node in path) or not 0 <= way["index"] < way["size"] <= MAX_INTEGER:
        raise InvalidFormat("expected a place in a tree and the hashes beside it, got something else")
    return Way(way["channel"], way["index"], way["size"], path, root=bytes.fromhex(way["root"].removeprefix("sha256:")))


def verify_reveal(reveal: Reveal) -> None:
    """Verify that the receipt commits to each text, and that its way leads to a roll-up.

    Raises:
        NotProven: it does not; or no text is shown, and so there is nothing to prove.
    """
    if not reveal.texts:
        raise NotProven("expected a text that the receipt commits to, got none")
    commitments = {one["place"]: one["commitment"] for one in reveal.receipt["commitments"]}
    for shown in reveal.texts:
        if shown.place not in commitments:
            raise NotProven(f"expected the receipt to commit to {shown.place}, got a receipt that does not")
        verify_commitment(commitments[shown.place], shown.text, shown.salt)
    if reveal.way is not None:
        leaf, way = leaf_hash(canonical(dict(reveal.receipt))), reveal.way
        verify_inclusion(leaf=leaf, index=way.index, size=way.size, proof=way.path, root=way.root)
