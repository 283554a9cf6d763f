"""Values that have a form: addresses of mail, web and post, bank accounts, cards, numbers of people, and the like.

Promises: where a format has a checksum, the checksum decides; blanks and hyphens inside a value do not hide it; time is
linear in the text. The rooms beside it (`network`, `identity`, `dates`, `pay`, `streets`, `phones`) are asked only
where the text has what they need. Does not: find names (`names`) or anything that needs a model.
Source: ISO 13616 (IBAN), ISO/IEC 7812 (cards).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from edge_runtime.core.reader.checksums import is_valid
from edge_runtime.core.reader.dates import find_births
from edge_runtime.core.reader.digits import Area, digit_areas, has_digits
from edge_runtime.core.reader.identity import find_accounts, find_identities
from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.nearby import Words
from edge_runtime.core.reader.network import find_ips, find_urls
from edge_runtime.core.reader.pay import find_pay
from edge_runtime.core.reader.phones import REGIONS, find_phones
from edge_runtime.core.reader.streets import find_streets

__all__ = ["FULLY_FOUND", "Match", "find_patterns"]

Match = tuple[str, int, int]
"""A type with start and end in the normalised text."""

FULLY_FOUND = ("BANK", "CARD", "EMAIL", "IP", "PHONE", "URL")
"""The types of which a form is all there is; of the others, some can only be told by their sense."""
MAX_LOCAL_PART = 64
MIN_CARD_DIGITS = 13
MAX_CARD_DIGITS = 19
MAX_CARD_STARTS = 2_000
"""At how many places of one text a card number is checked; ordinary text has far fewer."""

_SPELT_AT = lazy_pattern(r"[\[({<] ?[aA][tT] ?[\])}>] ?|_[aA][tT]_| [aA][tT] (?=[\w-]{1,63} (?i:dot) [a-zA-Z]{2,})")
_SPELT = lazy_pattern(r"[\[({<_]| dot ", re.IGNORECASE)
_LOCAL = lazy_pattern(r"[\w.+%&'*/=?^~!#$-]*$")
_DOT = r"(?:[.\u3002]| \. | ?[\[({<] ?dot ?[\])}>] ?| dot )"
_DOMAIN = lazy_pattern(
    rf"[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,8}}?{_DOT}[^\W\d_][\w-]{{0,61}}\w(?!{_DOT}?\w)", re.IGNORECASE
)
_DOMAIN_LITERAL = lazy_pattern(r"\[?\d{1,3}(?:\.\d{1,3}){3}\]?")

_BANK_START = lazy_pattern(
    r"[0-9](?:(?<=[A-Za-z].)|(?<=[A-Za-z][ .\-\t\n].)|(?<=[A-Za-z][ .\-\t\n]{2}.))[ .\-\t\n]{0,2}[0-9]"
)
_COUNTRY = lazy_pattern(r"(?<![^\W_])[A-Z] ?[A-Z][ .\-\t\n]{0,2}\Z", re.IGNORECASE)
_COUNTRY_LIST = """
AD AE AL AO AT AZ BA BE BF BG BH BI BJ BR BY CF CG CH CI CM CR CV CY CZ DE DJ DK DO DZ EE EG ES FI FK FO FR GA GB GE
GI GL GQ GR GT GW HN HR HU IE IL IQ IR IS IT JO KM KW KZ LB LC LI LT LU LV LY MA MC MD ME MG MK ML MN MR MT MU MZ NE
NI NL NO OM PK PL PS PT QA RO RS RU SA SC SD SE SI SK SM SN SO ST SV TD TG TL TN TR UA VA VG XK YE
"""
_IBAN_COUNTRIES = frozenset(_COUNTRY_LIST.split())
_BANK_NEXT = lazy_pattern(r"[ .\-/\t\n]{0,2}([A-Z0-9])", re.IGNORECASE)
_BANK_LENGTHS = range(15, 35)
_GROUP = lazy_pattern(r"\d+")
_CARD_GAP = lazy_pattern(r"[ \t\n.\-/_]{1,2}")


def find_patterns(text: str, regions: Sequence[str] = REGIONS) -> Iterator[Match]:
    """Yield every value with a form in the normalised `text`; matches may overlap."""
    finders: list[tuple[str, Iterator[tuple[int, int]]]] = [("EMAIL", _find_emails(text)), ("URL", find_urls(text))]
    if has_digits(text):
        words = Words(text)
        areas = digit_areas(text)
        finders += [
            ("IP", find_ips(text)),
            ("DATE_OF_BIRTH", find_births(text, words)),
            ("SALARY", find_pay(text, words)),
            ("ADDRESS", find_streets(text, words)),
            ("ID_NUMBER", find_identities(text, words, areas)),
            ("BANK", find_accounts(text, words)),
            ("BANK", _find_banks(text)),
            ("CARD", _find_cards(text, areas)),
            ("PHONE", find_phones(text, regions, areas)),
        ]
    for kind, places in finders:
        for start, end in places:
            yield kind, start, end


def _find_emails(text: str) -> Iterator[tuple[int, int]]:
    for start, end in _at_signs(text):
        local = _LOCAL().search(text, max(0, start - MAX_LOCAL_PART), start)
        domain = _DOMAIN().match(text, end) or _DOMAIN_LITERAL().match(text, end)
        if local is None or domain is None:
            continue
        name = local[0].lstrip(".+%&'*/=?^~!#$-")
        if name:
            yield local.end() - len(name), domain.end()


def _at_signs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of at signs, spelt out ones too, with the blanks around them."""
    at = text.find("@")
    while at >= 0:
        yield at - (text[at - 1 : at] == " "), at + 1 + (text[at + 1 : at + 2] == " ")
        at = text.find("@", at + 1)
    if _SPELT().search(text):
        for sign in _SPELT_AT().finditer(text):
            yield sign.start() - (text[sign.start() - 1 : sign.start()] == " "), sign.end()


def _find_banks(text: str) -> Iterator[tuple[int, int]]:
    for digits in _BANK_START().finditer(text):
        first = max(0, digits.start() - 6)
        country = _COUNTRY().search(text[first : digits.start()])
        if country is None or (country[0][0] + country[0].rstrip(" .-\t\n")[-1]).upper() not in _IBAN_COUNTRIES:
            continue
        end = _bank_end(text, first + country.start())
        if end:
            yield first + country.start(), end


def _bank_end(text: str, start: int) -> int:
    """Return where the account number that begins at `start` ends, or 0 when the checksum refuses it."""
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
        if (remainder * 10**6 + head) % 97 == 1 and is_valid("iban", compact, check_country=False):
            return end
    return 0


def _find_cards(text: str, areas: Sequence[Area]) -> Iterator[tuple[int, int]]:
    """Yield card numbers; where several begin inside one another, their union.

    After `MAX_CARD_STARTS` places the checksum is no longer asked: enough digits are taken as a card.
    """
    groups = [
        found.span()
        for area in areas
        if area.digits >= MIN_CARD_DIGITS
        for found in _GROUP().finditer(text, area.start, area.end)
    ]
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
        if len(digits) >= MIN_CARD_DIGITS and (not strict or is_valid("luhn", digits)):
            best = end
    return best
