"""Handlebars text as tags and texts, with the blanks gone that Handlebars takes away.

Handlebars removes the whole line of a block tag, a comment or a partial that stands alone on it, and blanks beside `~`;
what is left here is exactly what would be rendered. Promises: linear in the length of the text; what is not of the
subset is refused with its line. Source: the lexer and `WhitespaceControl` of handlebars.js 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from control_plane.exchange.errors import Untranslatable

__all__ = ["Piece", "Tag", "pieces"]

_ALONE = frozenset({"#", "/", "else", "!", ">"})
MAX_TAG_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag: its kind (`#`, `/`, `else`, `!`, `>`, or "" for a value), what it says, its line, its tildes."""

    kind: str
    says: str
    line: int
    left: bool = False
    right: bool = False


Piece = str | Tag


def pieces(text: str) -> list[Piece]:
    r"""Return a text as texts and tags in turn, blanks taken away; comments are gone.

    Raises:
        Untranslatable: a tag that is not of the subset, or does not end.

    >>> pieces("a\n{{#if x}}\nb\n{{/if}}\nc")[2]
    'b\n'
    """
    raw = list(_scanned(text))
    left, right = _trims(raw)
    found: list[Piece] = []
    for index, piece in enumerate(raw):
        if isinstance(piece, Tag):
            found += [piece] if piece.kind != "!" else []
            continue
        begin, end = right[index], left[index]
        kept = piece.lstrip() if begin == "all" else re.sub(r"^[ \t]*\r?\n?", "", piece) if begin else piece
        kept = kept.rstrip() if end == "all" else kept.rstrip(" \t") if end else kept
        found.append(kept)
    return found


def _scanned(text: str) -> Iterator[Piece]:
    """Yield texts and tags; between two tags there is always a text, maybe an empty one, unless they touch."""
    at, plain = 0, ""
    while True:
        opening = text.find("{{", at)
        if opening < 0:
            if plain or text[at:]:
                yield plain + text[at:]
            return
        before = text[at:opening]
        line = text.count("\n", 0, opening) + 1
        if before.endswith("\\") and not before.endswith("\\\\"):
            plain += before[:-1] + "{{"  # \{{ is no tag
            at = opening + 2
            continue
        plain += before[:-1] if before.endswith("\\\\") else before
        if plain:
            yield plain
        plain = ""
        tag, at = _tag(text, opening, line)
        yield tag


def _tag(text: str, opening: int, line: int) -> tuple[Tag, int]:
    comment = re.compile(r"\{\{(~?)!--(.*?)--(~?)\}\}", re.DOTALL).match(text, opening)
    if comment is None:
        comment = re.compile(r"\{\{(~?)!(?!--)(.*?)(~?)\}\}", re.DOTALL).match(text, opening)
    if comment is not None:
        return Tag("!", "", line, bool(comment[1]), bool(comment[3])), comment.end()
    end = text.find("}}", opening + 2)
    inner = text[opening + 2 : end]
    if end < 0 or len(inner) > MAX_TAG_LENGTH:
        raise Untranslatable(line, "a tag that ends with }}")
    if inner.startswith(("{", "&")) or text.startswith("}}}", end):
        raise Untranslatable(line, "{{name}}, got a tag of three braces or with &, whose meaning differs by program")
    left, right = inner.startswith("~"), inner.endswith("~")
    inner = inner.removeprefix("~").removesuffix("~").strip()
    kind = inner[:1] if inner[:1] in {"#", "/", ">"} else ""
    if inner in {"^", "else"} or inner.startswith("else "):
        kind, inner = "else", inner.removeprefix("^").removeprefix("else")
    elif inner.startswith(("^", "*", "!", "#>", "#*")) or not inner:
        raise Untranslatable(line, "a tag of the subset (see docs/sync.md), got another")
    return Tag(kind, inner.removeprefix(kind).strip() if kind != "else" else inner.strip(), line, left, right), end + 2


def _trims(raw: list[Piece]) -> tuple[dict[int, str], dict[int, str]]:
    """Return what is taken from the end and from the beginning of each text: "", "line" or "all"."""
    left: dict[int, str] = dict.fromkeys(range(-1, len(raw) + 1), "")
    right = left.copy()
    for index, piece in enumerate(raw):
        if not isinstance(piece, Tag):
            continue
        before = raw[index - 1] if index else None
        if piece.kind in _ALONE and _alone(raw, index):
            left[index - 1] = left[index - 1] or "line"
            right[index + 1] = right[index + 1] or "line"
            if piece.kind == ">" and isinstance(before, str) and re.search(r"[ \t]$", before):
                raise Untranslatable(piece.line, "a partial at the beginning of its line: blanks before it indent it")
        if piece.left:
            left[index - 1] = "all"
        if piece.right:
            right[index + 1] = "all"
    return left, right


def _alone(raw: list[Piece], index: int) -> bool:
    """Return whether a tag stands alone on its line."""
    before = raw[index - 1] if index else None
    after = raw[index + 1] if index + 1 < len(raw) else None
    return _ends_line(before, first=index <= 1) and _begins_line(after, last=index + 2 >= len(raw))


def _ends_line(before: Piece | None, *, first: bool) -> bool:
    """Return whether what stands before a tag ends a line, blanks aside."""
    if before is None:
        return True
    if isinstance(before, Tag):
        return False
    tail = before[len(before.rstrip()) :]
    return "\n" in tail or (first and tail == before)


def _begins_line(after: Piece | None, *, last: bool) -> bool:
    """Return whether what stands after a tag begins a line, blanks aside."""
    if after is None:
        return True
    if isinstance(after, Tag):
        return False
    head = after[: len(after) - len(after.lstrip())]
    return "\n" in head or (last and head == after)
