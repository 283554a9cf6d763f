"""The table of what is covered in a session, and the last scan of what leaves for any value in it.

Promises: the scan sees through capitals, accents, blanks and hyphens, URL and JSON escapes and base64 at every
alignment, also one inside another; parts of a person's name count. A hit means: do not send. No repr shows a value.
Does not: see through encryption, compression or a translation. A name that is an everyday word ("Will") counts
only inside a sentence and with a capital, or every approved script would be refused.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from audit.frozen import frozen
from edge_runtime.core.reader.names import NameFinder, is_everyday_word, word_keys
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.patterns import Match

__all__ = ["LITERAL", "PLACEHOLDER", "Entry", "PlaceholderTable", "find_raw_values"]

LITERAL = "LITERAL"
"""The type of a text that only looks like a placeholder. It is no secret."""

PLACEHOLDER = re.compile(r"\[[A-Z](?:[A-Z_]{0,30}[A-Z])?_[1-9][0-9]{0,5}\]")

MIN_COMPACT = 8
MIN_COMPACT_STRUCTURED = 7
PHONE_TAIL = 9
"""Digits at the end of a telephone number that it has with and without its country code."""

_LOWER_WORD_BEFORE = re.compile(r"\b[a-z]+[,;:]? $")
_PERCENT = re.compile(rb"%([0-9a-fA-F]{2})")
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{4,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*")
_READABLE = re.compile(r"[^\x00-\x1f\ufffd]{3,}")
_JSON_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_BETWEEN = "\n|\n"


@frozen
class Entry:
    """One covered value: its type and number, what its spellings have in common, and the spellings, oldest first."""

    type: str
    number: int
    keys: tuple[str, ...]
    forms: tuple[str, ...]

    @property
    def placeholder(self) -> str:
        """What stands in the text instead of the value."""
        return f"[{self.type}_{self.number}]"

    def __repr__(self) -> str:
        return f"Entry({self.placeholder})"


@frozen
class PlaceholderTable:
    """What is covered in one session. Immutable: `redact` returns a new one."""

    entries: tuple[Entry, ...] = ()

    def __repr__(self) -> str:
        return f"PlaceholderTable({len(self.entries)} entries)"

    def finders(self) -> dict[str, NameFinder]:
        """Return, for each type, what finds its values in a text as whole words."""
        forms: dict[str, list[str]] = {}
        for entry in self.entries:
            if entry.type != LITERAL:
                words = (form for form in entry.forms if word_keys(normalise(form).text))
                forms.setdefault(entry.type, []).extend(words)
        return {
            kind: NameFinder(names=values) if kind == "PERSON" else NameFinder(terms=values)
            for kind, values in sorted(forms.items())
        }


def find_raw_values(outgoing: bytes, table: PlaceholderTable) -> tuple[str, ...]:
    """Return the types of the values in `table` that `outgoing` still holds, in any of the forms above."""
    finders = table.finders()
    compacts = {(entry.type, compact) for entry in table.entries for compact in _compacts(entry)}
    found: set[str] = set()
    for text in _views(outgoing):
        normalised = normalise(PLACEHOLDER.sub(_BETWEEN, text)).text
        for kind, finder in finders.items():
            if kind not in found and any(_counts(normalised, match) for match in finder.find(normalised)):
                found.add(kind)
        joined = "".join(word_keys(normalised))
        found |= {kind for kind, compact in compacts if compact in joined}
    return tuple(sorted(found))


def _compacts(entry: Entry) -> Iterator[str]:
    """Yield the spellings of a value without blanks and signs, where they are long enough to be told from chance."""
    if entry.type == LITERAL:
        return
    structured = entry.type in {"BANK", "CARD", "ID_NUMBER", "PHONE"}
    for form in entry.forms:
        compact = "".join(word_keys(normalise(form).text))
        if entry.type == "PHONE":
            compact = compact[-PHONE_TAIL:]
        if len(compact) >= (MIN_COMPACT_STRUCTURED if structured else MIN_COMPACT):
            yield compact


def _counts(text: str, match: Match) -> bool:
    """Tell whether a match is the value itself and not just an everyday word."""
    kind, start, end = match
    keys = word_keys(text[start:end])
    if kind != "PERSON" or len(keys) != 1 or not is_everyday_word(keys[0]):
        return True
    return _LOWER_WORD_BEFORE.search(text, max(0, start - 40), start) is not None


def _views(outgoing: bytes) -> Iterator[str]:
    """Yield the text of `outgoing` as it is and with its escapes undone, one inside another."""
    views = [outgoing.decode("utf-8", "replace")]
    seen = set(views)
    for _ in range(2):
        yield from views
        views = [view for text in views for view in (_unescape_json(text), _unescape_url(text), _decode_base64(text))]
        views = [view for view in dict.fromkeys(views) if view and view not in seen]
        seen.update(views)
    yield from views


def _unescape_json(text: str) -> str:
    if "\\" not in text:
        return ""
    plain = _JSON_ESCAPE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _JSON_CONTROLS.get(found[2], found[2]), text
    )
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape_url(text: str) -> str:
    if "%" not in text:
        return ""
    plain = _PERCENT.sub(lambda found: bytes([int(found[1], 16)]), text.encode("utf-8", "replace"))
    return plain.decode("utf-8", "replace")


def _decode_base64(text: str) -> str:
    decoded: list[str] = []
    for found in _BASE64.finditer(text):
        run = found[0].replace("\r", "").replace("\n", "").replace("-", "+").replace("_", "/")
        for offset in range(4 if len(run) >= 12 else 1):
            piece = run[offset:]
            piece = piece[:-1] if len(piece) % 4 == 1 else piece
            padded = piece + "=" * (-len(piece) % 4)
            decoded += _READABLE.findall(binascii.a2b_base64(padded).decode("utf-8", "replace"))
    return _BETWEEN.join(decoded)
