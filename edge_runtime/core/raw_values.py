"""The table of what is covered in a session, and the last scan of what leaves for any value in it.

Promises: the scan sees through capitals, accents, compatibility forms and what prints nothing; through blanks and signs
within a value; through Base64 and hex at every alignment, URL, JSON and quoted-printable escapes and character
references, also one inside another. Parts of a person's name count, and so does half of a number. A hit means: do not
send. No repr shows a value.
Does not: see through encryption, compression or a translation. A name that is an everyday word ("Will") counts
only inside a sentence and with a capital, and one that two everyday words make ("as her") not at all, or every
approved script would be refused.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from audit.frozen import frozen
from edge_runtime.core.reader.language import is_function_word
from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.names import NameFinder, is_everyday_word, name_parts, word_keys
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.patterns import Match

__all__ = ["LITERAL", "MAX_PLACEHOLDER_LENGTH", "PLACEHOLDER", "Entry", "PlaceholderTable", "find_raw_values"]

LITERAL = "LITERAL"
"""The type of a text that only looks like a placeholder. It is no secret."""

PLACEHOLDER = re.compile(r"\[[A-Z](?:[A-Z_]{0,30}[A-Z])?_[1-9][0-9]{0,5}\]")
MAX_PLACEHOLDER_LENGTH = 41

MIN_COMPACT = 8
MIN_COMPACT_STRUCTURED = 7
_STRUCTURED = frozenset({"BANK", "CARD", "ID_NUMBER", "PHONE"})
_HALVED = _STRUCTURED | {"SALARY", "TERM"}
PHONE_TAIL = 9
"""Digits at the end of a telephone number that it has with and without its country code."""

MAX_GAP = 3
"""How many blanks and signs may stand between two pieces of a value that was split."""
MIN_SPELLED, MIN_SPLIT, MIN_SPLIT_DIGITS = 3, 4, 5
"""Least length of a value that was split into its letters, into other pieces, and of one with digits in it."""

_WORD = lazy_pattern(r"[^\W_]+")
_LOWER_WORD_BEFORE = lazy_pattern(r"\b[a-z]+[,;:]? $")
_ESCAPED_BYTE = re.compile(rb"[%=]([0-9a-fA-F]{2})|=\r?\n")
_JSON_ESCAPE = lazy_pattern(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_BASE64 = lazy_pattern(r"[A-Za-z0-9+/_-]{4,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*")
_HEX = lazy_pattern(r"[0-9a-fA-F]{2}(?:(?:[ ,]{0,2}(?:\\x|0x)|, |[ \t\r\n:,;_-])?[0-9a-fA-F]{2}){2,}[0-9a-fA-F]?")
_HEX_GAP = lazy_pattern(r"\\x|0x|[^0-9a-fA-F]")
_READABLE = lazy_pattern(r"[^\x01-\x1f\ufffd]{3,}")
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
    split = _Split(table)
    found: set[str] = set()
    for text in _views(outgoing):
        normalised = normalise(PLACEHOLDER.sub(_BETWEEN, text)).text
        for kind, finder in finders.items():
            if kind not in found and any(_counts(normalised, match) for match in finder.find(normalised)):
                found.add(kind)
        words = list(_WORD().finditer(normalised))
        keys = word_keys(normalised)
        joined = "".join(keys)
        found |= {kind for kind, compact in compacts if compact in joined}
        found |= split.find(normalised, words, keys)
    return tuple(sorted(found))


class _Split:
    """Finds values that blanks or signs part: a name in its letters ("M a r a") or in other pieces ("Pri-ya")."""

    def __init__(self, table: PlaceholderTable) -> None:
        self._kinds: dict[str, str] = {}
        for entry in table.entries:
            for form in entry.forms if entry.type != LITERAL else ():
                plain = normalise(form).text
                for whole in ("".join(word_keys(plain)), *(name_parts(plain) if entry.type == "PERSON" else ())):
                    if len(whole) >= (MIN_SPELLED if whole.isalpha() else MIN_SPLIT_DIGITS):
                        self._kinds[whole] = entry.type
        self._begun = {whole[:length] for whole in self._kinds for length in range(1, len(whole))}

    def find(self, text: str, words: list[re.Match[str]], keys: tuple[str, ...]) -> set[str]:
        """Return the types of the values that two words or more of `text` make together."""
        found: set[str] = set()
        for first, key in enumerate(keys):
            whole, last = key, first
            apart = True
            while whole in self._begun and last + 1 < len(keys):
                gap = text[words[last].end() : words[last + 1].start()]
                if len(gap) > MAX_GAP or gap == _BETWEEN:
                    break
                apart = apart and any(map(str.isspace, gap))
                last += 1
                whole += keys[last]
                if whole in self._kinds and not (apart and _is_prose(whole, keys[first : last + 1])):
                    found.add(self._kinds[whole])
        return found


def _is_prose(whole: str, words: tuple[str, ...]) -> bool:
    """Tell whether words with blanks between them are everyday words that happen to make a name, or an everyday one."""
    if all(len(word) == 1 for word in words):
        return len(words) < MIN_SPELLED
    return len(whole) < MIN_SPLIT or is_everyday_word(whole) or all(map(is_function_word, words))


def _compacts(entry: Entry) -> Iterator[str]:
    """Yield the spellings of a value without blanks and signs, where they are long enough to be told from chance.

    Of a number that is as long, each half is one: it may be said in two turns.
    """
    if entry.type == LITERAL:
        return
    for form in entry.forms:
        compact = "".join(word_keys(normalise(form).text))
        if entry.type == "PHONE":
            compact = compact[-PHONE_TAIL:]
        if len(compact) >= (MIN_COMPACT_STRUCTURED if entry.type in _STRUCTURED else MIN_COMPACT):
            yield compact
            if entry.type in _HALVED and 2 * sum(map(str.isdecimal, compact)) > len(compact):
                half = max(MIN_COMPACT_STRUCTURED, len(compact) - len(compact) // 2)
                yield from (compact[:half], compact[-half:])


def _counts(text: str, match: Match) -> bool:
    """Tell whether a match is the value itself and not just an everyday word."""
    kind, start, end = match
    keys = word_keys(text[start:end])
    if kind != "PERSON" or len(keys) != 1 or not is_everyday_word(keys[0]):
        return True
    return _LOWER_WORD_BEFORE().search(text, max(0, start - 40), start) is not None


def _views(outgoing: bytes) -> Iterator[str]:
    """Yield the text of `outgoing` as it is and with its escapes undone, one inside another."""
    views = [outgoing.decode("utf-8", "replace")]
    seen = set(views)
    for _ in range(2):
        yield from views
        views = [undo(text) for text in views for undo in _UNDOING]
        views = [view for view in dict.fromkeys(views) if view and view not in seen]
        seen.update(views)
    yield from views


def _unescape_json(text: str) -> str:
    if "\\" not in text:
        return ""
    plain = _JSON_ESCAPE().sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _JSON_CONTROLS.get(found[2], found[2]), text
    )
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape_bytes(text: str) -> str:
    """Return a text without URL and quoted-printable escapes."""
    if "%" not in text and "=" not in text:
        return ""
    plain = _ESCAPED_BYTE.sub(
        lambda found: bytes([int(found[1], 16)]) if found[1] else b"", text.encode("utf-8", "replace")
    )
    return plain.decode("utf-8", "replace")


def _unescape_references(text: str) -> str:
    if "&" not in text:
        return ""
    import html  # its table of two thousand names: only where there is one

    return html.unescape(text)


def _decode_base64(text: str) -> str:
    decoded: list[str] = []
    for found in _BASE64().finditer(text):
        run = found[0].replace("\r", "").replace("\n", "").replace("-", "+").replace("_", "/")
        for offset in range(4 if len(run) >= 12 else 1):
            piece = run[offset:]
            piece = piece[:-1] if len(piece) % 4 == 1 else piece
            decoded += _readable(binascii.a2b_base64(piece + "=" * (-len(piece) % 4)))
    return _BETWEEN.join(decoded)


def _decode_hex(text: str) -> str:
    decoded: list[str] = []
    for found in _HEX().finditer(text):
        digits = _HEX_GAP().sub("", found[0])
        for offset in range(2):
            piece = digits[offset:]
            decoded += _readable(bytes.fromhex(piece[: len(piece) & ~1]))
    return _BETWEEN.join(decoded)


def _readable(data: bytes) -> list[str]:
    """Return what a person could read in decoded bytes; letters of two bytes each count as well."""
    pieces = _READABLE().findall(data.decode("utf-8", "replace"))
    return [piece.replace("\0", "") for piece in pieces]


_UNDOING = (_unescape_json, _unescape_bytes, _unescape_references, _decode_base64, _decode_hex)
