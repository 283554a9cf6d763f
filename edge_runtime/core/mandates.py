"""Mandates: by what each approver of a release held the role in which they approved it, proved from the log.

The keyring says who is eligible for a role. That somebody held it is said by a grant, which two others signed; by a
delegation, which the absent person signed; or, for the term that began with their enrolment, by the trust file. A
release carries the entry of the log of each approval that names its manifest, and those of the grants behind it. What
people stated about earlier manifests was judged when these were released.

Promises:
1. An approval counts from its entry in the log, and as of when a quorum of witnesses had cosigned a checkpoint with it:
   never by the signer's clock. Where no witness is asked, or was yet, as of the time in that entry: the server's word.
2. A grant counts only if the log has it before the approval, it had begun and not ended by then, and no entry before
   the approval ended it that the trust file lists.
3. One mandate is used by one person: whoever is absent does not approve beside their delegate.

Does not: know of an end that the trust file does not list yet, or say whether enough people approved (see `coverage`).
Format: docs/formats.md, `mentorplane-mandates/1`. Source: DESIGN section 6, V6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from audit.errors import AuditError
from audit.frozen import frozen
from audit.merkle import leaf_hash, verify_inclusion
from audit.released import read_done
from edge_runtime.core import canonical, dsse
from edge_runtime.core.checkpoints import Seen, read_cosigned
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.fields import Fields
from edge_runtime.core.grants import Grant, verify_grant
from edge_runtime.core.release import ReleaseFile, mandates_of
from edge_runtime.core.statements import Statement
from edge_runtime.core.trustfile import Term, TrustFile

__all__ = ["Approved", "Granted", "Logged", "Mandates", "encode_mandates", "parse_mandates", "verify_mandates"]

FORMAT = "mentorplane-mandates/1"
MAX_BYTES = 4_000_000
MAX_ITEMS = 1_000
DRIFT_S = 600
"""How far the clocks of a server and of its witnesses may be apart where a grant begins: the log has it before."""
_CHAIN = 2
"""A delegation and the absent person's own grant: what was delegated is not delegated on."""


@frozen
class Logged:
    """An entry of the log, its index, and the proof that it stands there under a checkpoint."""

    index: int
    leaf: bytes
    proof: tuple[bytes, ...]


@frozen
class Approved:
    """The entry of one approval, by the digest of its statement, and by which grants of the list the role was held.

    No grant: by the first term. `checkpoint` is which one of the mandates it is proved under; 0 is the release's own,
    and grants are proved under that.
    """

    statement: str
    checkpoint: int
    entry: Logged
    grants: tuple[int, ...] = ()


@frozen
class Granted:
    """A grant or delegation, its entry, and that by which it was taken over from somebody (none, or one)."""

    envelope: dsse.Envelope
    entry: Logged
    taken_over: tuple[Logged, ...] = ()


@frozen
class Mandates:
    """The entries of all approvals of a manifest, the grants behind them, and signed checkpoints besides."""

    checkpoints: tuple[bytes, ...]
    approvals: tuple[Approved, ...]
    grants: tuple[Granted, ...]


def encode_mandates(mandates: Mandates) -> bytes:
    """Return the canonical bytes of mandates."""
    return canonical.encode(
        {
            "format": FORMAT,
            "checkpoints": [note.decode() for note in mandates.checkpoints],
            "approvals": [
                {
                    "statement": one.statement,
                    "checkpoint": one.checkpoint,
                    "entry": _logged_json(one.entry),
                    "grants": list(one.grants),
                }
                for one in mandates.approvals
            ],
            "grants": [
                {
                    "envelope": one.envelope.as_json(),
                    "entry": _logged_json(one.entry),
                    "taken_over": [_logged_json(entry) for entry in one.taken_over],
                }
                for one in mandates.grants
            ],
        }
    )


