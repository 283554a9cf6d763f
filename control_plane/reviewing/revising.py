"""Storing a revision of a proposal: its content, its author's signature, its state and the entry of the log.

Promises: all of it is one transaction, the caller's; a manifest that is proposed already, or that its author signed
before, is refused; what an author signed where their own key is counts only if it is what would be signed here.
Does not: read files or decide who may (see `proposals`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, delete, select

from audit.record import Act, LeafObject
from control_plane import ledger, signing
from control_plane.errors import Conflict, Refused
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.drafts import Draft, SourceFile
from control_plane.registry.facts import facts_of
from control_plane.registry.live import live_manifest
from control_plane.reviewing import conflicts, expiry, waiting
from control_plane.reviewing.contents import changes_of, remember_writers, standing, store_changes
from control_plane.reviewing.material import sign_as_author
from control_plane.signing import Elsewhere, Signing, Unsigned
from control_plane.tables.registry import CheckRow, ProposalRow, RevisionRow, StatementRow
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry

__all__ = [
    "Revising",
    "refuse_files",
    "refuse_proposed",
    "store_files",
    "store_revision",
]


@dataclass(frozen=True, slots=True)
class Revising:
    """A revision about to be stored: whose, what it writes, and the draft it makes.

    `signs` are the entries that its author signs for, where these are not all that it introduces.
    """

    actor: str
    key: Ed25519PrivateKey | Elsewhere
    files: tuple[SourceFile, ...]
    removed: tuple[tuple[str, str], ...]
    draft: Draft
    logged: Act
    title: str
    before: str = ""
    signs: tuple[Entry, ...] | None = None
    code: str = ""


def store_revision(plane: ControlPlane, session: Session, proposal: ProposalRow, *, revising: Revising) -> RevisionRow:
    """Store a revision with another manifest, which its author signs.

    Raises:
        Conflict: its author signed it before.
        Refused: what they signed elsewhere says something else.
        Unsigned: it is asked what there is to sign.
    """
    draft, actor = revising.draft, revising.actor
    row = _add_revision(plane, session, proposal, revising=revising)
    kinds = {entry.digest: entry.kind for entry in draft.introduced}
    store.add_closures(session, ((digest, kinds[digest], data) for digest, data in draft.closures.items()))
    _refuse_signed(session, actor, proposal, digest=draft.digest)
    _keep_content(session, proposal, revising)
    signing.sign(plane, session, _signing(plane, session, proposal, row=row, revising=revising))
    _settle_state(plane, session, proposal, row=row)
    return row


def store_files(plane: ControlPlane, session: Session, proposal: ProposalRow, *, revising: Revising) -> RevisionRow:
    """Store a revision of the same manifest with other files: nothing to sign anew, but every check runs again."""
    digest = revising.draft.digest
    row = _add_revision(plane, session, proposal, revising=revising)
    session.exec(delete(CheckRow).where(col(CheckRow.manifest) == digest))
    facts = facts_of(revising.draft.manifest, live_manifest(session, proposal.channel)[0])
    if isinstance(revising.key, Elsewhere):  # nothing to keep of it: it shows who edits, as a passphrase does
        made = _signing(plane, session, proposal, row=row, revising=revising)
        signing.verify_made(plane, session, made, given=revising.key)
    event = ledger.Event(
        revising.logged,
        revising.actor,
        "author",
        signing.auth_of(revising.key),
        _target(proposal, digest),
        channel=proposal.channel,
        before=digest,
        after=digest,
        manifest=digest,
        policy=facts.policy,
        models=facts.models,
        tier=facts.tier,
        code="cases",
    )
    _keep_content(session, proposal, revising)
    ledger.append(plane, session, event)
    _settle_state(plane, session, proposal, row=row)
    return row


def _signing(
    plane: ControlPlane, session: Session, proposal: ProposalRow, *, row: RevisionRow, revising: Revising
) -> Signing:
    """Return what the author of a revision signs, with which key. Raises `Unsigned` if that is what is asked."""
    draft, title = revising.draft, revising.title
    entries = draft.introduced if revising.signs is None else revising.signs
    if revising.key == Elsewhere():
        session.flush()
        raise Unsigned(sign_as_author(plane, session, proposal, revision=row, title=title, signs=entries))
    return Signing(
        act="author",
        logged=revising.logged,
        channel=proposal.channel,
        person=revising.actor,
        role="author",
        reason=title,
        key=revising.key,
        manifest=draft.digest,
        entries=entries,
        target=_target(proposal, draft.digest),
        proposal=proposal.number,
        facts=facts_of(draft.manifest, live_manifest(session, proposal.channel)[0]),
        before=revising.before or draft.manifest.base,
        after=draft.digest,
        code=revising.code,
    )


def _add_revision(plane: ControlPlane, session: Session, proposal: ProposalRow, *, revising: Revising) -> RevisionRow:
    if revising.logged is Act.EDITED:
        proposal.revision += 1
        now, manifest = plane.now(), revising.draft.manifest
        proposal.expires_at = expiry.end_of(session, proposal.channel, manifest=manifest, now=now)
    row = RevisionRow(
        proposal=proposal.number or 0,
        revision=proposal.revision,
        editor=revising.actor,
        digest=revising.draft.digest,
        base=revising.draft.manifest.base,
        manifest=revising.draft.data,
        files=_as_rows(revising.files),
        removed=[list(key) for key in revising.removed],
        at=plane.now(),
    )
    session.add(row)
    return row


def _keep_content(session: Session, proposal: ProposalRow, revising: Revising) -> None:
    """Keep what the revision changes, on which texts, and who wrote it, before it is signed."""
    number, draft = proposal.number or 0, revising.draft
    store_changes(session, number, changes_of(draft.manifest, live_manifest(session, proposal.channel)[0]))
    remember_writers(session, revising.actor, number, introduced=draft.introduced)
    keys = (*(file.key for file in revising.files), *revising.removed)
    conflicts.store_bases(session, proposal.channel, number, keys=keys)


def _settle_state(plane: ControlPlane, session: Session, proposal: ProposalRow, *, row: RevisionRow) -> None:
    """Let an edited proposal be open, unless the very content that it has was rejected."""
    rejected = any(one.act == "reject" for one in standing(session, row))
    if proposal.revision > 1:
        proposal.state = "rejected" if rejected else "open"
    waiting.refresh(plane, session, proposal, revision=row)


def refuse_files(session: Session, current: RevisionRow, revising: Revising) -> None:
    """Refuse an edit that leaves the manifest as it is, unless it brings other files and comes in time."""
    if current.files == _as_rows(revising.files) and current.removed == [list(key) for key in revising.removed]:
        raise InvalidDocument("expected a change of the proposal, got what it is already")
    if revising.actor != current.editor:
        raise Refused("expected the person who wrote this revision, because only its cases change, got another")
    approved = select(StatementRow.id).where(StatementRow.manifest == current.digest, StatementRow.act == "approve")
    if session.exec(approved).first() is not None:
        raise Refused("expected cases to change before anybody approved, got a proposal with an approval")


def refuse_proposed(session: Session, digest: str) -> None:
    """Refuse what an open proposal proposes already."""
    same = select(ProposalRow.number).where(
        col(ProposalRow.state).in_(expiry.LIVING),
        ProposalRow.number == RevisionRow.proposal,
        ProposalRow.revision == RevisionRow.revision,
        RevisionRow.digest == digest,
    )
    number = session.exec(same).first()
    if number is not None:
        raise Conflict(
            f"expected a change that nobody proposes yet, got that of proposal {number}", hint="edit that proposal"
        )


def _refuse_signed(session: Session, actor: str, proposal: ProposalRow, *, digest: str) -> None:
    """Refuse what this author signed before, or the proposal was: approvals of it that are void would count again."""
    was = (RevisionRow.proposal == proposal.number, RevisionRow.digest == digest)
    if session.exec(select(RevisionRow.revision).where(*was, RevisionRow.revision < proposal.revision)).first():
        raise Conflict(
            "expected another change than the proposal was before an edit, got that one again",
            hint="what was approved before an edit stays void: change something else with it, or propose it anew",
        )
    before = (StatementRow.manifest == digest, StatementRow.person == actor, StatementRow.act == "author")
    if session.exec(select(StatementRow.id).where(*before)).first() is not None:
        raise Conflict(
            "expected a change that this author did not sign before, got one that they did",
            hint="what was approved before an edit stays void: change something else, or let another propose it",
        )


def _target(proposal: ProposalRow, digest: str) -> LeafObject:
    return LeafObject("proposal", f"proposal-{proposal.number}", digest, str(proposal.revision))


def _as_rows(files: Sequence[SourceFile]) -> list[dict[str, str]]:
    return [{"kind": f.kind, "name": f.name, "path": f.path, "text": f.text} for f in files]
