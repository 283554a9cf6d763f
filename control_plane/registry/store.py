"""What several use cases ask of the rows: proposals, statements, what a manifest still lacks.

Promises: every function works in the caller's transaction. Does not: decide, sign, commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import people
from control_plane.errors import NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.registry import cards
from control_plane.registry.drafts import live_manifest, live_release
from control_plane.registry.facts import Facts
from control_plane.registry.in_force import rules_in_force, rules_to_meet
from control_plane.registry.records import CheckResult, Proposal
from control_plane.registry.tables import (
    CheckRow,
    ClosureRow,
    PersonRow,
    ProposalRow,
    ReleaseRow,
    RevisionRow,
    StatementRow,
    VersionRow,
)
from control_plane.reviewing import exclusion
from edge_runtime.core import approval, canonical, change, coverage, dsse
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry, Manifest, changed_entries, parse_manifest
from edge_runtime.core.statements import MEANINGS, Statement, open_statement, sign_statement

__all__ = [
    "Made",
    "Signing",
    "add_closures",
    "base_of",
    "changes_of",
    "channel_of",
    "checks_of",
    "closure",
    "entries_of",
    "find_proposal",
    "is_stale",
    "proposal_record",
    "record",
    "require_living",
    "rules_in_force",
    "shortfalls",
    "sign",
    "statements_for",
    "target_named",
    "target_of",
    "titles",
    "verify_made",
]

MAX_REASON_LENGTH = 2000
MAX_AGE = timedelta(minutes=10)
_Lacking = tuple[Manifest, tuple[coverage.Shortfall, ...]]


@dataclass(frozen=True, slots=True)
class Made:
    """A statement that a person signed where their own key is, and the text behind the commitment in it."""

    envelope: dsse.Envelope
    said: texts.Said | None


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs what, with which key, in which role, for which reason, and how the log calls it.

    `key` is the key, or what its holder signed elsewhere; `behalf` is whom a delegate acts for.
    `before` and `after` are the digests of the target's states, if the act changes it; `checks` is the digest of the
    report that the signer relied on; `replacement` is what runs instead of what is withdrawn.
    """

    act: str
    logged: Act
    channel: str
    person: str
    role: str
    reason: str
    key: Ed25519PrivateKey | Made
    manifest: str
    entries: tuple[Entry, ...]
    target: LeafObject
    proposal: int | None = None
    behalf: str = ""
    previous: str = ""
    facts: Facts = field(default_factory=Facts)
    checks: str = ""
    before: str = ""
    after: str = ""
    replacement: str = ""
    code: str = ""


def sign(plane: ControlPlane, session: Session, signing: Signing) -> StatementRow:
    """Sign a statement, store it, and append its audit leaf: all in the caller's transaction."""
    if len(signing.reason) > MAX_REASON_LENGTH:
        raise InvalidDocument(f"expected a reason of at most {MAX_REASON_LENGTH} characters")
    at, said = plane.now(), texts.say(plane, signing.reason) if signing.reason else None
    if isinstance(signing.key, Made):
        said, envelope = signing.key.said, signing.key.envelope
        statement, at = verify_made(plane, session, signing, made=signing.key)
    else:
        statement = _statement(plane, signing, said, at=at)
        envelope = sign_statement(statement, signing.key)
    row = StatementRow(
        digest=canonical.digest(envelope.payload),
        act=signing.act,
        manifest=signing.manifest,
        person=signing.person,
        role=signing.role,
        channel=signing.channel,
        previous=signing.previous,
        proposal=signing.proposal,
        envelope=envelope.as_json(),
        leaf=ledger.next_index(session),
        at=at,
    )
    session.add(row)
    session.flush()
    ledger.append(plane, session, _event(signing, statement, row=row, said=said))
    return row


