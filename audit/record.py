"""The leaf: one governance act as one canonical JSON record, and commitments to what it may not say openly.

Promises:
1. Exactly one byte string stands for a record: `encode_leaf(parse_leaf(data)) == data`, whatever was accepted.
2. Unknown or missing fields, unknown acts, floats and integers beyond 2^53 are refused, when reading and when
   writing.
3. Every field is an identifier, a digest, a commitment, a time or a number from a narrow alphabet: there is no field
   that free text of a person fits into.

It does not judge an act: whether the actor was allowed to do it is the reader's question. Canonical JSON is here
restricted to ASCII keys and integers, where it equals RFC 8785.

Fields (all present, in the JSON sorted by name):

    format     "mentorplane-leaf/1"
    act        what was done, one of `Act`
    actor      pseudonymous id of who did it
    role       role they acted in
    auth       how they had authenticated, one of `Auth`
    object     {kind, name, digest} of what it was done to; name and digest may be ""
    before     digest of the object's state before, or ""
    after      digest of its state after, or ""
    manifest   digest of the manifest concerned, or ""
    statement  digest of the signed statement that carries the act, or ""
    meaning    what a signature on it means ("approval", "review", "authorship"), or ""
    reason     commitment to the reason given, or ""
    at         RFC 3339 UTC time in whole seconds, with "Z"
    seq        index of the leaf in the log

Digests are "sha256:" and 64 lower-case hex digits; commitments likewise, with "hmac-sha256:".

Source: RFC 8785 (canonical JSON), RFC 3339 (time), RFC 2104 (commitments: HMAC under a secret salt).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn

from audit.errors import InvalidFormat, NotProven
from audit.tiles import MAX_ENTRY_BYTES

FORMAT = "mentorplane-leaf/1"
MAX_INTEGER = 2**53 - 1
MIN_SALT_BYTES = 16

_WORD = re.compile("[a-z][a-z0-9-]{0,63}")
_NAME = re.compile("[A-Za-z0-9][!-~]{0,199}")
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_COMMITMENT = re.compile("hmac-sha256:[0-9a-f]{64}")
_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class Act(StrEnum):
    """What was done. The set is closed: a new act is a new version of the leaf format."""

    # prompts and policies
    SEEDED = "seeded"  # installed with the product, before anybody could approve
    PROPOSED = "proposed"
    EDITED = "edited"
    ABANDONED = "abandoned"  # a proposal was given up, or a release did not finish
    COMMENTED = "commented"
    CHECKED = "checked"
    APPROVED = "approved"
    REJECTED = "rejected"
    RELEASED = "released"
    STAGE_CHANGED = "stage-changed"
    WITHDRAWN = "withdrawn"
    WITHDRAWAL_LIFTED = "withdrawal-lifted"
    TRUST_CHANGED = "trust-changed"  # keyring, log key, witness policy or approval floor
    # people, roles and keys
    PERSON_ENROLLED = "person-enrolled"
    PERSON_RETIRED = "person-retired"
    ROLE_GRANTED = "role-granted"
    ROLE_DELEGATED = "role-delegated"
    ROLE_ENDED = "role-ended"
    KEY_SEALED = "key-sealed"
    KEY_ENROLLED = "key-enrolled"
    KEY_REVOKED = "key-revoked"
    TOKEN_ISSUED = "token-issued"  # noqa: S105 - an act, not a secret
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - an act, not a secret
    SIGNED_IN = "signed-in"
    SIGNED_IN_FAILED = "signed-in-failed"
    SIGNED_OUT = "signed-out"
    REFUSED = "refused"  # an act was attempted without the right to it
    # the record itself
    HOLD_PLACED = "hold-placed"
    HOLD_LIFTED = "hold-lifted"
    ERASED = "erased"  # the key of somebody's content was destroyed
    REVEALED = "revealed"  # names or reasons behind commitments were shown
    EXPORTED = "exported"
    SETTINGS_CHANGED = "settings-changed"
    RECOVERED = "recovered"  # a start after a crash finished or undid what was under way


class Auth(StrEnum):
    """How the actor had authenticated."""

    PASSPHRASE = "passphrase"  # noqa: S105 - a method, not a secret
    TOKEN = "token"  # noqa: S105 - a method, not a secret
    KEY = "key"  # a signature with a key of the person's own
    SYSTEM = "system"  # the installation itself
    NONE = "none"  # nobody had authenticated, as before a failed sign-in


@dataclass(frozen=True, slots=True)
class LeafObject:
    """What an act was done to."""

    kind: str
    name: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class LeafRecord:
    """One act, as the log records it; the module docstring describes the fields."""

    act: Act
    actor: str
    role: str
    auth: Auth
    object: LeafObject
    at: datetime
    seq: int
    before: str = ""
    after: str = ""
    manifest: str = ""
    statement: str = ""
    meaning: str = ""
    reason: str = ""


def encode_leaf(record: LeafRecord) -> bytes:
    """Return the canonical bytes of a record: the entry that is hashed into the log.

    Raises:
        ValueError: a field is not what the format allows.
    """
    document = {name: getattr(record, name) for name in _PLAIN_FIELDS}
    if record.at.utcoffset() is None or record.at.microsecond:
        raise ValueError("expected an aware time in whole seconds")
    document["at"] = _time_text(record.at)
    document["format"] = FORMAT
    document["object"] = {name: getattr(record.object, name) for name in ("kind", "name", "digest")}
    try:
        data = canonical(document)
        parse_leaf(data)
    except InvalidFormat as error:
        raise ValueError(str(error)) from error
    return data


def parse_leaf(data: bytes) -> LeafRecord:
    """Parse a log entry.

    Raises:
        InvalidFormat: it is not the canonical form of a valid record.
    """
    document = parse_canonical(data)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidFormat(f"expected an entry of format {FORMAT}, got something else")
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
    plain = {name: document[name] for name in _PLAIN_FIELDS}
    try:
        plain |= {"act": Act(document["act"]), "auth": Auth(document["auth"])}
        at = datetime.fromisoformat(document["at"])
    except ValueError as error:
        raise InvalidFormat("expected a known act and auth and a valid time, got something else") from error
    if _time_text(at) != document["at"]:  # later Pythons read 24:00:00 as the next day
        raise InvalidFormat("expected a time in its only form, got another")
    return LeafRecord(**plain, object=LeafObject(**target), at=at)


def _time_text(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _check_text(name: str, value: object, *, pattern: re.Pattern[str], may_be_empty: bool = False) -> None:
    if value == "" and may_be_empty:
        return
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidFormat(f"expected {name} to match its format, got something else")


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
_PLAIN_FIELDS = tuple(sorted(_FIELDS - {"format", "object", "at"}))


def canonical(value: object) -> bytes:
    """Return the canonical JSON of a value of dicts, lists, strings, integers, booleans and None.

    >>> canonical({"b": [1, None], "a": "é"}).decode()
    '{"a":"é","b":[1,null]}'

    Raises:
        InvalidFormat: it holds a float, an integer beyond 2^53, a key that is not ASCII, or anything else.
    """
    try:
        _check_plain(value)
        return _ENCODER.encode(value).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise InvalidFormat("expected text in UTF-8 and shallow nesting, got something else") from error


def parse_canonical(data: bytes) -> Any:
    """Parse canonical JSON, refusing every other form of the same value.

    Raises:
        InvalidFormat: it is not canonical JSON of the restricted kind.
    """
    if len(data) > MAX_ENTRY_BYTES:
        raise InvalidFormat(f"expected an entry of at most {MAX_ENTRY_BYTES} bytes, got {len(data)}")
    try:
        value = _DECODER.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise InvalidFormat("expected canonical JSON, got something else") from error
    if canonical(value) != data:  # also catches repeated keys, which the parser silently merges
        raise InvalidFormat("expected JSON in its canonical form, got another form")
    return value


def _check_plain(value: object) -> None:
    if isinstance(value, dict):
        if not all(type(key) is str and key.isascii() for key in value):
            raise InvalidFormat("expected object keys in ASCII, got another")
        for item in value.values():
            _check_plain(item)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item)
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise InvalidFormat("expected integers within 2^53, got one beyond")
    elif not (value is None or isinstance(value, str)):
        raise InvalidFormat(f"expected plain JSON values, got a {type(value).__name__}")


def _refuse_number(_: str) -> NoReturn:
    raise InvalidFormat("expected integers only, got another number")


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number)


def commit(text: str, salt: bytes) -> str:
    """Return a commitment to a text: it reveals nothing without the salt, and nothing at all once that is destroyed.

    Equal texts under different salts have different commitments, so use a fresh random salt of at least 16 bytes for
    each text.
    """
    if len(salt) < MIN_SALT_BYTES:
        raise ValueError(f"expected a salt of at least {MIN_SALT_BYTES} bytes, got {len(salt)}")
    return "hmac-sha256:" + hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()


def verify_commitment(commitment: str, text: str, salt: bytes) -> None:
    """Verify that a commitment was made to this text under this salt.

    Raises:
        NotProven: it was not.
    """
    if not hmac.compare_digest(commitment.encode(), commit(text, salt).encode()):
        raise NotProven("expected a commitment to this text and salt, got another")
