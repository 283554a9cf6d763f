"""Templates: Jinja2's sandbox, cut down to variables, their members, `if`, `for` and a short filter list.

Promises: a template that uses anything else, or an undeclared variable, is refused when it is checked, so that
rendering cannot surprise; rendering refuses missing variables. `delimit` marks untrusted text as data, also where it
holds lines that look like the marks.
Does not: escape for HTML (prompts are plain text). Jinja2 is imported when first used. Source: docs/adr/0007.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from audit.frozen import frozen
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

__all__ = [
    "FILTERS",
    "NotYet",
    "Use",
    "check_template",
    "delimit",
    "fill",
    "render",
    "render_so_far",
    "texts_of",
    "uses_of",
]

FILTERS = ("capitalize", "first", "join", "last", "length", "lower", "trim", "upper")
KEEPS_ALL = ("trim",)
"""Filters after which a text is still the whole text."""
MAX_TEMPLATE_LENGTH = 20_000
MAX_NESTING = 16
"""Deepest nesting of statements and expressions; Python compiles no more than 20 nested loops."""
_NODES = frozenset(
    {"And", "Compare", "Const", "Filter", "For", "Getattr", "If", "Name", "Not", "Operand", "Or", "Output", "Template"}
    | {"TemplateData"}
)
_LOOP = ("index", "first", "last", "length")
_LOOKS_LIKE_A_MARK = re.compile(r"<(?=\s*/?\s*data\b)", re.IGNORECASE)


class NotYet(BaseException):  # no error: it stops a rendering
    """A template asked for more of a value than has arrived; `text` is what there was of it to print."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = text


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.runtime import LoopContext
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        """`name.member` is a member of an output's object, or of `loop`; never an attribute of a Python value."""

        def getattr(self, obj: Any, attribute: str) -> Any:
            if isinstance(obj, dict):
                return obj[attribute] if attribute in obj else self.undefined(obj=None, name=attribute)
            if isinstance(obj, LoopContext):
                return super().getattr(obj, attribute)
            return self.undefined(obj=None, name=attribute)

    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.globals.clear()
    environment.tests.clear()
    return environment


def check_template(source: str, declared: Iterable[str]) -> None:
    """Check that `source` is a template over the variables `declared` and nothing more.

    Raises:
        InvalidDocument: it does not parse, is too long, or uses an undeclared variable, another statement,
            filter or attribute; the message gives the line.
    """
    _check(source, frozenset(declared))


@lru_cache(maxsize=512)
def _check(source: str, declared: frozenset[str]) -> None:
    """Check a template; what passed is remembered, since each text of a script is checked at every step it takes."""
    import jinja2
    from jinja2 import meta, nodes

    if len(source) > MAX_TEMPLATE_LENGTH:
        raise InvalidDocument(f"expected a template of at most {MAX_TEMPLATE_LENGTH} characters, got {len(source)}")
    try:
        tree = _environment().parse(source)
    except jinja2.TemplateSyntaxError as error:
        raise InvalidDocument(f"line {error.lineno}: expected a template, got a syntax error") from error
    except RecursionError as error:
        raise InvalidDocument(f"expected a template that nests at most {MAX_NESTING} deep") from error
    for node in _walk(tree):
        _check_node(node, nodes)
    undeclared = meta.find_undeclared_variables(tree) - declared
    if undeclared:
        name = min(undeclared)
        line = next((n.lineno for n in tree.find_all(nodes.Name) if n.name == name), 1)
        raise InvalidDocument(f"line {line}: expected declared variables only, got undeclared {name!r}")


@frozen
class Use:
    """How a template uses a variable, and where: `printed` as it is, `tested`, `looped` over, or filtered."""

    name: str
    how: str
    line: int


def uses_of(source: str) -> tuple[Use, ...]:
    """Return how a checked template uses its variables, each use on its own.

    >>> [(use.name, use.how) for use in uses_of("{{ notes|trim }}{% if notes %}{{ notes|first }}{% endif %}")]
    [('notes', 'printed'), ('notes', 'tested'), ('notes', 'first')]
    """
    return tuple(_uses(_environment().parse(source), "printed"))


