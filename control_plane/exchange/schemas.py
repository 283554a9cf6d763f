"""Contracts of others as ours: inputs in the checked subset, outputs as JSON Schema, Picoschema read.

What a property says that ours cannot is noted; nothing is guessed silently. An input without a data class gets the
strictest one. Source: Dotprompt reference, Picoschema; Prompty specification 2.7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from edge_runtime.core.canonical import JsonObject

__all__ = ["Note", "Notes", "declare", "inputs_of", "picoschema", "property_of", "schema_of"]

STRICTEST = "R3"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_KEY = re.compile(r"([^()?]{1,80}?)(\?)?(?:\((array|object|enum)(?:,\s*(.*))?\))?")
_BOUNDS = {
    "string": ("minLength", "maxLength", "enum", "format"),
    "integer": ("minimum", "maximum", "enum"),
    "boolean": (),
    "array": ("minItems", "maxItems"),
}
_OURS = ("title", "description", "default", "x-data-class", "x-untrusted")
_SCALARS = ("any", "boolean", "integer", "null", "number", "string")
_KINDS = {
    "string": "string",
    "integer": "integer",
    "float": "number",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
}


@dataclass(frozen=True, slots=True)
class Note:
    """What was lost or assumed at a place of the front matter; see `losses.Loss`."""

    where: tuple[str | int, ...]
    member: str
    what: str
    why: str
    instead: str


@dataclass(slots=True)
class Notes:
    """Notes as they come up."""

    found: list[Note] = field(default_factory=list)

    def add(self, where: Iterable[str | int], member: str, *, what: str, why: str, instead: str) -> None:
        """Note something."""
        self.found.append(Note(tuple(where), member, what, why, instead))


def inputs_of(schema: JsonObject, where: tuple[str | int, ...], notes: Notes) -> JsonObject:
    """Return our inputs for a JSON Schema of an object."""
    properties: JsonObject = {}
    wanted = schema.get("properties")
    for name, member in (wanted if isinstance(wanted, dict) else {}).items():
        found = _input(name, member, (*where, name), notes=notes)
        if found is not None:
            properties[name] = found
    required = schema.get("required")
    needed = [name for name in (required if isinstance(required, list) else []) if name in properties]
    made: JsonObject = {"type": "object", "additionalProperties": False}
    return made | ({"required": needed} if needed else {}) | {"properties": properties}


def declare(inputs: JsonObject, undeclared: Iterable[str], notes: Notes) -> None:
    """Declare what a template uses without saying what it is: as texts of the strictest class."""
    for name in sorted(set(undeclared) - set(inputs["properties"])):
        why = "the template uses it, and the file does not declare it"
        notes.add(
            (), f"inputs.{name}", what=f"variable {name[:40]!r}", why=why, instead=f"declared as text, {STRICTEST}"
        )
        inputs["properties"][name] = {"type": "string", "x-data-class": STRICTEST}


def _input(name: str, schema: Any, where: tuple[str | int, ...], *, notes: Notes) -> JsonObject | None:
    schema = schema if isinstance(schema, dict) else {}
    kind = schema.get("type", "string")
    member = f"inputs.{name}"
    if not _NAME.fullmatch(name):
        notes.add(where, member, what=f"input {name[:40]!r}", why="its name is no identifier", instead="left out")
        return None
    if kind == "number":
        notes.add(where, member, what=f"input {name!r}", why="inputs have no fractions", instead="taken as text")
        kind = "string"
        schema = {key: value for key, value in schema.items() if key in {"title", "description"}}
    if kind not in _BOUNDS:
        notes.add(where, member, what=f"input {name!r}", why="it is no text, number, truth or list", instead="left out")
        return None
    made: JsonObject = {"type": kind}
    for key, value in schema.items():
        if key in {*_BOUNDS[kind], *_OURS} and _fits(key, value):
            made[key] = value[:500] if key == "description" else value[:120] if key == "title" else value
        elif key not in {"type", "items"}:
            why = "an input of this kind has no such member"
            notes.add((*where, key), member, what=f"{key} of input {name!r}", why=why, instead="left out")
    if kind == "array":
        if schema.get("items", {"type": "string"}) != {"type": "string"}:
            why = "lists of ours hold texts"
            notes.add(where, member, what=f"items of input {name!r}", why=why, instead="taken as texts")
        made["items"] = {"type": "string"}
    if "x-data-class" not in made:
        why = "the file does not say how sensitive it is"
        notes.add(where, member, what=f"x-data-class of input {name!r}", why=why, instead=f"{STRICTEST} assumed")
        made["x-data-class"] = STRICTEST
    return made


def _fits(key: str, value: Any) -> bool:
    if key in {"title", "description"}:
        return isinstance(value, str)
    if key == "enum":
        return isinstance(value, list) and 0 < len(value) <= 100 and all(type(one) in {str, int} for one in value)
    if key == "format":
        return value in {"date", "email", "uri"}
    if key in {"default", "x-data-class", "x-untrusted"}:
        return value is not None and not (isinstance(value, str) and "${" in value)
    return type(value) is int


def schema_of(properties: Any, where: tuple[str | int, ...], notes: Notes) -> JsonObject:
    """Return the JSON Schema that Prompty properties say: a list of them, or members by name."""
    if isinstance(properties, dict) and isinstance(properties.get("properties"), dict | list):
        properties, where = properties["properties"], (*where, "properties")
    named = (
        [(str(one.get("name", "")), one, index) for index, one in enumerate(properties) if isinstance(one, dict)]
        if isinstance(properties, list)
        else [(name, one, name) for name, one in properties.items()]
        if isinstance(properties, dict)
        else []
    )
    made: JsonObject = {"type": "object", "additionalProperties": False, "required": [], "properties": {}}
    for name, one, at in named:
        member = one if isinstance(one, dict) else {"kind": _kind_of(one), "default": one}
        made["properties"][name] = _of_property(member, (*where, at), notes)
        if member.get("required") is True:
            made["required"].append(name)
    return made if made["required"] else {key: value for key, value in made.items() if key != "required"}


def _kind_of(value: Any) -> str:
    kinds: dict[type, str] = {bool: "boolean", int: "integer", list: "array", dict: "object"}
    return kinds.get(type(value), "string")


def _of_property(one: JsonObject, where: tuple[str | int, ...], notes: Notes) -> JsonObject:
    kind = str(one.get("kind", one.get("type", "string")))
    made: JsonObject = {"type": _KINDS.get(kind, kind)}
    if isinstance(one.get("description"), str):
        made["description"] = one["description"]
    if isinstance(one.get("enumValues"), list):
        made["enum"] = one["enumValues"]
    if "default" in one:
        made["default"] = one["default"]
    if kind == "array":
        items = one.get("items", {"kind": "string"})
        made["items"] = _of_property(items, where, notes) if isinstance(items, dict) else {"type": "string"}
    if kind == "object":
        made |= {k: v for k, v in schema_of(one.get("properties", []), where, notes).items() if k != "type"}
    if "example" in one:
        notes.add((*where, "example"), "", what="example", why="contracts have none; write a case", instead="left out")
    return made


def property_of(name: str, schema: Any, *, required: bool) -> tuple[JsonObject, list[str]]:
    """Return the Prompty property of a member, and the keywords of its JSON Schema that it cannot hold."""
    schema = schema if isinstance(schema, dict) else {}
    kinds = {
        "string": "string",
        "integer": "integer",
        "number": "float",
        "boolean": "boolean",
        "array": "array",
        "object": "object",
    }
    kind = kinds.get(str(schema.get("type", "string")), "string")
    made: JsonObject = {"name": name} if name else {}
    made["kind"] = kind
    if isinstance(schema.get("description"), str):
        made["description"] = schema["description"]
    if required:
        made["required"] = True
    if "default" in schema:
        made["default"] = schema["default"]
    if isinstance(schema.get("enum"), list):
        made["enumValues"] = schema["enum"]
    lost = [
        key
        for key in schema
        if key not in {"type", "description", "default", "enum", "items", "properties", "required"}
    ]
    if kind == "array":
        made["items"], inner = property_of("", schema.get("items", {"type": "string"}), required=False)
        lost += [f"items.{key}" for key in inner]
    if kind == "object":
        needed = schema.get("required", [])
        members = [property_of(n, s, required=n in needed) for n, s in schema.get("properties", {}).items()]
        made["properties"] = [member for member, _ in members]
        lost += [f"{member['name']}.{key}" for member, inner in members for key in inner]
    return made, lost


def picoschema(value: Any, where: tuple[str | int, ...], notes: Notes) -> JsonObject:
    """Return the JSON Schema that Picoschema, or a JSON Schema in its place, says."""
    if isinstance(value, dict) and value.get("type") in {*_SCALARS, "object", "array"}:
        return value
    if isinstance(value, dict) and isinstance(value.get("properties"), dict):
        return {**value, "type": "object"}
    if isinstance(value, str):
        return _scalar(value, where, notes)
    made: JsonObject = {"type": "object", "additionalProperties": False, "required": [], "properties": {}}
    for key, member in (value if isinstance(value, dict) else {}).items():
        if key == "(*)":
            made["additionalProperties"] = picoschema(member, (*where, key), notes)
            continue
        found = _KEY.fullmatch(str(key))
        if found is None:
            notes.add(
                (*where, key), "", what=f"member {str(key)[:40]!r}", why="it is no Picoschema", instead="left out"
            )
            continue
        name, optional, kind, says = found[1], found[2], found[3], found[4]
        made["properties"][name] = _member(kind, member, (*where, key), notes=notes) | (
            {"description": says} if says else {}
        )
        if not optional:
            made["required"].append(name)
    return made if made["required"] else {key: value for key, value in made.items() if key != "required"}


def _member(kind: str | None, value: Any, where: tuple[str | int, ...], *, notes: Notes) -> JsonObject:
    if kind == "array":
        return {"type": "array", "items": picoschema(value, where, notes)}
    if kind == "enum":
        return {"type": "string", "enum": value if isinstance(value, list) else []}
    return picoschema(value, where, notes)


def _scalar(text: str, where: tuple[str | int, ...], notes: Notes) -> JsonObject:
    kind, _, says = (part.strip() for part in text.partition(","))
    if kind not in _SCALARS:
        notes.add(where, "", what=f"the schema {kind[:40]!r}", why="it stands elsewhere", instead="taken as text")
        kind = "string"
    made: JsonObject = {} if kind == "any" else {"type": kind}
    return made | ({"description": says} if says else {})
