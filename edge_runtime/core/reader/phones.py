"""Telephone numbers in a text: international, and as people of a few regions write them at home.

Promises: recall first, fictional numbers included, because a missed number is a leak and a false one only a
placeholder; but dates, times, years, amounts, addresses of computers and versions are left alone. The only
module that imports `phonenumbers`, when first needed.
Does not: normalise; it searches the normalised text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from edge_runtime.core.reader.digits import Area, digit_areas
from edge_runtime.core.reader.lazy import lazy_pattern

__all__ = ["REGIONS", "find_phones"]

REGIONS = ("US", "GB", "DE", "FR", "ES")
"""Regions whose national forms are found unless the host app says otherwise."""

MIN_DIGITS = 7
MAX_DIGITS = 15
MAX_STARTS = 500
"""At how many places of one text a number is looked for closely; ordinary text has far fewer."""

_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)\d\d"
_HOUR = r"(?:[01]?\d|2[0-4])"
_NOT_A_PHONE = lazy_pattern(
    "|".join(
        (
            rf"(?<!\d){_YEAR}[-/.]{_MONTH}[-/.]{_DAY}(?:[T ]\d\d?:\d\d(?::\d\d)?)?(?!\d)",  # 2031-05-06 10:15
            rf"(?<![\d./-]){_DAY}(?P<s>[./-]){_DAY}(?P=s)(?:19|20)?\d\d(?![./-]?\d)",  # 6.5.2031, 05/06/31
            rf"(?<!\d)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]){_YEAR}(?!\d)",  # 06052031
            rf"(?<!\d){_YEAR} ?[-/] ?(?:19|20)?\d\d(?![-./ ]?\d)",  # 2031-2032
            rf"(?<![\d.-]){_HOUR}[:.h][0-5]\d(?: ?- ?{_HOUR}[:.h][0-5]\d)(?![.-]?\d)",  # 09.30-10.45
            r"(?<!\d)(?:[01]\d|2[0-4])[0-5]\d ?- ?(?:[01]\d|2[0-4])[0-5]\d(?![\d-])",  # 0900-1700
            r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])",  # 219-09-9999, a social security number
            r"\b(?:v|version |release )\d+(?:\.\d+)+",  # version 4.12.10031
            r"(?<![\d.])(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}(?!\d|\.\d)",  # 10.20.30.40
            r"(?<![\d.])[1-9]\d?(?:\.\d{3}){2,}(?!\d|\.\d)",  # 1.234.567
        )
    )
)
_PLAIN_DATE = lazy_pattern(rf"{_YEAR}-{_MONTH}-{_DAY}")
_GROUP = lazy_pattern(r"\d+")
_GAP = lazy_pattern(r"[ \t().\-/]{1,3}")
_GAP_OR_LINE = lazy_pattern(r"[ \t\n().\-/]{1,3}")
_LEAD = lazy_pattern(r"\(?\+ ?\(?\Z|\(\Z")
_JOINED_BEFORE = lazy_pattern(r"[\w#.:]\Z|\d,\Z|\w-\Z")
_JOINED_AFTER = lazy_pattern(
    r"[^\W\dx]|[.,:]\d|-\w|%| ?(?:[€£$]|EUR\b|USD\b|GBP\b|CHF\b|million\b|Mio\b)", re.IGNORECASE
)
_CURRENCY_BEFORE = lazy_pattern(r"(?:[€£$]|\b(?:EUR|USD|GBP|CHF)) ?$", re.IGNORECASE)
_CUE = lazy_pattern(
    r"\b(?:phone|mobile|cell|tel|fax|whatsapp|sms|dial|ring|call|text|reach (?:me|him|her|them)|answering|my number"
    r"|direct line|hotline|landline"
    r"|telefon\w*|handy\w*|ruf\w*|anruf\w*|t[ée]l[ée]phon\w*|portable|appel\w*|tel[ée]fono|m[óo]vil|ll[aá]m\w*)"
    r"[^\d\n]{0,16}$",
    re.IGNORECASE,
)


_CUE_AFTER = lazy_pattern(
    r"(?:x\d{2,6}| ?ext\.? ?\d{1,6})?[ -]{0,2}\(?(?:office|mobile|mob|cell|fax|home|work|tel|direct)\b", re.IGNORECASE
)


class _Window(NamedTuple):
    """Some neighbouring groups of digits that could be one number."""

    groups: tuple[str, ...]
    start: int
    end: int
    international: bool
    cued: bool
    dotted: bool

    @property
    def digits(self) -> str:
        return "".join(self.groups)


def find_phones(
    text: str, regions: Sequence[str] = REGIONS, areas: Sequence[Area] | None = None
) -> Iterator[tuple[int, int]]:
    """Yield the places of telephone numbers in the normalised `text`, in order and without overlap.

    After `MAX_STARTS` places every run with enough digits is taken as one number: covered without a closer look.
    """
    areas = [
        area
        for area in (digit_areas(text) if areas is None else areas)
        if area.digits >= MIN_DIGITS and not _PLAIN_DATE().fullmatch(text, area.start, area.end)
    ]
    masked = _masked(text, areas)
    left = MAX_STARTS
    for run in (run for area in areas for run in _runs(masked, area)):
        digits = sum(group.end() - group.start() for group in run)
        first = 0
        while first < len(run) and digits >= MIN_DIGITS:
            if left <= 0:
                yield run[first].start(), run[-1].end()
                break
            windows = _windows(masked, run[first : first + MAX_DIGITS + 1])
            left -= 1
            window, width = _best_window(windows, regions)
            if window is not None:
                yield window.start, window.end
            digits -= sum(group.end() - group.start() for group in run[first : first + width])
            first += width


def _masked(text: str, areas: Sequence[Area]) -> str:
    """Return `text` with signs for what is no number, where there are digits enough for one."""
    pieces: list[str] = []
    last = 0
    for area in areas:
        for found in _NOT_A_PHONE().finditer(text, max(last, area.start - 10), area.end + 10):
            pieces += [text[last : found.start()], ";" * len(found[0])]
            last = found.end()
    return "".join((*pieces, text[last:]))


def _runs(text: str, area: Area) -> Iterator[list[re.Match[str]]]:
    """Yield lists of digit groups in `area` with nothing but a few separators between them.

    A line may end within a number that begins with a plus; other numbers below one another are a column.
    """
    run: list[re.Match[str]] = []
    gap = _GAP()
    for group in _GROUP().finditer(text, area.start, area.end):
        if run and not gap.fullmatch(text, run[-1].end(), group.start()):
            yield run
            run = []
        if not run:
            gap = _GAP_OR_LINE() if text[group.start() - 1 : group.start()] == "+" else _GAP()
        run.append(group)
    if run:
        yield run


def _windows(text: str, run: list[re.Match[str]]) -> list[_Window]:
    """Return what could be a number that begins with the first group of `run`, the widest first."""
    widths = range(min(len(run), MAX_DIGITS), 0, -1)
    return [window for width in widths if (window := _window(text, run[:width], run[width:]))]


def _best_window(windows: list[_Window], regions: Sequence[str]) -> tuple[_Window | None, int]:
    """Return the best of `windows`, or none, and how many groups it takes."""
    possible: tuple[_Window | None, int] = (None, 1)
    for window in windows:
        verdict = _international(window) if window.international else _national(window, regions)
        if verdict == "valid":
            return window, len(window.groups)
        if verdict == "possible" and possible[0] is None:
            possible = (window, len(window.groups))
    return possible


def _window(text: str, groups: list[re.Match[str]], rest: list[re.Match[str]]) -> _Window | None:
    start, end = groups[0].start(), groups[-1].end()
    count = sum(group.end() - group.start() for group in groups)
    if not MIN_DIGITS <= count <= MAX_DIGITS:
        return None
    lead = _LEAD().search(text, max(0, start - 4), start)
    plus = lead is not None and "+" in lead[0]
    start = lead.start() if lead else start
    before, after = text[max(0, start - 40) : start], text[end : end + 20]
    cued = _CUE_AFTER().match(after) is not None
    if _JOINED_BEFORE().search(before[-2:]) and not (plus or before.endswith(":")):
        return None
    if rest and " " not in text[end : rest[0].start()]:
        return None
    digits = tuple(group[0] for group in groups)
    international = plus or digits[0].startswith("00")
    if not (international or cued) and (_CURRENCY_BEFORE().search(before) or _JOINED_AFTER().match(after)):
        return None
    dotted = len(groups) > 1 and text[groups[0].end()] == "."
    return _Window(digits, start, end, international, cued or _CUE().search(before) is not None, dotted)


def _international(window: _Window) -> str:
    import phonenumbers

    digits = window.digits.removeprefix("00") if window.groups[0].startswith("00") else window.digits
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_valid_number(number):
        return "valid"
    return "possible" if phonenumbers.is_possible_number(number) else ""


def _national(window: _Window, regions: Sequence[str]) -> str:
    if window.digits.endswith("000000") and not window.cued:
        return ""
    verdict = "possible" if window.cued else ""
    for region in regions:
        here = _national_in(window, region)
        if here == "valid":
            return here
        verdict = verdict or here
    return verdict


def _national_in(window: _Window, region: str) -> str:
    """Say whether `window` is a number as people of `region` write it: `valid`, `possible` or empty."""
    import phonenumbers

    code = phonenumbers.country_code_for_region(region)
    prefix = phonenumbers.ndd_prefix_for_region(region, True)
    shaped = _has_north_american_shape(window) if code == 1 else _has_national_shape(window, prefix)
    if code != 1 and not prefix and not window.cued:
        shaped = shaped and _general(region).fullmatch(window.digits) is not None
    if not (shaped or window.cued):
        return ""
    if code == 1 and shaped and _ASSIGNED().fullmatch(window.digits) and len(window.groups) > 1:
        return "valid"
    try:
        number = phonenumbers.parse(window.digits, region)
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_valid_number(number):
        return "valid"
    if code == 1:
        return "possible" if (shaped and len(window.groups) > 1) or window.cued else ""
    reason = phonenumbers.is_possible_number_with_reason(number)
    has_prefix = window.digits.startswith("0")
    return "possible" if reason == phonenumbers.ValidationResult.IS_POSSIBLE and (has_prefix or window.cued) else ""


@cache
def _general(region: str) -> re.Pattern[str]:
    """Return the form of all numbers of a region: a quick look before a closer one."""
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    described = metadata.general_desc if metadata else None
    return re.compile((described and described.national_number_pattern) or r"\d+")


_NORTH_AMERICAN = lazy_pattern(r"1?[2-9]\d{9}")
_ASSIGNED = lazy_pattern(r"1?[2-9]\d{2}[2-9]\d{6}")
_NORTH_AMERICAN_SHAPES = {(10,), (11,), (3, 3, 4), (3, 7), (1, 10), (1, 3, 3, 4), (1, 3, 7), (6, 4)}


def _has_north_american_shape(window: _Window) -> bool:
    shape = tuple(len(group) for group in window.groups)
    if shape == (3, 4):
        return window.groups[0] == "555"
    spaced_out = len(shape) > 1 and set(shape) == {1}
    return (shape in _NORTH_AMERICAN_SHAPES or spaced_out) and _NORTH_AMERICAN().fullmatch(window.digits) is not None


def _has_national_shape(window: _Window, prefix: str | None) -> bool:
    if prefix:
        least = 8 if len(window.groups) > 1 else 9
        alone = window.groups[0] == "0" and window.dotted
        return window.digits.startswith(prefix) and len(window.digits) >= least and not alone
    sizes = {len(group) for group in window.groups}
    return len(window.digits) >= 8 and (min(sizes) >= 2 or sizes == {1})