def _statement(plane: ControlPlane, signing: Signing, said: texts.Said | None, *, at: datetime) -> Statement:
    return Statement(
        act=signing.act,
        organisation=plane.organisation,
        channel=signing.channel,
        manifest=signing.manifest,
        entries=tuple(sorted(signing.entries)),
        person=signing.person,
        role=signing.role,
        reason=said.commitment if said else "",
        at=f"{at:%Y-%m-%dT%H:%M:%SZ}",
        previous=signing.previous,
        replacement=signing.replacement,
    )


def verify_made(plane: ControlPlane, session: Session, signing: Signing, *, made: Made) -> tuple[Statement, datetime]:
    """Return a statement that was signed elsewhere, and its time, once it is just what would be signed here.

    Raises:
        Refused: it is not, or not signed with the key of the person's own, or not within ten minutes of now.
    """
    stated = open_statement(made.envelope)
    at = datetime.fromisoformat(stated.at)
    if made.envelope.payload != _statement(plane, signing, made.said, at=at).encode():
        raise Refused("expected a statement about the proposal as it is now, got one that says something else")
    person = session.get(PersonRow, signing.person)
    signers = [key for key, _ in made.envelope.signatures]
    own = person is not None and person.custody == "own" and signers == [dsse.key_id(person.public_key)]
    if person is None or not own or not dsse.verified_by(made.envelope, person.public_key):
        raise Refused("expected a statement signed with the key of the person's own alone, got another signature")
    if abs(at - plane.now()) > MAX_AGE:
        raise Refused("expected a statement signed within ten minutes of now by the server's clock, got another")
    return stated, at


def _event(signing: Signing, statement: Statement, *, row: StatementRow, said: texts.Said | None) -> ledger.Event:
    facts, key = signing.facts, signing.key
    key_id = key.envelope.signatures[0][0] if isinstance(key, Made) else dsse.key_id(dsse.public_bytes(key))
    return ledger.Event(
        signing.logged,
        actor=signing.person,
        role=signing.role,
        auth=Auth.KEY if isinstance(key, Made) else Auth.PASSPHRASE,
        target=signing.target,
        channel=signing.channel,
        before=signing.before,
        after=signing.after,
        diff=facts.diff,
        manifest=signing.manifest,
        policy=facts.policy,
        checks=signing.checks,
        models=facts.models,
        tier=facts.tier,
        statement=row.digest,
        meaning=MEANINGS[signing.act],
        key=f"sha256:{key_id}",
        behalf=signing.behalf,
        code=signing.code,
        reason=said,
        names=tuple(ref.name for ref in statement.entries),
    )


def find_proposal(session: Session, number: int) -> tuple[ProposalRow, RevisionRow]:
    """Return a proposal and its current revision.

    Raises:
        NotFound: there is none of that number.
    """
    proposal = session.get(ProposalRow, number)
    revision = session.get(RevisionRow, (number, proposal.revision)) if proposal else None
    if proposal is None or revision is None:
        raise NotFound(f"expected the number of a proposal, got {number}")
    return proposal, revision


def titles(plane: ControlPlane, session: Session, proposals: Iterable[ProposalRow]) -> dict[int, str]:
    """Return the titles of proposals by number, as people read them: each is the text of the entry that proposed it."""
    leaves = {row.number or 0: row.leaf for row in proposals}
    shown = texts.shown_reasons(session, plane, leaves.values())
    return {number: shown.get(leaf, "") for number, leaf in leaves.items()}


def record(plane: ControlPlane, session: Session, proposal: ProposalRow, *, revision: RevisionRow) -> Proposal:
    """Return the record of a proposal."""
    return proposal_record(proposal, revision, titles(plane, session, [proposal])[proposal.number or 0])


def proposal_record(proposal: ProposalRow, revision: RevisionRow, title: str) -> Proposal:
    """Return the record of a proposal of that title."""
    return Proposal(
        number=proposal.number or 0,
        channel=proposal.channel,
        title=title,
        state=proposal.state,
        revision=proposal.revision,
        manifest=revision.digest,
        base=revision.base,
        author=proposal.author,
        editor=revision.editor,
        at=proposal.at,
        expires_at=proposal.expires_at,
    )


