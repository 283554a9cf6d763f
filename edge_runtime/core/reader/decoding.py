r"""Pieces of a text that are written in a code: Base64, hex, URL escapes, \u escapes, character references.

Promises: a piece counts only if what it holds is readable text, so digests, tokens and numbers are left alone; time is
linear in the text. Does not: decrypt, decompress, or guess at ciphers. Source: RFC 4648, RFC 3986.
"""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Iterator

from edge_runtime.core.reader.lazy import lazy_pattern

__all__ = ["encoded_pieces"]

MIN_LETTERS = 4
"""Least number of different letters that what a piece holds must have, unless it is a number."""

_BASE64 = lazy_pattern(
    r"(?<![A-Za-z0-9+/=_-])"
    r"(?=[a-z+/_-]*[A-Z0-9])(?:[A-Za-z0-9+/_-]{60,76}\r?\n){0,400}[A-Za-z0-9+/_-]{12,}={0,2}(?![A-Za-z0-9+/=_-])"
)
_HEX = lazy_pattern(
    r"(?<![0-9A-Za-z])(?:0x)?[2-7][0-9a-f](?:(?:[ :,-]|, | ?0x|\\x)?[0-9a-f]{2}){7,}(?![0-9A-Za-z])", re.IGNORECASE
)
_HEX_RUN = lazy_pattern(r"[2-7][0-9a-f](?:[0-9a-f]{2}){7,}", re.IGNORECASE)
_PERCENT = lazy_pattern(r"[^\s%\"'<>()\[\]{}]{0,200}(?:%[0-9A-Fa-f]{2}[^\s%\"'<>()\[\]{}]{0,200})+")
_ESCAPES = lazy_pattern(
    r"(?:\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\u\{[0-9a-f]{1,6}\})[^\s]{0,40}"
    r"(?:(?:\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\u\{[0-9a-f]{1,6}\})[^\s\\]{0,40}){2,}",
    re.IGNORECASE,
)
_ESCAPE = lazy_pattern(r"\\u\{?([0-9a-f]{1,6})\}?|\\x([0-9a-f]{2})", re.IGNORECASE)
_REFERENCES = lazy_pattern(r"(?:[^\s&]{0,40}&#?[0-9a-z]{1,12};[^\s&]{0,40}\s?){2,}", re.IGNORECASE)
_NUMBER = lazy_pattern(r"[A-Za-z]{0,4}[+(]?(?:[ ./()-]{0,2}[0-9]){7,40}[A-Za-z]?[.,;:!?)]{0,3}")
_HEX_GAP = lazy_pattern(r"0x|\\x|[ :,-]", re.IGNORECASE)


def encoded_pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start and end of each encoded piece of the normalised `text`, and what it holds."""
    for found in _BASE64().finditer(text):
        yield from _readable(found, _from_base64(found[0]))
    for found in _HEX().finditer(text):
        if whole := list(_readable(found, _from_hex(found[0]))):
            yield from whole
        else:  # a word beside it, such as "ab", reads as hex too
            for run in _HEX_RUN().finditer(text, found.start(), found.end()):
                yield from _readable(run, _from_hex(run[0]))
    if "%" in text:
        for found in _PERCENT().finditer(text):
            yield from _readable(found, _from_percent(found[0]))
    if "\\" in text:
        for found in _ESCAPES().finditer(text):
            yield from _readable(found, _ESCAPE().sub(lambda one: _character(one[1] or one[2]), found[0]))
    if "&" in text and ";" in text:
        for found in _REFERENCES().finditer(text):
            yield from _readable(found, html.unescape(found[0]).rstrip())


def _readable(found: re.Match[str], plain: str) -> Iterator[tuple[int, int, str]]:
    """Yield the piece if it holds text that a person can read, and other text than it shows."""
    shown = found[0].rstrip()
    letters = {letter for letter in plain.casefold() if letter.isalpha()}
    says_something = len(letters) >= MIN_LETTERS or _NUMBER().fullmatch(plain)
    if says_something and plain != shown and all(c.isprintable() or c in "\r\n\t" for c in plain):
        yield found.start(), found.start() + len(shown), plain


def _from_base64(piece: str) -> str:
    run = piece.replace("\r", "").replace("\n", "").replace("-", "+").replace("_", "/").rstrip("=")
    if len(run) % 4 == 1:
        return ""
    return _utf8(binascii.a2b_base64(run + "=" * (-len(run) % 4)))


def _from_hex(piece: str) -> str:
    digits = _HEX_GAP().sub("", piece)
    return _utf8(bytes.fromhex(digits)) if len(digits) % 2 == 0 else ""


def _from_percent(piece: str) -> str:
    raw = piece.replace("+", " ").encode("utf-8", "replace")
    return _utf8(re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), raw))


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ""


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else ""
