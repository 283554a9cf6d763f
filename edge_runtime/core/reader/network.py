"""Addresses on networks: web addresses and IP addresses.

Promises: a version, a time, a section number or a file name is no address; closing punctuation is not part of one; time
is linear in the text. Does not: ask whether an address exists. Source: RFC 3986, RFC 4291.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from edge_runtime.core.reader.lazy import lazy_pattern

__all__ = ["find_ips", "find_urls"]

MAX_URL_LENGTH = 2_000
_REST = lazy_pattern(rf"[^\s<>\"\u201c\u201d`{{}}|\\^]{{1,{MAX_URL_LENGTH}}}")
_SCHEME = lazy_pattern(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}$")
_TOP_LEVEL = (
    "com|org|net|edu|gov|info|biz|io|dev|app|ai|eu|co|uk|us|ca|au|nz|ie|de|at|ch|fr|es|it|nl|be|se|no|dk|fi|pl|pt|in|za"
    "|ng|br|mx|jp|me|tv|xyz|online|site|cloud|example|invalid"
)
_TOP = lazy_pattern(
    rf"\.(?:{_TOP_LEVEL})(?![\w@-]|\.[\w-])(?::\d{{1,5}})?(?:/[^\s<>\"`{{}}|\\^]{{0,{MAX_URL_LENGTH}}})?"
)
_HOST = lazy_pattern(
    r"(?<![\w@.+%-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){0,5}[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
)
_WWW = lazy_pattern(r"\b[Ww]{3}\.(?=\w)")
_NO_HOSTS = frozenset({"asp", "socket", "vb", "ado", "e", "i"})
_IP4 = lazy_pattern(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?(?:/\d{1,2})?(?!\w|\.\d)")
_HAS_IP6 = lazy_pattern(r":(?:[0-9a-fA-F]{0,4}:){3}|::")
_IP6 = lazy_pattern(r"(?<![\w:.])[0-9a-fA-F:]{2,39}(?:\.\d{1,3}){0,3}(?:/\d{1,3})?(?![\w:])")
_NUMBERED = lazy_pattern(
    r"\b(?:v|ver|version|release|build|section|chapter|clause|rev|update|firmware|abschnitt|kapitel|versi[o\u00f3]n)"
    r"[.:]? ?$",
    re.IGNORECASE,
)


def find_urls(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of web addresses in the normalised `text`, in order of how they are recognised."""
    at = text.find("://")
    while at >= 0:
        scheme = _SCHEME().search(text, max(0, at - 22), at)
        rest = _REST().match(text, at + 3)
        if scheme and rest:
            yield scheme.start(), _trimmed(text, at + 3, rest.end())
        at = text.find("://", rest.end() if rest else at + 3)
    if "." in text:
        yield from _bare(text)


def _bare(text: str) -> Iterator[tuple[int, int]]:
    """Yield hosts with a well-known ending, or with `www.` in front, that stand without a scheme."""
    for top in _TOP().finditer(text):
        host = _HOST().search(text, max(0, top.start() - 120), top.start())
        if host and host[0] not in _NO_HOSTS and any(map(str.isalpha, host[0])):
            yield host.start(), _trimmed(text, top.start(), top.end())
    for mark in _WWW().finditer(text) if "ww." in text or "WW." in text else ():
        rest = _REST().match(text, mark.end())
        if rest and "." in rest[0][:-1]:
            yield mark.start(), _trimmed(text, mark.end(), rest.end())


def _trimmed(text: str, start: int, end: int) -> int:
    """Return `end` without closing punctuation, and without a bracket that was opened before `start`."""
    while end > start + 1:
        last = text[end - 1]
        if last in ".,;:!?'*_\u2026" or (last in ")]" and text.count("(["[last == "]"], start, end) == 0):
            end -= 1
        else:
            break
    return end


def find_ips(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of IP addresses in the normalised `text`, with a port or a prefix length if one is there."""
    if text.count(".") >= 3:
        for found in _IP4().finditer(text):
            octets = re.split(r"[:/]", found[0])[0].split(".")
            before = text[max(0, found.start() - 20) : found.start()]
            plausible = all(int(octet) < 256 and (octet == "0" or octet[0] != "0") for octet in octets)
            if plausible and not (before[-1:].isalnum() or before[-1:] in {".", "_"} or _NUMBERED().search(before)):
                yield found.span()
    if _HAS_IP6().search(text):
        yield from (found.span() for found in _IP6().finditer(text) if _is_ip6(found[0].split("/")[0]))


def _is_ip6(value: str) -> bool:
    if not ("::" in value or value.count(":") == 7) or sum(map(str.isalnum, value)) < 3:
        return False
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return any(map(str.isdigit, value)) and (value.count(":") > 2 or value[0] == ":" or value.endswith("::"))
