"""Finds canaries in bytes, however they are written. Shares no code with the redaction and the scan that it checks.

Promises: sees through capitals, other forms of letters (NFKC), invisible characters, whatever stands between letters
or digits, JSON and URL escapes, character references, quoted-printable, Base64 at every alignment, hex, gzip and zlib,
each inside another; names count by each part. Time is linear in the bytes.
Does not: see through encryption, or a translation.
"""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from urllib.parse import unquote_to_bytes

from audit.frozen import frozen
from edge_runtime.proving.canaries import Canary

__all__ = ["Search"]

GRAM = 8
"""The shortest thing that is looked for, in letters and digits."""
DEPTH = 3
MOST_UNPACKED = 2**22
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}(?:=|\r?\n|\\n|[A-Za-z0-9+/_-])*")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :,-]?){8,}|(?:\\x[0-9a-fA-F]{2}){8,}")
_JSON_ESCAPE = re.compile(r"\\(?:u\{?([0-9a-fA-F]{1,6})\}?|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_GAP = r"[\W_]{0,4}"


@frozen
class _Needle:
    """What is looked for: letters and digits in small letters, and whose it is."""

    plain: str
    canary: int


class Search:
    """Knows the canaries of one proof."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._needles: dict[str, list[_Needle]] = {}
        for canary in canaries:
            for form in (canary.value, *canary.parts):
                plain = _compact(form)
                if len(plain) >= GRAM:
                    self._needles.setdefault(plain[:GRAM], []).append(_Needle(plain, canary.number))
        self.find = cache(self._find)  # the same bytes come again and again: an instruction, a header

    def _find(self, data: bytes | str) -> frozenset[int]:
        """Return the numbers of the canaries that `data` holds in any form."""
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        found: set[int] = set()
        for view in _views(text, data if isinstance(data, bytes) else b""):
            found.update(self._in_view(view))
        return frozenset(found)

    def _in_view(self, view: str) -> Iterator[int]:
        compact = _compact(view)
        grams = {compact[at : at + GRAM] for at in range(len(compact) - GRAM + 1)}
        for gram in grams & self._needles.keys():
            for needle in self._needles[gram]:
                if needle.plain in compact and (not needle.plain.isdecimal() or _stands_alone(needle.plain, view)):
                    yield needle.canary


def _compact(text: str) -> str:
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return "".join(filter(str.isalnum, folded.casefold()))


def _stands_alone(digits: str, view: str) -> bool:
    """Tell whether a number stands in `view` as one of its own, not by chance in the middle of a longer one."""
    pattern = rf"(?<!\d)(?<!\d[ .,:-]){_GAP.join(digits)}(?![ .,:-]?\d)"
    return re.search(pattern, unicodedata.normalize("NFKC", view)) is not None


def _views(text: str, data: bytes) -> Iterator[str]:
    """Yield what `data` says as it is and with its codes undone, one inside another."""
    views = [text, *_unpacked(data)]
    seen = set(views)
    for _ in range(DEPTH):
        yield from views
        opened = [view for one in views for open_code in _CODES for view in open_code(one)]
        views = [view for view in dict.fromkeys(opened) if len(view) >= GRAM and view not in seen]
        seen.update(views)
    yield from views


def _unpacked(data: bytes) -> Iterator[str]:
    for found in _PACKED.finditer(data):
        try:
            plain = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data[found.start() :], MOST_UNPACKED)
        except zlib.error:
            continue
        yield plain.decode("utf-8", "replace")


def _from_json(text: str) -> Iterator[str]:
    if "\\" in text:
        plain = _JSON_ESCAPE.sub(_character, text)
        yield plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(found: re.Match[str]) -> str:
    code = int(found[1] or found[2] or "0", 16)
    return " " if found[3] in {"n", "t", "r", "b", "f"} else found[3] or (chr(code) if code < 0x110000 else " ")


def _from_url(text: str) -> Iterator[str]:
    if "%" in text or "+" in text:
        yield unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "replace")


def _from_html(text: str) -> Iterator[str]:
    if "&" in text:
        yield html.unescape(text)


def _from_quoted(text: str) -> Iterator[str]:
    if "=" in text:
        yield quopri.decodestring(text.encode()).decode("utf-8", "replace")


def _from_base64(text: str) -> Iterator[str]:
    pieces: list[str] = []
    for found in _BASE64.finditer(text):
        run = re.sub(r"[=\r\n]|\\n", "", found[0]).translate(str.maketrans("-_", "+/"))
        for offset in range(4):
            piece = run[offset:]
            piece = piece[: len(piece) - (len(piece) % 4 == 1)]
            plain = base64.b64decode(piece + "=" * (-len(piece) % 4)).decode("utf-8", "replace")
            if plain.count("\ufffd") * 2 < len(plain):
                pieces.append(plain)
    yield " | ".join(pieces)


def _from_hex(text: str) -> Iterator[str]:
    pieces: list[str] = []
    for found in _HEX.finditer(text):
        digits = re.sub(r"\\x|[ :,-]", "", found[0])
        pieces += [_unhexed(digits), _unhexed(digits[1:])]
    yield " | ".join(pieces)


def _unhexed(digits: str) -> str:
    return binascii.unhexlify(digits[: len(digits) // 2 * 2]).decode("utf-8", "replace")


_CODES: tuple[Callable[[str], Iterator[str]], ...] = (
    _from_json,
    _from_url,
    _from_html,
    _from_quoted,
    _from_base64,
    _from_hex,
)
