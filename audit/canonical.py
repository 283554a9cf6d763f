"""Canonical JSON: exactly one byte string for each value.

Promises: what `parse_canonical` accepts, `canonical` writes again byte for byte; floats, integers beyond 2^53 and keys
that are not ASCII are refused, reading and writing. Within that restriction it equals RFC 8785.
Does not: know what a document means. Source: RFC 8785.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from audit.errors import InvalidFormat
from audit.merkle import MAX_ENTRY_BYTES

__all__ = ["MAX_INTEGER", "canonical", "parse_canonical"]

MAX_INTEGER = 2**53 - 1


def canonical(value: object) -> bytes:
    """Return the canonical JSON of a value of dicts, lists, strings, integers, booleans and None.

    >>> canonical({"b": [1, None], "a": "é"}).decode()
    '{"a":"é","b":[1,null]}'

    Raises:
        InvalidFormat: it holds a float, an integer beyond 2^53, a key that is not ASCII, or anything else.
    """
    try:
        _check_plain(value)
        return _ENCODER.encode(value).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise InvalidFormat("expected text in UTF-8 and shallow nesting, got something else") from error


def parse_canonical(data: bytes, *, max_bytes: int = MAX_ENTRY_BYTES) -> Any:
    """Parse canonical JSON of at most so many bytes, refusing every other form of the same value.

    Raises:
        InvalidFormat: it is not canonical JSON of the restricted kind.
    """
    if len(data) > max_bytes:
        raise InvalidFormat(f"expected an entry of at most {max_bytes} bytes, got {len(data)}")
    try:
        value = _DECODER.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise InvalidFormat("expected canonical JSON, got something else") from error
    if canonical(value) != data:  # also catches repeated keys, which the parser silently merges
        raise InvalidFormat("expected JSON in its canonical form, got another form")
    return value


def _check_plain(value: object) -> None:
    if isinstance(value, dict):
        if not all(type(key) is str and key.isascii() for key in value):
            raise InvalidFormat("expected object keys in ASCII, got another")
        for item in value.values():
            _check_plain(item)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item)
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise InvalidFormat("expected integers within 2^53, got one beyond")
    elif not (value is None or isinstance(value, str)):
        raise InvalidFormat(f"expected plain JSON values, got a {type(value).__name__}")


def _refuse_number(_: str) -> NoReturn:
    raise InvalidFormat("expected integers only, got another number")


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number)
