"""Strict reading of JSON objects: every format of ours is read with these few functions.

Promises: a missing, unknown or mistyped member is an `InvalidDocument` whose message names the format,
the member, what was expected and what kind of thing was got; never the value itself when it is text. A later version
of the format that is read is a `NewerFormat`.
Does not: parse bytes (see `canonical`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument, NewerFormat

__all__ = ["MAX_NAME_LENGTH", "NAME", "Fields", "is_digest", "is_name"]

_T = TypeVar("_T")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
NAME = r"[a-z0-9]+(?:[-.][a-z0-9]+)*"
"""The expression of a name, but for its length."""
_NAME = re.compile(NAME)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
MAX_NAME_LENGTH = 80


def is_name(value: object) -> bool:
    """Return whether `value` is a name: lower-case words joined by hyphens or dots, at most 80 characters."""
    return isinstance(value, str) and len(value) <= MAX_NAME_LENGTH and _NAME.fullmatch(value) is not None


def is_digest(value: object) -> bool:
    """Return whether `value` is a tagged SHA-256 digest."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _is_newer(said: object, form: str) -> bool:
    """Return whether what a document says is a later version of the same format."""
    name, _, version = form.rpartition("/")
    match = re.fullmatch(re.escape(name) + r"/([1-9][0-9]{0,4})", said) if isinstance(said, str) else None
    return match is not None and int(match[1]) > int(version)


class Fields:
    """Read the members of one object, each exactly once, then `close` to refuse what is left.

    >>> fields = Fields({"format": "x/1", "size": 3}, "x/1")
    >>> fields.integer("size", at_least=0)
    3
    >>> fields.close()
    """

    def __init__(self, document: object, form: str, *, tagged: bool = True) -> None:
        if not isinstance(document, dict):
            raise InvalidDocument(f"{form}: expected an object, got {type(document).__name__}")
        self._left: JsonObject = dict(document)
        self._form = form
        if tagged and (said := self._take("format")) != form:
            if _is_newer(said, form):
                raise NewerFormat(f"expected format {form} or one before it, got {said}", format=said)
            raise InvalidDocument(f"expected format {form}, got another format or version")

    def _take(self, name: str) -> Any:
        if name not in self._left:
            raise InvalidDocument(f"{self._form}: expected member {name!r}, got none")
        return self._left.pop(name)

    def refuse(self, name: str, expected: str) -> InvalidDocument:
        """Return the error that says what was expected of member `name`."""
        return InvalidDocument(f"{self._form}: expected {expected} in member {name!r}")

    def holds(self, name: str) -> bool:
        """Return whether there is a member of that name that was not read yet: for the few that may be left out."""
        return name in self._left

    def value(self, name: str) -> object:
        """Return a member of any type, whose inside is not checked here."""
        return self._take(name)

    def text(self, name: str, *, at_most: int = 20_000, empty: bool = False) -> str:
        """Return a text of at most `at_most` characters; empty only where `empty` allows it."""
        value = self._take(name)
        if not isinstance(value, str) or len(value) > at_most or not (value or empty):
            raise self.refuse(name, f"text of {0 if empty else 1} to {at_most} characters")
        return value

    def name(self, name: str) -> str:
        """Return a name: lower-case words joined by hyphens or dots, at most 80 characters."""
        value = self._take(name)
        if not is_name(value):
            raise self.refuse(name, "a name of lower-case letters, digits, hyphens and dots")
        return str(value)

    def digest(self, name: str, *, empty: bool = False) -> str:
        """Return a tagged SHA-256 digest, or "" where `empty` allows it."""
        value = self._take(name)
        if empty and value == "":
            return ""
        if not is_digest(value):
            raise self.refuse(name, "sha256: and 64 hex digits")
        return str(value)

    def time(self, name: str, *, empty: bool = False) -> str:
        """Return a UTC time of the form 2026-01-31T09:30:00Z, or "" where `empty` allows it."""
        value = self._take(name)
        if empty and value == "":
            return ""
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            raise self.refuse(name, "a UTC time such as 2026-01-31T09:30:00Z")
        return value

    def integer(self, name: str, *, at_least: int = 0, at_most: int = 2**53 - 1) -> int:
        """Return an integer between the bounds, both included."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool) or not at_least <= value <= at_most:
            raise self.refuse(name, f"an integer from {at_least} to {at_most}")
        return value

    def boolean(self, name: str) -> bool:
        """Return true or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise self.refuse(name, "true or false")
        return value

    def choice(self, name: str, choices: Iterable[str]) -> str:
        """Return one of `choices`."""
        value = self._take(name)
        allowed = tuple(choices)
        if value not in allowed:
            raise self.refuse(name, f"one of {', '.join(allowed)}")
        return str(value)

    def json_object(self, name: str) -> JsonObject:
        """Return an object whose inside is not checked here."""
        value = self._take(name)
        if not isinstance(value, dict):
            raise self.refuse(name, "an object")
        return value

    def items(self, name: str, parse: Callable[[Any], _T], *, at_most: int = 100_000) -> tuple[_T, ...]:
        """Return the members of a list, each read by `parse`; a tuple was read before (see `entries.parse_listing`)."""
        value = self._take(name)
        if isinstance(value, tuple) and len(value) <= at_most:
            return value
        if not isinstance(value, list) or len(value) > at_most:
            raise self.refuse(name, f"a list of at most {at_most} members")
        return tuple(parse(member) for member in value)

    def texts(self, name: str, *, at_most: int = 1000) -> tuple[str, ...]:
        """Return a list of texts, none of them empty."""
        value = self._take(name)
        if not isinstance(value, list) or len(value) > at_most or not all(isinstance(v, str) and v for v in value):
            raise self.refuse(name, f"a list of at most {at_most} texts")
        return tuple(value)

    def close(self) -> None:
        """Refuse any member that was not read."""
        if self._left:
            raise InvalidDocument(f"{self._form}: expected no member {min(self._left)!r}")
