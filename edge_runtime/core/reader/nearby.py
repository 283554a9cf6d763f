"""Where in a text certain words stand, so that only what is near them is looked at closely.

Promises: words that do not occur cost a look at the text's vocabulary, not at the text; windows are in order and do
not overlap. Does not: know what the words mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from edge_runtime.core.reader.lazy import lazy_pattern

__all__ = ["Words"]

_WORD = lazy_pattern(r"[^\W\d_]+")


class Words:
    """A text in small letters, as long as it was, and the words in it."""

    __slots__ = ("_joined", "_words", "small")

    def __init__(self, text: str) -> None:
        self.small = text.lower() if text.isascii() else text.replace("\u0130", "I").lower()
        self._words = frozenset(_WORD().findall(self.small))
        self._joined = "\n".join(self._words)

    def __contains__(self, word: str) -> bool:
        """Tell whether a word in small letters is one of the text's."""
        return word in self._words

    def windows(
        self, phrases: tuple[str, ...], *, before: int, after: int, whole: bool = False
    ) -> list[tuple[int, int]]:
        """Return the parts with a digit, in order and without overlap, that lie around any of `phrases`.

        Args:
            phrases: in small letters; parts of words too, unless `whole`. A blank in front: where a word begins.
            before: how many characters in front belong to a part.
            after: how many characters behind.
            whole: look for single whole words only.
        """
        present = [phrase for phrase in phrases if phrase in self._words] if whole else self._present(phrases)
        found = [
            (max(0, at - before), min(len(self.small), at + len(phrase) + after))
            for phrase in present
            for at in self._places(phrase, whole=whole)
        ]
        joined: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        return [(start, end) for start, end in joined if _DIGIT().search(self.small, start, end)]

    def _present(self, phrases: tuple[str, ...]) -> list[str]:
        """Return the phrases whose longest word is part of a word of the text."""
        vocabulary = self._joined
        return [phrase for phrase, word in _with_longest(phrases) if word in vocabulary]

    def _places(self, phrase: str, *, whole: bool) -> Iterator[int]:
        if whole:
            yield from (place.start() for place in re.finditer(rf"(?<!\w){re.escape(phrase)}(?!\w)", self.small))
            return
        stem = phrase.lstrip(" ")
        inside = len(stem) == len(phrase)
        at = self.small.find(stem)
        while at >= 0:
            if inside or not self.small[at - 1 : at].isalnum():
                yield at
            at = self.small.find(stem, at + len(stem))


_DIGIT = lazy_pattern(r"\d")


@cache
def _with_longest(phrases: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return each of `phrases` with its longest word."""
    return tuple((phrase, max(_WORD().findall(phrase), key=len, default="")) for phrase in phrases)
