"""One example: a text with what was judged about it, `mentorplane-example/1`, one JSON object a line.

Promises: marks lie within the text, in order, without overlap among marks of one kind of marking; what nobody
judged is absent (`None`, or no key), never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from audit.frozen import frozen
from models.names import ENTITY_TYPES, LABELS, PARTS, PATTERN_TYPES

__all__ = ["VOICES", "Example", "Mark", "encode_example", "moved_marks", "parse_example"]

VOICES = ("chat", "note", "journal", "spoken", "mail", "document")
_MEMBERS = frozenset({"text", "lang", "family", "voice", "entities", "parts", "labels"})


@frozen
class Mark:
    """A marked place of a text: what it is, and where, in code points, half-open."""

    kind: str
    start: int
    end: int


@frozen
class Example:
    """A text with its marks and labels; `None` means that nobody looked."""

    text: str
    lang: str
    family: str
    voice: str
    entities: tuple[Mark, ...] | None
    parts: tuple[Mark, ...] | None
    labels: Mapping[str, bool]

    def __post_init__(self) -> None:
        if not self.text.strip() or not self.family or not self.lang:
            raise ValueError("expected a text, a language and a family")
        if self.voice not in VOICES:
            raise ValueError(f"expected a voice out of {', '.join(VOICES)}, got {self.voice}")
        if unknown := set(self.labels) - set(LABELS):
            raise ValueError(f"expected known labels, got {', '.join(sorted(unknown))}")
        _check_marks(self.text, self.entities or (), ENTITY_TYPES + PATTERN_TYPES)
        _check_marks(self.text, self.parts or (), PARTS)


def parse_example(line: str) -> Example:
    """Return the example of one line.

    Raises:
        ValueError: the line is not such an example.
    """
    read: dict[str, Any] = json.loads(line)
    if unknown := set(read) - _MEMBERS:
        raise ValueError(f"expected the members of an example, got {', '.join(sorted(unknown))}")
    return Example(
        text=read["text"],
        lang=read["lang"],
        family=read["family"],
        voice=read["voice"],
        entities=_marks(read.get("entities")),
        parts=_marks(read.get("parts")),
        labels={str(name): bool(holds) for name, holds in read["labels"].items()},
    )


def encode_example(example: Example) -> str:
    """Return the line of an example."""
    members: dict[str, Any] = {
        "text": example.text,
        "lang": example.lang,
        "family": example.family,
        "voice": example.voice,
    }
    for name, marks in (("entities", example.entities), ("parts", example.parts)):
        if marks is not None:
            members[name] = [[mark.kind, mark.start, mark.end] for mark in marks]
    members["labels"] = dict(sorted(example.labels.items()))
    return json.dumps(members, ensure_ascii=False)


def moved_marks(marks: Iterable[Mark] | None, moved: Callable[[int], int]) -> tuple[Mark, ...] | None:
    """Return the marks at the places to which their edges moved."""
    return None if marks is None else tuple(Mark(mark.kind, moved(mark.start), moved(mark.end)) for mark in marks)


def _marks(read: list[tuple[str, int, int]] | None) -> tuple[Mark, ...] | None:
    return None if read is None else tuple(Mark(kind, start, end) for kind, start, end in read)


def _check_marks(text: str, marks: Iterable[Mark], kinds: tuple[str, ...]) -> None:
    end = 0
    for mark in marks:
        if mark.kind not in kinds:
            raise ValueError(f"expected a mark out of {', '.join(kinds)}, got {mark.kind}")
        if not end <= mark.start < mark.end <= len(text):
            raise ValueError(f"expected marks in order and within the text, got {mark.kind} at {mark.start}")
        piece = text[mark.start : mark.end]
        if piece != piece.strip():
            raise ValueError(f"expected marks without outer blanks, got one of {mark.kind}")
        end = mark.end
