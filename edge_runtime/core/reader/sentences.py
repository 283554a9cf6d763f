"""Where sentences begin and end: the unit that summaries choose and that an encoder reads.

Promises: spans are in order, without overlap and without outer blanks, and cover every character but blanks and
the marks of a list. A line end ends a sentence, since notes are lists as often as prose, unless the line is long
enough to be one that a mail program or an editor broke.
Does not: know a language. A short list of abbreviations keeps the common ones in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.records import Span

__all__ = ["sentence_spans"]

_LINE = lazy_pattern(r"[^\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_END = lazy_pattern(r"[.!?\u2026\u3002\uff01\uff1f]+[\"')\]\u201d\u2019\u00bb]*(?=\s)|[\u3002\uff01\uff1f]+")
_LIST_MARK = lazy_pattern(r"\s*(?:[-*\u2022\u2013\u2014]|\d{1,3}[.)]|\[[ xX]\])(?=\s)")
_WORD_BEFORE = lazy_pattern(r"(\w+(?:\.\w+)*)\.$")
_ABBREVIATION_LIST = """
dr mr mrs ms prof st vs etc e.g i.e eg ie approx nr z.b d.h bzw ca usw evtl inkl m mme mlle p.ex sr sra
p.ej
"""
WRAPPED_LENGTH = 60
"""A line at least this long, in characters, is taken to go on in the next one. Source: mail wraps at 60 to 80."""
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())


def sentence_spans(text: str) -> tuple[Span, ...]:
    """Return the places of the sentences of `text`."""
    spans: list[Span] = []
    for block in _blocks(text):
        mark = _LIST_MARK().match(text, block.start, block.end)
        start = mark.end() if mark else block.start
        for end in _END().finditer(text, start, block.end):
            if not _is_abbreviation(text[max(start, end.end() - 16) : end.end()]):
                _append_trimmed(spans, text, Span(start, end.end()))
                start = end.end()
        _append_trimmed(spans, text, Span(start, block.end))
    return tuple(spans)


def _blocks(text: str) -> Iterator[Span]:
    """Yield the lines of `text`, each joined with those that go on from it."""
    start, end, goes_on = 0, 0, False
    for line in _LINE().finditer(text):
        one_break = text[end : line.start()] in {"\n", "\r\n", "\r"}
        listed = _LIST_MARK().match(text, line.start(), line.end())
        if not (goes_on and one_break and line[0].strip() and not listed):
            if end:
                yield Span(start, end)
            start = line.start()
        end = line.end()
        goes_on = end - line.start() >= WRAPPED_LENGTH
    if end:
        yield Span(start, end)


def _is_abbreviation(tail: str) -> bool:
    word = _WORD_BEFORE().search(tail)
    if word is None:
        return False
    letters = word[1].lower()
    return letters in _ABBREVIATIONS or (len(letters) == 1 and letters.isalpha() and letters != "i")


def _append_trimmed(spans: list[Span], text: str, span: Span) -> None:
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    end = span.start + len(piece.rstrip())
    if start < end:
        spans.append(Span(start, end))
