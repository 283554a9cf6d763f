"""Tools for an MCP client: what is found in a text, the text with placeholders, its main sentences, the way back.

Promises: an answer says types and places, and no value, whatever the client may do with it; only a client that stays
on this machine (`local`) gets sentences as they are, and `restore`: a model elsewhere that could call it would ask for
the values. A crisis is heard first: the answer is then the approved text that leads to a person, and no text with
placeholders. Answers fit the schemas that are listed. Does not: log or keep a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from audit.frozen import frozen
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument, MentorplaneError
from edge_runtime.core.reader import MAX_TEXT_LENGTH, Reading, TextReader
from edge_runtime.core.reader import as_json as reading_json
from edge_runtime.core.summary import summary_lines
from edge_runtime.handover import crisis_in, handoff_for
from edge_runtime.runtime import EdgeRuntime
from edge_runtime.session import Session

__all__ = ["Tool", "Tools"]

Read = Callable[[str], Reading]

MOST_LINES = 20
USUAL_LINES = 5


@frozen
class Tool:
    """A tool as a client lists it, with the JSON Schemas of what it takes and gives."""

    name: str
    title: str
    description: str
    takes: JsonObject
    gives: JsonObject


def _object(**members: JsonObject) -> JsonObject:
    return {"type": "object", "properties": members, "required": [*members], "additionalProperties": False}


_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string", "maxLength": MAX_TEXT_LENGTH, "description": "The text, as somebody wrote it"}
_HANDOFF = {"type": "string", "description": "Not empty in a crisis: show it to the person first, and whole"}
_NAMES = {
    "type": "array",
    "items": _STRING,
    "description": "What was not looked for, in this text's language or at all",
}
_COVERED = _object(placeholder=_STRING, type=_STRING, start=_COUNT, end=_COUNT)

READ = Tool(
    "read",
    "Find what is personal",
    "Find what is personal or sensitive in a text: types and places, never values. Runs on this device.",
    _object(text=_TEXT),
    {
        "type": "object",
        "properties": {
            "handoff": _HANDOFF,
            "entities": {"type": "array", "items": _object(type=_STRING, start=_COUNT, end=_COUNT)},
            "labels": {"type": "object"},
            "not_assessed": _NAMES,
        },
        "required": ["handoff", "entities", "labels", "not_assessed"],
    },
)
REDACT = Tool(
    "redact",
    "Cover what is personal",
    "Replace names, addresses, numbers and the like by placeholders. The same person or number gets the same one all "
    "session long. Runs on this device.",
    _object(text=_TEXT),
    _object(handoff=_HANDOFF, text=_STRING, placeholders={"type": "array", "items": _COVERED}, not_assessed=_NAMES),
)
SUMMARISE = Tool(
    "summarise",
    "Choose the main sentences",
    "Choose the sentences of a text that best stand for it, what was agreed first; nothing is rewritten. What is "
    "personal is covered by placeholders, unless the client stays on this machine. Runs on this device.",
    {
        **_object(text=_TEXT, at_most={"type": "integer", "minimum": 1, "maximum": MOST_LINES, "default": USUAL_LINES}),
        "required": ["text"],
    },
    _object(handoff=_HANDOFF, lines={"type": "array", "items": _STRING}),
)
RESTORE = Tool(
    "restore",
    "Put the values back",
    "Replace the placeholders of this session by what they stand for; unknown ones stay and are named.",
    _object(text=_TEXT),
    _object(text=_STRING, unknown={"type": "array", "items": _STRING}),
)


class Tools:
    """The tools of one person's session. `local`: the client and whatever model it uses stay on this machine."""

    def __init__(self, edge: EdgeRuntime, session: Session, *, local: bool, locale: str) -> None:
        self._edge = edge
        self._session = session
        self._local = local
        self._locale = locale
        self._acts: dict[str, Callable[[str, int, Read], JsonObject]] = {
            "read": self._read,
            "redact": self._redact,
            "summarise": self._summarise,
        }
        if local:
            self._acts["restore"] = self._restore

    def offered(self) -> tuple[Tool, ...]:
        """Return the tools that this client may use."""
        return tuple(tool for tool in (READ, REDACT, SUMMARISE, RESTORE) if tool.name in self._acts)

    def call(self, name: str, given: Mapping[str, Any]) -> JsonObject:
        """Return the answer of a tool.

        Raises:
            InvalidDocument: there is no such tool for this client, or it takes something else.
        """
        tool = next((tool for tool in self.offered() if tool.name == name), None)
        if tool is None:
            raise InvalidDocument(f"expected one of the tools {', '.join(self._acts)}")
        text, at_most = given.get("text"), given.get("at_most", USUAL_LINES)
        takes = ", ".join(tool.takes["properties"])
        if not isinstance(text, str) or set(given) - set(tool.takes["properties"]):
            raise InvalidDocument(f"expected {takes}")
        read = cache(self._session.read)  # of this call alone: each text is read once, and none is kept
        if len(text) > MAX_TEXT_LENGTH and not self._handoff(text, read):  # a crisis is answered whatever is wrong (P6)
            raise InvalidDocument(f"expected {takes}, and a text that is not too long")
        if type(at_most) is not int or not 1 <= at_most <= MOST_LINES:
            raise InvalidDocument(f"expected at_most to be 1 to {MOST_LINES}")
        return self._acts[name](text, at_most, read)

    def _handoff(self, text: str, read: Read) -> str:
        """Return the text that leads to a person, if somebody is in a crisis; else ""."""
        situation = crisis_in({"text": text}, read)
        return handoff_for(self._edge.state, locale=self._locale, situation=situation) if situation else ""

    def _read(self, text: str, _: int, read: Read) -> JsonObject:
        if handoff := self._handoff(text, read):
            return {"handoff": handoff, **reading_json(_read_somehow(text, read))}
        return {"handoff": "", **reading_json(read(text))}

    def _redact(self, text: str, _: int, read: Read) -> JsonObject:
        if handoff := self._handoff(text, read):
            return {"handoff": handoff, "text": "", "placeholders": [], "not_assessed": []}
        covered = self._session.redact(text, read(text))
        spans = covered.spans
        return {
            "handoff": "",
            "text": covered.text,
            "placeholders": [
                {"placeholder": s.placeholder, "type": s.type, "start": s.start, "end": s.end} for s in spans
            ],
            "not_assessed": reading_json(read(text))["not_assessed"],
        }

    def _summarise(self, text: str, at_most: int, read: Read) -> JsonObject:
        if handoff := self._handoff(text, read):
            return {"handoff": handoff, "lines": []}
        lines = summary_lines(text, at_most=at_most, reading=read(text))
        if not self._local:
            self._session.redact(text, read(text))  # what is found in the whole is covered in a sentence of it, too
            lines = [self._session.redact(line).text for line in lines]
        return {"handoff": "", "lines": lines}

    def _restore(self, text: str, _: int, __: Read) -> JsonObject:
        restored = self._session.restore(text)
        return {"text": restored.text, "unknown": list(restored.unknown)}


def _read_somehow(text: str, read: Read) -> Reading:
    """Return what is found in a text beside which a person is asked to help: by forms alone, if the model fails."""
    try:
        return read(text)
    except (MentorplaneError, ValueError):
        return TextReader().read(text[:MAX_TEXT_LENGTH])
