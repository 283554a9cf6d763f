r"""Other ways to read a text: what it says once disguises are undone, with the way back to where that stands.

    unmasked   letters of other scripts, letters that stand apart ("i g n o r e"), digits for letters in a trigger word,
               what is shown from right to left
    decoded    what Base64, hex, URL escapes, \u escapes and character references hold, two levels deep, and what
               characters that print nothing say: one document each level
    quoted     mail quotes and comments without their marks: one document inside another

Promises: a place in a decoded text maps to the whole encoded piece, any other to the very characters; time is linear;
an ordinary text has no view but itself. Does not: judge. What is found in a view is found in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from edge_runtime.core.reader.decoding import encoded_pieces
from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.look_alikes import LOOK_ALIKES
from edge_runtime.core.reader.normalise import Normalised, normalise
from edge_runtime.core.reader.records import Span
from edge_runtime.core.reader.triggers import SMALL_WORDS, TRIGGERS
from edge_runtime.core.reader.unseen import as_shown, unseen_pieces

__all__ = ["View", "hidden_views"]

MAX_DEPTH = 2

_WORD = lazy_pattern(r"[^\W\d_]+")
_LATIN = lazy_pattern("[A-Za-z]")
_GAP = r"[ .,\t\n\-_*/|+]"
_SPELLED = lazy_pattern(rf"(?<![^\W_])[^\W\d_](?:(?:{_GAP}|[ ]{{2,3}})[^\W\d_](?![^\W_])){{3,}}")
_APART = lazy_pattern(rf"(?<![^\W_])[^\W_](?:{_GAP}{{1,3}}[^\W_](?![^\W_])){{3}}")
_DIGIT_WORD = lazy_pattern(r"(?<![\w@$!|])[A-Za-z]{0,20}[0134578@$!|][A-Za-z0134578@$!|]{2,24}(?![\w@$])")
_DIGITS = str.maketrans("0134578@$!|", "oieastbasil")
_SECOND_DIGITS = str.maketrans("0134578@$!|", "oleastbasll")
_QUOTE_LINE = lazy_pattern(r"^[ \t]*(?:(?:>|\|)[ \t]?)+(?=[^\n])", re.MULTILINE)
_COMMENTS = (("<!--", "-->"), ("/*", "*/"))


class View(NamedTuple):
    """One way to read a text: how it came about, and the text with the way back to the original."""

    kind: str
    text: Normalised


def hidden_views(plain: Normalised, text: str) -> tuple[View, ...]:
    """Return the views of a normalised text, and of the original `text`, that say something else than it does."""
    shown = as_shown(text)
    unseen = _opened((Span(start, end), said) for start, end, said in unseen_pieces(text))
    readings = [plain, *filter(None, (shown, unseen))]
    opened = [found for reading in readings for found in _decoded(reading, MAX_DEPTH)]
    views = [View("decoded", found) for found in (unseen, *opened) if found]
    readings += opened
    views += [View("unmasked", found) for found in (shown, *map(_unmasked, readings)) if found]
    views += [View("quoted", found) for reading in readings for found in _quoted(reading)]
    return tuple(views)


def _decoded(source: Normalised, depth: int) -> Iterator[Normalised]:
    """Yield what the encoded pieces of a text hold, as one document, and what is encoded in it."""
    pieces = sorted(encoded_pieces(source.text))
    opened = _opened((source.original(start, end), plain) for start, end, plain in pieces)
    if opened:
        yield opened
        if depth > 1:
            yield from _decoded(opened, depth - 1)


def _opened(pieces: Iterable[tuple[Span, str]]) -> Normalised | None:
    """Return the texts that stand in some places as one text, or none if there are none."""
    texts: list[str] = []
    places: list[Span] = []
    for place, plain in pieces:
        gap = "\n\n" if texts else ""
        texts.append(gap + normalise(plain).text)
        places += [place] * len(texts[-1])
    if not places:
        return None
    return Normalised("".join(texts), tuple(place.start for place in places), tuple(place.end for place in places))


def _unmasked(source: Normalised) -> Normalised | None:
    """Return `source` with disguised letters as they are read, or none if there are no such."""
    text = source.text
    changed = _with_latin_letters(text)
    if any(character in changed for character in "0134578@$!|"):
        changed = _DIGIT_WORD().sub(lambda found: _as_trigger(found[0]), changed)
    if _APART().search(changed):
        joined = _joined(Normalised(changed, source.starts, source.ends), source)
        return None if joined.text == text else joined
    return None if changed == text else Normalised(changed, source.starts, source.ends)


def _with_latin_letters(text: str) -> str:
    if text.isascii():
        return text
    letters = set(text)
    if letters.isdisjoint(LOOK_ALIKES):
        return text
    foreign = any(letter.isalpha() and letter not in LOOK_ALIKES and not _is_latin(letter) for letter in letters)

    def fold(found: re.Match[str]) -> str:
        word = found[0]
        if word.isascii():
            return word
        mixed = _LATIN().search(word) is not None
        if not mixed and (foreign or len(word) < 3 or any(letter not in LOOK_ALIKES for letter in word)):
            return word
        return "".join(LOOK_ALIKES.get(letter, letter) for letter in word)

    return _WORD().sub(fold, text)


def _is_latin(letter: str) -> bool:
    return letter < "\u0250" or "\u1e00" <= letter <= "\u1eff"


def _as_trigger(word: str) -> str:
    """Return `word` with letters for digits if that makes a trigger word, or else as it is."""
    tail = len(word) - len(word.rstrip("!|"))
    for cut in (0, tail):
        core = word[: len(word) - cut]
        for table in (_DIGITS, _SECOND_DIGITS):
            letters = core.translate(table)
            if letters.casefold() in TRIGGERS and letters.casefold() != core.casefold():
                return letters + word[len(word) - cut :]
    return word


def _joined(changed: Normalised, source: Normalised) -> Normalised:
    """Return the text with letters that stand apart as words, each of which stands where its letters stood."""
    pieces: list[str] = []
    spans: list[Span] = []

    def keep(start: int, end: int) -> None:
        pieces.append(changed.text[start:end])
        spans.extend(source.original(index, index + 1) for index in range(start, end))

    last = 0
    for run in _SPELLED().finditer(changed.text):
        keep(last, run.start())
        for word, start, end in _words_of(run):
            pieces.append(word)
            spans.extend([source.original(start, end)] * len(word))
        last = run.end()
    keep(last, len(changed.text))
    return Normalised("".join(pieces), tuple(span.start for span in spans), tuple(span.end for span in spans))


def _words_of(run: re.Match[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the words that letters standing apart make, each with a blank behind it, and where its letters stand.

    A wider gap parts words; where all gaps are alike, known words are looked for in the row of letters.
    """
    letters = [place for place in range(run.start(), run.end()) if run.string[place].isalpha()]
    rows: list[list[int]] = [[letters[0]]]
    for before, place in pairwise(letters):
        if place - before > 2:
            rows.append([])
        rows[-1].append(place)
    words = [row for whole in rows for row in _parted(run.string, whole)]
    for number, row in enumerate(words):
        word = "".join(run.string[place] for place in row)
        yield word + (" " if number + 1 < len(words) else ""), row[0], row[-1] + 1


