"""Sources: what people write (scripts, agreements, session types, policies and the rest), read and checked.

Promises: a `Source` fits the published JSON Schema of its kind; its templates parse and use declared inputs only; every
problem names the file, the line, the column and what was expected, and nothing is half-accepted.
Does not: resolve includes or make closures (see `closures`). Source: docs/formats.md, prompt_library/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable

from control_plane.sources.schema_problems import KINDS, json_schema_problems, schema_problems
from control_plane.sources.strict_yaml import (
    MAX_BYTES,
    JsonPath,
    Place,
    Places,
    Problem,
    SourceError,
    read_yaml,
    shown,
)
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_schema, parse_inputs
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.template import check_template

__all__ = [
    "INCLUDE",
    "Problem",
    "Source",
    "SourceError",
    "default_library",
    "load_library",
    "parse_source",
    "problem_at",
    "template_texts",
    "texts_with_includes",
]

INCLUDE = re.compile(r'\{%-?[ ]*include[ ]+"([^"\n]{1,80})"[ ]*-?%\}')
"""How a text names an include; it is replaced by the include's text when the closure is frozen."""
PLAIN = ("disclosure", "fallback")
_LINE = re.compile(r"line (\d+): ")
_EXTRACT = {"extract", "from", "at_most"}
MAX_EXTRACTED = 50


@dataclass(frozen=True, slots=True)
class Source:
    """One file that people wrote: its kind, its name, its members as JSON values, and where they stand."""

    kind: str
    name: str
    document: JsonObject
    path: str = field(default="", compare=False)
    places: Places = field(default_factory=dict, compare=False, repr=False)


def parse_source(data: bytes, path: str) -> Source:
    """Return the source that a YAML file holds.

    Args:
        data: the file's bytes.
        path: what to call the file in problems.

    Raises:
        SourceError: with every problem of the file.
    """
    document, places = read_yaml(data, path)
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        place = _place(places, ("kind",))
        raise SourceError([Problem(path, place.line, place.column, f"one of {', '.join(sorted(KINDS))} in kind")])
    source = Source(kind, str(document.get("name", "")), document, path, places)
    problems = [problem_at(source, where, expected) for where, expected in schema_problems(kind, document)]
    if not problems and kind in {"prompt", "handoff"}:
        problems = list(_script_problems(source))
    if problems:
        raise SourceError(problems)
    return source


def load_library(folder: Traversable, parse: Callable[[bytes, str], Source] = parse_source) -> tuple[Source, ...]:
    """Return every source of a library folder, sorted by kind and name.

    Args:
        folder: holds `*.yaml` at any depth; a `pathlib.Path` will do.
        parse: reads a file as `parse_source` does; one that remembers, for who reads a folder again and again.

    Raises:
        SourceError: with the problems of all its files, a file named otherwise than its content, a name given twice.
    """
    problems: list[Problem] = []
    found: dict[tuple[str, str], Source] = {}
    for path, file in _yaml_files(folder, ""):
        try:
            source = parse(_read_capped(file), path)
        except SourceError as error:
            problems += error.problems
            continue
        key = ("prompt" if source.kind == "handoff" else source.kind, source.name)
        if key in found:
            problems.append(problem_at(source, ("name",), f"a name of its own, got that of {found[key].path}"))
        elif source.kind != "approval-rules" and path.rpartition("/")[2] != f"{source.name}.yaml":
            problems.append(problem_at(source, ("name",), "the name of the file, without .yaml, in name"))
        found.setdefault(key, source)
    if problems:
        raise SourceError(problems)
    return tuple(sorted(found.values(), key=lambda source: (source.kind, source.name)))


def default_library() -> tuple[Source, ...]:
    """Return the sources of the library that comes with the product."""
    return load_library(resources.files("prompt_library"))


def problem_at(source: Source, where: JsonPath, expected: str) -> Problem:
    """Return the problem that `expected` was expected at a member of `source`, or at the nearest one that exists."""
    place = _place(source.places, where)
    return Problem(source.path, place.line, place.column, expected)


def template_texts(document: JsonObject) -> Iterator[tuple[JsonPath, str]]:
    """Yield the place and the text of every template in a script."""
    yield ("instruction",), document["instruction"]
    yield ("reply",), document["reply"]
    yield from _fill_texts(document["fill"], ("fill",))


def texts_with_includes(document: JsonObject) -> Iterator[tuple[JsonPath, str]]:
    """Yield the place and the text of everything in a script that may name an include."""
    yield from template_texts(document)
    for name in PLAIN:
        yield (name,), document[name]


def _yaml_files(folder: Traversable, above: str) -> Iterator[tuple[str, Traversable]]:
    for member in sorted(folder.iterdir(), key=lambda member: member.name):
        if member.is_dir() and not member.name.startswith((".", "__")):
            yield from _yaml_files(member, f"{above}{member.name}/")
        elif member.name.endswith((".yaml", ".yml")):
            yield above + member.name, member


