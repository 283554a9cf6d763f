"""Dotprompt: YAML front matter with Picoschema or JSON Schema, Handlebars in the body.

Schemas go out whole, since a JSON Schema may stand where Picoschema does. The body is translated by trees; blanks at
its beginning and end are theirs to trim. Source: Dotprompt reference (front matter, Picoschema, template content).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from control_plane.exchange import handlebars, handlebars_text, jinja
from control_plane.exchange.errors import Untranslatable
from control_plane.exchange.formats import BODY, Read, Written
from control_plane.exchange.prompty import slug
from control_plane.exchange.schemas import Note, Notes, declare, inputs_of, picoschema
from control_plane.exchange.template import Body, Each, If, Include, without_includes
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.template import check_template

__all__ = ["Dotprompt"]

_ANNOTATIONS = ("x-data-class", "x-untrusted")
_DROPPED = {
    "tools": "scripts call no tools",
    "toolDefs": "scripts call no tools",
    "model": "the policy and the device choose one",
    "variant": "another wording is another version or another script",
}


class Dotprompt:
    """`.prompt` files."""

    name = "dotprompt"
    suffix = ".prompt"

    def write(self, script: JsonObject) -> Written:
        """Return a script as a Dotprompt."""
        body = handlebars_text.write(jinja.read(str(script["instruction"])))
        notes = [
            Note(
                ("inputs", "properties", name, key),
                "inputs",
                f"{key} of input {name!r}",
                "it is a mere remark there",
                "kept",
            )
            for name, schema in script["inputs"]["properties"].items()
            for key in _ANNOTATIONS
            if key in schema
        ]
        front: JsonObject = {
            "name": script["name"],
            "description": script["purpose"],
            "input": {"schema": script["inputs"]},
            "output": {"format": "json", "schema": script["output"]},
            "config": {"maxOutputTokens": script["max_tokens"]},
        }
        return Written(front, body, tuple(notes))

    def read(self, front: JsonObject, body: str) -> Mapping[str, Read]:
        """Return what each member of a Dotprompt says."""
        found = {key: _plain(key, value) for key, value in front.items()}
        try:
            parsed = handlebars.read(body.strip())
        except Untranslatable as error:
            raise Untranslatable(error.line + _skipped(body), error.expected) from error
        found["input"] = _input(front.get("input"), jinja.undeclared(jinja.write(without_includes(parsed.body))))
        found["output"] = _output(front.get("output"))
        found["config"] = _config(front.get("config"))
        found[BODY] = _body(body, parsed, found["input"].members["inputs"])
        return found


def _plain(key: str, value: Any) -> Read:
    if key in {"name", "description"} and isinstance(value, str) and value.strip():
        return Read({"name": slug(value)} if key == "name" else {"purpose": " ".join(value.split())[:500]})
    if key in {"input", "output", "config", "metadata"}:
        return Read()
    return Read(notes=(Note((key,), "", key, _DROPPED.get(key, "nothing of ours means it"), "left out"),))


def _input(given: Any, undeclared: Iterable[str]) -> Read:
    notes = Notes()
    given = given if isinstance(given, dict) else {}
    schema = picoschema(given.get("schema"), ("input", "schema"), notes)
    properties = schema.setdefault("properties", {})
    defaults = given.get("default")
    for name, value in (defaults if isinstance(defaults, dict) else {}).items():
        member = properties.get(
            name, {"type": "boolean" if type(value) is bool else "integer" if type(value) is int else "string"}
        )
        properties[name] = {**member, "default": value} if isinstance(member, dict) else member
    for key in given.keys() - {"schema", "default"}:
        notes.add(("input", key), "inputs", what=f"input.{key}", why="nothing of ours means it", instead="left out")
    if isinstance(schema.get("additionalProperties"), dict):
        why = "inputs of ours are all declared"
        notes.add(("input", "schema"), "inputs", what="inputs of any name", why=why, instead="left out")
    inputs = inputs_of(schema, ("input", "schema"), notes)
    declare(inputs, undeclared, notes)
    return Read({"inputs": inputs}, tuple(notes.found))


def _output(given: Any) -> Read:
    notes = Notes()
    given = given if isinstance(given, dict) else {}
    if given.get("format") not in {None, "json"}:
        notes.add(
            ("output", "format"), "output", what="output.format", why="an output is JSON", instead="taken as JSON"
        )
    if not given.get("schema"):
        return Read(notes=tuple(notes.found))
    return Read({"output": picoschema(given["schema"], ("output", "schema"), notes)}, tuple(notes.found))


def _config(given: Any) -> Read:
    given = given if isinstance(given, dict) else {}
    most = given.get("maxOutputTokens")
    members = {"max_tokens": most} if type(most) is int and 0 <= most <= 32_000 else {}
    notes = (
        Note(("config", key), "", f"config.{key}", "a script sets no such option", "left out")
        for key in given
        if key != "maxOutputTokens" or not members
    )
    return Read(members, tuple(notes))


def _skipped(body: str) -> int:
    """Return how many line breaks stand before the text of a body."""
    return body[: len(body) - len(body.lstrip())].count("\n")


def _body(body: str, parsed: handlebars.Parsed, inputs: JsonObject) -> Read:
    includes = sorted(set(_includes(parsed.body)))
    instruction = jinja.write(parsed.body)
    check_template(jinja.write(without_includes(parsed.body)), inputs["properties"])
    notes = [
        Note(
            (line + _skipped(body),),
            "instruction",
            f"role {role}",
            "an instruction is one text",
            "its text joined to the rest",
        )
        for line, role in parsed.roles
        if not (role == "system" and (line, role) == parsed.roles[0])
    ]
    members: dict[str, Any] = {"instruction": instruction.lstrip("\n") + "\n"}
    return Read(members | ({"includes": includes} if includes else {}), tuple(notes))


def _includes(body: Body) -> list[str]:
    found = []
    for one in body:
        if isinstance(one, Include):
            found.append(one.name)
        elif isinstance(one, If):
            found += [*_includes(one.then), *_includes(one.otherwise)]
        elif isinstance(one, Each):
            found += _includes(one.body)
    return found
