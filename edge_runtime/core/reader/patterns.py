"""Values that have a form: e-mail addresses, bank accounts, payment cards, telephone numbers.

Promises: where a format has a checksum, the checksum decides; blanks and hyphens inside a value do not hide
it; time is linear in the text. The only module that imports `stdnum`, when first needed.
Does not: find names (`names`) or anything that needs a model. Source: ISO 13616 (IBAN), ISO/IEC 7812 (cards).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.phones import REGIONS, find_phones

__all__ = ["PATTERN_TYPES", "Match", "find_patterns"]

Match = tuple[str, int, int]
"""A type with start and end in the normalised text."""

PATTERN_TYPES = ("BANK", "CARD", "EMAIL", "PHONE")
MIN_DIGITS = 7
MAX_LOCAL_PART = 64
MAX_CARD_DIGITS = 19
MAX_CARD_STARTS = 2_000
"""At how many places of one text a card number is checked; ordinary text has far fewer."""

_AT = lazy_pattern(r"(?P<sign> ?@ ?| ?[\[(] ?at ?[\])] ?)", re.IGNORECASE)
_LOCAL = lazy_pattern(r"[\w.+%&'*/=?^~!#$-]*$")
_DOT = r"(?:\.| \. | ?[\[(] ?dot ?[\])] ?)"
_DOMAIN = lazy_pattern(
    rf"[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,8}}?{_DOT}[^\W\d_][\w-]{{0,61}}\w(?!{_DOT}?\w)", re.IGNORECASE
)
_DOMAIN_LITERAL = lazy_pattern(r"\[?\d{1,3}(?:\.\d{1,3}){3}\]?")

_BANK_START = lazy_pattern(r"(?<![^\W_])[A-Z] ?[A-Z][ .\-\t\n]{0,2}\d[ .\-\t\n]{0,2}\d", re.IGNORECASE)
_BANK_NEXT = lazy_pattern(r"[ .\-/\t\n]{0,2}([A-Z0-9])", re.IGNORECASE)
_BANK_LENGTHS = range(15, 35)
_CARD_GROUP = lazy_pattern(r"\d+")
_CARD_GAP = lazy_pattern(r"[ \t.\-]{1,2}")


def find_patterns(text: str, regions: Sequence[str] = REGIONS) -> Iterator[Match]:
    """Yield every value with a form in the normalised `text`; matches of two types may overlap."""
    for start, end in _find_emails(text):
        yield "EMAIL", start, end
    if not _has_digits(text):
        return
    for start, end in _find_banks(text):
        yield "BANK", start, end
    for start, end in _find_cards(text):
        yield "CARD", start, end
    for start, end in find_phones(text, regions):
        yield "PHONE", start, end


def _has_digits(text: str) -> bool:
    return sum(map(text.count, "0123456789")) >= MIN_DIGITS


def _find_emails(text: str) -> Iterator[tuple[int, int]]:
    for sign in _AT().finditer(text):
        local = _LOCAL().search(text, max(0, sign.start() - MAX_LOCAL_PART), sign.start())
        domain = _DOMAIN().match(text, sign.end()) or _DOMAIN_LITERAL().match(text, sign.end())
        if local is None or domain is None:
            continue
        name = local[0].lstrip(".+%&'*/=?^~!#$-")
        if name:
            yield local.end() - len(name), domain.end()


def _find_banks(text: str) -> Iterator[tuple[int, int]]:
    for start in _BANK_START().finditer(text):
        end = _bank_end(text, start.start())
        if end:
            yield start.start(), end


def _bank_end(text: str, start: int) -> int:
    """Return where the account number that begins at `start` ends, or 0 when the checksum refuses it."""
    from stdnum import iban

    compact = ""
    remainder = 0
    end = start
    while len(compact) < _BANK_LENGTHS[-1] and (found := _BANK_NEXT().match(text, end)):
        character = found[1].upper()
        end = found.end()
        compact += character
        if len(compact) <= 4:
            continue
        digits = str(int(character, 36))
        remainder = (remainder * 10 ** len(digits) + int(digits)) % 97
        if len(compact) not in _BANK_LENGTHS or text[end : end + 1].isalnum():
            continue
        head = int("".join(str(int(letter, 36)) for letter in compact[:4]))
        if (remainder * 10**6 + head) % 97 == 1 and iban.is_valid(compact, check_country=False):
            return end
    return 0


def _find_cards(text: str) -> Iterator[tuple[int, int]]:
    """Yield card numbers; where several begin inside one another, their union.

    After `MAX_CARD_STARTS` places the checksum is no longer asked: enough digits are taken as a card.
    """
    groups = [(found.start(), found.end()) for found in _CARD_GROUP().finditer(text)]
    first = last = tried = 0
    for index, (start, _) in enumerate(groups):
        if text[start] not in "23456" or text[start - 1 : start].isalpha():
            continue
        strict = tried < MAX_CARD_STARTS
        if not strict and start < last:
            continue
        tried += 1
        end = _card_end(text, groups[index : index + MAX_CARD_DIGITS], strict=strict)
        if end and start >= last:
            if last:
                yield first, last
            first = start
        last = max(last, end)
    if last:
        yield first, last


def _card_end(text: str, groups: list[tuple[int, int]], *, strict: bool) -> int:
    from stdnum import luhn

    digits = ""
    best = 0
    previous = groups[0][0]
    for start, end in groups:
        if digits and not _CARD_GAP().fullmatch(text, previous, start):
            break
        digits += text[start:end]
        previous = end
        if len(digits) > MAX_CARD_DIGITS:
            break
        if len(digits) >= 13 and (not strict or luhn.is_valid(digits)):
            best = end
    return best
