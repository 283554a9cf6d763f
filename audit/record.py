"""The leaf: one governance act as one canonical JSON record.

Promises:
1. Exactly one byte string stands for a record: `encode_leaf(parse_leaf(data)) == data`, whatever was accepted.
2. Unknown or missing fields, unknown acts, floats and integers beyond 2^53 are refused, when reading and when
   writing.
3. Every field is an identifier, a digest, a commitment, a time or a number from a narrow alphabet: there is no field
   that free text of a person fits into.

It does not judge an act: whether the actor was allowed to do it is the reader's question. Version 1 is still read, and
written again as it was (see `leaf1`): what it did not say is empty in the record, but for the outcome, which its act
implies.

Fields (all present, in the JSON sorted by name):

    format        "mentorplane-leaf/2"
    id            event id: UUIDv7 in lower case
    seq           index of the leaf in the log
    at            RFC 3339 UTC time in whole seconds, with "Z"
    clock         where the time came from: "server"
    organisation  the organisation, as manifests name it
    channel       channel concerned, or ""
    act           what was done, one of `Act`
    outcome       what became of it, one of `Outcome`; an act "refused" was refused, "signed-in-failed" failed
    actor         {id, name, role, auth, session, client, behalf}: pseudonymous id; commitment to the display name or
                  ""; role acted in; one of `Auth`; digest of the token used or ""; one of `Client`; id of the person
                  acted for or ""
    object        {kind, name, version, digest} of what it was done to; version is an epoch, revision or number in
                  decimal; all but the kind may be ""
    before        digest of the object's state before, or ""
    after         digest of its state after, or ""
    diff          digest of the change, or ""
    manifest      digest of the manifest concerned, or ""
    policy        digest of the policy in force in it, or ""
    checks        digest of the report of the checks relied on, or ""
    models        digest of the list of its models, or ""
    tier          riskiest tier concerned, "R0" to "R4", or ""
    ticket        reference to a request elsewhere, or ""
    signature     {meaning, key, statement}: what the signature means, "sha256:" and the id of the signer's key, digest
                  of the signed statement; each may be ""
    reason        {code, text}: a word; commitment to the reason given; each may be ""
    retention     how long the texts behind it are kept, one of `Retention`
    holds         ids of the legal holds in force on it when it was written: sorted, each once, at most 100
    subject       id of the key under which the texts behind it are encrypted, or ""
    prev          seq of the previous leaf about an object of the same kind and name, or -1

Digests are "sha256:" and 64 lower-case hex digits; commitments likewise, with "hmac-sha256:".

Source: RFC 8785 (canonical JSON), RFC 3339 (time), RFC 9562 (UUIDv7).
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from audit.acts import Act, Auth, Client, Outcome, Retention
from audit.canonical import MAX_INTEGER, canonical, parse_canonical
from audit.commitment import MIN_SALT_BYTES, commit, verify_commitment
from audit.errors import InvalidFormat
from audit.frozen import frozen
from audit.grammar import FORMAT, MEMBERS, capturing, checking, explain
from audit.leaf1 import FORMAT_1, read_leaf1
from audit.merkle import MAX_ENTRY_BYTES

__all__ = [
    "FORMAT",
    "FORMAT_1",
    "MAX_INTEGER",
    "MIN_SALT_BYTES",
    "Act",
    "Auth",
    "Client",
    "LeafActor",
    "LeafObject",
    "LeafReason",
    "LeafRecord",
    "LeafSignature",
    "Outcome",
    "Retention",
    "canonical",
    "check_leaf",
    "commit",
    "encode_leaf",
    "event_id",
    "parse_canonical",
    "parse_leaf",
    "verify_commitment",
]


@frozen
class LeafActor:
    """Who acted, in which role, and how they had come in; `client` is "" in version 1 only."""

    id: str
    role: str
    auth: Auth
    client: str = ""
    name: str = ""
    session: str = ""
    behalf: str = ""


@frozen
class LeafObject:
    """What an act was done to."""

    kind: str
    name: str = ""
    digest: str = ""
    version: str = ""


@frozen
class LeafSignature:
    """What was signed: its meaning, the signer's key, the statement."""

    meaning: str = ""
    key: str = ""
    statement: str = ""


@frozen
class LeafReason:
    """Why: a word, and a commitment to what the person wrote."""

    code: str = ""
    text: str = ""


_NOT_SIGNED = LeafSignature()
_NO_REASON = LeafReason()


@frozen
class LeafRecord:
    """One act, as the log records it; the module docstring describes the fields."""

    act: Act
    outcome: Outcome
    actor: LeafActor
    object: LeafObject
    at: datetime
    seq: int
    id: str = ""
    organisation: str = ""
    channel: str = ""
    before: str = ""
    after: str = ""
    diff: str = ""
    manifest: str = ""
    policy: str = ""
    checks: str = ""
    models: str = ""
    tier: str = ""
    ticket: str = ""
    signature: LeafSignature = _NOT_SIGNED
    reason: LeafReason = _NO_REASON
    retention: str = Retention.GOVERNANCE
    holds: tuple[str, ...] = ()
    subject: str = ""
    prev: int = -1
    clock: str = "server"
    format: str = FORMAT


def encode_leaf(record: LeafRecord) -> bytes:
    """Return the canonical bytes of a record: the entry that is hashed into the log.

    Raises:
        ValueError: a field is not what the format allows.
    """
    if record.at.utcoffset() is None or record.at.microsecond:
        raise ValueError("expected an aware time in whole seconds")
    document = _document_1(record) if record.format == FORMAT_1 else _document(record)
    try:
        data = _ENCODER.encode(document).encode()
        if record.format == FORMAT_1 and parse_leaf(data) != record:
            raise ValueError("expected a record of version 1 to hold what version 1 holds, got more")
        check_leaf(data)
    except TypeError as error:
        raise ValueError("expected texts and integers in every field, got something else") from error
    except InvalidFormat as error:
        raise ValueError(str(error)) from error
    return data


