"""YAML text read strictly: one document, text keys, plain values, and the line of every member.

For what people write by hand (scripts, policies, cases). Promises: bytes are capped before anything is parsed; only
UTF-8; no alias, anchor, tag, second document, duplicate key, fraction or character that a reviewer cannot see; dates
and words such as `yes` and `no` stay text; all problems of a file are told, each with its line, none with long text.
Does not: know what the members mean (see `sources`). Source: YAML 1.2 core schema, less than all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import yaml

from edge_runtime.core.canonical import MAX_SAFE_INTEGER, JsonObject
from edge_runtime.core.errors import InvalidDocument

__all__ = ["MAX_BYTES", "MAX_DEPTH", "JsonPath", "Place", "Places", "Problem", "SourceError", "read_yaml", "shown"]

MAX_BYTES = 200_000
MAX_DEPTH = 32
MAX_SHOWN = 200
"""Most problems that a message spells out; `SourceError.problems` holds them all."""
_FAST = getattr(yaml, "CSafeLoader", None)
"""The parser in C, eight times as fast, where it is installed; what it refuses, the one in Python explains."""
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FRACTION = re.compile(r"[-+]?(?:[0-9]*\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+\.?(?:[eE][-+]?[0-9]+)|[0-9]+\.|\.inf)|\.nan")
# Control characters, direction overrides, invisible spaces and the tag characters: what a reviewer cannot see.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff\U000e0000-\U000e007f]"
)
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "UTF-8 with a byte order mark", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}

JsonPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member stands: line and column of its key, and the line on which its text begins, all from 1."""

    line: int
    column: int
    text_line: int
    literal: bool = False
    """True for a text after `|`, whose lines are the lines of the file."""


Places = Mapping[JsonPath, Place]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file, and what was expected there."""

    path: str
    line: int
    column: int
    expected: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: expected {self.expected}"


class SourceError(InvalidDocument):
    """Files that people wrote have problems: all of them, one a line, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        more = len(self.problems) - MAX_SHOWN
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        super().__init__("\n".join(lines + [f"and {more} more problems"] * (more > 0)))


def shown(name: object) -> str:
    """Return a member's name in quotes, cut to what fits in a message.

    >>> shown("titel")
    "'titel'"
    """
    text = str(name)
    return repr(text if len(text) <= 40 else text[:39] + "\u2026")


def read_yaml(data: bytes, path: str, *, fractions: bool = False) -> tuple[JsonObject, Places]:
    """Return the members that a YAML file holds, and the place of each.

    Args:
        data: the file, at most `MAX_BYTES` bytes.
        path: what to call the file in problems.
        fractions: whether an unquoted fraction is taken as the text that stands there, in files of other programs.

    Raises:
        SourceError: with every problem found, unless the first makes the rest unreadable.
    """
    builder = _Builder(path, fractions=fractions)
    text = _decode(data, builder)
    document = None
    if text is not None and _FAST is not None and "\t" not in text:  # between words it would let a tab pass
        quick = _Builder(path, fractions=fractions)
        with suppress(yaml.YAMLError, ValueError, OverflowError):
            document = quick.document(yaml.parse(text, Loader=_FAST))
            if not quick.problems:
                return document, quick.places
    try:
        document = builder.document(yaml.parse(text, Loader=yaml.SafeLoader)) if text is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = (error.problem or error.context or "an error").split("\n")[0][:100]
        builder.refuse(f"valid YAML, got a problem: {what}", mark)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        builder.refuse(f"valid YAML, got {type(error).__name__}")
    if builder.problems:
        raise SourceError(builder.problems)
    assert isinstance(document, dict)
    return document, builder.places


def _decode(data: bytes, builder: _Builder) -> str | None:
    """Return the text of a file, or None when a problem was found."""
    mark = next((name for start, name in _BYTE_ORDER_MARKS.items() if data.startswith(start)), None)
    if len(data) > MAX_BYTES:
        builder.refuse(f"at most {MAX_BYTES} bytes, got more")
    elif mark or b"\x00" in data[:4]:
        builder.refuse(f"UTF-8 text, got {mark or 'UTF-16 or UTF-32'}")
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            builder.refuse(f"UTF-8 text, got byte 0x{data[error.start]:02x}, which is not", line=line)
            return None
        for unseen in _UNSEEN.finditer(text):
            line = text.count("\n", 0, unseen.start()) + 1
            builder.refuse(f"visible characters only, got U+{ord(unseen[0]):04X}", line=line)
        return None if builder.problems else text
    return None


