"""What the reader found in a text: places and labels, never the text itself.

Promises: offsets are code points of the original text, half-open; `None` means that nobody assessed the
attribute, and is never a guess; no record and no repr holds a person's text.
Does not: decide what a finding means for a route. That is the policy's work.
"""

from __future__ import annotations

from typing import Literal

from audit.frozen import frozen

__all__ = ["Crisis", "Entity", "Labels", "Reading", "Span", "Subject"]

Crisis = Literal["none", "low_mood", "crisis"]
Subject = Literal["self", "other", ""]


@frozen
class Span:
    """A place in the original text."""

    start: int
    end: int


@frozen
class Entity:
    """A value that identifies somebody or something: its type, its place, and who found it.

    `source` is `pattern` (recognised by form and checksum), `host` (a name or term that the host app
    supplied) or `encoder` (a model).
    """

    type: str
    start: int
    end: int
    source: str


@frozen
class Labels:
    """What the text is about. `subject` says whom a crisis or low mood concerns; empty when there is none."""

    topics: tuple[str, ...] | None
    crisis: Crisis
    subject: Subject
    injection: bool | None


@frozen
class Reading:
    """All findings of one text, entities in order and without overlap.

    `assessed` names the attributes that somebody really looked at: entity types in capitals (`EMAIL`),
    labels in small letters (`topics`). What is missing there is unknown, not absent.
    """

    text_length: int
    entities: tuple[Entity, ...]
    labels: Labels
    affirmations: int | None
    commitments: tuple[Span, ...] | None
    assessed: frozenset[str]
