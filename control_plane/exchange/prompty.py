"""Prompty, version 2: YAML front matter, role markers and Jinja in the body.

Ours is one instruction; theirs is messages, which are joined. The instruction goes out as the system message. A line
that their parser would take for a role marker cannot go out. Source: Prompty specification 0.1.0, sections 2.1 to 2.11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from control_plane.exchange import jinja
from control_plane.exchange.errors import Untranslatable
from control_plane.exchange.formats import BODY, Read, Written
from control_plane.exchange.schemas import Note, Notes, declare, inputs_of, property_of, schema_of
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.template import check_template

__all__ = ["Prompty"]

_ROLE = re.compile(
    r"[ \t]*#?[ \t]*(system|user|assistant|developer|tool|function)[ \t]*(?:\[[^\]\n]*\])?[ \t]*:[ \t]*", re.IGNORECASE
)
_RICH = frozenset({"audio", "file", "image", "thread"})
_DROPPED = {
    "tools": "scripts call no tools",
    "sample": "made-up values belong into cases",
    "version": "versions are counted by the registry",
    "authors": "an author is who signs the proposal",
    "tags": "they are members of the script",
}


class Prompty:
    """`.prompty` files."""

    name = "prompty"
    suffix = ".prompty"

    def write(self, script: JsonObject) -> Written:
        """Return a script as a Prompty."""
        text = str(script["instruction"])
        for number, line in enumerate(text.split("\n"), 1):
            if _ROLE.fullmatch(line):
                raise Untranslatable(number, "no line that Prompty takes for a role marker")
        notes = []
        properties = script["inputs"]["properties"]
        needed = script["inputs"].get("required", ())
        inputs = [property_of(name, one, required=name in needed) for name, one in properties.items()]
        outputs, lost = property_of("", script["output"], required=False)
        for made, keys in inputs:
            notes += _lost(f"inputs.properties.{made['name']}", keys)
        notes += _lost("output", lost)
        front: JsonObject = {
            "name": script["name"],
            "displayName": script["title"],
            "description": script["purpose"],
            "model": {"apiType": "chat", "options": {"maxOutputTokens": script["max_tokens"]}},
            "inputs": [made for made, _ in inputs],
            "outputs": outputs.get("properties", []),
            "template": {"format": {"kind": "jinja2"}, "parser": {"kind": "prompty"}},
        }
        return Written(front, f"system:\n{text}", tuple(notes))

    def read(self, front: JsonObject, body: str) -> Mapping[str, Read]:
        """Return what each member of a Prompty says."""
        notes = Notes()
        inputs = _inputs(front, notes)
        declare(inputs, jinja.undeclared(body), notes)
        found = {key: _plain(key, value) for key, value in front.items()}
        found["inputs"] = Read({"inputs": inputs}, tuple(notes.found))
        found["outputs"] = _outputs(front)
        found["model"] = _model(front.get("model"))
        found["template"] = _template(front.get("template"))
        found[BODY] = _body(body, inputs)
        return found


def _lost(where: str, keys: list[str]) -> list[Note]:
    member = where.partition(".")[0]
    return [
        Note(
            (*where.split("."), *key.split(".")[:1]),
            member,
            f"{key} of {where}",
            "a Prompty property has none",
            "carried",
        )
        for key in keys
    ]


def _plain(key: str, value: Any) -> Read:
    texts = {"name": ("name", 80), "displayName": ("title", 120), "description": ("purpose", 500)}
    if key in texts:
        member, most = texts[key]
        if not isinstance(value, str) or not value.strip() or "${" in value:
            return Read(notes=(Note((key,), member, key, "it is no text of its own", "left out"),))
        if member == "name":
            return Read({member: slug(value)})
        return Read({member: " ".join(value.split())[:most]})
    if key in {"inputs", "outputs", "inputSchema", "outputSchema", "model", "template", "metadata"}:
        return Read()
    return Read(notes=(Note((key,), "", key, _DROPPED.get(key, "nothing of ours means it"), "left out"),))


def slug(text: str) -> str:
    """Return a name of ours for a name of theirs.

    >>> slug("My Prompt_2.de")
    'my-prompt-2.de'
    """
    words = re.findall(r"[a-z0-9]+|\.(?=[a-z0-9])", text.lower())
    return "-".join(words).replace("-.-", ".").replace(".-", "").strip(".-")[:80].rstrip(".-") or "imported"


def _inputs(front: JsonObject, notes: Notes) -> JsonObject:
    key = "inputs" if "inputs" in front else "inputSchema"
    given = front.get(key, [])
    schema = schema_of(given, (key,), notes)
    for name in [name for name, one in schema["properties"].items() if one.get("type") in _RICH]:
        why = "scripts are given texts, numbers, truths and lists alone"
        notes.add(
            (key,),
            f"inputs.{name}",
            what=f"{schema['properties'][name]['type']} input {name!r}",
            why=why,
            instead="left out",
        )
        del schema["properties"][name]
    return inputs_of(schema, (key,), notes)


def _outputs(front: JsonObject) -> Read:
    key = "outputs" if "outputs" in front else "outputSchema"
    if not front.get(key):
        return Read()
    notes = Notes()
    return Read({"output": schema_of(front[key], (key,), notes)}, tuple(notes.found))


def _model(model: Any) -> Read:
    if not isinstance(model, dict):
        return Read(
            notes=(Note(("model",), "", "model", "the policy and the device choose one", "left out"),) if model else ()
        )
    options = model.get("options")
    options = options if isinstance(options, dict) else {}
    most = options.get("maxOutputTokens")
    members = {"max_tokens": most} if type(most) is int and 0 <= most <= 32_000 else {}
    notes = [
        Note(("model", key), "", f"model.{key}", "the policy and the device choose a model", "left out")
        for key in model
        if key not in {"options", "apiType"}
    ]
    notes += [
        Note(("model", "options", key), "", f"model.options.{key}", "a script sets no such option", "left out")
        for key in options
        if key != "maxOutputTokens" or not members
    ]
    return Read(members, tuple(notes))


def _template(template: Any) -> Read:
    kind = template.get("format") if isinstance(template, dict) else template
    kind = kind.get("kind") if isinstance(kind, dict) else kind
    if kind not in {None, "jinja2"}:
        raise Untranslatable(1, "a template of jinja2, got one of another language")
    return Read()


def _body(body: str, inputs: JsonObject) -> Read:
    """Return the instruction that the messages say, one after the other."""
    messages: list[list[str]] = [[]]
    notes: list[Note] = []
    for number, line in enumerate(body.split("\n"), 1):
        role = _ROLE.fullmatch(line)
        if role:
            first = not notes and not "".join(messages[-1]).strip()
            if not (first and role[1].lower() == "system"):
                why = "an instruction is one text"
                notes.append(
                    Note((number,), "instruction", f"role marker {role[1].lower()}", why, "its text joined to the rest")
                )
            messages.append([])
        else:
            messages[-1].append(line)
    texts = ["\n".join(lines).strip("\n") for lines in messages]
    text = "\n\n".join(one for one in texts if one.strip())
    unmarked = ("" if _ROLE.fullmatch(line) else line for line in body.split("\n"))
    check_template("\n".join(unmarked), inputs["properties"])  # with the lines of the file, for what it says
    return Read({"instruction": text + "\n"}, tuple(notes))