class _TooDeep(yaml.MarkedYAMLError):
    """Stops the reading: the document nests deeper than `MAX_DEPTH`."""


class _Builder:
    """Builds JSON values from YAML events, and notes places and problems on the way."""

    def __init__(self, path: str, *, fractions: bool = False) -> None:
        self._fractions = fractions
        self.problems: list[Problem] = []
        self.places: dict[JsonPath, Place] = {}
        self._path = path

    def refuse(self, expected: str, mark: Any = None, *, line: int = 1) -> None:
        """Note a problem at a mark of the parser, or at a line."""
        at_line, at_column = (mark.line + 1, mark.column + 1) if mark else (line, 1)
        self.problems.append(Problem(self._path, at_line, at_column, expected))

    def document(self, events: Iterator[Any]) -> JsonObject:
        """Return the one document of the stream."""
        next(events)
        if isinstance(next(events), yaml.StreamEndEvent):
            self.refuse("a document, got an empty file")
            return {}
        first = next(events)
        value = self._value(first, events, ())
        next(events)
        if not isinstance(after := next(events), yaml.StreamEndEvent):
            self.refuse("one document, got a second one", after.start_mark)
        if not isinstance(value, dict):
            self.refuse("members (name: value) at the top", first.start_mark)
            return {}
        return value

    def _value(self, event: Any, events: Iterator[Any], path: JsonPath) -> Any:
        if len(path) > MAX_DEPTH:
            raise _TooDeep(problem=f"more than {MAX_DEPTH} levels of nesting", problem_mark=event.start_mark)
        mark = event.start_mark
        literal = getattr(event, "style", None) == "|"
        self.places.setdefault(path, Place(mark.line + 1, mark.column + 1, mark.line + 1 + literal, literal))
        if isinstance(event, yaml.AliasEvent):
            self.refuse("no alias: write the value out", mark)
            return None
        if event.anchor is not None:
            self.refuse("no anchor", mark)
        if event.tag is not None:
            self.refuse("no tag: write the value without '!'", mark)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return self._scalar(event)

    def _mapping(self, events: Iterator[Any], path: JsonPath) -> JsonObject:
        members: JsonObject = {}
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            mark = key.start_mark
            name = key.value if isinstance(key, yaml.ScalarEvent) else None
            if name is None or key.anchor is not None or key.tag is not None or _UNSEEN.search(name):
                self.refuse("plain text as the name of a member", mark)
                self._value(key, events, (*path, ""))
                name = None
            elif name in members:
                self.refuse(f"member {shown(name)} once, got it again", mark)
            value_event = next(events)
            inner = (*path, name or "")
            start = value_event.start_mark.line + 1
            literal = getattr(value_event, "style", None) == "|"
            self.places.setdefault(inner, Place(mark.line + 1, mark.column + 1, start + literal, literal))
            value = self._value(value_event, events, inner)
            if name is not None:
                members.setdefault(name, value)
        return members

    def _sequence(self, events: Iterator[Any], path: JsonPath) -> list[Any]:
        members: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            members.append(self._value(event, events, (*path, len(members))))
        return members

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if unseen := _UNSEEN.search(text):
            self.refuse(f"visible characters only, got U+{ord(unseen[0]):04X}", event.start_mark)
        if event.style:
            return text
        if text in {"", "~", "null"}:
            return None
        if text in {"true", "false"}:
            return text == "true"
        if _FRACTION.fullmatch(text.lower()):
            if not self._fractions:
                self.refuse("a whole number, or quotes around a text", event.start_mark)
        elif _INTEGER.fullmatch(text):
            if len(text) <= 17 and abs(int(text)) <= MAX_SAFE_INTEGER:
                return int(text)
            self.refuse("a whole number up to 2^53 - 1, or quotes around a text", event.start_mark)
        return text
