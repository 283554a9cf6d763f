r"""The Handlebars subset of Dotprompt as trees.

The subset: `{{name}}`, `{{this}}`, `{{../name}}`, `{{#if}}`, `{{#unless}}`, `{{#each}}` (or `as |name|`),
`{{#ifEquals}}`, `{{#unlessEquals}}`, `{{else}}`, `{{else if}}`, `@first`, `@last`, `{{>partial}}`, comments, `~` and
`\{{`. Anything else is refused with its line. Source: Handlebars language guide; Dotprompt reference, template content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from control_plane.exchange.errors import Untranslatable
from control_plane.exchange.handlebars_tags import Tag, pieces
from control_plane.exchange.template import (
    Body,
    Condition,
    Each,
    Equal,
    If,
    Include,
    Literal,
    Name,
    Node,
    Not,
    Show,
    Text,
    joined,
)

__all__ = ["Parsed", "read"]

_PATH = re.compile(r"(?P<up>(?:\.\./)*)(?P<rest>this|@first|@last|(?:this\.|@root\.)?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)")
_EACH = re.compile(r"each\s+(\S+)(?:\s+as\s+\|\s*([A-Za-z_]\w*)\s*\|)?")
_EQUALS = re.compile(r'(ifEquals|unlessEquals)\s+(\S+)\s+("[^"]*"|\'[^\']*\'|\S+)')
_ROLE = re.compile(r'role\s+(?:"(\w+)"|\'(\w+)\')')
_PARTIAL = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_NUMBER = re.compile(r"-?\d{1,15}")
HELPERS = frozenset(
    {
        "each",
        "else",
        "history",
        "if",
        "ifEquals",
        "json",
        "log",
        "lookup",
        "media",
        "role",
        "section",
        "unless",
        "unlessEquals",
        "with",
    }
)
MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Parsed:
    """A template as a tree, and the role tags that were in it: line and role."""

    body: Body
    roles: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class _Open:
    """A block that is not closed yet: how it ends, what it becomes, and what it holds so far."""

    word: str
    line: int
    make: Callable[[Body, Body], Node]
    variable: str = ""
    then: list[Node] = field(default_factory=list)
    otherwise: list[Node] | None = None
    chained: bool = False

    def add(self, node: Node) -> None:
        """Put a node where the text is now."""
        (self.then if self.otherwise is None else self.otherwise).append(node)


def read(text: str) -> Parsed:
    """Return the tree of a template.

    Raises:
        Untranslatable: it is not of the subset; with the line.
    """
    return _Reader(text).parsed()


class _Reader:
    """Reads pieces into open blocks, from the outside in."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._roles: list[tuple[int, str]] = []
        self._open = [_Open("", 1, lambda then, _: then[0])]

    def parsed(self) -> Parsed:
        """Return the tree of the whole text."""
        for piece in pieces(self._text):
            if isinstance(piece, str):
                self._open[-1].add(Text(piece))
            elif piece.kind == "#":
                self._begin(piece, piece.says)
            elif piece.kind == "else":
                self._else(piece)
            elif piece.kind == "/":
                self._end(piece)
            else:
                self._value(piece)
        if len(self._open) > 1:
            raise Untranslatable(self._open[-1].line, f"a block that ends with {{{{/{self._open[-1].word}}}}}")
        return Parsed(joined(tuple(self._open[0].then)), tuple(self._roles))

    def _begin(self, tag: Tag, says: str, *, chained: bool = False) -> None:
        if len(self._open) > MAX_DEPTH:
            raise Untranslatable(tag.line, f"at most {MAX_DEPTH} blocks within one another")
        word, _, rest = says.partition(" ")
        each, equals = _EACH.fullmatch(says), _EQUALS.fullmatch(says)
        if each:
            variable = each[2] or self._fresh()
            over = self._name(each[1], tag.line)
            self._open.append(_Open("each", tag.line, _each_of(variable, over), variable, chained=chained))
            return
        condition: Condition
        if equals:
            condition = Equal(self._side(equals[2], tag.line), self._side(equals[3], tag.line))
            condition = condition if word == "ifEquals" else Not(condition)
        elif word in {"if", "unless"} and rest.strip():
            condition = self._name(rest.strip(), tag.line)
            condition = condition if word == "if" else Not(condition)
        else:
            raise Untranslatable(tag.line, "if, unless, each, ifEquals or unlessEquals, got another block")
        self._open.append(_Open(word, tag.line, _if_of(condition), chained=chained))

    def _else(self, tag: Tag) -> None:
        block = self._open[-1]
        if not block.word or block.otherwise is not None:
            raise Untranslatable(tag.line, "{{else}} once within a block")
        block.otherwise = []
        if tag.says:
            self._begin(tag, tag.says, chained=True)

    def _end(self, tag: Tag) -> None:
        while True:
            block = self._open.pop()
            if not self._open:
                raise Untranslatable(tag.line, "a block to be open where one is closed")
            self._open[-1].add(block.make(joined(tuple(block.then)), joined(tuple(block.otherwise or ()))))
            if not block.chained:
                break
        if tag.says != block.word:
            raise Untranslatable(tag.line, f"{{{{/{block.word}}}}}")

    def _value(self, tag: Tag) -> None:
        role = _ROLE.fullmatch(tag.says)
        if tag.kind == ">":
            if not _PARTIAL.fullmatch(tag.says):
                raise Untranslatable(tag.line, "a partial with a name of lower-case words, and nothing after it")
            self._open[-1].add(Include(tag.says, tag.line))
        elif role:
            if len(self._open) > 1:
                raise Untranslatable(tag.line, "a role outside of blocks")
            self._roles.append((tag.line, role[1] or role[2]))
        else:
            self._open[-1].add(Show(self._name(tag.says, tag.line)))

    def _side(self, text: str, line: int) -> Name | Literal:
        if text[0] in "\"'":
            return Literal(text[1:-1])
        if _NUMBER.fullmatch(text):
            return Literal(int(text))
        return Literal(text == "true") if text in {"true", "false"} else self._name(text, line)

    def _name(self, text: str, line: int) -> Name:
        """Return the variable of ours that a path means where it stands."""
        found = _PATH.fullmatch(text)
        if not found or text in HELPERS:
            raise Untranslatable(line, "the name of a variable, got a helper or a path that has no meaning here")
        loops = [block.variable for block in self._open if block.variable]
        up, rest = found["up"].count("../"), found["rest"]
        if rest in {"@first", "@last"}:
            if up or not loops:
                raise Untranslatable(line, f"{rest} within each")
            return Name(("loop", rest[1:]), line)
        if rest.startswith("@root."):
            return Name(tuple(rest.removeprefix("@root.").split(".")), line)
        if rest.split(".")[0] in loops and not up:
            return Name(tuple(rest.split(".")), line)
        if up > len(loops):
            raise Untranslatable(line, "a path within the template")
        context = loops[len(loops) - up - 1] if up < len(loops) else ""
        if rest == "this":
            if not context:
                raise Untranslatable(line, "this within each")
            return Name((context,), line)
        parts = tuple(rest.removeprefix("this.").split("."))
        if context and len(parts) > 1:
            raise Untranslatable(line, "one member of an item")
        return Name((context, *parts) if context else parts, line)

    def _fresh(self) -> str:
        """Return a name for the item of a loop that nothing in the template is called."""
        taken = {block.variable for block in self._open}
        names = (f"item{number or ''}" for number in range(1000))
        return next(name for name in names if name not in taken and not re.search(rf"\b{name}\b", self._text))


def _if_of(condition: Condition) -> Callable[[Body, Body], Node]:
    return lambda then, otherwise: If(condition, then, otherwise)


def _each_of(variable: str, over: Name) -> Callable[[Body, Body], Node]:
    def make(then: Body, otherwise: Body) -> Node:
        each = Each(variable, over, then)
        return If(over, (each,), otherwise) if otherwise else each

    return make
