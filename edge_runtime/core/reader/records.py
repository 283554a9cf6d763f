"""What the reader found in a text: places and labels, never the text itself.

Promises: offsets are code points of the original text, half-open; `None` means that nobody assessed the
attribute, and is never a guess; no record and no repr holds a person's text.
Does not: decide what a finding means for a route. That is the policy's work.
"""

from __future__ import annotations

from typing import Literal

from audit.frozen import frozen

__all__ = [
    "ACTS",
    "LEVELS",
    "Commitment",
    "Crisis",
    "Entity",
    "Labelled",
    "Labels",
    "Language",
    "Reading",
    "Span",
    "Subject",
]

Crisis = Literal["none", "low_mood", "crisis"]
LEVELS: tuple[Crisis, ...] = ("none", "low_mood", "crisis")
"""The levels of `Crisis`, the gravest last."""
Subject = Literal["self", "other", ""]
Language = Literal["en", "de", "fr", "es", "other", ""]

ACTS = (
    *("affirmation", "praise_generic", "praise_first_person", "open_question", "commitment", "agreed_action"),
    *("worry", "progress"),
)
"""What a sentence can do in a conversation. There is none for what somebody feels."""


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
class Labelled:
    """A sentence with one of `ACTS`."""

    label: str
    start: int
    end: int


@frozen
class Commitment:
    """What somebody says they will do: from the first to the last of its parts; a part that is not said is none."""

    start: int
    end: int
    who: Span | None = None
    what: Span | None = None
    when: Span | None = None


@frozen
class Labels:
    """What the text is about. `subject` says whom a crisis or low mood concerns; empty when there is none.

    `language` is `other` for one that the reader cannot read, and empty when there are too few words to tell.
    """

    topics: tuple[str, ...] | None
    crisis: Crisis
    subject: Subject
    injection: bool | None
    language: Language = ""


@frozen
class Reading:
    """All findings of one text, entities and sentences in order, entities without overlap.

    `assessed` names the attributes that somebody really looked at: entity types in capitals (`EMAIL`), labels in
    small letters (`topics`, `affirmation`). What is missing there is unknown, not absent.
    """

    text_length: int
    entities: tuple[Entity, ...]
    labels: Labels
    sentences: tuple[Labelled, ...]
    commitments: tuple[Commitment, ...] | None
    assessed: frozenset[str]

    def places(self, label: str) -> tuple[Span, ...] | None:
        """Return where the sentences with one of `ACTS` are; none: nobody looked."""
        if label not in self.assessed:
            return None
        return tuple(Span(found.start, found.end) for found in self.sentences if found.label == label)
