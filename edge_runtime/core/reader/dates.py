"""Dates of birth: a date next to a word of birth, in English, German, French and Spanish.

Promises: a date alone is none, nor is one of a meeting or a release; day, month and year in any usual order.
Does not: find an age, or check the calendar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edge_runtime.core.reader.lazy import lazy_pattern
from edge_runtime.core.reader.nearby import Words

__all__ = ["find_births"]

_WORDS = (
    *(
        "birth",
        "dob",
        "d.o.b",
        "born",
        "geboren",
        "geb.",
        "geburt",
        "naissance",
        "n\u00e9 ",
        "n\u00e9e ",
        "n\u00e9(e)",
    ),
    *("nacid", "nacimiento", "naci\u00f3", "nac\u00ed", "f. nac"),
)
_MONTH = (
    r"(?:jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f\u00e9v(?:rier)?|mar(?:ch|s|zo)?|m\u00e4rz|m\u00e4r|apr(?:il)?"
    r"|avr(?:il)?|abril"
    r"|may|mai|mayo|june?|juni|juin|junio|july?|juli|juillet|julio|aug(?:ust)?|ao\u00fbt|agosto|sept?(?:ember|embre"
    r"|iembre)?"
    r"|o[ck]t(?:ober|obre|ubre)?|nov(?:ember|embre|iembre)?|de[cz](?:ember)?|d\u00e9c(?:embre)?|diciembre|enero"
    r"|febrero|dic)\b\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19[0-9]\d|20[0-2]\d)"
_DATE = (
    rf"(?:{_YEAR}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}} ?[-/.] ?\d{{1,2}} ?[-/.] ?(?:{_YEAR}|\d\d)(?!\d)"
    rf"|{_DAY}(?:st|nd|rd|th|er|\.)?,?(?: of| de| den)?[ -]{_MONTH},?(?:(?:(?: del?| of)? |-){_YEAR}|[ -]'?\d\d(?!\d))?"
    rf"|{_MONTH} {_DAY}(?:st|nd|rd|th)?(?!\d)(?:,? {_YEAR})?|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]){_YEAR}(?!\d))"
)
_KEY = (
    r"(?:date of birth|birth ?date|birth ?day|d\.?o\.?b\b\.?|\bborn\b|geburtsdatum|geburtstag|geboren|\bgeb\."
    r"|date de naissance"
    r"|\bn\u00e9(?:e|\(e\))?\b|fecha de nacimiento|\bf\. ?nac\.?|nacid[oa]|naci\u00f3|nac\u00ed)"
)
_BETWEEN = (
    r"(?:[ \t:=(,*\"']|\b(?:is|was|on|in|the|am|ist|war|den|le|est|el|d\u00eda|es|at|a|en|\w+,? (?=\d))\b"
    r"|[-\u2013]|\. (?=it)|\bit(?:'s| is)\b){0,8}"
)
_AFTER_KEY = lazy_pattern(rf"{_KEY}{_BETWEEN}(?P<date>{_DATE})", re.IGNORECASE)
_PLACED = lazy_pattern(
    rf"(?:\bborn|geboren|\bn\u00e9e?|nacid[oa]|naci\u00f3|nac\u00ed)\b[^.!?\n\d]{{1,40}}?\b(?:on|am|le|el|in"
    rf"|den)? ?(?P<date>{_DATE})",
    re.IGNORECASE,
)
_BEFORE_KEY = lazy_pattern(
    rf"(?<![\d./-])(?P<date>{_DATE}) ?[,(\[-]{{0,2}} ?(?:is (?:my|his|her|their) )?(?:dob|d\.o\.b|date of birth"
    rf"|birth ?date|birthday"
    r"|geboren|geburtsdatum)",
    re.IGNORECASE,
)
_HAS_YEAR = lazy_pattern(r"(?:19|20)\d\d|[/.\- ']\d\d$")
_BIRTHDAY = lazy_pattern(r"birth ?day|geburtstag", re.IGNORECASE)
_LATE = lazy_pattern(r"20(?:1[5-9]|2\d)")


def find_births(text: str, words: Words) -> Iterator[tuple[int, int]]:
    """Yield the places of dates of birth in the normalised `text`, whose words are `words`."""
    for start, end in words.windows(_WORDS, before=40, after=60):
        for pattern in (_AFTER_KEY(), _PLACED(), _BEFORE_KEY()):
            for found in pattern.finditer(text, start, end):
                if _is_birth(found):
                    yield found.span("date")


def _is_birth(found: re.Match[str]) -> bool:
    """Tell whether it may be a day of birth: not a coming birthday, and with a year unless somebody was born on it."""
    date = found["date"]
    if _BIRTHDAY().search(found[0]):
        return _LATE().search(date) is None and not date.isdigit()
    return _HAS_YEAR().search(date) is not None or "born" in found[0].lower()
