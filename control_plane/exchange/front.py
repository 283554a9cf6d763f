"""Files of front matter and a body: splitting strictly, and writing so that it reads back the same.

Promises: bytes are capped, UTF-8, no aliases, tags or doubles (`sources.strict_yaml`); fractions stay the text that
they are, for nothing of ours holds one; places are lines of the file. Does not: resolve `${env:…}` or `${file:…}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from control_plane.sources.strict_yaml import MAX_BYTES, JsonPath, Place, Problem, SourceError, read_yaml
from edge_runtime.core.canonical import JsonObject

__all__ = ["Fronted", "as_yaml", "joined_file", "split_file"]


@dataclass(frozen=True, slots=True)
class Fronted:
    """A file: its front matter with the lines of its members, its body, and the line on which that begins."""

    path: str
    front: JsonObject
    body: str
    lines: Mapping[JsonPath, int]
    body_line: int

    def line(self, *where: str | int) -> int:
        """Return the line of a member, or of the nearest one around it that is there.

        A member of a list may be named by its `name`, and one of Picoschema without its marks.
        """
        found: list[str | int] = []
        value: Any = self.front
        for part in where:
            key = _key(value, part)
            if key is None:
                break
            found.append(key)
            value = value[key]
        place = tuple(found)
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def _key(value: Any, part: str | int) -> str | int | None:
    if isinstance(value, dict):
        marked = re.compile(re.escape(str(part)) + r"\??(?:\(.*)?")
        return part if part in value else next((key for key in value if marked.fullmatch(key)), None)
    if isinstance(value, list):
        named = (at for at, one in enumerate(value) if isinstance(one, dict) and one.get("name") == part)
        return part if isinstance(part, int) and part < len(value) else next(named, None)
    return None


def split_file(data: bytes, path: str) -> Fronted:
    """Return the front matter and the body of a file.

    Raises:
        SourceError: too long, not UTF-8, front matter that does not end or does not read.
    """
    if len(data) > MAX_BYTES:
        raise SourceError([Problem(path, 1, 1, f"at most {MAX_BYTES} bytes, got more")])
    try:
        lines = data.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError([Problem(path, line, 1, "UTF-8 text, got a byte that is not")]) from error
    if lines[0].rstrip() != "---":
        raise SourceError([Problem(path, 1, 1, "--- and front matter at the beginning")])
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise SourceError([Problem(path, 1, 1, "--- on a line of its own after the front matter")])
    front: JsonObject = {}
    places: Mapping[JsonPath, Place] = {}
    if any(line.strip() for line in lines[1:end]):
        try:
            front, places = read_yaml("\n".join(lines[1:end]).encode(), path, fractions=True)
        except SourceError as error:
            moved = (Problem(path, one.line + 1, one.column, one.expected) for one in error.problems)
            raise SourceError(moved) from error
    body = "\n".join(lines[end + 1 :])
    return Fronted(path, front, body, {where: place.line + 1 for where, place in places.items()}, end + 2)


def joined_file(front: JsonObject, body: str) -> str:
    """Return a file of front matter and a body.

    No value holds `---` or `+++` as it stands: some programs end the front matter there, wherever it is.
    """
    return f"---\n{as_yaml(front, guarded=True)}---\n{body}"


def as_yaml(document: JsonObject, *, guarded: bool = False) -> str:
    """Return the YAML of a document, which `read_yaml` reads back as the same; texts of several lines stay readable.

    Args:
        document: of JSON values without fractions.
        guarded: whether marks that end front matter are escaped within texts.
    """
    dumper = _Guarded if guarded else _Dumper
    text: str = yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=100_000)
    return re.sub(r"---|\+\+\+", lambda found: f"\\x{ord(found[0][0]):02x}{found[0][1:]}", text) if guarded else text


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and never refers to a value twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write every value out."""
        return True


class _Guarded(_Dumper):
    """Quotes texts in which a mark of front matter must be escaped."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    quoted = isinstance(dumper, _Guarded) and ("---" in text or "+++" in text)
    style = '"' if quoted else "|" if "\n" in text.rstrip("\n") or text.endswith("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_Guarded.add_representer(str, _text)
