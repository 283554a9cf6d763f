r"""Placeholders back into values while an answer arrives, wherever a stream is cut.

    restorer = Restorer(table)
    for piece in pieces: show(restorer.feed(piece))
    show(restorer.close())

Promises: 1. whatever the pieces, what comes out is what the whole text would give. 2. What is put in is not looked at
again. 3. A placeholder that the table does not know stays as it is, and is named in `unknown`. 4. In JSON, such as the
arguments of a tool call, a value is escaped as a JSON string is, and a placeholder is known by its `\u` escapes too.
5. No more is held back than the longest placeholder. 6. No repr shows a text.
Does not: find values (see `redaction`), or check an answer.
"""

from __future__ import annotations

import json
import re

from edge_runtime.core.raw_values import MAX_PLACEHOLDER_LENGTH, PLACEHOLDER, PlaceholderTable
from edge_runtime.core.reader.lazy import lazy_pattern

__all__ = ["Restorer"]

_BEGUN = lazy_pattern(r"\[(?:[A-Z][A-Z_]{0,32}(?:[1-9][0-9]{0,5})?)?")
"""What a placeholder may begin with."""
_ESCAPE = lazy_pattern(r"\\(?:u00([2-7][0-9A-Fa-f])|.)", re.DOTALL)
_BEGUN_ESCAPE = lazy_pattern(r"\\(?:u[0-9A-Fa-f]{0,3})?")
_PARTS = frozenset("[]_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Restorer:
    """Restores one text, or one JSON text, that comes in pieces."""

    def __init__(self, table: PlaceholderTable, *, json_strings: bool = False) -> None:
        values = {entry.placeholder: entry.forms[0] for entry in table.entries}
        if json_strings:
            values = {placeholder: json.dumps(value)[1:-1] for placeholder, value in values.items()}
        self._values = values
        self._json_strings = json_strings
        self._begun = self._begun_escape = ""
        self._holds = False
        self._may_begin = _BEGUN().fullmatch
        self._unknown: dict[str, None] = {}

    @property
    def unknown(self) -> tuple[str, ...]:
        """The placeholders so far that the table does not know, each once, in their order."""
        return tuple(self._unknown)

    def feed(self, piece: str) -> str:
        """Return what can be told after this piece, restored."""
        # Most pieces are a few letters of an answer: nothing more is done for them than this.
        if self._holds or "[" in piece or (self._json_strings and "\\" in piece):
            return self._fed(piece)
        return piece

    def close(self) -> str:
        """Return what was held back: the end of a text that only began like a placeholder."""
        left, self._begun, self._begun_escape, self._holds = self._begun + self._begun_escape, "", "", False
        return left

    def _fed(self, piece: str) -> str:
        text = self._unescaped(piece) if self._json_strings else piece
        if self._begun:
            text = self._begun + text
            ends = text.find("]") + 1
            if not ends and self._may_begin(text):
                self._begun = text
                return ""
            if ends and (value := self._values.get(text[:ends])) is not None and "[" not in text[ends:]:
                self._begun, self._holds = "", bool(self._begun_escape)
                return value + text[ends:]
        at = text.rfind("[", max(0, len(text) - MAX_PLACEHOLDER_LENGTH))
        if at >= 0 and self._may_begin(text, at):
            text, self._begun = text[:at], text[at:]
        else:
            self._begun = ""
        self._holds = bool(self._begun or self._begun_escape)
        return PLACEHOLDER.sub(self._value, text) if "[" in text else text

    def _value(self, found: re.Match[str]) -> str:
        value = self._values.get(found[0])
        if value is None:
            self._unknown[found[0]] = None
            return found[0]
        return value

    def _unescaped(self, piece: str) -> str:
        r"""Return a piece of JSON without `\u` escapes of what placeholders are made of: it says the same."""
        if self._begun_escape:
            piece, self._begun_escape = self._begun_escape + piece, ""
        if "\\" not in piece:
            return piece
        at = piece.rfind("\\")
        if _BEGUN_ESCAPE().fullmatch(piece, at) and _is_unpaired(piece, at):
            piece, self._begun_escape = piece[:at], piece[at:]
        return _ESCAPE().sub(_plain, piece)


def _is_unpaired(text: str, at: int) -> bool:
    """Tell whether the backslash at a place begins an escape, and is not the second half of one."""
    before = text[:at]
    return (at - len(before.rstrip("\\"))) % 2 == 0


def _plain(escape: re.Match[str]) -> str:
    letter = chr(int(escape[1], 16)) if escape[1] else ""
    return letter if letter in _PARTS else escape[0]
