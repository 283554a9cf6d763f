"""The grammar of a leaf of version 2: one regular expression for the whole canonical record.

Promises:
1. The expression accepts exactly the canonical JSON of a record whose members have their alphabets: order of members,
   blanks, escapes and other spellings are settled by it, with no JSON parser involved. No value can hold a quote, a
   backslash, a blank or anything beyond ASCII, so no two spellings of one value exist.
2. What an expression cannot say is left to three checks in `record`: days that the calendar has, the order of holds,
   and how seq, prev and outcome fit together.

`explain` says what is wrong with bytes that do not match, by the same alphabets.
Does not: build records.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from audit.acts import Act, Auth, Client, Outcome, Retention
from audit.canonical import parse_canonical
from audit.errors import InvalidFormat

__all__ = ["FORMAT", "MAX_HOLDS", "MEMBERS", "capturing", "checking", "explain"]

FORMAT = "mentorplane-leaf/2"
MAX_HOLDS = 100

_Shape: TypeAlias = "Mapping[str, str | Mapping[str, str]]"


def _one_of(*words: str) -> str:
    # A word that begins another comes after it, so that the first match is the longest.
    return f"(?:{'|'.join(re.escape(word) for word in sorted(words, reverse=True))})"


def _or_empty(pattern: str) -> str:
    return f"(?:{pattern})?+"


# Possessive: nothing that follows a value could begin inside it, so there is nothing to try again.
_WORD = "[a-z][a-z0-9-]{0,63}+"
_NAME = "[A-Za-z0-9][A-Za-z0-9._:/#@+=~-]{0,127}+"
_DIGEST = "sha256:[0-9a-f]{64}"
_COMMITMENT = "hmac-sha256:[0-9a-f]{64}"
_INTEGER = "(?:0|[1-9][0-9]{0,15}+)"
_TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
_UUID7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

_TEXTS: _Shape = {
    "act": _one_of(*Act),
    "actor": {
        "auth": _one_of(*Auth),
        "behalf": _or_empty(_NAME),
        "client": _one_of(*Client),
        "id": _NAME,
        "name": _or_empty(_COMMITMENT),
        "role": _WORD,
        "session": _or_empty(_DIGEST),
    },
    "after": _or_empty(_DIGEST),
    "at": _TIME,
    "before": _or_empty(_DIGEST),
    "channel": _or_empty(_NAME),
    "checks": _or_empty(_DIGEST),
    "clock": "server",
    "diff": _or_empty(_DIGEST),
    "format": re.escape(FORMAT),
    "id": _UUID7,
    "manifest": _or_empty(_DIGEST),
    "models": _or_empty(_DIGEST),
    "object": {
        "digest": _or_empty(_DIGEST),
        "kind": _WORD,
        "name": _or_empty(_NAME),
        "version": _or_empty(_INTEGER),
    },
    "organisation": _NAME,
    "outcome": _one_of(*Outcome),
    "policy": _or_empty(_DIGEST),
    "reason": {"code": _or_empty(_WORD), "text": _or_empty(_COMMITMENT)},
    "retention": _one_of(*Retention),
    "signature": {"key": _or_empty(_DIGEST), "meaning": _or_empty(_WORD), "statement": _or_empty(_DIGEST)},
    "subject": _or_empty(_NAME),
    "ticket": _or_empty(_NAME),
    "tier": _or_empty("R[0-4]"),
}
_BARE = {
    "holds": rf'\[(?:"{_NAME}"(?:,"{_NAME}"){{0,{MAX_HOLDS - 1}}}+)?+\]',
    "prev": f"(?:-1|{_INTEGER})",
    "seq": _INTEGER,
}
MEMBERS = tuple(sorted({*_TEXTS, *_BARE}))
"""The members of a record, in the order in which they stand."""

_CHECKED = {"act", "at", "holds", "outcome", "prev", "seq"}


def _pieces(*, all_groups: bool) -> Iterator[str]:
    """Yield the expression of each member; a group for each value, or for those that `record` must look at."""
    for member in MEMBERS:
        shape = _BARE.get(member) or _TEXTS[member]
        if isinstance(shape, str):
            value = f"(?P<{member}>{shape})" if all_groups or member in _CHECKED else shape
            yield f'"{member}":{value}' if member in _BARE else f'"{member}":"{value}"'
        else:
            inner = ((name, f"(?P<{member}_{name}>{part})" if all_groups else part) for name, part in shape.items())
            yield f'"{member}":\\{{' + ",".join(f'"{name}":"{part}"' for name, part in sorted(inner)) + "\\}"


@cache
def capturing() -> re.Pattern[str]:
    """Return what matches a whole record as text; a group `member` or `member_part` for each value."""
    return re.compile("\\{" + ",".join(_pieces(all_groups=True)) + "\\}")


@cache
def checking() -> re.Pattern[bytes]:
    """Return what matches a whole record as bytes; groups act, at, holds, outcome, prev, seq in this order."""
    return re.compile(("\\{" + ",".join(_pieces(all_groups=False)) + "\\}").encode())


def explain(data: bytes) -> str:
    """Return what is wrong with an entry that does not match."""
    try:
        document = parse_canonical(data)
    except InvalidFormat as error:
        return str(error)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return f"expected an entry of format {FORMAT}, got something else"
    if set(document) != set(MEMBERS):
        return "expected exactly the members of a leaf record, got others"
    wrong = [name for name in MEMBERS if not _is_shaped(name, document[name])]
    return f"expected {' and '.join(wrong) or 'a record'} to match the format, got something else"


def _is_shaped(name: str, value: Any) -> bool:
    if name in _BARE:
        return True if name != "holds" else isinstance(value, list)
    shape = _TEXTS[name]
    if isinstance(shape, str):
        return isinstance(value, str) and re.fullmatch(shape, value) is not None
    if not isinstance(value, dict) or set(value) != set(shape):
        return False
    return all(isinstance(value[part], str) and re.fullmatch(shape[part], value[part]) for part in shape)