def channel_of(session: Session, revision: RevisionRow) -> str:
    """Return the channel that a revision is for."""
    proposal = session.get(ProposalRow, revision.proposal)
    assert proposal is not None  # a foreign key
    return proposal.channel


def target_of(proposal: ProposalRow, revision: RevisionRow) -> LeafObject:
    """Return how entries of the log name a revision of a proposal."""
    return LeafObject("proposal", f"proposal-{proposal.number}", revision.digest, str(revision.revision))


def target_named(number: int) -> LeafObject:
    """Return how entries of the log name a proposal."""
    return LeafObject("proposal", f"proposal-{number}")


def require_living(proposal: ProposalRow) -> None:
    """Refuse a proposal that is rejected, expired, closed or released.

    Raises:
        Refused: it is.
    """
    if proposal.state not in {"open", "scheduled", "suspended"}:
        raise Refused(f"expected an open proposal, got one that is {proposal.state}")


def base_of(session: Session, revision: RevisionRow) -> Manifest | None:
    """Return the manifest that a revision builds on; None for the first of a channel."""
    query = select(ReleaseRow.manifest).where(ReleaseRow.digest == revision.base)
    data = db.once(session, ("release", revision.base), lambda: session.exec(query).first(), of=(ReleaseRow,))
    return parse_manifest(data) if data else None


def checks_of(session: Session, manifest: str) -> tuple[CheckResult, ...]:
    """Return the stored results for a manifest, in the order of the checks; none if they were not run."""
    query = select(CheckRow).where(CheckRow.manifest == manifest).order_by(col(CheckRow.position))
    rows = db.once(session, ("checks", manifest), lambda: session.exec(query).all(), of=(CheckRow,))
    return tuple(CheckResult(row.name, row.status, tuple(row.evidence), row.version, row.inputs) for row in rows)


def add_closures(session: Session, closures: Iterable[tuple[str, str, bytes]]) -> None:
    """Store closures by digest, kind and bytes; those that are there stay."""
    new = [one for one in closures if session.get(ClosureRow, one[0]) is None]
    session.add_all(ClosureRow(digest=digest, kind=kind, data=data) for digest, kind, data in new)
    session.flush()
    for digest, kind, data in new:
        cards.add_card(session, kind, digest=digest, data=data)


def closure(session: Session, digest: str) -> bytes:
    """Return the bytes of a closure.

    Raises:
        NotFound: there is none of that digest.
    """
    row = db.once(session, ("closure", digest), lambda: session.get(ClosureRow, digest), of=(ClosureRow,))
    if row is None:
        raise NotFound("expected the digest of a closure, got another")
    return row.data


def is_stale(session: Session, revision: RevisionRow) -> bool:
    """Return whether the world moved underneath a revision.

    It did if another release is live on its channel, or if an epoch that it gives was given to other content by now, on
    whichever channel.
    """
    base, digest = live_manifest(session, channel_of(session, revision))
    if revision.base != digest:
        return True
    new = changed_entries(parse_manifest(revision.manifest), base)
    query = select(VersionRow).where(col(VersionRow.name).in_({entry.name for entry in new}))
    given = {(row.kind, row.name, row.epoch): (row.digest, row.tier, row.author) for row in session.exec(query)}
    said = {(*one.key, one.epoch): (one.digest, one.tier, one.author) for one in new}
    return any(given.get(key, what) != what for key, what in said.items())


def statements_for(session: Session, revision: RevisionRow) -> tuple[StatementRow, ...]:
    """Return the statements that vouch for a revision: those the live release carries, and its own.

    Approvals of an earlier revision are void and left out; authorship of an earlier revision still holds for the
    entries that are unchanged, and so does authorship that was signed for another channel.
    """
    asked = ("statements", revision.proposal, revision.revision)
    of = (ReleaseRow, RevisionRow, StatementRow, VersionRow)
    return db.once(session, asked, lambda: _statements_for(session, revision), of=of)


