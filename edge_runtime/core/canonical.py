"""Canonical JSON: one byte string per document, so that a digest names what people signed.

Promises: `encode` is RFC 8785 (JCS); floats and integers beyond 2^53 - 1 are
refused before canonicalising, on both sides; `parse` accepts canonical bytes only, so a duplicate key,
a stray blank or a second spelling of one document is refused.
Does not: verify signatures, know any format. Source: RFC 8785; docs/adr/0008.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NoReturn

from edge_runtime.core.errors import InvalidDocument

__all__ = ["MAX_DEPTH", "JsonObject", "digest", "encode", "parse"]

JsonObject = dict[str, Any]

MAX_SAFE_INTEGER = 2**53 - 1
MAX_DEPTH = 64
"""Deepest nesting of objects and arrays that is read or written."""


def digest(data: bytes) -> str:
    """Return the tagged SHA-256 of `data`: `sha256:` and 64 lower-case hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def encode(document: JsonObject) -> bytes:
    """Return the RFC 8785 bytes of `document`.

    Raises:
        InvalidDocument: it holds a float, an integer beyond 2^53 - 1, a value that is not JSON, text that
            is not Unicode, or nests deeper than `MAX_DEPTH`.
    """
    plain = _check_value(document, 0)
    try:
        return _plainly(document) if plain else _by_rfc_8785(document)
    except (TypeError, ValueError) as error:
        raise InvalidDocument(f"expected a document that canonical JSON can hold: {type(error).__name__}") from error


def _plainly(document: JsonObject) -> bytes:
    # With integers and ASCII keys the standard library writes the bytes of RFC 8785 too, ten times as fast as the
    # package; a property test holds the two together.
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _by_rfc_8785(document: JsonObject) -> bytes:
    import rfc8785  # only for keys beyond ASCII, which it sorts as UTF-16

    return rfc8785.dumps(document)


def parse(data: bytes, *, max_bytes: int) -> JsonObject:
    """Return the object that the canonical bytes `data` hold.

    Raises:
        InvalidDocument: longer than `max_bytes`, not UTF-8, not JSON, not an object, not canonical, or
            one of the values that `encode` refuses.
    """
    if len(data) > max_bytes:
        raise InvalidDocument(f"expected at most {max_bytes} bytes, got {len(data)}")
    try:
        document = json.loads(
            data.decode("utf-8"),
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_parse_integer,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InvalidDocument(f"expected canonical JSON, got bytes that are not: {type(error).__name__}") from error
    if not isinstance(document, dict):
        raise InvalidDocument(f"expected a JSON object, got {type(document).__name__}")
    if not _is_canonical(document, data):
        raise InvalidDocument("expected canonical bytes (RFC 8785), got another spelling of the same document")
    return document


def _is_canonical(document: JsonObject, data: bytes) -> bool:
    plain = _check_value(document, 0)
    try:
        return (_plainly(document) if plain else encode(document)) == data
    except UnicodeEncodeError:
        return False


def _check_value(value: object, depth: int) -> bool:
    """Refuse what canonical JSON of ours cannot hold; return whether every key is ASCII."""
    if depth > MAX_DEPTH:
        raise InvalidDocument(f"expected at most {MAX_DEPTH} levels of nesting")
    if isinstance(value, str):
        return True
    plain = True
    if isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                raise InvalidDocument(f"expected text as a key, got {type(key).__name__}")
            plain &= key.isascii()
            if type(member) is not str:
                plain &= _check_value(member, depth + 1)
    elif isinstance(value, list | tuple):
        for member in value:
            plain &= _check_value(member, depth + 1)
    elif isinstance(value, float):
        raise InvalidDocument("expected integers only, got a number with a fraction or an exponent")
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_SAFE_INTEGER:
        raise InvalidDocument("expected integers up to 2^53 - 1, got a larger one")
    return plain


def _refuse_number(_text: str) -> NoReturn:
    raise InvalidDocument("expected integers only, got a number with a fraction or an exponent")


def _parse_integer(text: str) -> int:
    if len(text) > 17:
        raise InvalidDocument("expected integers up to 2^53 - 1, got a larger one")
    return int(text)
