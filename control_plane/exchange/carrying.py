"""Carrying scripts out and in: what a format holds by itself, what rides along in its metadata, what is lost.

Going out, all that the format has no place for is kept below `metadata.mentorplane`, with a seal for each of the
format's own members: the digest of what was written there. Coming in, a member that is as it was written means what is
kept; one that somebody changed is translated. A file that was never ours gets the strictest values where it says
nothing, each of them a line of the loss report. Nothing that is kept is trusted: it is a file that somebody wrote, and
takes the way of every proposal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Any

from control_plane.exchange.dotprompt import Dotprompt
from control_plane.exchange.errors import Untranslatable
from control_plane.exchange.formats import BODY, Format
from control_plane.exchange.front import Fronted, as_yaml, joined_file, split_file
from control_plane.exchange.losses import Loss
from control_plane.exchange.prompty import Prompty, slug
from control_plane.sources.closures import freeze
from control_plane.sources.parsing import Source, parse_source
from control_plane.sources.strict_yaml import Problem, SourceError
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.prompt import FORMAT

__all__ = ["FORMATS", "Carried", "export_script", "format_of", "import_script"]

FORMATS: Mapping[str, Format] = {one.name: one for one in (Dotprompt(), Prompty())}
KEPT = "mentorplane"
KEPT_FORMAT = "mentorplane-exchange/1"
KINDS = ("handoff", "prompt")
_ORDER = (
    *(
        "kind",
        "format",
        "name",
        "title",
        "purpose",
        "target_behaviour",
        "tier",
        "placement",
        "locale",
        "folder",
        "tags",
    ),
    *("owner", "review_by", "audience", "competencies", "session_types", "disclosure", "includes", "inputs", "output"),
    *("instruction", "fill", "reply", "fallback", "max_tokens", "rules"),
)
_REVIEW_DAYS = 90
_DISCLOSURE = "You are using an AI assistant, not a person. Nothing of what you write leaves this device."


@dataclass(frozen=True, slots=True)
class Carried:
    """A file that was made, and its loss report."""

    path: str
    text: str
    losses: tuple[Loss, ...]


def format_of(path: str) -> Format:
    """Return the format that a file's name says.

    Raises:
        InvalidDocument: none of them.
    """
    for one in FORMATS.values():
        if path.endswith(one.suffix):
            return one
    raise InvalidDocument(f"expected a file that ends with {' or '.join(one.suffix for one in FORMATS.values())}")


def export_script(source: Source, sources: Iterable[Source], form: Format) -> Carried:
    """Return a script in a format of others.

    Args:
        source: a prompt or a hand-off.
        sources: where its includes are.
        form: one of `FORMATS`.

    Raises:
        InvalidDocument: it is no script, its includes do not resolve, or the format cannot hold its instruction.
    """
    if source.kind not in KINDS:
        raise InvalidDocument(f"expected a script, got a source of kind {source.kind}")
    document = source.document
    closure = canonical.parse(freeze(source, sources), max_bytes=1_000_000)
    resolved = {**document, "instruction": closure["instruction"]}
    try:
        written = form.write(resolved)
        back = form.read(written.front, written.body)[BODY].members["instruction"]
    except Untranslatable as error:
        raise SourceError([_problem(source, error)]) from error
    kept = {name: value for name, value in document.items() if name != "instruction" or back != value}
    if form.name == "prompty" and "${" in as_yaml(kept):
        raise InvalidDocument("expected no ${ in a script that goes out as a Prompty: it is a reference there")
    seals = {key: _seal(value) for key, value in (*written.front.items(), (BODY, written.body))}
    front = written.front | {"metadata": {KEPT: {"format": KEPT_FORMAT, "document": kept, "seals": seals}}}
    losses = [
        Loss(source.path, _line(source, note.where), note.member, note.what, note.why, note.instead)
        for note in written.notes
    ]
    losses += _kept_losses(source, form, written.front)
    if back != document["instruction"]:
        what = "includes, or words of the template" if document.get("includes") else "the words of the template"
        line = _line(source, ("instruction",))
        losses.append(
            Loss(source.path, line, "instruction", what, "there is another way to say it", "said so, and carried")
        )
    return Carried(f"{document['name']}{form.suffix}", joined_file(front, written.body), tuple(sorted(set(losses))))


def import_script(data: bytes, path: str, *, today: date) -> Carried:
    """Return the YAML of a script that a file of others holds.

    Args:
        data: the file.
        path: its name, which says the format.
        today: from which the date of review is counted.

    Raises:
        SourceError: the file, or what it says, does not read; with file and line.
        InvalidDocument: the name says no format.
    """
    form = format_of(path)
    file = split_file(data, path)
    metadata = file.front.get("metadata")
    kept = metadata.get(KEPT) if isinstance(metadata, dict) else None
    document, seals = _kept(kept)
    try:
        found = form.read(file.front, file.body)
    except Untranslatable as error:
        raise SourceError([Problem(path, file.body_line + error.line - 1, 1, error.expected)]) from error
    except InvalidDocument as error:  # of `check_template`: line N: expected …
        number, _, expected = str(error).removeprefix("line ").partition(": expected ")
        at = file.body_line + (int(number) - 1 if number.isdigit() else 0)
        raise SourceError([Problem(path, at, 1, expected or str(error))]) from error
    losses: list[Loss] = []
    for key, read in found.items():
        value = file.body if key == BODY else file.front.get(key)
        if key in seals and seals[key] == _seal(value):
            document = {**read.members, **document}
            continue
        document |= read.members
        losses += [
            Loss(path, _place(file, key, note.where), note.member, note.what, note.why, note.instead)
            for note in read.notes
        ]
    if kept is not None:
        line, why = file.line("metadata", KEPT), "it was exported from here" if seals else f"it is no {KEPT_FORMAT}"
        instead = "taken where unchanged" if seals else "left out"
        losses.append(Loss(path, line, "", "metadata.mentorplane", why, instead))
    losses += _metadata_losses(file, metadata)
    for member, (made, instead) in _assumed(document, path, today).items():
        if member not in document:
            document[member] = made
            if instead:
                losses.append(Loss(path, 1, member, member, "the file does not say", instead))
    text = as_yaml({name: document[name] for name in _ordered(document)})
    made = f"{slug(str(document['name']))}.yaml"
    parse_source(text.encode(), made)
    return Carried(made, text, tuple(sorted(set(losses))))


def _problem(source: Source, error: Untranslatable) -> Problem:
    place = source.places.get(("instruction",))
    line = place.text_line + error.line - 1 if place and place.literal else place.line if place else 1
    return Problem(source.path, line, 1, error.expected)


def _kept_losses(source: Source, form: Format, front: JsonObject) -> list[Loss]:
    """Return a line for each member that the format has no place for."""
    held = {"name", "inputs", "output", "instruction", "max_tokens"}
    held |= {"title", "purpose"} if "displayName" in front else {"purpose"}
    why = f"a {form.suffix} file has no place for it, and nothing enforces it there"
    return [
        Loss(source.path, _line(source, (name,)), name, name, why, "carried in metadata.mentorplane")
        for name in source.document
        if name not in held
    ]


def _line(source: Source, where: tuple[str | int, ...]) -> int:
    while where and where not in source.places:
        where = where[:-1]
    return source.places[where].line if where in source.places else 1


def _place(file: Fronted, key: str, where: tuple[str | int, ...]) -> int:
    if key == BODY:
        return file.body_line + int(where[0]) - 1 if where else file.body_line
    return file.line(*where)


def _kept(kept: Any) -> tuple[JsonObject, JsonObject]:
    """Return what was carried, and its seals; nothing if that is of another form."""
    if not isinstance(kept, dict) or set(kept) != {"document", "format", "seals"} or kept["format"] != KEPT_FORMAT:
        return {}, {}
    document, seals = kept["document"], kept["seals"]
    return (dict(document), seals) if isinstance(document, dict) and isinstance(seals, dict) else ({}, {})


def _seal(value: Any) -> str:
    try:
        return canonical.digest(canonical.encode({"value": value}))
    except InvalidDocument:
        return ""  # seals nothing, since no seal is empty


def _metadata_losses(file: Fronted, metadata: Any) -> list[Loss]:
    return [
        Loss(
            file.path,
            file.line("metadata", name),
            "",
            f"metadata.{str(name)[:40]}",
            "nothing of ours means it",
            "left out",
        )
        for name in (metadata if isinstance(metadata, dict) else {})
        if name != KEPT
    ]


def _assumed(document: JsonObject, path: str, today: date) -> dict[str, tuple[Any, str]]:
    """Return what a script gets where a file says nothing, and what that is; "" for what needs no line."""
    name = str(document.get("name") or slug(PurePosixPath(path).name.rpartition(".")[0]))
    fallback = "This script needs a language model, and there is none here. What would you like to look at instead?"
    output = {
        "type": "object",
        "additionalProperties": False,
        "required": ["reply"],
        "properties": {"reply": {"type": "string", "minLength": 1}},
    }
    plain = "output" not in document
    return {
        "kind": ("prompt", ""),
        "format": (FORMAT, ""),
        "name": (name, "taken from the file's name"),
        "title": (name.replace("-", " ").capitalize()[:120], "made of the name"),
        "purpose": (f"To be described; imported from {PurePosixPath(path).name[:80]}.", "to be written"),
        "target_behaviour": ("To be described.", "to be written"),
        "tier": ("R3", "R3 assumed"),
        "placement": ("device", "device assumed: nothing leaves it"),
        "locale": ("en", "en assumed"),
        "owner": ("learning-designer", "learning-designer assumed"),
        "review_by": ((today + timedelta(days=_REVIEW_DAYS)).isoformat(), f"in {_REVIEW_DAYS} days"),
        "audience": (["mentor"], "mentor assumed"),
        "competencies": ([], "none"),
        "session_types": ([], "none"),
        "disclosure": (_DISCLOSURE, "a plain one"),
        "inputs": ({"type": "object", "additionalProperties": False, "properties": {}}, "none"),
        "output": (output, "one text, reply"),
        "fill": ({"reply": fallback} if plain else {}, "says that there is no model, or nothing"),
        "reply": ("{{ reply }}" if plain else fallback, "the output's text, or that there is no model"),
        "fallback": (fallback, "says that there is no model"),
        "max_tokens": (600, "600 assumed"),
    }


def _ordered(document: JsonObject) -> list[str]:
    return [name for name in _ORDER if name in document] + sorted(set(document) - set(_ORDER))
