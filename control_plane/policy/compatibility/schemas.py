"""JSON Schemas as the comparison of outputs sees them: what can be followed, and values that fit.

Promises: `some` yields as many different values as were asked for, or all that there are, of a schema whose keywords
are all followed; they fit whatever else stands in it or not, which the caller asks the validator.
Does not: follow references, patterns or combinations; those are listed as they stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, permutations, product
from math import inf
from typing import Any

__all__ = ["MAX_SIZE", "MISSING", "Schema", "holding", "named", "of", "of_size", "repeating", "shown", "some"]

MISSING = object()
"""Stands for a member that is not there."""
MAX_SIZE = 20_000
"""Longest text and longest list that is made to show a difference."""
MAX_DEPTH = 24
KINDS = frozenset({"array", "boolean", "fraction", "integer", "null", "object", "string"})
_ANNOTATIONS = {"$comment", "$defs", "$id", "$schema", "default", "deprecated", "description", "examples", "format"}
_ANNOTATIONS |= {"readOnly", "title", "writeOnly"}
_FOLLOWED = {"additionalProperties", "const", "enum", "items", "maxItems", "maxLength", "maximum", "minItems"}
_FOLLOWED |= {"minLength", "minimum", "properties", "required", "type", "uniqueItems"}
_BOUNDS = {
    "array": ("minItems", "maxItems", "members", 0),
    "fraction": ("minimum", "maximum", "value", -inf),
    "integer": ("minimum", "maximum", "value", -inf),
    "string": ("minLength", "maxLength", "length", 0),
}
_NAMED = {"array": "a list", "boolean": "true or false", "fraction": "a broken number", "integer": "a whole number"}
_NAMED |= {"null": "nothing", "object": "an object", "string": "text"}
_NAMED_BOUNDS = {"length": "its length", "members": "the number of members", "value": "its value"}


def named(kind: str) -> str:
    """Return how a sentence calls a kind of value."""
    return _NAMED[kind]


def named_bound(name: str) -> str:
    """Return how a sentence calls what is bounded."""
    return _NAMED_BOUNDS[name]


def shown(value: object) -> str:
    """Return a value in a few characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


@dataclass(frozen=True)
class Schema:
    """One schema; `node` is its object, empty for true, None for false."""

    node: Mapping[str, Any] | None

    @property
    def never(self) -> bool:
        """Whether it is false: nothing fits."""
        return self.node is None

    @cached_property
    def unfollowed(self) -> dict[str, Any]:
        """Its own keywords that are not followed."""
        node = self.node or {}
        found = {k: v for k, v in node.items() if k not in _FOLLOWED | _ANNOTATIONS and not k.startswith("x-")}
        if isinstance(node.get("additionalProperties"), dict):
            found["additionalProperties"] = node["additionalProperties"]
        return found

    @cached_property
    def choices(self) -> list[Any] | None:
        """The values of its enum or const, as they stand; None if it has neither."""
        node = self.node or {}
        if "const" in node:
            return [node["const"]]
        return list(node["enum"]) if "enum" in node else None

    @cached_property
    def types(self) -> frozenset[str]:
        """The kinds of values it names; all if it names none."""
        stated = (self.node or {}).get("type")
        if self.never or stated is None:
            return frozenset() if self.never else KINDS
        names = {stated} if isinstance(stated, str) else set(stated)
        return frozenset({*names - {"number"}, *({"integer", "fraction"} if "number" in names else ())})

    def only(self, kind: str) -> Schema:
        """Return the schema with one kind of values left."""
        return Schema({**(self.node or {}), "type": "number" if kind == "fraction" else kind, "x-kind": kind})

    @property
    def kinds(self) -> list[str]:
        """The kinds of values to make, in a fixed order."""
        only = (self.node or {}).get("x-kind")
        return [only] if only else sorted(self.types)

    def bounds(self, kind: str) -> dict[str, tuple[float, float]]:
        """Return the least and the most of what is bounded in values of a kind."""
        if kind not in _BOUNDS:
            return {}
        low, high, name, least = _BOUNDS[kind]
        node = self.node or {}
        return {name: (node.get(low, least), node.get(high, inf))}

    @property
    def counts(self) -> tuple[float, float]:
        """How many members a list has."""
        return self.bounds("array")["members"]

    @property
    def unique(self) -> bool:
        """Whether the members of a list differ."""
        return bool((self.node or {}).get("uniqueItems", False))

    @property
    def required(self) -> frozenset[str]:
        """The members that an object has."""
        return frozenset((self.node or {}).get("required", ()))

    @property
    def members(self) -> Mapping[str, Any]:
        """The members of an object that are described."""
        return dict((self.node or {}).get("properties", {}))

    def member(self, name: str) -> Schema:
        """Return what a member of an object fits, if it is there."""
        if name in self.members:
            return of(self.members[name])
        return of((self.node or {}).get("additionalProperties", True) is not False)

    def item(self) -> Schema:
        """Return what a member of a list fits."""
        return of((self.node or {}).get("items", True))


def of(schema: Any) -> Schema:
    """Return a schema as this module sees it."""
    return Schema(schema if isinstance(schema, Mapping) else {} if schema else None)


def unfollowed_anywhere(schema: Any) -> bool:
    """Return whether a keyword that is not followed stands in a schema, in its members or items."""
    own = of(schema)
    below = [*own.members.values(), *([own.node["items"]] if own.node and "items" in own.node else [])]
    return bool(own.unfollowed) or any(map(unfollowed_anywhere, below))


