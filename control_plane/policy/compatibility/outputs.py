"""Outputs that a script may give and that a parser written for another version of it does not expect.

Compared is `given`, the output schema of the version that runs, with `promised`, that of the version the parser was
written for, which passes over members that it does not know. Within the part of JSON Schema that is *followed* here
(types, enum and const, members and required ones, items, bounds of numbers, lengths and counts, uniqueItems) the
answer is exact: what is found comes with an output that the one schema accepts and the other, opened, refuses, by the
validator of the device; and where nothing is found there is none. Every other keyword, such as pattern or anyOf, is
followed where both versions have the very same one. Where they differ and no such output comes to hand, the finding
says that it cannot be decided: people must look.

Promises: nothing that breaks a parser is passed over. Source: JSON Schema 2020-12.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.policy.compatibility import schemas
from control_plane.policy.compatibility.schemas import Schema
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_output

__all__ = ["Unexpected", "opened", "unexpected_outputs"]

MAX_DEPTH = 24


@dataclass(frozen=True, slots=True)
class _Same:
    """Whether both versions define the same schemas to refer to, and those."""

    definitions: bool
    named: JsonObject


@dataclass(frozen=True, slots=True)
class Unexpected:
    """A place where outputs are other than promised, how, and such an output; None if none came to hand."""

    place: str
    because: str
    output: JsonObject | None


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A difference, and values at its place that may show it; `sure` if one of them must, once the rest allows it."""

    path: tuple[str, ...]
    because: str
    values: tuple[Any, ...]
    sure: bool


def opened(schema: Any) -> Any:
    """Return a schema that passes over members it does not know, wherever they stand in members and items."""
    if not isinstance(schema, dict):
        return schema
    found = {name: value for name, value in schema.items() if (name, value) != ("additionalProperties", False)}
    if isinstance(found.get("properties"), dict):
        found["properties"] = {name: opened(member) for name, member in found["properties"].items()}
    return found | ({"items": opened(found["items"])} if "items" in found else {})


def unexpected_outputs(
    promised: JsonObject, given: JsonObject, samples: Sequence[JsonObject] = ()
) -> Iterator[Unexpected]:
    """Yield each difference by which `given` allows outputs that a parser for `promised` does not expect.

    Args:
        promised: the schema that the parser was written for.
        given: the schema of what runs.
        samples: outputs that fit `given`, such as those of golden cases: where a pattern stands in the way of made-up
            outputs, these are varied instead.
    """
    expected = opened(promised)
    fitting = [sample for sample in samples if not check_output(given, sample)]
    exact = not schemas.unfollowed_anywhere(given) and not schemas.unfollowed_anywhere(expected)
    definitions = {"$defs": given["$defs"]} if "$defs" in given else {}
    same = _Same(promised.get("$defs") == given.get("$defs"), definitions)
    for suspect in _suspects(schemas.of(expected), schemas.of(given), same=same):
        found = next(_shown(suspect, (expected, given), fitting), None)
        if found is not None:
            yield Unexpected(".".join(suspect.path), suspect.because, found)
        elif not exact or not suspect.sure:
            yield Unexpected(".".join(suspect.path), suspect.because, None)


def _shown(suspect: _Suspect, pair: tuple[JsonObject, JsonObject], samples: list[JsonObject]) -> Iterator[JsonObject]:
    """Yield outputs that show a difference, by the validator itself."""
    expected, given = pair
    candidates = [*samples] if not suspect.values else []
    for value in suspect.values:
        for sample in samples:
            candidates += _varied(sample, suspect.path, value)
            candidates += _varied(sample, suspect.path, value, like_it=True)
        candidates += schemas.holding(schemas.of(given), suspect.path, value)
    for candidate in candidates:
        if isinstance(candidate, dict) and not check_output(given, candidate) and check_output(expected, candidate):
            yield candidate


