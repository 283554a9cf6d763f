"""A prompt's contract: what its inputs must be, and whether an output fits its JSON Schema.

Inputs are described by the subset of JSON Schema (2020-12) that a device checks in microseconds: one object,
no further properties, each property a text, an integer, a boolean or a list of texts, with bounds. `x-data-class`
(R0 to R3) and `x-untrusted` are our two annotations: how sensitive it is, and whether somebody else may have
written it. Outputs may use all of JSON Schema and are checked with the `jsonschema` package, imported when first used.
Errors name the input and what was expected, never its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from audit.frozen import frozen
from edge_runtime.core.canonical import JsonObject, encode
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields

__all__ = ["Input", "InputContract", "check_inputs", "check_output", "check_schema", "parse_inputs", "typed_inputs"]

TYPES: dict[str, type[Any]] = {"string": str, "integer": int, "boolean": bool, "array": list}
_BOUNDS = {
    "string": ("maxLength", "minLength", "enum", "format"),
    "integer": ("minimum", "maximum", "enum"),
    "boolean": (),
    "array": ("maxItems", "minItems", "items"),
}
DATA_CLASSES = ("R0", "R1", "R2", "R3")
UNCHECKED = "# cannot be checked"


@frozen
class Input:
    """One declared input. `low` and `high` bound a length, a value or a count, by type."""

    name: str
    type: str
    required: bool
    untrusted: bool
    data_class: str
    low: int
    high: int
    choices: tuple[Any, ...]
    default: Any = None


@frozen
class InputContract:
    """The declared inputs by name, and the JSON Schema they came from."""

    inputs: Mapping[str, Input]
    schema: JsonObject


def parse_inputs(schema: JsonObject) -> InputContract:
    """Return the contract that an input schema describes.

    Raises:
        InvalidDocument: the schema leaves the checked subset; the message names the property.
    """
    fields = Fields(schema, "input schema", tagged=False)
    fields.choice("type", ("object",))
    if fields.boolean("additionalProperties"):
        raise InvalidDocument("input schema: expected additionalProperties to be false")
    properties = fields.json_object("properties")
    required = fields.texts("required") if "required" in schema else ()
    fields.close()
    unknown = set(required) - set(properties)
    if unknown:
        raise InvalidDocument(f"input schema: expected {min(unknown)!r} of 'required' among the properties")
    inputs = {name: _parse_input(name, properties[name], required=name in required) for name in properties}
    return InputContract(inputs, schema)


def _parse_input(name: str, schema: object, *, required: bool) -> Input:
    if not isinstance(schema, dict) or schema.get("type") not in tuple(TYPES) or not name.isidentifier():
        raise InvalidDocument(f"input schema: expected {name!r} to be a string, integer, boolean or array of texts")
    kind = schema["type"]
    allowed = {"type", "title", "description", "default", "x-data-class", "x-untrusted", *_BOUNDS[kind]}
    unknown = set(schema) - allowed
    if unknown:
        raise InvalidDocument(f"input schema: expected no {min(unknown)!r} in {name!r}")
    if kind == "array" and schema.get("items") != {"type": "string"}:
        raise InvalidDocument(f"input schema: expected items of {name!r} to be {{'type': 'string'}}")
    if schema.get("x-data-class") not in DATA_CLASSES:
        raise InvalidDocument(f"input schema: expected x-data-class of {name!r} to be one of R0 to R3")
    low, high = _bounds(kind, schema)
    choices = schema.get("enum", [])
    if not isinstance(choices, list) or not all(type(choice) is TYPES[kind] for choice in choices):
        raise InvalidDocument(f"input schema: expected enum of {name!r} to be a list of {kind} values")
    declared = Input(
        name=name,
        type=kind,
        required=required,
        untrusted=bool(schema.get("x-untrusted", kind in {"string", "array"})),
        data_class=schema["x-data-class"],
        low=low,
        high=high,
        choices=tuple(choices),
        default=schema.get("default"),
    )
    if declared.default is not None:
        try:
            _check_input(declared, declared.default)
        except InvalidDocument as error:
            raise InvalidDocument(f"input schema: expected the default of {name!r} to fit it") from error
    return declared


def _bounds(kind: str, schema: JsonObject) -> tuple[int, int]:
    low_name, high_name, largest = {
        "string": ("minLength", "maxLength", 100_000),
        "integer": ("minimum", "maximum", 2**53 - 1),
        "boolean": ("", "", 1),
        "array": ("minItems", "maxItems", 1000),
    }[kind]
    low = schema.get(low_name, -largest if kind == "integer" else 0)
    high = schema.get(high_name, largest)
    if type(low) is not int or type(high) is not int or low > high:
        raise InvalidDocument(f"input schema: expected {low_name} and {high_name} to be integers, the lower one first")
    return low, high


def check_inputs(contract: InputContract, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs with defaults filled in.

    Raises:
        InvalidDocument: one is missing, undeclared, of another type or out of bounds.
    """
    if len(given) > len(contract.inputs) or any(name not in contract.inputs for name in given):
        unknown = min(str(name) for name in given if name not in contract.inputs)
        raise InvalidDocument(f"expected inputs {', '.join(contract.inputs) or '(none)'}, got undeclared {unknown!r}")
    values: dict[str, Any] = {}
    for name, declared in contract.inputs.items():
        value = given.get(name, declared.default)
        if value is None:
            if declared.required:
                raise InvalidDocument(f"expected input {name!r}, got none")
            value = {"string": "", "integer": 0, "boolean": False, "array": []}[declared.type]
        else:
            _check_input(declared, value)
        values[name] = value
    return values


