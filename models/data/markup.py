"""The mark-up that examples are written in: one example a line, its marks in brackets, its labels at the end.

    % family: hr-1
    % voice: chat
    % judged: topic.* crisis commitment
    % entities: all
    [Priya](PERSON) said {I}(WHO) should {call {{ORG}}}(WHAT) {on Monday}(WHEN) #commitment -crisis

Promises: a line that is not exactly such an example is refused with its file and line; headers hold until they are
given again; a bracket that belongs to no mark is text. A line after `%` that names no header is a comment.
Does not: fill the slots (`fill`), or know whether a label is right.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

from audit.frozen import frozen, replace
from models.data.example import VOICES, Mark
from models.names import ENTITY_TYPES, LABELS, PARTS, PATTERN_TYPES

__all__ = ["SLOTS", "MarkupError", "Template", "parse_line", "read_markup"]

SLOTS: Mapping[str, str] = {
    "PERSON": "PERSON",
    "FIRST": "PERSON",
    "LAST": "PERSON",
    "ORG": "ORG",
    "LOCATION": "LOCATION",
    "ADDRESS": "ADDRESS",
    "EMAIL": "EMAIL",
    "PHONE": "PHONE",
    "ID": "ID_NUMBER",
    "BANK": "BANK",
    "CARD": "CARD",
    "URL": "URL",
    "IP": "IP",
    "DOB": "DATE_OF_BIRTH",
    "HEALTH": "HEALTH",
    "SALARY": "SALARY",
    "PRODUCT": "",
    "PROJECT": "",
}
"""What stands in braces, and the entity that its value is; a product or a project is none."""

_KINDS = ENTITY_TYPES + PATTERN_TYPES
_HEADER = re.compile(r"%\s*(\w+)\s*:\s*(.*?)\s*$")
_LABEL = re.compile(r"\s+([#-])([A-Za-z_][\w.]*)$")
_SLOT = re.compile(r"\{\{([A-Z]+)\}\}")
_CLOSE = re.compile(r"\(([A-Z_]{2,})\)")
_PAIRS = {"]": "[", "}": "{"}


class MarkupError(ValueError):
    """A line that is not in the mark-up; the message begins with file and line."""


@frozen
class Template:
    """A parsed line. `slots` are the places of slots in `text`, which still holds their names in braces."""

    text: str
    lang: str
    family: str
    voice: str
    entities: tuple[Mark, ...] | None
    parts: tuple[Mark, ...] | None
    labels: Mapping[str, bool]
    slots: tuple[Mark, ...]


@frozen
class _Defaults:
    """What the headers so far say."""

    family: str
    lang: str = "en"
    voice: str = "note"
    judged: tuple[str, ...] = ()
    entities: bool = False


def read_markup(path: Path) -> Iterator[Template]:
    """Yield the example of each line of a file.

    Raises:
        MarkupError: a line is not in the mark-up.
    """
    for one in _read(path):
        if isinstance(one, MarkupError):
            raise one
        yield one


def _read(path: Path) -> Iterator[Template | MarkupError]:
    """Yield of each line its example, or what is wrong with it."""
    defaults = _Defaults(path.stem)
    for number, raw in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        line = raw.strip()
        if not line:
            continue
        try:
            if line.startswith("%"):
                defaults = _with_header(defaults, line)
            else:
                yield _parse(line, defaults)
        except ValueError as error:
            yield MarkupError(f"{path}:{number}: {error}")


def parse_line(line: str, *headers: str) -> Template:
    """Return the example of one line under the given header lines.

    Raises:
        ValueError: the line or a header is not in the mark-up.
    """
    defaults = _Defaults("line")
    for header in headers:
        defaults = _with_header(defaults, header)
    return _parse(line, defaults)


def _with_header(defaults: _Defaults, line: str) -> _Defaults:
    found = _HEADER.match(line)
    if found is None:
        return defaults
    name, value = found.groups()
    if name == "voice":
        return replace(defaults, voice=_one_of(value, VOICES))
    if name == "entities":
        return replace(defaults, entities=_one_of(value, ("all", "none")) == "all")
    if name in {"family", "lang"} and re.fullmatch(r"[\w.-]+", value):
        return replace(defaults, **{name: value})
    if name == "judged":
        return replace(defaults, judged=tuple(_expanded(value)))
    raise ValueError(f"expected family, lang, voice, judged or entities with a value, got {name}")


def _one_of(value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"expected one of {', '.join(choices)}, got {value}")
    return value


def _expanded(value: str) -> Iterator[str]:
    for pattern in value.replace(",", " ").split():
        if pattern == "none":
            continue
        names = [name for name in LABELS if fnmatchcase(name, pattern)]
        if not names:
            raise ValueError(f"expected labels to judge, got {pattern}")
        yield from names


def _parse(line: str, defaults: _Defaults) -> Template:
    body, labels = _split_labels(line, defaults.judged)
    text, marks, slots = _split_marks(body)
    entities = tuple(mark for mark in marks if mark.kind in _KINDS)
    parts = tuple(mark for mark in marks if mark.kind in PARTS)
    if entities and not defaults.entities:
        raise ValueError("expected no entity marks under 'entities: none'")
    if parts and not (labels.get("commitment") or labels.get("agreed_action")):
        raise ValueError("expected #commitment or #agreed_action where its parts are marked")
    for group in (entities, parts, slots):
        _refuse_overlap(group)
    no_commitment = labels.get("commitment") is False and not labels.get("agreed_action")
    return Template(
        text=text,
        lang=defaults.lang,
        family=defaults.family,
        voice=defaults.voice,
        entities=entities if defaults.entities else None,
        parts=parts if parts or no_commitment else None,
        labels=labels,
        slots=slots,
    )


def _split_labels(line: str, judged: tuple[str, ...]) -> tuple[str, dict[str, bool]]:
    """Take the labels off the end of a line; the judged ones that are not there do not hold."""
    given: dict[str, bool] = {}
    while found := _LABEL.search(line):
        sign, name = found.groups()
        if name not in LABELS:
            raise ValueError(f"expected a label at the end of the line, got {sign}{name}")
        if given.setdefault(name, sign == "#") != (sign == "#"):
            raise ValueError(f"expected one judgement of {name}")
        line = line[: found.start()]
    return line.rstrip(), dict.fromkeys(judged, False) | given


def _split_marks(body: str) -> tuple[str, tuple[Mark, ...], tuple[Mark, ...]]:
    """Return the text without its marks, the marks, and the places of the slots."""
    text = ""
    marks: list[Mark] = []
    slots: list[Mark] = []
    opened: list[tuple[str, int]] = []
    at = 0
    while at < len(body):
        if slot := _SLOT.match(body, at):
            _one_of(slot[1], tuple(SLOTS))
            slots.append(Mark(slot[1], len(text), len(text) + len(slot[0])))
            text, at = text + slot[0], slot.end()
            continue
        character = body[at]
        at += 1
        if character in "[{":
            opened.append((character, len(text)))
        elif character in "]}" and (close := _CLOSE.match(body, at)):
            start = _opening(opened, character)
            kind = _one_of(close[1], _KINDS if character == "]" else PARTS)
            text, marks = _without_bracket(text, start, marks)
            slots = [_left(slot) if slot.start > start else slot for slot in slots]
            opened = [(bracket, place) for bracket, place in opened if place < start]
            marks.append(_mark(kind, start, text))
            at = close.end()
            continue
        text += character
    _refuse_leftovers(text)
    return text, tuple(sorted(marks, key=lambda mark: (mark.start, mark.end))), tuple(slots)


def _opening(opened: list[tuple[str, int]], character: str) -> int:
    for bracket, place in reversed(opened):
        if bracket == _PAIRS[character]:
            return place
    raise ValueError(f"expected an opening {_PAIRS[character]} before {character}")


def _without_bracket(text: str, start: int, marks: list[Mark]) -> tuple[str, list[Mark]]:
    """Take the opening bracket at `start` out again, now that it belongs to a mark."""
    kept = [_left(mark) if mark.start > start else mark for mark in marks]
    return text[:start] + text[start + 1 :], kept


def _left(mark: Mark) -> Mark:
    return Mark(mark.kind, mark.start - 1, mark.end - 1)


def _mark(kind: str, start: int, text: str) -> Mark:
    piece = text[start:]
    if not piece or piece != piece.strip():
        raise ValueError(f"expected a mark of {kind} without outer blanks")
    return Mark(kind, start, len(text))


def _refuse_leftovers(text: str) -> None:
    for found in _CLOSE.finditer(text):
        if found[1] in _KINDS or found[1] in PARTS:
            raise ValueError(f"expected a whole mark before ({found[1]})")
    if not text.strip():
        raise ValueError("expected a text")


def _refuse_overlap(marks: tuple[Mark, ...]) -> None:
    for first, second in pairwise(marks):
        if second.start < first.end:
            raise ValueError(f"expected no {second.kind} within {first.kind}")


def _main(arguments: list[str]) -> int:
    """Check files, printing every line that is wrong: `python -m models.data.markup FILE …`."""
    wrong = [one for path in map(Path, arguments) for one in _read(path) if isinstance(one, MarkupError)]
    sys.stdout.writelines(f"{error}\n" for error in wrong)
    sys.stdout.write(f"{len(wrong)} lines are not in the mark-up\n")
    return min(len(wrong), 1)


if __name__ == "__main__":
    raise SystemExit(_main(sys.argv[1:]))
