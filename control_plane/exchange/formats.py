"""What a format of others is to us: what it writes of a script, and what it reads back of each of its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from control_plane.exchange.schemas import Note
from edge_runtime.core.canonical import JsonObject

__all__ = ["BODY", "Format", "Read", "Written"]

BODY = "body"
"""How the part of a file that is no front matter is called among its members."""


@dataclass(frozen=True, slots=True)
class Written:
    """A script in a format of others: front matter, body, and what of it the format cannot hold."""

    front: JsonObject
    body: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """What a member of a file says in ours; `members` of our document, and notes with places in the front matter.

    Notes of a body have one number as their place: the line within it.
    """

    members: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


class Format(Protocol):
    """A format of others."""

    @property
    def name(self) -> str:
        """How commands call it."""
        ...

    @property
    def suffix(self) -> str:
        """What its files end with."""
        ...

    def write(self, script: JsonObject) -> Written:
        """Return a script in this format; its includes stand in its instruction already.

        Raises:
            InvalidDocument: the format cannot hold its instruction at all.
        """
        ...

    def read(self, front: JsonObject, body: str) -> Mapping[str, Read]:
        """Return what each member of a file says, by the member.

        Raises:
            Untranslatable: the body says what ours cannot.
        """
        ...