def _read_capped(file: Traversable) -> bytes:
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _place(places: Places, where: JsonPath) -> Place:
    while where and where not in places:
        where = where[:-1]
    return places.get(where, Place(1, 1, 1))


def _script_problems(source: Source) -> Iterator[Problem]:
    document = source.document
    yield from _input_problems(source)
    try:
        check_schema(document["output"])
    except InvalidDocument as error:
        broken = list(json_schema_problems(document["output"]))
        for where, expected in broken:
            yield problem_at(source, ("output", *where), f"a JSON Schema in output: {expected}")
        if not broken:
            yield problem_at(source, ("output",), f"{_without_prefix(str(error))} in output")
    if document["output"].get("type") != "object":
        yield problem_at(source, ("output", "type"), "object in output.type")
    inputs, outputs = _names(document["inputs"]), _names(document["output"])
    for where, text in template_texts(document):
        declared = inputs | outputs if where == ("reply",) else inputs
        yield from _template_problems(source, where, (INCLUDE.sub("", text), declared))
    yield from _extract_problems(source, document["fill"], ("fill",))
    for name in PLAIN:
        if re.search(r"\{[{%#]", INCLUDE.sub("", document[name])):
            yield problem_at(
                source, (name,), f"plain text, without {{{{ }}}} or {{% %}} other than includes, in {name}"
            )
    yield from _include_problems(source)


def _names(schema: JsonObject) -> set[str]:
    properties = schema.get("properties")
    return set(properties) if isinstance(properties, dict) else set()


def _input_problems(source: Source) -> Iterator[Problem]:
    properties = source.document["inputs"]["properties"]
    for name, schema in properties.items():
        try:
            parse_inputs({"type": "object", "additionalProperties": False, "properties": {name: schema}})
        except InvalidDocument as error:
            yield problem_at(source, ("inputs", "properties", name), _without_prefix(str(error)))
    for index, name in enumerate(source.document["inputs"].get("required", ())):
        if name not in properties:
            where = ("inputs", "required", index)
            yield problem_at(source, where, f"a declared input in inputs.required, got {shown(name)}")


def _template_problems(source: Source, where: JsonPath, checked: tuple[str, Iterable[str]]) -> Iterator[Problem]:
    try:
        check_template(*checked)
    except InvalidDocument as error:
        line = _LINE.match(str(error))
        expected = f"{_without_prefix(str(error))} in {'.'.join(map(str, where))}"
        yield _problem_within(source, where, (int(line[1]) - 1 if line else 0, expected))


def _problem_within(source: Source, where: JsonPath, found: tuple[int, str]) -> Problem:
    """Return the problem found so many lines below the beginning of a text."""
    below, expected = found
    place = _place(source.places, where)
    if place.literal:
        return Problem(source.path, place.text_line + below, 1, expected)
    return Problem(source.path, place.text_line, place.column, expected)


def _without_prefix(message: str) -> str:
    return message.partition("expected ")[2] or message


def _fill_texts(value: object, where: JsonPath) -> Iterator[tuple[JsonPath, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict) and "extract" not in value:
        for name, member in value.items():
            yield from _fill_texts(member, (*where, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _fill_texts(member, (*where, index))


def _extract_problems(source: Source, value: object, where: JsonPath) -> Iterator[Problem]:
    if isinstance(value, dict) and "extract" in value:
        texts = {n for n, s in source.document["inputs"]["properties"].items() if s["type"] == "string"}
        count = value.get("at_most")
        if set(value) != _EXTRACT or value["extract"] != "summary":
            yield problem_at(source, where, "the members extract: summary, from and at_most, and no others")
        elif value["from"] not in texts:
            yield problem_at(source, (*where, "from"), "the name of a text input in from")
        elif type(count) is not int or not 1 <= count <= MAX_EXTRACTED:
            yield problem_at(source, (*where, "at_most"), f"a whole number from 1 to {MAX_EXTRACTED} in at_most")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _extract_problems(source, member, (*where, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _extract_problems(source, member, (*where, index))


def _include_problems(source: Source) -> Iterator[Problem]:
    listed = source.document.get("includes", [])
    used: set[str] = set()
    for where, text in texts_with_includes(source.document):
        for found in INCLUDE.finditer(text):
            used.add(found[1])
            if found[1] not in listed:
                expected = f"{shown(found[1])} to be listed in includes, got it used without"
                yield _problem_within(source, where, (text.count("\n", 0, found.start()), expected))
    for index, name in enumerate(listed):
        if name not in used:
            yield problem_at(source, ("includes", index), f"every include to be used, got {shown(name)} unused")