def parse_mandates(data: bytes) -> Mandates:
    """Return the mandates that canonical bytes hold; raises `InvalidDocument` if they are malformed."""
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    mandates = Mandates(
        checkpoints=tuple(text.encode() for text in fields.texts("checkpoints", at_most=MAX_ITEMS)),
        approvals=fields.items("approvals", _parse_approved, at_most=MAX_ITEMS),
        grants=fields.items("grants", _parse_granted, at_most=MAX_ITEMS),
    )
    fields.close()
    numbers = [one.checkpoint for one in mandates.approvals]
    grants = [number for one in mandates.approvals for number in one.grants]
    if max(numbers, default=0) > len(mandates.checkpoints) or max(grants, default=-1) >= len(mandates.grants):
        raise fields.refuse("approvals", "numbers of checkpoints and grants that are there")
    return mandates


def _logged_json(entry: Logged) -> canonical.JsonObject:
    proof = [dsse.encode_base64(node) for node in entry.proof]
    return {"index": entry.index, "leaf": entry.leaf.decode(), "proof": proof}


def _parse_logged(document: object) -> Logged:
    fields = Fields(document, "entry of a mandate", tagged=False)
    entry = Logged(
        index=fields.integer("index"),
        leaf=fields.text("leaf", at_most=65_535).encode(),
        proof=fields.items("proof", dsse.parse_bytes, at_most=64),
    )
    fields.close()
    return entry


def _parse_approved(document: object) -> Approved:
    fields = Fields(document, "mandate of an approval", tagged=False)
    approved = Approved(
        statement=fields.digest("statement"),
        checkpoint=fields.integer("checkpoint"),
        entry=_parse_logged(fields.json_object("entry")),
        grants=fields.items("grants", _parse_number, at_most=_CHAIN),
    )
    fields.close()
    return approved


def _parse_granted(document: object) -> Granted:
    fields = Fields(document, "grant of a mandate", tagged=False)
    granted = Granted(
        envelope=dsse.parse_envelope(fields.json_object("envelope")),
        entry=_parse_logged(fields.json_object("entry")),
        taken_over=fields.items("taken_over", _parse_logged, at_most=1),
    )
    fields.close()
    return granted


def _parse_number(value: object) -> int:
    fields = Fields({"number": value}, "mandate of an approval", tagged=False)
    return fields.integer("number")


def verify_mandates(
    release: ReleaseFile,
    parts: Mapping[str, bytes],
    stated: Iterable[tuple[Statement, dsse.Envelope]],
    *,
    trust: TrustFile,
    seen: Seen,
) -> None:
    """Verify V6: whoever approved the manifest of a release held the role in which they did.

    Args:
        release: the release file.
        parts: its parts, the mandates among them.
        stated: verified statements, each with its envelope; those that approve this manifest are looked at.
        trust: the trust file; one without terms asks for nothing.
        seen: the checkpoint of the release, verified.

    Raises:
        NotTrusted: V6, an approval is not proved; or V7, a checkpoint is not one that witnesses cosigned.
        InvalidDocument: the mandates are malformed.
    """
    if trust.terms is None:
        return
    data = mandates_of(release, parts)
    if not data:
        raise NotTrusted("expected proof that approvers held their roles, got none", check="V6")
    mandates, manifest = parse_mandates(data), canonical.digest(release.manifest)
    case = _Case(trust, mandates, (release.log.checkpoint, seen))
    by_statement = {one.statement: one for one in mandates.approvals}
    used: dict[str, str] = {}
    for statement, envelope in stated:
        if (statement.act, statement.manifest) != ("approve", manifest):
            continue
        approved = by_statement.get(canonical.digest(envelope.payload))
        if approved is None:
            raise NotTrusted("expected the log's entry of every approval, got an approval without", check="V6")
        person = statement.person  # who signs twice counts once anyway
        if any(used.setdefault(one, person) != person for one in case.holders(statement, approved)):
            raise NotTrusted("expected each mandate to be used once, got one used twice", check="V6")


@frozen
class _Moment:
    """An approval's place in the log, when that was by the word of witnesses or of the log, and for which role."""

    index: int
    at_s: int
    role: str


