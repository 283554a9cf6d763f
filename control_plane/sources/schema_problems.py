"""What a JSON Schema says against a document, in words that its author understands.

Promises: every violation becomes one phrase that names the member and what was expected there, with the JSON path
at which the file shows it; no value is repeated unless it is a short name. Only the published schemas of
`prompt_library/schema` and the schema of schemas are used: nothing is fetched.
Does not: read files (see `sources`). Source: JSON Schema 2020-12.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from control_plane.sources.strict_yaml import JsonPath, shown

if TYPE_CHECKING:  # imported when the first source is read: starting does not wait for it
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from referencing import Registry

__all__ = ["KINDS", "json_schema_problems", "schema_problems"]

KINDS = {
    "agreement": "agreement",
    "approval-rules": "approval-rules",
    "cases": "cases",
    "handoff": "prompt",
    "include": "include",
    "model": "model",
    "policy": "policy",
    "prompt": "prompt",
    "recordings": "recordings",
    "session-type": "session-type",
    "vocabulary": "vocabulary",
}
"""Each kind of source, and the name of its schema."""

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "object": "members (name: value)",
    "string": "text",
}
_BOUNDS = {
    "format": "a valid {}",
    "maxItems": "at most {} members",
    "maxLength": "at most {} characters",
    "maxProperties": "at most {} members",
    "maximum": "at most {}",
    "minItems": "at least {} members",
    "minLength": "at least {} characters",
    "minProperties": "at least {} members",
    "minimum": "at least {}",
    "uniqueItems": "each member once",
}


def schema_problems(kind: str, document: object) -> Iterator[tuple[JsonPath, str]]:
    """Yield the place and the expectation of everything in `document` that its kind's schema refuses."""
    yield from _problems(_validator(KINDS[kind]), document)


def json_schema_problems(schema: object) -> Iterator[tuple[JsonPath, str]]:
    """Yield the place and the expectation of everything that keeps `schema` from being a JSON Schema."""
    from jsonschema import Draft202012Validator

    meta = Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    yield from _problems(meta, schema)


@lru_cache(maxsize=1)
def _registry() -> Registry[Any]:
    from referencing import Registry, Resource

    folder = resources.files("prompt_library") / "schema"
    schemas = [json.loads(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".schema.json")]
    return Registry().with_resources([(schema["$id"], Resource.from_contents(schema)) for schema in schemas])


@lru_cache(maxsize=len(KINDS))
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    registry = _registry()
    schema = registry.contents(f"https://mentorplane.example/schema/{name}.schema.json")
    return Draft202012Validator(schema, registry=registry)


def _problems(validator: Draft202012Validator, document: object) -> Iterator[tuple[JsonPath, str]]:
    for error in validator.iter_errors(document):
        for leaf in _leaves(error):
            yield from _explain(leaf)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    if error.context and error.validator in {"allOf", "$ref", "$dynamicRef", "if"}:
        for inner in error.context:
            yield from _leaves(inner)
    else:
        yield error


def _explain(error: ValidationError) -> Iterator[tuple[JsonPath, str]]:
    path: JsonPath = tuple(error.absolute_path)
    schema: Any = error.schema
    if error.validator == "required":
        # One error for each missing member; which one, only the message says.
        names: Any = error.validator_value
        missing = next(name for name in names if error.message.startswith(f"{name!r} "))
        yield path, f"member {shown(missing)}{_within(path)}, got none"
    elif error.validator == "additionalProperties":
        instance: Any = error.instance
        for name in sorted(set(instance) - set(schema.get("properties", ()))):
            close = get_close_matches(name, schema.get("properties", ()), 1)
            hint = f"; did you mean {shown(close[0])}?" if close else ""
            yield (*path, name), f"no member {shown(name)}{_within(path)}{hint}"
    else:
        yield path, f"{_expected(error, schema)}{_within(path)}"


def _expected(error: ValidationError, schema: Any) -> str:
    wanted: Any = error.validator_value
    keyword = str(error.validator)
    if keyword == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        return f"{' or '.join(_TYPES.get(name, name) for name in types)}, got {_kind_of(error.instance)},"
    if keyword == "enum":
        return f"one of {', '.join(map(str, wanted))}"
    if keyword == "const":
        return json.dumps(wanted) if isinstance(wanted, bool) else str(wanted)
    if keyword == "pattern":
        return str(schema.get("x-expected", "a name of letters, digits and _"))
    return _BOUNDS.get(keyword, f"what the schema's {keyword} asks for").format(wanted)


def _kind_of(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    names: dict[type, str] = {str: "text", int: "a number", list: "a list", dict: "members"}
    return names.get(type(value), type(value).__name__)


def _within(path: JsonPath) -> str:
    if not path:
        return ""
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return f" in {dotted if len(dotted) <= 80 else dotted[:79] + chr(0x2026)}"
