"""Revealing a run: its owner proves one text of it to somebody else, and tells nothing of any other run.

Promises: only this home can do it, since only it has the salts; each text is checked against the receipt before it is
written down; nothing of the home is changed. Does not: keep texts (their owner brings them), or send anything.
Format: docs/formats.md, `mentorplane-reveal/1`. Whoever gets it checks it with `python -m audit verify`.
"""

from __future__ import annotations

from collections.abc import Mapping

from audit.commitment import commit
from audit.errors import AuditError
from audit.reveal import Reveal, Shown, Way, verify_reveal
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.receipt import FORMAT
from edge_runtime.receipts import Receipt, Receipts

__all__ = ["find_receipt", "reveal"]


def find_receipt(receipts: Receipts, wanted: str) -> Receipt:
    """Return the receipt of that number, or whose fingerprint begins so.

    Raises:
        InvalidDocument: the chain is broken, or the receipt commits to nothing.
        Unavailable: there is none, or more than one.
    """
    found = [one for one in receipts.all() if _is(one, wanted)]
    if len(found) != 1:
        raise Unavailable(f"expected one receipt of that number or fingerprint in this home, got {len(found)}")
    if found[0].form != FORMAT:
        raise InvalidDocument("expected a receipt that commits to texts, got one of a version before")
    return found[0]


def _is(receipt: Receipt, wanted: str) -> bool:
    digest = receipt.digest
    return wanted == str(receipt.number) or (
        len(wanted) > 7 and (digest.startswith(wanted) or digest.removeprefix("sha256:").startswith(wanted))
    )


def reveal(receipts: Receipts, receipt: Receipt, texts: Mapping[str, str]) -> Reveal:
    """Return what proves that the run of a receipt held these texts, by place.

    Raises:
        InvalidDocument: a text is not the one that the receipt commits to, or the receipts were altered.
        Unavailable: the salts of its day were destroyed.
    """
    places = [where for where, _ in receipt.commitments]
    if not set(texts) <= set(places):
        raise InvalidDocument(
            f"expected texts at places that the receipt commits to ({', '.join(places)}), got another"
        )
    place = receipts.place_of(receipt)
    way = None
    if place is not None:
        root = bytes.fromhex(place.rollup.root.removeprefix("sha256:"))
        way = Way(place.rollup.channel, place.index, place.size, path=place.path, root=root)
    shown = (_shown(receipt, where, text, salt=receipts.salt(receipt, where)) for where, text in sorted(texts.items()))
    made = Reveal(receipt.as_json(), tuple(shown), way)
    try:
        verify_reveal(made)
        made.encode()
    except AuditError:
        raise InvalidDocument("expected the very texts that the receipt commits to, got another or none") from None
    return made


def _shown(receipt: Receipt, place: str, text: str, *, salt: bytes) -> Shown:
    """Return a text as it is revealed: without the line feed that programs put after a text, if it had none."""
    bare = text.removesuffix("\n")
    return Shown(place, bare if (place, commit(bare, salt)) in receipt.commitments else text, salt)