def some(schema: Schema, count: int, depth: int = 0) -> Iterator[Any]:
    """Yield `count` different values that fit what is followed of a schema, or all if there are fewer."""
    yield from islice(_different(_values(schema, count, depth)), count)


def _different(values: Iterator[Any]) -> Iterator[Any]:
    seen: set[str] = set()
    for value in values:
        key = json.dumps(value, sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield value


def _values(schema: Schema, count: int, depth: int) -> Iterator[Any]:
    if schema.never or depth > MAX_DEPTH or count < 1:
        return
    if schema.choices is not None:
        yield from (value for value in schema.choices if _fits(Schema(_without_choices(schema)), value))
        return
    for kind in schema.kinds:
        if kind == "boolean":
            yield from (False, True)
        elif kind == "null":
            yield None
        elif kind == "object":
            yield from _objects(schema, count, depth)
        else:
            for size in _sizes(schema.bounds(kind), count + 1):
                yield from _sized(schema, kind, size, count=count, depth=depth)


def _sizes(bounds: Mapping[str, tuple[float, float]], count: int) -> Iterator[int]:
    """Yield sizes from the bounded end of a range on."""
    ((low, high),) = bounds.values()
    if low > -inf:
        yield from (int(low) + at for at in range(count) if low + at <= high)
    elif high < inf:
        yield from (int(high) - at for at in range(count))
    else:
        yield from range(count)


def _without_choices(schema: Schema) -> dict[str, Any]:
    return {name: value for name, value in (schema.node or {}).items() if name not in {"const", "enum"}}


def _sized(schema: Schema, kind: str, size: int, *, count: int, depth: int) -> Iterator[Any]:
    """Yield values of one size: of one number, or of one length or count, as different as they can be."""
    if kind == "integer":
        yield size
    elif kind == "fraction":
        high = schema.bounds("fraction")["value"][1]
        if size < high:
            yield size + 0.5
    elif size > MAX_SIZE:
        return
    elif kind == "string":
        yield from (chr(ord("x") + at) * size for at in range(count if size else 1))
    else:
        yield from _lists(schema, size, count=count, depth=depth)


def _lists(schema: Schema, size: int, *, count: int, depth: int) -> Iterator[Any]:
    items = list(some(schema.item(), size + count if schema.unique else count, depth + 1)) if size else []
    chosen = permutations(items, size) if schema.unique else product(items, repeat=size)
    yield from map(list, chosen)


def _objects(schema: Schema, count: int, depth: int) -> Iterator[Any]:
    names = sorted({*schema.members, *schema.required})
    pools = []
    for name in names:
        values: list[Any] = list(some(schema.member(name), count, depth + 1))
        pools.append(values if name in schema.required else [MISSING, *values])
    others = [{f"x{at}": None} for at in range(count)] if not schema.member("\0").never else []
    for chosen in product(*pools):
        least = {name: value for name, value in zip(names, chosen, strict=True) if value is not MISSING}
        yield least
        yield from ({**least, **other} for other in others)


def _fits(schema: Schema, value: Any) -> bool:
    """Return whether a value fits what is followed of a schema, unfollowed keywords passed over."""
    from jsonschema import Draft202012Validator

    followed = _only_followed(schema.node)
    return bool(Draft202012Validator(followed).is_valid(value))


def _only_followed(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return bool(node) if node is not None else False
    found = {k: v for k, v in node.items() if k in _FOLLOWED and not (k == "additionalProperties" and v is not False)}
    if "properties" in found:
        found["properties"] = {name: _only_followed(member) for name, member in found["properties"].items()}
    return found | ({"items": _only_followed(found["items"])} if "items" in found else {})


def of_size(schema: Schema, name: str, size: float) -> Iterator[Any]:
    """Yield values of one length, count or value; none if that is too long."""
    if name == "value":
        yield from (int(size), size - 0.5, size + 0.5)
    else:
        yield from _sized(schema, schema.kinds[0], int(size), count=2, depth=0)


def repeating(schema: Schema) -> Iterator[Any]:
    """Yield lists in which a member stands twice."""
    low, high = schema.counts
    for item in some(schema.item(), 1):
        if high >= 2 and low <= MAX_SIZE:
            yield [item] * max(2, int(low))


def holding(schema: Schema, path: tuple[str, ...], value: Any) -> Iterator[Any]:
    """Yield values that fit what is followed of a schema and hold `value` at a path, if any."""
    if not path:
        yield value
    elif path[0] == "[]":
        for inner in holding(schema.item(), path[1:], value):
            yield from _listing(schema, inner)
    else:
        least: dict[str, Any] = {}
        for name in sorted(schema.required - {path[0]}):
            first = next(some(schema.member(name), 1), MISSING)
            if first is MISSING:
                return
            least[name] = first
        if path[1:] == () and value is MISSING:
            yield least
            return
        yield from ({**least, path[0]: inner} for inner in holding(schema.member(path[0]), path[1:], value))


def _listing(schema: Schema, value: Any) -> Iterator[Any]:
    """Yield the shortest list that begins with a value."""
    low = schema.counts[0]
    if low > MAX_SIZE:
        return
    more = max(0, int(low) - 1)
    if schema.unique:
        others = [other for other in some(schema.item(), more + 1) if other != value]
        yield [value, *others[:more]]
    else:
        yield [value, *[next(some(schema.item(), 1), value)] * more]