class _Case:
    """The mandates of one release, under one trust file."""

    def __init__(self, trust: TrustFile, mandates: Mandates, release: tuple[bytes, Seen]) -> None:
        self._trust = trust
        self._mandates = mandates
        self._note, self._seen = release

    def holders(self, statement: Statement, approved: Approved) -> frozenset[str]:
        """Return whose mandate an approval used up: its person's, and that of whom they acted for."""
        moment = self._moment(statement, approved)
        holder, people = statement.person, {statement.person}
        for number in approved.grants:
            grant = self._grant(self._mandates.grants[number], moment)
            if (grant.person, grant.role) != (holder, moment.role) or (grant.behalf and len(people) > 1):
                raise _not_held("a grant of the approver's own role, or of whom they act for")
            if not grant.behalf:
                if number != approved.grants[-1]:
                    raise _not_held("no grant beside the approver's own")
                return frozenset(people)
            holder = grant.behalf
            people.add(holder)
        term = self._trust.term_of(holder)
        if not term.until or moment.at_s >= _seconds(term.until):
            raise _not_held("an approver whose first term, or grant, was in force")
        self._require_lasting(f"{holder}.{moment.role}", term, moment)
        return frozenset(people)

    def _moment(self, statement: Statement, approved: Approved) -> _Moment:
        entry, trust, number = approved.entry, self._trust, approved.checkpoint
        witnessed = trust.witnesses is not None and entry.index >= trust.witnessed_from
        if number and not witnessed:
            raise _not_held("an approval under the checkpoint of the release, where no witness says when")
        note = self._mandates.checkpoints[number - 1] if number else self._note
        seen, at_s = read_cosigned(note, trust) if witnessed else (self._seen, 0)
        match _read(entry, seen):
            case {"act": "approved", "at": str(at), "signature": {"statement": signed}} if signed == approved.statement:
                return _Moment(entry.index, at_s if witnessed else _seconds(at), statement.role)
        raise _not_held("the entry of this very approval")

    def _grant(self, granted: Granted, moment: _Moment) -> Grant:
        trust = self._trust
        grant = verify_grant(granted.envelope, trust.people, organisation=trust.organisation, own_keys=trust.own_keys)
        digest = canonical.digest(granted.envelope.payload)
        self._require_before(granted.entry, moment, act="role-delegated" if grant.behalf else "role-granted", of=digest)
        if bool(grant.previous) != bool(granted.taken_over):
            raise _not_held("a grant that was taken over where it follows another")
        for entry in granted.taken_over:
            self._require_before(entry, moment, act="handed-over", of=digest)
        if not _seconds(grant.since) - DRIFT_S <= moment.at_s < _seconds(grant.until):
            raise _not_held("an approver whose grant had begun and not ended")
        self._require_lasting(grant.id, trust.term_of(grant.person), moment)
        return grant

    def _require_before(self, entry: Logged, moment: _Moment, *, act: str, of: str) -> None:
        match _read(entry, self._seen):
            case {"act": said, "object": {"kind": "grant", "digest": digest}} if (said, digest) == (act, of):
                if entry.index < moment.index:
                    return
        raise _not_held("a grant that the log has before the approval")

    def _require_lasting(self, grant: str, term: Term, moment: _Moment) -> None:
        if term.ended.get(grant, moment.index + 1) <= moment.index:
            raise _not_held("an approver whose grant nobody had ended")


def _read(entry: Logged, seen: Seen) -> dict[str, Any]:
    """Return the members of an entry that stands in the log under a checkpoint, of something that was done."""
    try:
        leaf = leaf_hash(entry.leaf)
        verify_inclusion(leaf=leaf, index=entry.index, size=seen.size, proof=entry.proof, root=seen.root)
        return read_done(entry.leaf)
    except AuditError as error:
        raise NotTrusted(f"expected the entries behind each approval in the log: {error}", check="V6") from error


def _seconds(at: str) -> int:
    """Return a time as documents write it in POSIX seconds."""
    try:
        return int(datetime.fromisoformat(at).timestamp())
    except ValueError as error:
        raise _not_held("an entry that says when it was written") from error


def _not_held(expected: str) -> NotTrusted:
    return NotTrusted(f"expected approvals by people who held their role: {expected}", check="V6")
