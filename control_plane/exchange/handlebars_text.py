"""Trees as Handlebars text, such that Handlebars renders what our Jinja subset would.

Handlebars takes away the line of a tag that stands alone, so a line break is added there, or an empty comment where
blanks must stay; names go up by `../` within loops. What Handlebars cannot say is refused with its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from control_plane.exchange.errors import Untranslatable
from control_plane.exchange.handlebars import HELPERS
from control_plane.exchange.template import (
    All,
    Body,
    Condition,
    Equal,
    If,
    Include,
    Literal,
    Name,
    Node,
    Not,
    Show,
    Some,
    Text,
    joined,
)

__all__ = ["write"]

MAX_LENGTH = 100_000
"""Most characters of what is written: `and` and `or` repeat their bodies."""
_EMPTY = "{{!----}}"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A tag to write, and whether Handlebars removes its line if it stands alone."""

    text: str
    alone: bool
    line: int


_Piece = str | _Mark


def write(body: Body) -> str:
    r"""Return the text of a tree.

    Raises:
        Untranslatable: Handlebars cannot say it.

    >>> from control_plane.exchange.jinja import read
    >>> write(read("{% for s in steps %}- {{ s }} ({{ topic }})\n{% endfor %}"))
    '{{#each steps}}- {{this}} ({{../topic}})\n{{/each}}'
    """
    writer = _Writer()
    writer.body(joined(body), ())
    return _laid_out(writer.found)


class _Writer:
    """Writes nodes into pieces; `scopes` are the loops around, the outermost first."""

    def __init__(self) -> None:
        self.found: list[_Piece] = []
        self._length = 0

    def body(self, body: Body, scopes: tuple[str, ...]) -> None:
        """Write each node of a body."""
        for node in body:
            self._node(node, scopes)

    def _node(self, node: Node, scopes: tuple[str, ...]) -> None:
        if isinstance(node, Text):
            self._add(node.text)
        elif isinstance(node, Show):
            self._tag(_path(node.name, scopes), node.name.line, alone=False)
        elif isinstance(node, Include):
            self._tag(f">{node.name}", node.line)
        elif isinstance(node, If):
            self._if(node, scopes)
        else:
            self._tag(f"#each {_path(node.over, scopes)}", node.over.line)
            self.body(node.body, (*scopes, node.variable))
            self._tag("/each", node.over.line)

    def _if(self, node: If, scopes: tuple[str, ...]) -> None:
        condition, then, otherwise = node.condition, node.then, node.otherwise
        if isinstance(condition, Not) and not isinstance(condition.of, Name | Equal):
            self._node(If(condition.of, otherwise, then), scopes)
        elif isinstance(condition, All):
            first, *rest = condition.of
            inner = If(All(tuple(rest)) if len(rest) > 1 else rest[0], then, otherwise)
            self._node(If(first, (inner,), otherwise), scopes)
        elif isinstance(condition, Some):
            first, *rest = condition.of
            inner = If(Some(tuple(rest)) if len(rest) > 1 else rest[0], then, otherwise)
            self._node(If(first, then, (inner,)), scopes)
        else:
            self._plain_if(condition, node, scopes)

    def _plain_if(self, condition: Name | Equal | Not, node: If, scopes: tuple[str, ...]) -> None:
        word, says, line = _block(condition, scopes)
        self._tag(f"#{word} {says}", line)
        self.body(node.then, scopes)
        if node.otherwise:
            self._tag("else", line)
            self.body(node.otherwise, scopes)
        self._tag(f"/{word}", line)

    def _tag(self, text: str, line: int, *, alone: bool = True) -> None:
        self._add(_Mark("{{" + text + "}}", alone, line))

    def _add(self, piece: _Piece) -> None:
        self._length += len(piece if isinstance(piece, str) else piece.text)
        if self._length > MAX_LENGTH:
            raise Untranslatable(1, f"at most {MAX_LENGTH} characters without `and` and `or`")
        if isinstance(piece, str) and self.found and isinstance(last := self.found[-1], str):
            self.found[-1] = last + piece
        else:
            self.found.append(piece)