def _parted(text: str, row: list[int]) -> Iterator[list[int]]:
    """Yield the pieces of a row of letters that are known words, the longest first, and what is left between them."""
    word = "".join(text[place] for place in row).casefold()
    first = loose = 0
    while first < len(row):
        size = next((n for n in range(min(16, len(row) - first), 1, -1) if _is_known(word[first : first + n])), 0)
        if size and first > loose:
            yield row[loose:first]
        if size:
            yield row[first : first + size]
            loose = first + size
        first += size or 1
    if loose < len(row):
        yield row[loose:]


def _is_known(word: str) -> bool:
    return word in TRIGGERS or word in SMALL_WORDS


def _quoted(source: Normalised) -> Iterator[Normalised]:
    """Yield the mail quotes of a text without their marks, as one document, and each comment."""
    text = source.text
    if ">" in text or "|" in text:
        rows = list(_QUOTE_LINE().finditer(text))
        if rows:
            yield _pieces(source, [(row.end(), _line_end(text, row.end())) for row in rows])
    for mark, end_mark in _COMMENTS:
        for place in _between(text, mark, end_mark):
            yield _pieces(source, [place])


def _between(text: str, mark: str, end_mark: str) -> Iterator[tuple[int, int]]:
    start = text.find(mark)
    while start >= 0:
        start += len(mark)
        end = text.find(end_mark, start)
        if end <= start:
            return
        yield start, end
        start = text.find(mark, end)


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end + 1


def _pieces(source: Normalised, places: list[tuple[int, int]]) -> Normalised:
    text = "".join(source.text[start:end] for start, end in places)
    indices = [index for start, end in places for index in range(start, end)]
    spans = [source.original(index, index + 1) for index in indices]
    return Normalised(text, tuple(span.start for span in spans), tuple(span.end for span in spans))
