"""An answer in JSON while it arrives: what of it is there already, and how far the text for a person can be told.

    feed → members that are whole, and the beginning of the one that is not → as much of the reply as cannot change

Promises: what `prefix` returns stands at the beginning of the reply to the whole answer, or is empty; what has not
arrived stops it, whatever the template asks about it (its length, whether it is empty, its last member). Total.
Does not: check anything: the whole answer is parsed and checked again, strictly, when it is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from edge_runtime.core.template import NotYet, render_so_far, uses_of

__all__ = ["Arriving"]

_BLANK = " \t\r\n"
_SHOWN_AS_IS = frozenset({"looped", "member", "printed", "tested"})
_DECODER = json.JSONDecoder()
_SENTENCE_END = re.compile(r"[.!?\u2026]+[)'\u2019\u201d]*(?=[ ]|\\n)|[\u3002\uff01\uff1f]+|(?=\\n)")
"""Where a sentence ends inside a text in JSON: a full stop alone may be inside an address or a number."""


class _Begun:
    """The beginning of a text: it can be printed as far as it goes, and then nothing more can."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        raise NotYet(self._text)

    def _unknown(self, *_: object) -> NoReturn:
        raise NotYet

    __bool__ = __len__ = __iter__ = __getitem__ = __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _unknown
    __hash__ = None  # type: ignore[assignment]


class _Listing:
    """The beginning of a list: its members can be gone through as far as they are there."""

    def __init__(self, members: list[Any]) -> None:
        self._members = members

    def __iter__(self) -> Iterator[Any]:
        yield from self._members
        raise NotYet

    def __bool__(self) -> bool:
        if self._members:
            return True
        raise NotYet

    def _unknown(self, *_: object) -> NoReturn:
        raise NotYet

    __str__ = __len__ = __getitem__ = __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _unknown
    __hash__ = None  # type: ignore[assignment]


class Arriving:
    """One answer. `feed` it as it comes, restored; `prefix` is what a person may read of it so far."""

    def __init__(self, reply: str, values: Mapping[str, Any]) -> None:
        self._reply = reply
        self._values = values
        self._as_is = all(use.how in _SHOWN_AS_IS for use in uses_of(reply))
        self._text = self._told = ""
        self._at = 0
        self._stopped = False
        self._opened = False
        self._name: str | None = None
        self._items: list[Any] | None = None
        self._whole: dict[str, Any] = {}

    def feed(self, text: str) -> None:
        """Take more of the answer."""
        self._text += text
        if not self._opened:
            self._at = self._text.find("{") + 1
            self._opened = self._at > 0
        while self._opened and not self._stopped and self._step():
            pass

    def prefix(self) -> str:
        """Return the beginning of the reply that is certain by now; its outer blanks may still go."""
        told = render_so_far(self._reply, {**self._values, **self._whole, **self._begun()})
        self._told = max(self._told, told, key=len)  # both are its beginning
        return self._told

    def _step(self) -> bool:
        """Take one more whole thing, and say whether there was one."""
        if self._name is None:
            return self._take_name()
        self._skip(_BLANK if self._items is None else _BLANK + ",")
        if self._items is None and self._text.startswith("[", self._at):
            self._items, self._at = [], self._at + 1
            return True
        if self._items is not None and self._text.startswith("]", self._at):
            self._at += 1
            return self._close(self._items)
        found, value = self._take_value()
        if found and self._items is not None:
            self._items.append(value)
        return found and (self._items is not None or self._close(value))

    def _close(self, value: Any) -> bool:
        assert self._name is not None
        self._whole[self._name] = value
        self._name = self._items = None
        return True

    def _take_name(self) -> bool:
        self._skip(_BLANK + ",")
        begin = self._at
        found, name = self._take_value()
        self._skip(_BLANK)
        if not found or self._at == len(self._text):
            self._at = begin
            return False
        if not isinstance(name, str) or name in self._whole or self._text[self._at] != ":":
            self._stopped = True  # no object, or one that says a thing twice: nothing more is shown of it
            return False
        self._name, self._at = name, self._at + 1
        return True

    def _take_value(self) -> tuple[bool, Any]:
        try:
            value, end = _DECODER.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            return False, None
        if end == len(self._text) and not isinstance(value, str | dict | list):
            return False, None  # a number may go on
        self._at = end
        return True, value

    def _skip(self, characters: str) -> None:
        while self._at < len(self._text) and self._text[self._at] in characters:
            self._at += 1

    def _begun(self) -> dict[str, Any]:
        """Return the member that is arriving, as far as it goes; it may be asked for nothing else."""
        if self._name is None or self._stopped:
            return {}
        begun = self._begun_text() if self._as_is else None
        if self._items is None:
            return {} if begun is None else {self._name: begun}
        return {self._name: _Listing([*self._items, *([] if begun is None else [begun])])}

    def _begun_text(self) -> _Begun | None:
        """Return the whole sentences of a text that has begun."""
        rest = self._text[self._at :]
        ends = [found.end() for found in _SENTENCE_END.finditer(rest)] if rest.startswith('"') else []
        for end in reversed(ends):
            try:
                text = _DECODER.raw_decode(rest[:end] + '"')[0]
            except ValueError:
                continue  # what looked like the escape of a line break was half of another
            return _Begun(text) if text == text.lstrip() else None  # a template may trim it
        return None