def _block(condition: Condition, scopes: tuple[str, ...]) -> tuple[str, str, int]:
    """Return the word of a block, what follows it, and its line."""
    negated = isinstance(condition, Not)
    inner = condition.of if isinstance(condition, Not) else condition
    if isinstance(inner, Equal):
        sides = [_side(side, scopes) for side in (inner.left, inner.right)]
        line = next((side.line for side in (inner.left, inner.right) if isinstance(side, Name)), 1)
        return "unlessEquals" if negated else "ifEquals", " ".join(sides), line
    assert isinstance(inner, Name)
    return "unless" if negated else "if", _path(inner, scopes), inner.line


def _side(side: Name | Literal, scopes: tuple[str, ...]) -> str:
    if isinstance(side, Name):
        return _path(side, scopes)
    if isinstance(side.value, bool):
        return "true" if side.value else "false"
    if isinstance(side.value, int):
        return str(side.value)
    if re.search(r"[\"\\\n\s]|\}\}|\{\{", side.value) and (
        '"' in side.value or not side.value.isprintable() or "}}" in side.value
    ):
        raise Untranslatable(1, "a text without quotes, braces and line breaks to compare with")
    return f'"{side.value}"'


def _path(name: Name, scopes: tuple[str, ...]) -> str:
    first, *rest = name.parts
    if first == "loop":
        if rest not in (["first"], ["last"]) or not scopes:
            raise Untranslatable(name.line, "loop.first or loop.last, got another member of loop")
        return f"@{rest[0]}"
    if first in scopes:
        up = scopes[::-1].index(first)
        return "../" * up + ".".join(["this", *rest])
    path = "../" * len(scopes) + ".".join(name.parts)
    return f"this.{path}" if path in HELPERS | {"this", "true", "false", "null", "undefined"} else path


def _laid_out(found: list[_Piece]) -> str:
    """Return pieces as one text, with what keeps Handlebars from taking blanks that must stay."""
    pieces = [*found]
    made: list[str] = []
    for index, piece in enumerate(pieces):
        before = pieces[index - 1] if index else None
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        if isinstance(piece, str):
            made.append(_text(piece, tag_before=isinstance(before, _Mark), tag_after=isinstance(after, _Mark)))
            continue
        made.append(piece.text)
        if piece.alone and _would_go(pieces, index):
            if isinstance(after, str) and not re.search(r"[ \t]$", before if isinstance(before, str) else ""):
                pieces[index + 1] = "\n" + after
            elif not (after is None and not re.search(r"[ \t]$", before if isinstance(before, str) else "")):
                made.append(_EMPTY)
    return "".join(made)


def _would_go(pieces: list[_Piece], index: int) -> bool:
    before = pieces[index - 1] if index else None
    after = pieces[index + 1] if index + 1 < len(pieces) else None
    if isinstance(before, _Mark) or isinstance(after, _Mark):
        return False
    tail = before[len(before.rstrip()) :] if before is not None else "\n"
    head = after[: len(after) - len(after.lstrip())] if after is not None else "\n"
    ends = "\n" in tail or (index == 1 and tail == before)
    begins = "\n" in head or (index + 2 == len(pieces) and head == after)
    return ends and begins


def _text(text: str, *, tag_before: bool, tag_after: bool) -> str:
    """Return text in which nothing opens or closes a tag."""
    escaped = text.replace("{{", "\\{{")
    if re.search(r"\\\{\{", text) or "{{{" in text or (tag_after and text.endswith("{")):
        raise Untranslatable(1, "no brace or backslash directly before a tag, got one")
    if tag_after and text.endswith("\\"):
        escaped += "\\"
    return _EMPTY + escaped if tag_before and text.startswith("}") else escaped
