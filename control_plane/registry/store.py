"""What several use cases ask of the rows: proposals, statements, what a manifest still lacks.

Promises: every function works in the caller's transaction. Does not: decide, sign, commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, select

from audit.record import LeafObject
from control_plane import db, texts
from control_plane.accounts import people
from control_plane.errors import NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.policy.checks.records import CheckResult
from control_plane.registry import cards, exclusion
from control_plane.registry.live import live_manifest, live_release, rules_in_force, rules_over
from control_plane.registry.records import Proposal
from control_plane.tables.registry import (
    CheckRow,
    ClosureRow,
    ProposalRow,
    ReleaseRow,
    RevisionRow,
    StatementRow,
    VersionRow,
)
from edge_runtime.core import approval, change, coverage, dsse
from edge_runtime.core.manifest import Entry, Manifest, changed_entries, parse_manifest
from edge_runtime.core.statements import Statement, open_statement

__all__ = [
    "add_closures",
    "base_of",
    "changes_of",
    "channel_of",
    "checks_of",
    "closure",
    "entries_of",
    "find_proposal",
    "is_stale",
    "lacking",
    "proposal_record",
    "record",
    "require_living",
    "rules_in_force",
    "shortfalls",
    "statements_for",
    "target_named",
    "target_of",
    "titles",
]

_Lacking = tuple[Manifest, tuple[coverage.Shortfall, ...]]


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
    manifest = parse_manifest(revision.manifest)
    envelopes = [dsse.parse_envelope(row.envelope) for row in statements_for(session, revision)]
    signed = approval.read_signed(envelopes, people.keyring(session))
    excluded = exclusion.excluded(session, revision.proposal)
    counted = [s for s in signed if s.act != "approve" or s.manifest != revision.digest or s.person not in excluded]
    base, _ = live_manifest(session, manifest.channel)
    return manifest, lacking(plane, session, manifest, digest=revision.digest, base=base, statements=counted)


def lacking(
    plane: ControlPlane,
    session: Session,
    manifest: Manifest,
    *,
    digest: str,
    base: Manifest | None,
    statements: Sequence[Statement],
) -> tuple[coverage.Shortfall, ...]:
    """Return what a manifest of this digest lacks on top of another, with these statements and no others."""
    changes = {changed.key: changed for changed in changes_of(session, manifest, base)}
    found = [
        coverage.shortfalls(
            manifest,
            digest,
            statements=statements,
            rules=rules,
            floor=dict(plane.settings.floor),
            before=coverage.Before.of(base) if base else coverage.Before.nothing(manifest),
            changes=changes,
        )
        for rules in rules_over(session, manifest, base)
    ]
    return tuple(dict.fromkeys(short for one in found for short in one))


def changes_of(session: Session, manifest: Manifest, base: Manifest | None) -> tuple[approval.Changed, ...]:
    """Return what a manifest changes of the one before it, and of which kinds, sorted by kind and name."""
    before, after = ({entry.key: entry for entry in one.entries} if one else {} for one in (base, manifest))
    closures = {digest: closure(session, digest) for digest in change.changed_digests(before, after)}
    return change.find_changes(before, after, closures)
