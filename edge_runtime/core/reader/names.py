"""Names and terms that the host app knows: found as whole words, however they are written.

Promises: capitals, accents and possessives do not hide a name; each part of a full name (three letters or
more) is found on its own; the longest match wins. Names that are also everyday words ("Will", "Mark") and
names of one or two letters count only with a capital letter, or else ordinary prose would be unreadable.
Does not: guess names that nobody supplied. That needs an encoder.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.reader.language import is_function_word
from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.patterns import Match

__all__ = ["NameFinder", "is_everyday_word", "name_parts", "word_keys"]

MIN_PART = 3
MAX_GAP = 3
_KINDS = {"PERSON": "name", "TERM": "term"}

_WORD = lazy_pattern(r"[^\W_]+")
_UNSPACED = lazy_pattern("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
"""Scripts that write no blanks between words, or join particles to a name."""

_PARTICLE_LIST = """
van von vom zum zur der den del della dos das des los las bin ibn ben the and und dr mr mrs ms prof sir
"""
_PARTICLES = frozenset(_PARTICLE_LIST.split())
_EVERYDAY_LIST = """
amber angel april art august autumn baker ball bank banks bell best bill black brown bush carter case chance
chase church cook cross dawn day dean drew earnest ernst fair faith field gene ginger good grace grand grant
gray green gross guy hill hope hunter jack jay joy june king klein kurz lake lang long love luz mar mark
mason max may mike miles nick page paris park pat paz pearl peg penny petit power price ray rich rivers rob
roman rose sky small sol star stark sterling stone sue summer trip victor wade ward white will wise wood
worth young
"""
_EVERYDAY = frozenset(_EVERYDAY_LIST.split())


def is_everyday_word(key: str) -> bool:
    """Tell whether a name's key is also a common word, or too short to be told from one."""
    return key in _EVERYDAY or (len(key) < MIN_PART and key.isascii())


def word_keys(text: str) -> tuple[str, ...]:
    """Return the words of the normalised `text` as they are compared: no capitals, no accents."""
    return tuple(_key(word) for word in _WORD().findall(text))


def name_parts(name: str) -> tuple[str, ...]:
    """Return the keys of the parts of a full `name` that stand for the person on their own."""
    keys = word_keys(name)
    if len(keys) < 2:
        return ()
    return tuple(key for key in keys if len(key) >= MIN_PART and key not in _PARTICLES and not key.isdecimal())


class _Phrase(NamedTuple):
    """Keys that must follow one another, with the signs that must stand before and after them ("C++")."""

    keys: tuple[str, ...]
    type: str
    before: str = ""
    after: str = ""


class NameFinder:
    """Finds the given names (`PERSON`) and terms (`TERM`) in normalised texts."""

    __slots__ = ("_phrases", "_unspaced")

    def __init__(self, names: Iterable[str] = (), terms: Iterable[str] = ()) -> None:
        names = tuple(names)
        phrases = [_phrase(name, "PERSON") for name in names]
        parts = [_Phrase((part,), "PERSON") for name in names for part in name_parts(normalise(name).text)]
        phrases += parts + [_phrase(term, "TERM") for term in terms]
        phrases.sort(key=lambda phrase: -len(phrase.keys))
        self._phrases: dict[str, list[_Phrase]] = {}
        self._unspaced: list[_Phrase] = []
        for phrase in dict.fromkeys(phrases):
            if _UNSPACED().search("".join(phrase.keys)):
                self._unspaced.append(phrase)
            else:
                self._phrases.setdefault(phrase.keys[0], []).append(phrase)

    def find(self, text: str) -> Iterator[Match]:
        """Yield the places of names and terms in the normalised `text`; matches may overlap."""
        for phrase in self._unspaced:
            for found in re.finditer(r"\s?".join(map(re.escape, phrase.keys)), text, re.IGNORECASE):
                yield phrase.type, found.start(), found.end()
        if not self._phrases:
            return
        words = list(_WORD().finditer(text))
        keys = [_key(word[0]) for word in words]
        for index, key in enumerate(keys):
            for phrase in self._phrases.get(key, ()):
                last = index + len(phrase.keys)
                match = _match(text, words[index:last], phrase) if tuple(keys[index:last]) == phrase.keys else None
                if match is not None:
                    yield match
            if key in self._phrases or key.endswith("s"):
                yield from self._possessives(text, words, keys, at=index)

    def _possessives(self, text: str, words: list[re.Match[str]], keys: list[str], *, at: int) -> Iterator[Match]:
        """Yield the names that begin at a word and end in a possessive without apostrophe, as in German: "Annas"."""
        key = keys[at]
        stem = key[:-1] if key.endswith("s") else ""
        if len(stem) >= MIN_PART and not is_everyday_word(stem) and not is_function_word(key):
            yield from (
                (phrase.type, words[at].start(), words[at].end() - 1)
                for phrase in self._phrases.get(stem, ())
                if len(phrase.keys) == 1 and not phrase.after and _is_capital(words[at])
            )
        for phrase in self._phrases.get(key, ()):
            *first, last = phrase.keys
            end = at + len(phrase.keys)
            if (
                first
                and phrase.type == "PERSON"
                and keys[at:end] == [*first, f"{last}s"]
                and _is_capital(words[end - 1])
            ):
                match = _match(text, words[at:end], phrase)
                if match is not None:
                    yield match[0], match[1], match[2] - 1


def _phrase(value: str, kind: str) -> _Phrase:
    text = normalise(value).text.strip()
    words = list(_WORD().finditer(text))
    if not words:
        raise InvalidDocument(f"expected a {_KINDS[kind]} with a letter or digit, got none")
    if kind == "PERSON":
        return _Phrase(word_keys(text), kind)
    return _Phrase(word_keys(text), kind, text[: words[0].start()], text[words[-1].end() :])


def _match(text: str, words: list[re.Match[str]], phrase: _Phrase) -> Match | None:
    """Return the place of `phrase`, whose keys `words` have, unless gaps, signs or capitals speak against it."""
    if any(second.start() - first.end() > MAX_GAP for first, second in pairwise(words)):
        return None
    if phrase.type == "PERSON" and len(words) == 1 and is_everyday_word(phrase.keys[0]) and not _is_capital(words[0]):
        return None
    start, end = words[0].start() - len(phrase.before), words[-1].end() + len(phrase.after)
    if start < 0 or text[start : words[0].start()] != phrase.before or text[words[-1].end() : end] != phrase.after:
        return None
    return phrase.type, start, end


def _is_capital(word: re.Match[str]) -> bool:
    return not word[0][0].islower()


def _key(word: str) -> str:
    key = word.casefold()
    if key.isascii():
        return key
    letters = (letter for letter in unicodedata.normalize("NFD", key) if unicodedata.category(letter) != "Mn")
    return "".join(letters)