def typed_inputs(contract: InputContract, texts: Mapping[str, str]) -> dict[str, Any]:
    r"""Return the inputs that texts stand for, where no other type can be said: on a command line, or in MCP.

    A list has a member on each line. What has not the form of its type, or is not declared, stays the text it is:
    `check_inputs` says so.

    >>> contract = parse_inputs({"type": "object", "additionalProperties": False, "properties": {
    ...     "done": {"type": "array", "items": {"type": "string"}, "x-data-class": "R1"},
    ...     "minutes": {"type": "integer", "x-data-class": "R0"}}})
    >>> typed_inputs(contract, {"done": "read\nrest", "minutes": "15"})
    {'done': ['read', 'rest'], 'minutes': 15}
    """
    return {name: _typed(contract.inputs.get(name), text) for name, text in texts.items()}


def _typed(declared: Input | None, text: str) -> Any:
    kind = declared.type if declared else "string"
    if kind == "array":
        return text.splitlines()
    if kind == "integer" and text.isascii() and text.removeprefix("-").isdecimal() and len(text) <= 16:
        return int(text)
    return {"true": True, "false": False}.get(text.lower(), text) if kind == "boolean" else text


def _check_input(declared: Input, value: Any) -> None:
    if type(value).__name__ != TYPES[declared.type].__name__:
        raise InvalidDocument(f"expected input {declared.name!r} to be {declared.type}, got {type(value).__name__}")
    if declared.choices and value not in declared.choices:
        raise InvalidDocument(f"expected input {declared.name!r} to be one of {', '.join(map(str, declared.choices))}")
    size = value if declared.type == "integer" else len(value) if declared.type != "boolean" else 0
    if not declared.low <= size <= declared.high:
        what = {"string": "characters", "array": "members"}.get(declared.type, "as its value")
        raise InvalidDocument(f"expected input {declared.name!r} to have {declared.low} to {declared.high} {what}")
    if declared.type == "array" and not all(type(member) is str for member in value):
        raise InvalidDocument(f"expected input {declared.name!r} to be a list of texts")


def check_schema(schema: JsonObject) -> None:
    """Check that `schema` is a JSON Schema (2020-12) that refers to nothing outside itself.

    Raises:
        InvalidDocument: it is not, or it refers beyond its own `#`, to nothing, or round in a circle.
    """
    _check_schema(encode(schema))


@lru_cache(maxsize=256)
def _check_schema(data: bytes) -> None:
    """Check a schema; what passed is remembered, since a script keeps its contract through most of its changes."""
    import json

    import jsonschema

    schema = json.loads(data)
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise InvalidDocument(
            f"expected a JSON Schema, got a problem at {'/'.join(map(str, error.path)) or '#'}"
        ) from error
    if any(not reference.startswith("#") for reference in _references(schema)):
        raise InvalidDocument("expected $ref to stay within the schema")
    if UNCHECKED in check_output(schema, {}):
        raise InvalidDocument("expected $ref to lead somewhere, and not round in a circle")


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value[name] for name in ("$ref", "$dynamicRef") if isinstance(value.get(name), str)]
        return own + [ref for member in value.values() for ref in _references(member)]
    if isinstance(value, list):
        return [ref for member in value for ref in _references(member)]
    return []


def check_output(schema: JsonObject, output: object) -> tuple[str, ...]:
    """Return what is wrong with `output` by its JSON Schema, places only; empty if it fits.

    A schema that cannot be followed (a reference to nothing, a circle, a broken pattern) fits no output.
    """
    import re

    from referencing.exceptions import Unresolvable

    validator = _validator(encode(schema))
    try:
        places = {"/".join(map(str, error.path)) or "#" for error in validator.iter_errors(output)}
    except (RecursionError, Unresolvable, re.error):
        return (UNCHECKED,)
    return tuple(sorted(f"{place} does not fit" for place in places))


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    import json

    import jsonschema
    from referencing import Registry

    # INVARIANT: the registry is empty and has no way to retrieve, so checking an output never reaches for the network.
    return jsonschema.Draft202012Validator(json.loads(schema), registry=Registry())
