"""Cards: what lists and searches show of a closure, and what it relies on; made from its bytes and nothing else.

Promises: the same closure gives the same card, so a card that differs was changed behind the log's back (`problems`).
Words are folded: without case and accents, so that `uber` finds `Über`. Does not: know what is live (see `shelves`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session, col, select

from control_plane.registry.references import references_of
from control_plane.tables.library import CardRow
from control_plane.tables.registry import ClosureRow
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument

__all__ = ["Card", "add_card", "card_of", "fold", "load_cards", "problems", "words_of"]

MAX_WORD_LENGTH = 40
_MAX_BYTES = 8_000_000
_AT_ONCE = 5000
_WORD = re.compile(r"\w+")
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]")
"""What combines with the letter before it: accents, dots, hooks."""
_UNREAD = frozenset({"digest", "format", "review_by"})
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a closure at a glance; `original` and `translated` are "" but in a translation."""

    title: str
    purpose: str
    folder: str
    tags: tuple[str, ...]
    owner: str
    review_by: str
    locale: str
    placement: str
    original: str
    translated: str
    refers: tuple[Key, ...]


def card_of(kind: str, document: JsonObject) -> Card:
    """Return the card of a closure."""
    source = document.get("translation_of", {})
    try:
        refers = tuple(sorted({named for named, _ in references_of(kind, document)}))
    except LookupError:  # a closure of a format that is no longer read
        refers = ()
    return Card(
        title=str(document.get("title", document.get("name", ""))),
        purpose=str(document.get("purpose", "")),
        folder=str(document.get("folder", "")),
        tags=tuple(document.get("tags", ())),
        owner=str(document.get("owner", "")),
        review_by=str(document.get("review_by", "")),
        locale=str(document.get("locale", "")),
        placement=str(document.get("placement", "")),
        original=source.get("name", ""),
        translated=source.get("digest", ""),
        refers=refers,
    )


def words_of(document: JsonObject) -> tuple[str, ...]:
    """Return the words of all texts of a closure, folded, sorted, each once."""
    return tuple(sorted(set(fold("\n".join(_texts(document))))))


def fold(text: str) -> list[str]:
    """Return the words of a text as they are looked up: without case, accents and whatever is longer than a word.

    >>> fold("Über-Raschung, naïve 2nd")
    ['uber', 'raschung', 'naive', '2nd']
    """
    folded = text.casefold()
    if not folded.isascii():
        folded = _MARKS.sub("", unicodedata.normalize("NFKD", folded))
    return [word[:MAX_WORD_LENGTH] for word in _WORD.findall(folded)]


def add_card(session: Session, kind: str, *, digest: str, data: bytes) -> None:
    """Store the card of a closure that is stored in the same transaction."""
    session.add(_row(kind, digest, data))


def load_cards(session: Session, digests: Iterable[str]) -> dict[str, tuple[Card, tuple[str, ...]]]:
    """Return cards and words by digest of those closures that are stored."""
    wanted, found = list(digests), {}
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(CardRow).where(col(CardRow.digest).in_(wanted[start : start + _AT_ONCE]))
        for row in session.exec(query):
            found[row.digest] = _read(row.card), tuple(row.words.split())
    for digest in wanted:
        closure = session.get(ClosureRow, digest) if digest not in found else None
        if closure is not None:  # stored before there were cards
            row = _row(closure.kind, digest, closure.data)
            found[digest] = _read(row.card), tuple(row.words.split())
    return found


def problems(session: Session) -> tuple[str, ...]:
    """Return which cards differ from what their closures say."""
    query = select(CardRow, ClosureRow).where(CardRow.digest == ClosureRow.digest).order_by(col(CardRow.digest))
    found = []
    for stored, closure in session.exec(query):
        try:
            row = _row(closure.kind, closure.digest, closure.data)
        except (InvalidDocument, AttributeError):  # SQLite lets a column of bytes hold text
            continue  # bytes that are no closure are named where closures are verified
        if (stored.card, stored.words) != (row.card, row.words):
            found.append(f"the library's card of closure {closure.digest} differs from the closure")
    return tuple(found)


def _row(kind: str, digest: str, data: bytes) -> CardRow:
    document = canonical.parse(data, max_bytes=_MAX_BYTES)
    card = asdict(card_of(kind, document))
    plain: dict[str, Any] = {**card, "tags": list(card["tags"]), "refers": [list(key) for key in card["refers"]]}
    return CardRow(digest=digest, card=plain, words=" ".join(words_of(document)))


def _read(card: dict[str, Any]) -> Card:
    return Card(**{**card, "tags": tuple(card["tags"]), "refers": tuple((kind, name) for kind, name in card["refers"])})


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            if name not in _UNREAD:
                yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
