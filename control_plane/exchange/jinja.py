"""Our Jinja subset as trees: reading by Jinja's own parser, writing so that it reads back the same.

Promises: `write(read(text))` renders as `text` does; what a tree cannot hold (filters, `<` and `>`, `loop.index`) is
refused with its line. Does not: render.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from control_plane.exchange.errors import Untranslatable
from control_plane.exchange.template import (
    All,
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
    Some,
    Text,
    joined,
)

__all__ = ["read", "undeclared", "write"]

_ENVIRONMENT = Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701 - it only parses
_OPENING = ("{{", "{%", "{#")


def read(text: str) -> Body:
    """Return the tree of a template.

    Raises:
        Untranslatable: it does not parse, or says what a tree cannot hold.
    """
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        raise Untranslatable(error.lineno, "a template, got a syntax error") from error
    except RecursionError as error:
        raise Untranslatable(1, "a template that nests less deeply") from error
    return joined(tuple(_body(tree.body)))


def write(body: Body) -> str:
    """Return the text of a tree: every tag in its place, with no blank trimmed.

    >>> write((Text("Hi "), Show(Name(("name",))), Text("! {{")))
    'Hi {{ name }}! {{ "{" }}{{ "{" }}'
    """
    return "".join(_written(joined(body)))


def undeclared(text: str) -> frozenset[str]:
    """Return the variables that a template asks for; none if it does not parse, which its check then says."""
    try:
        return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(text)))
    except (TemplateSyntaxError, RecursionError):
        return frozenset()


def _body(found: Iterable[Any]) -> Iterator[Node]:
    for node in found:
        if isinstance(node, nodes.Output):
            yield from (_output(child) for child in node.nodes)
        elif isinstance(node, nodes.If):
            yield _if(node)
        elif isinstance(node, nodes.For):
            yield from _for(node)
        elif isinstance(node, nodes.Include) and isinstance(node.template, nodes.Const):
            yield Include(str(node.template.value), node.lineno)
        else:
            raise _refused(node)


def _output(node: Any) -> Node:
    if isinstance(node, nodes.TemplateData):
        return Text(node.data)
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        return Text(node.value)
    return Show(_name(node))


def _if(node: nodes.If) -> If:
    otherwise = tuple(_body(node.else_))
    for branch in reversed(node.elif_):
        otherwise = (If(_condition(branch.test), tuple(_body(branch.body)), otherwise),)
    return If(_condition(node.test), tuple(_body(node.body)), otherwise)


def _for(node: nodes.For) -> Iterator[Node]:
    if not isinstance(node.target, nodes.Name) or node.test is not None or node.recursive:
        raise _refused(node)
    over = _name(node.iter)
    each = Each(node.target.name, over, tuple(_body(node.body)))
    yield If(over, (each,), tuple(_body(node.else_))) if node.else_ else each


def _condition(node: Any) -> Condition:
    if isinstance(node, nodes.Not):
        return Not(_condition(node.node))
    if isinstance(node, nodes.And):
        return All((_condition(node.left), _condition(node.right)))
    if isinstance(node, nodes.Or):
        return Some((_condition(node.left), _condition(node.right)))
    if isinstance(node, nodes.Compare) and len(node.ops) == 1 and node.ops[0].op in {"eq", "ne"}:
        equal = Equal(_side(node.expr), _side(node.ops[0].expr))
        return equal if node.ops[0].op == "eq" else Not(equal)
    return _name(node)


def _side(node: Any) -> Name | Literal:
    if isinstance(node, nodes.Const) and isinstance(node.value, str | int):
        return Literal(node.value)
    return _name(node)


def _name(node: Any) -> Name:
    if isinstance(node, nodes.Name):
        return Name((node.name,), node.lineno)
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return Name((node.node.name, node.attr), node.lineno)
    raise _refused(node)


def _refused(node: Any) -> Untranslatable:
    what = f"the filter {node.name!r}" if isinstance(node, nodes.Filter) else type(node).__name__.lower()
    return Untranslatable(node.lineno, f"variables, if, for, == and includes alone, got {what}")


def _written(body: Body) -> Iterator[str]:
    for one in body:
        if isinstance(one, Text):
            yield _literal(one.text)
        elif isinstance(one, Show):
            yield "{{ " + ".".join(one.name.parts) + " }}"
        elif isinstance(one, Include):
            yield '{% include "' + one.name + '" %}'
        elif isinstance(one, Each):
            over = ".".join(one.over.parts)
            yield f"{{% for {one.variable} in {over} %}}{write(one.body)}{{% endfor %}}"
        else:
            yield from _written_if(one)
    return


def _written_if(one: If) -> Iterator[str]:
    word = "if"
    node = one
    while True:
        yield f"{{% {word} {_said(node.condition)} %}}{write(node.then)}"
        if len(node.otherwise) == 1 and isinstance(inner := node.otherwise[0], If):
            node, word = inner, "elif"
            continue
        yield f"{{% else %}}{write(node.otherwise)}{{% endif %}}" if node.otherwise else "{% endif %}"
        return


def _literal(text: str) -> str:
    """Return text in which nothing opens a tag, at its end neither: what follows may be one."""
    pieces = []
    for index, character in enumerate(text):
        opens = text.startswith(_OPENING, index) or (character == "{" and index == len(text) - 1)
        pieces.append('{{ "{" }}' if opens else character)
    return "".join(pieces)


def _said(condition: Condition, *, inner: bool = False) -> str:
    if isinstance(condition, Name):
        return ".".join(condition.parts)
    if isinstance(condition, Equal):
        return f"{_side_said(condition.left)} == {_side_said(condition.right)}"
    if isinstance(condition, Not):
        if isinstance(condition.of, Equal):
            return f"{_side_said(condition.of.left)} != {_side_said(condition.of.right)}"
        return f"not {_said(condition.of, inner=True)}"
    word = " and " if isinstance(condition, All) else " or "
    text = word.join(_said(one, inner=True) for one in condition.of)
    return f"({text})" if inner else text


def _side_said(side: Name | Literal) -> str:
    if isinstance(side, Name):
        return ".".join(side.parts)
    if isinstance(side.value, bool):
        return "true" if side.value else "false"
    return json.dumps(side.value, ensure_ascii=False)
