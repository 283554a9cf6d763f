r"""Pieces of a text in a code: Base64, hex, URL escapes, quoted-printable mail, \u escapes, character references.

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
    r"(?<![A-Za-z0-9+/_-])(?=[a-z+/_-]*[A-Z0-9])"
    r"(?:[A-Za-z0-9+/_-]{20,76}\r?\n){0,400}(?:[A-Za-z0-9+/_-]{12,}={0,2}|[A-Za-z0-9+/_-]{6,}={1,2})(?![A-Za-z0-9+/=_-])"
)
_BASE64_RUN = lazy_pattern(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = lazy_pattern(
    r"(?<![0-9A-Za-z])(?:0x)?[2-7][0-9a-f](?:(?:[:-]|,? ?\n?(?:0x|\\x)?)[0-9a-f]{2}){7,}(?![0-9A-Za-z])", re.IGNORECASE
)
_HEX_RUN = lazy_pattern(r"[2-7][0-9a-f](?:[0-9a-f]{2}){7,}", re.IGNORECASE)
_PERCENT = lazy_pattern(r"[^\s%\"'<>()\[\]{}]{0,200}(?:%[0-9A-Fa-f]{2}[^\s%\"'<>()\[\]{}]{0,200})+")
_QUOTED_PRINTABLE = lazy_pattern(
    r"[^\s=]{0,40}(?:(?:=[C-F][0-9A-F])(?:=\r?\n)?(?:=[89AB][0-9A-F](?:=\r?\n)?)+[^\s=]{0,40}[ ]?)+"
)
_ESCAPES = lazy_pattern(
    r"(?:[^\s\\]{0,40}(?:\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\u\{[0-9a-f]{1,6}\})[^\s\\]{0,40}[ ]?)+", re.IGNORECASE
)
_ESCAPE = lazy_pattern(r"\\u\{?([0-9a-f]{1,6})\}?|\\x([0-9a-f]{2})", re.IGNORECASE)
_REFERENCES = lazy_pattern(r"(?:[^\s&]{0,40}&#?[0-9a-z]{1,12};[^\s&]{0,40}\s?)+", re.IGNORECASE)
_SOFT_BREAK = lazy_pattern(r"=\r?\n")
_NUMBER = lazy_pattern(r"[A-Za-z]{0,4}[+(]?(?:[ ./()-]{0,2}[0-9]){7,40}[A-Za-z]?[.,;:!?)]{0,3}")
_HEX_GAP = lazy_pattern(r"0x|\\x|[ :,\n-]", re.IGNORECASE)


def encoded_pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start and end of each encoded piece of the normalised `text`, and what it holds."""
    for code, run, decoded in ((_BASE64, _BASE64_RUN, _from_base64), (_HEX, _HEX_RUN, _from_hex)):
        for found in code().finditer(text):
            if whole := list(_readable(found, decoded(found[0]))):
                yield from whole
            else:  # a word beside it, or on the line before, reads as part of the code too
                for part in run().finditer(text, found.start(), found.end()):
                    yield from _readable(part, decoded(part[0]))
    signs = (
        ("%", _PERCENT, _from_percent),
        ("=", _QUOTED_PRINTABLE, _from_quoted),
        ("\\", _ESCAPES, _from_escapes),
        ("&", _REFERENCES, html.unescape),
    )
    for sign, pattern, meaning in signs:
        for found in pattern().finditer(text) if sign in text else ():
            yield from _readable(found, meaning(found[0]))


def _readable(found: re.Match[str], plain: str) -> Iterator[tuple[int, int, str]]:
    """Yield the piece if it holds text that a person can read, and other text than it shows."""
    shown, plain = found[0].rstrip(), plain.rstrip()
    letters = {letter for letter in plain.casefold() if letter.isalpha()}
    says_something = len(letters) >= MIN_LETTERS or _NUMBER().fullmatch(plain)
    if says_something and plain != shown and all(c.isprintable() or c in "\r\n\t" for c in plain):
        yield found.start(), found.start() + len(shown), plain


def _from_base64(piece: str) -> str:
    run = piece.replace("\r", "").replace("\n", "").replace("-", "+").replace("_", "/").rstrip("=")
    if len(run) % 4 == 1:
        return ""
    return _text(binascii.a2b_base64(run + "=" * (-len(run) % 4)))


def _from_hex(piece: str) -> str:
    digits = _HEX_GAP().sub("", piece)
    return _text(bytes.fromhex(digits)) if len(digits) % 2 == 0 else ""


def _from_percent(piece: str) -> str:
    raw = piece.replace("+", " ").encode("utf-8", "replace")
    data = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), raw)
    return _text(data) or data.decode("latin-1")


def _from_quoted(piece: str) -> str:
    return _from_percent(_SOFT_BREAK().sub("", piece).replace("=", "%").replace("+", "%2B"))


def _from_escapes(piece: str) -> str:
    return _ESCAPE().sub(lambda one: _character(one[1] or one[2]), piece)


def _text(data: bytes) -> str:
    """Return what some bytes say in UTF-8, or in UTF-16 where there are zeros, or nothing."""
    try:
        return data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-16-le" if b"\0" in data else "utf-8")
    except UnicodeDecodeError:
        return ""


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else ""
