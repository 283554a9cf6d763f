"""The check for prohibited practice: nothing in a script asks a model, or makes an output, to do what is forbidden.

Read are the texts of a script, what a model is told, what is filled in and replied, and in the output schema the names
of members, choices, titles and descriptions. A practice that stands after a negation in the same clause ("do not
diagnose") is what a script should say. There is no way to state an exception: what is prohibited is prohibited, and a
false alarm is worded anew.
Promises: the place and the words found are told. Does not: understand texts; what no list foresees, approvers see.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from control_plane.policy.checks.practice_words import NEGATIONS, PRACTICES, UNDOES_NEGATION, Practice
from control_plane.policy.checks.records import Candidate, Found
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.template import texts_of

__all__ = ["check_practice"]

_CLAUSE = re.compile(
    r"[.!?;:\n\u2014]|, (?:but|aber|sondern|mais|pero|sino|then|dann|puis|luego)\b|\b(?:but|sondern|mais|pero|sino)\b"
)
_MARK = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)
_SUBSCHEMAS = ("items", "not", "if", "then", "else", "contains", "additionalProperties")
_LISTED = ("anyOf", "allOf", "oneOf", "prefixItems")


def check_practice(candidate: Candidate) -> Found:
    """Find scripts that ask for emotion inference, a diagnosis, manipulation or a decision about somebody's work."""
    problems, count = [], 0
    for entry, prompt in candidate.scripts():
        count += 1
        for place, text in _texts(prompt):
            problems += [f"{entry.name}, {place}: {found}" for found in _in_text(text)]
        for place, name in _members(prompt.output, "output"):
            problems += [f"{entry.name}, {place}: {found}" for found in _in_name(name)]
    said = f"{count} scripts read for {', '.join(practice.name for practice in PRACTICES)}"
    return Found(tuple(dict.fromkeys(problems)), evidence=(said,))


def _texts(prompt: Prompt) -> Iterator[tuple[str, str]]:
    for name in ("title", "purpose", "target_behaviour", "instruction", "reply", "fallback"):
        yield name, getattr(prompt, name)
    for text in texts_of(prompt.fill):
        yield "fill", text
    yield from _words(prompt.output)


def _words(schema: object) -> Iterator[tuple[str, str]]:
    """Yield the titles, descriptions and choices of an output schema."""
    if isinstance(schema, dict):
        for name in ("title", "description", "const"):
            if isinstance(schema.get(name), str):
                yield f"output {name}", schema[name]
        for choice in schema.get("enum", ()) if isinstance(schema.get("enum"), list) else ():
            if isinstance(choice, str):
                yield "output choices", choice
        for below in _below(schema):
            yield from _words(below)


def _below(schema: JsonObject) -> Iterator[object]:
    for name in ("properties", "$defs", "patternProperties", "dependentSchemas"):
        members = schema.get(name)
        yield from members.values() if isinstance(members, dict) else ()
    yield from (schema[name] for name in _SUBSCHEMAS if name in schema)
    for name in _LISTED:
        yield from schema[name] if isinstance(schema.get(name), list) else ()


def _members(schema: object, place: str) -> Iterator[tuple[str, str]]:
    if not isinstance(schema, dict):
        return
    for name, member in (schema.get("properties") or {}).items():
        yield f"{place}.{name}", name
        yield from _members(member, f"{place}.{name}")
    for below in _below({name: value for name, value in schema.items() if name != "properties"}):
        yield from _members(below, place)


def _in_name(name: str) -> Iterator[str]:
    words = re.sub(r"[^a-z0-9]+", "_", _plain(re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)))
    for practice in PRACTICES:
        if re.search(practice.member, words):
            yield f"{practice.name} is prohibited, and a member of that name is filled by it"


def _in_text(text: str) -> Iterator[str]:
    for clause in _CLAUSE.split(_plain(_MARK.sub(" ", text))):
        for practice in PRACTICES:
            for found in (*re.finditer(practice.pair, clause), *re.finditer(practice.phrase, clause)):
                if not _negated(clause[: found.start()], practice, found[0]):
                    yield f"{practice.name} is prohibited, got {' '.join(found[0].split())!r}"


def _negated(before: str, practice: Practice, found: str) -> bool:
    if practice.name == "manipulation" and re.match(NEGATIONS, found):  # "never say that you are an AI" is the practice
        return False
    return bool(re.search(NEGATIONS, before)) and not re.search(UNDOES_NEGATION, before)


def _plain(text: str) -> str:
    """Return a text in small letters without accents, invisible characters and look-alikes of the same letter."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).casefold().replace("\u2019", "'")
    return "".join(c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