def _statements_for(session: Session, revision: RevisionRow) -> tuple[StatementRow, ...]:
    manifest = parse_manifest(revision.manifest)
    live = live_release(session, manifest.channel)
    own = select(StatementRow).where(StatementRow.proposal == revision.proposal).order_by(col(StatementRow.id))
    rows = [row for row in session.exec(own) if row.act == "author" or row.manifest == revision.digest]
    carried = col(StatementRow.id).in_(list(live.statements) if live else [])
    before = session.exec(select(StatementRow).where(carried).order_by(col(StatementRow.id)))
    refs = set(manifest.entries)
    new = refs - set(parse_manifest(live.manifest).entries) if live else refs
    vouching = (*before, *rows, *_authorship_elsewhere(session, manifest.channel, new))
    found = {row.id: row for row in vouching if row.act in {"author", "approve"}}
    return tuple(row for row in found.values() if row.manifest == revision.digest or refs & set(entries_of(row)))


def _authorship_elsewhere(session: Session, channel: str, entries: Iterable[Entry]) -> Iterable[StatementRow]:
    """Yield the statements of authors that releases of other channels carry for any of these entries."""
    digests = {entry.digest for entry in entries}
    elsewhere = select(VersionRow).where(VersionRow.channel != channel, col(VersionRow.digest).in_(digests))
    releases = {(row.channel, row.release) for row in session.exec(elsewhere)}
    for where in sorted(releases):
        row = session.get(ReleaseRow, where)
        carried = col(StatementRow.id).in_(list(row.statements) if row else [])
        query = select(StatementRow).where(carried, StatementRow.act == "author")
        yield from session.exec(query.order_by(col(StatementRow.id)))


def entries_of(row: StatementRow) -> tuple[Entry, ...]:
    """Return the entries that a stored statement is about."""
    return open_statement(dsse.parse_envelope(row.envelope)).entries


def shortfalls(plane: ControlPlane, session: Session, revision: RevisionRow) -> _Lacking:
    """Return the manifest of a revision and what it lacks, asked of the very functions that devices use."""
    asked = ("shortfalls", revision.proposal, revision.revision)
    return db.once(session, asked, lambda: _shortfalls(plane, session, revision))


def _shortfalls(plane: ControlPlane, session: Session, revision: RevisionRow) -> _Lacking:
    manifest, live = parse_manifest(revision.manifest), live_release(session, channel_of(session, revision))
    envelopes = [dsse.parse_envelope(row.envelope) for row in statements_for(session, revision)]
    signed = approval.read_signed(envelopes, people.keyring(session))
    excluded = exclusion.excluded(session, revision.proposal)
    counted = [s for s in signed if s.act != "approve" or s.manifest != revision.digest or s.person not in excluded]
    base = parse_manifest(live.manifest) if live else None
    changes = {changed.key: changed for changed in changes_of(session, manifest, base)}
    found = [
        coverage.shortfalls(
            manifest,
            revision.digest,
            statements=counted,
            rules=rules,
            floor=dict(plane.settings.floor),
            before=coverage.Before.of(base) if base else coverage.Before.nothing(manifest),
            changes=changes,
        )
        for rules in rules_to_meet(session, manifest)
    ]
    return manifest, tuple(dict.fromkeys(short for one in found for short in one))


def changes_of(session: Session, manifest: Manifest, base: Manifest | None) -> tuple[approval.Changed, ...]:
    """Return what a manifest changes of the one before it, and of which kinds, sorted by kind and name."""
    before, after = ({entry.key: entry for entry in one.entries} if one else {} for one in (base, manifest))
    closures = {digest: closure(session, digest) for digest in change.changed_digests(before, after)}
    return change.find_changes(before, after, closures)