def check_leaf(data: bytes) -> int:
    """Check a log entry as `parse_leaf` does, without building the record, and return its seq.

    Raises:
        InvalidFormat: it is not the canonical form of a valid record.
    """
    match = checking().fullmatch(data) if len(data) <= MAX_ENTRY_BYTES else None
    if match is None:
        return int(_read_1(data)["seq"])
    act, at, holds, outcome, prev, seq = match.groups()
    index = int(seq)
    if index > MAX_INTEGER or int(prev) >= index:
        raise InvalidFormat("expected prev before seq, and seq within 2^53, got something else")
    if not _is_day(at[:10]):
        raise InvalidFormat("expected a day that the calendar has, got another")
    if _OUTCOMES.get(act, outcome) != outcome or (len(holds) > 2 and not _is_sorted(holds)):
        raise InvalidFormat("expected the outcome that the act implies, and holds in order, got something else")
    return index


def parse_leaf(data: bytes) -> LeafRecord:
    """Parse a log entry, of this version or of version 1.

    Raises:
        InvalidFormat: it is not the canonical form of a valid record.
    """
    seq = check_leaf(data)
    match = capturing().fullmatch(data.decode())
    if match is None:
        return _record_1(data)
    # One name for each group of the expression, in its order.
    (
        act, auth, behalf, client, actor, name, role, session, after, at, before, channel, checks, clock, diff, form,
        holds, event, manifest, models, digest, kind, target, version, organisation, outcome, policy, prev, code, text,
        retention, _seq, key, meaning, statement, subject, ticket, tier,
    ) = match.groups()  # fmt: skip
    return LeafRecord(
        _ACTS[act],
        _OUTCOME[outcome],
        LeafActor(actor, role, _AUTHS[auth], client, name, session, behalf),
        LeafObject(kind, target, digest, version),
        datetime.fromisoformat(at),
        seq,
        event,
        organisation,
        channel,
        before,
        after,
        diff,
        manifest,
        policy,
        checks,
        models,
        tier,
        ticket,
        LeafSignature(meaning, key, statement) if meaning or key or statement else _NOT_SIGNED,
        LeafReason(code, text) if code or text else _NO_REASON,
        retention,
        tuple(json.loads(holds)) if len(holds) > 2 else (),  # more than "[]"
        subject,
        int(prev),
        clock,
        form,
    )


def event_id(at: datetime, random: bytes) -> str:
    """Return a UUIDv7: milliseconds of a time, then 74 bits out of ten random bytes. Source: RFC 9562."""
    tail = int.from_bytes(random) & ~(0xF << 76 | 0x3 << 62) | 0x7 << 76 | 0x2 << 62
    return str(UUID(int=int(at.timestamp() * 1000) << 80 | tail))


_PARTS = {
    "actor": ("auth", "behalf", "client", "id", "name", "role", "session"),
    "object": ("digest", "kind", "name", "version"),
    "signature": ("key", "meaning", "statement"),
    "reason": ("code", "text"),
}
_ACTS = {str(act): act for act in Act}
_AUTHS = {str(auth): auth for auth in Auth}
_OUTCOME = {str(outcome): outcome for outcome in Outcome}
_OUTCOMES = {b"refused": b"refused", b"signed-in-failed": b"failed"}
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _document(record: LeafRecord) -> dict[str, Any]:
    document = {name: getattr(record, name) for name in MEMBERS}
    for member, names in _PARTS.items():
        part = document[member]
        document[member] = {name: getattr(part, name) for name in names}
    return {**document, "at": _time_text(record.at), "holds": list(record.holds)}


def _time_text(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@lru_cache(maxsize=4096)
def _is_day(text: bytes) -> bool:
    try:
        date.fromisoformat(text.decode())
    except ValueError:
        return False
    return True


def _is_sorted(holds: bytes) -> bool:
    ids = json.loads(holds)
    return bool(ids == sorted(set(ids)))


def _read_1(data: bytes) -> Any:
    """Return the members of an entry of version 1, or say what is wrong with it as one of this version."""
    try:
        return read_leaf1(data)
    except InvalidFormat as error:
        if f'"format":"{FORMAT_1}"'.encode() in data:
            raise
        raise InvalidFormat(explain(data)) from error


def _record_1(data: bytes) -> LeafRecord:
    document = _read_1(data)
    act = Act(document["act"])
    implied = _OUTCOMES.get(act.encode(), b"done").decode()
    return LeafRecord(
        act=act,
        outcome=Outcome(implied),
        actor=LeafActor(document["actor"], document["role"], Auth(document["auth"])),
        object=LeafObject(**document["object"]),
        at=datetime.fromisoformat(document["at"]),
        seq=document["seq"],
        signature=LeafSignature(document["meaning"], statement=document["statement"]),
        reason=LeafReason(text=document["reason"]),
        retention="",
        clock="",
        format=FORMAT_1,
        **{name: document[name] for name in ("before", "after", "manifest")},
    )


def _document_1(record: LeafRecord) -> dict[str, Any]:
    target = record.object
    return {
        "format": FORMAT_1,
        "act": record.act,
        "actor": record.actor.id,
        "role": record.actor.role,
        "auth": record.actor.auth,
        "object": {"kind": target.kind, "name": target.name, "digest": target.digest},
        "before": record.before,
        "after": record.after,
        "manifest": record.manifest,
        "statement": record.signature.statement,
        "meaning": record.signature.meaning,
        "reason": record.reason.text,
        "at": _time_text(record.at),
        "seq": record.seq,
    }
