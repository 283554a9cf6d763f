"""Version 1 of the leaf: read, and written again byte for byte; no new entry is written in it.

Promises: `read_leaf1` accepts exactly the canonical records of version 1. Does not: build records (see `record`).

Members: format, act, actor, role, auth, object {kind, name, digest}, before, after, manifest, statement, meaning,
reason, at, seq.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audit.acts import Act, Auth
from audit.canonical import parse_canonical
from audit.errors import InvalidFormat

__all__ = ["FORMAT_1", "read_leaf1"]

FORMAT_1 = "mentorplane-leaf/1"

_WORD = re.compile("[a-z][a-z0-9-]{0,63}")
_NAME = re.compile("[A-Za-z0-9][!-~]{0,199}")
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_COMMITMENT = re.compile("hmac-sha256:[0-9a-f]{64}")
_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_TEXT_FIELDS = {
    "act": (_WORD, False),
    "actor": (_NAME, False),
    "role": (_WORD, False),
    "auth": (_WORD, False),
    "before": (_DIGEST, True),
    "after": (_DIGEST, True),
    "manifest": (_DIGEST, True),
    "statement": (_DIGEST, True),
    "meaning": (_WORD, True),
    "reason": (_COMMITMENT, True),
    "at": (_TIME, False),
}
_FIELDS = {*_TEXT_FIELDS, "format", "object", "seq"}
_ACTS = frozenset(Act) - {Act.AUDIT_READ, Act.EVIDENCE_FILED, Act.GATHERED}  # which version 1 did not have


def read_leaf1(data: bytes) -> Mapping[str, Any]:
    """Return the members of an entry of version 1.

    Raises:
        InvalidFormat: it is not the canonical form of a valid record.
    """
    document = parse_canonical(data)
    if not isinstance(document, dict) or document.get("format") != FORMAT_1:
        raise InvalidFormat(f"expected an entry of format {FORMAT_1}, got something else")
    if set(document) != _FIELDS:
        raise InvalidFormat("expected exactly the fields of a leaf record, got others")
    target = document["object"]
    if not isinstance(target, dict) or set(target) != {"kind", "name", "digest"}:
        raise InvalidFormat("expected an object of kind, name and digest, got something else")
    for name, (pattern, may_be_empty) in _TEXT_FIELDS.items():
        _check_text(name, document[name], pattern=pattern, may_be_empty=may_be_empty)
    _check_text("object kind", target["kind"], pattern=_WORD)
    _check_text("object name", target["name"], pattern=_NAME, may_be_empty=True)
    _check_text("object digest", target["digest"], pattern=_DIGEST, may_be_empty=True)
    seq = document["seq"]
    if type(seq) is not int or seq < 0:
        raise InvalidFormat("expected seq to be an index from 0 up, got something else")
    if document["act"] not in _ACTS or document["auth"] not in set(Auth):
        raise InvalidFormat("expected a known act and auth, got something else")
    try:
        at = datetime.fromisoformat(document["at"])
    except ValueError as error:
        raise InvalidFormat("expected a valid time, got something else") from error
    if at.replace(tzinfo=None).isoformat() + "Z" != document["at"]:  # later Pythons read 24:00:00 as the next day
        raise InvalidFormat("expected a time in its only form, got another")
    return document


def _check_text(name: str, value: object, *, pattern: re.Pattern[str], may_be_empty: bool = False) -> None:
    if value == "" and may_be_empty:
        return
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidFormat(f"expected {name} to match its format, got something else")