def _varied(value: Any, path: tuple[str, ...], wanted: Any, *, like_it: bool = False) -> Iterator[Any]:
    """Yield `value` with `wanted` at a path; `MISSING` takes the member away.

    With `like_it`, a list there is replaced by one as long as `wanted`, of the members that it had.
    """
    if not path:
        if not like_it:
            yield wanted
        elif isinstance(wanted, list) and isinstance(value, list) and value:
            yield (value * (len(wanted) // len(value) + 1))[: len(wanted)]
    elif path[0] == "[]" and isinstance(value, list):
        for inner in _varied(value[0] if value else None, path[1:], wanted, like_it=like_it):
            yield [inner, *value[1:]]
    elif isinstance(value, dict) and path[0] != "[]":
        if len(path) == 1 and wanted is schemas.MISSING and not like_it:
            yield {name: member for name, member in value.items() if name != path[0]}
            return
        for inner in _varied(value.get(path[0]), path[1:], wanted, like_it=like_it):
            yield {**value, path[0]: inner}


def _suspects(promised: Schema, given: Schema, *, same: _Same, path: tuple[str, ...] = ()) -> Iterator[_Suspect]:
    """Yield the differences by which some value fits `given` and not `promised`, of which no fitting one is missed."""
    if same.definitions and not given.never and opened(given.node) == promised.node:
        return
    if given.never or len(path) > MAX_DEPTH:
        if not given.never:
            yield _Suspect(path, "it is nested too deep to be followed", (), sure=False)
        return
    if promised.never:
        yield _Suspect(path, "nothing was promised to fit here", tuple(schemas.some(given, 1)), sure=True)
        return
    unlike = [
        name
        for name, value in promised.unfollowed.items()
        if not same.definitions or given.unfollowed.get(name) != value
    ]
    if given.choices is not None or promised.choices is not None:
        yield from _chosen(promised, given, same=same, path=path)
        if given.choices is not None:
            return
    if unlike:
        yield _Suspect(path, f"{' and '.join(sorted(unlike))} changed", tuple(schemas.some(given, 4)), sure=False)
    if new := given.types - promised.types:
        values = tuple(v for kind in sorted(new) for v in schemas.some(given.only(kind), 1))
        yield _Suspect(path, f"it may be {' or '.join(sorted(map(schemas.named, new)))}", values, sure=True)
    for kind in sorted(given.types & promised.types):
        yield from _of_kind(kind, promised, given, same=same, path=path)


def _chosen(promised: Schema, given: Schema, *, same: _Same, path: tuple[str, ...]) -> Iterator[_Suspect]:
    """Yield what comes of a list of choices on either side."""
    if given.choices is not None:
        for choice in given.choices:
            if _fits(given, choice, same) and not _fits(promised, choice, same):
                yield _Suspect(path, f"it may be {schemas.shown(choice)}", (choice,), sure=True)
    elif promised.choices is not None:
        values = tuple(schemas.some(given, len(promised.choices) + 1))
        yield _Suspect(path, "it may be something that was not among the choices", values, sure=True)


def _fits(schema: Schema, value: Any, same: _Same) -> bool:
    return not check_output({**(schema.node or {}), **same.named}, value)


def _of_kind(kind: str, promised: Schema, given: Schema, *, same: _Same, path: tuple[str, ...]) -> Iterator[_Suspect]:
    for name, (low, high) in given.bounds(kind).items():
        least, most = promised.bounds(kind)[name]
        for size, differs, because in (
            (max(low, min(least - 1, high)), low < least, f"less than {least}"),
            (max(most + 1, low), high > most, f"more than {most}"),
        ):
            if differs:
                values = tuple(schemas.of_size(given.only(kind), name, size))
                sure = name == "value" or size <= schemas.MAX_SIZE
                yield _Suspect(path, f"{schemas.named_bound(name)} may be {because}", values, sure=sure)
    if kind == "array":
        if promised.unique and not given.unique:
            yield _Suspect(path, "members may repeat", tuple(schemas.repeating(given)), sure=True)
        if given.counts[1] > 0:
            yield from _suspects(promised.item(), given.item(), same=same, path=(*path, "[]"))
    if kind == "object":
        for name in sorted(promised.required - given.required):
            yield _Suspect((*path, name), "it may be missing", (schemas.MISSING,), sure=True)
        for name in sorted(promised.members):
            yield from _suspects(promised.member(name), given.member(name), same=same, path=(*path, name))
