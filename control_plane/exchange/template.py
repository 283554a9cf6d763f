"""Templates as trees: what our Jinja subset and the Handlebars of Dotprompt can both say.

Pure values. `jinja` and `handlebars` read texts into them and write them as texts; a text that says more is refused
with its line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "All",
    "Body",
    "Condition",
    "Each",
    "Equal",
    "If",
    "Include",
    "Literal",
    "Name",
    "Node",
    "Not",
    "Show",
    "Some",
    "Text",
    "joined",
    "without_includes",
]


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or a member of one: `topic`, `item.title`, `loop.first`."""

    parts: tuple[str, ...]
    line: int = 1


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a whole number, true or false."""

    value: str | int | bool


@dataclass(frozen=True, slots=True)
class Equal:
    """Whether two values are the same."""

    left: Name | Literal
    right: Name | Literal


@dataclass(frozen=True, slots=True)
class Not:
    """Whether a condition does not hold."""

    of: Condition


@dataclass(frozen=True, slots=True)
class All:
    """Whether all conditions hold."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Whether at least one condition holds."""

    of: tuple[Condition, ...]


Condition: TypeAlias = Name | Equal | Not | All | Some


@dataclass(frozen=True, slots=True)
class Text:
    """Text that stands as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Show:
    """The value of a variable."""

    name: Name


@dataclass(frozen=True, slots=True)
class If:
    """One body or the other."""

    condition: Condition
    then: Body
    otherwise: Body = ()


@dataclass(frozen=True, slots=True)
class Each:
    """A body for each member of a list, under a name."""

    variable: str
    over: Name
    body: Body


@dataclass(frozen=True, slots=True)
class Include:
    """A shared passage."""

    name: str
    line: int = 1


Node: TypeAlias = Text | Show | If | Each | Include
Body: TypeAlias = tuple[Node, ...]


def joined(body: Body) -> Body:
    """Return a body whose neighbouring texts are one, and whose empty ones are gone, at every depth.

    >>> joined((Text("a"), Text(""), Text("b")))
    (Text(text='ab'),)
    """
    found: list[Node] = []
    for one in body:
        node: Node = one
        if isinstance(one, Text):
            if found and isinstance(last := found[-1], Text):
                found[-1] = Text(last.text + one.text)
                continue
            if not one.text:
                continue
        elif isinstance(one, If):
            node = If(one.condition, joined(one.then), joined(one.otherwise))
        elif isinstance(one, Each):
            node = Each(one.variable, one.over, joined(one.body))
        found.append(node)
    return tuple(found)


def without_includes(body: Body) -> Body:
    """Return a body without its shared passages, at every depth."""
    made: list[Node] = []
    for one in body:
        if isinstance(one, If):
            made.append(If(one.condition, without_includes(one.then), without_includes(one.otherwise)))
        elif isinstance(one, Each):
            made.append(Each(one.variable, one.over, without_includes(one.body)))
        elif not isinstance(one, Include):
            made.append(one)
    return tuple(made)