def _uses(node: Any, how: str) -> Iterable[Use]:
    from jinja2 import nodes

    if isinstance(node, nodes.Name):
        if node.ctx == "load":
            yield Use(node.name, how, node.lineno)
        return
    asked = {nodes.Compare: "tested", nodes.Not: "tested", nodes.Getattr: "member"}.get(type(node), how)
    if isinstance(node, nodes.Filter) and node.name not in KEEPS_ALL:
        asked = node.name
    for field, value in node.iter_fields():
        inside = {"test": "tested", "iter": "looped", "args": "tested", "kwargs": "tested"}.get(field, asked)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, nodes.Node):
                yield from _uses(child, inside)


def _walk(node: Any, depth: int = 0) -> Iterable[Any]:
    if depth > MAX_NESTING:
        raise InvalidDocument(f"line {node.lineno}: expected a template that nests at most {MAX_NESTING} deep")
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child, depth + 1)


def _check_node(node: Any, nodes: Any) -> None:
    kind = type(node).__name__
    if kind not in _NODES:
        raise InvalidDocument(f"line {node.lineno}: expected variables, if, for and filters only, got {kind.lower()}")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise InvalidDocument(
            f"line {node.lineno}: expected one of the filters {', '.join(FILTERS)}, got {node.name!r}"
        )
    if isinstance(node, nodes.Getattr) and not isinstance(node.node, nodes.Name):
        raise InvalidDocument(f"line {node.lineno}: expected name.member, got more after it")
    if isinstance(node, nodes.Getattr) and (
        node.attr.startswith("_") or (node.node.name == "loop" and node.attr not in _LOOP)
    ):
        raise InvalidDocument(f"line {node.lineno}: expected a member's name, or loop.{', loop.'.join(_LOOP)}")


@lru_cache(maxsize=2048)
def _compiled(source: str) -> Any:
    return _environment().from_string(source)


def render(source: str, variables: Mapping[str, Any]) -> str:
    """Return the text of the checked template `source` with `variables`.

    Raises:
        InvalidDocument: a variable is missing or a value does not fit where it is used.
    """
    import jinja2

    try:
        return str(_compiled(source).render(variables))
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        raise InvalidDocument(f"expected a template that renders, got {type(error).__name__}") from error


def render_so_far(source: str, variables: Mapping[str, Any]) -> str:
    """Return the text of the checked template up to where a variable is missing, or says that there is more to come."""
    import jinja2

    pieces: list[str] = []
    try:
        pieces.extend(_compiled(source).generate(variables))
    except NotYet as stopped:
        pieces.append(stopped.text)
    except (jinja2.TemplateError, TypeError, ValueError):
        pass
    return "".join(pieces)


def fill(value: Any, variables: Mapping[str, Any], extract: Callable[[JsonObject], list[str]]) -> Any:
    """Return the JSON value `value` with every text in it rendered; `{{ name }}` alone keeps its type.

    An object with the member `extract` stands for what `extract` returns for it: sentences of an input.
    """
    if isinstance(value, str):
        name = value.removeprefix("{{").removesuffix("}}").strip()
        if value.startswith("{{") and name in variables:
            return variables[name]
        return render(value, variables)
    if isinstance(value, dict):
        if "extract" in value:
            return extract(value)
        return {key: fill(member, variables, extract) for key, member in value.items()}
    if isinstance(value, list):
        return [fill(member, variables, extract) for member in value]
    return value


def texts_of(value: Any) -> Iterable[str]:
    """Yield every template in the JSON value of a `fill` member."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        if "extract" not in value:
            for member in value.values():
                yield from texts_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts_of(member)


def delimit(values: Mapping[str, Any], untrusted: Iterable[str], marker: str) -> JsonObject:
    """Return `values` with each untrusted text wrapped in lines that carry `marker`.

    The marker is drawn anew for each run by the shell, so a text cannot close its own wrapping; what looks like such a
    line in it begins with another sign, so that nobody who reads carelessly takes it for one either.
    """
    wrapped = dict(values)
    for name in untrusted:
        value = values[name]
        text = "\n".join(value) if isinstance(value, list) else value
        if isinstance(text, str) and text:
            text = _LOOKS_LIKE_A_MARK.sub("\u2039", text)
            wrapped[name] = f"<data {marker} {name}>\n{text}\n</data {marker}>"
    return wrapped
