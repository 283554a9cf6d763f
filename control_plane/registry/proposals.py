"""Proposing and editing: from files to a manifest that its author signed.

Promises: what does not read strictly, changes nothing, or stands on a base that is no longer live, stores nothing; the
author's signature, the state and the audit leaf are one transaction. An edit makes a new manifest, so every approval
of the old one is void; it builds on the live release, so it also rebases a stale proposal and reopens a rejected one.
Cases are in no manifest: an edit of those alone keeps the manifest with its signatures, voids its checks, and comes
from the editor who signed it, before anybody approved.
Does not: check or approve (see `review`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, delete, select

from audit.record import Act, Auth, LeafObject
from control_plane import ledger, texts
from control_plane.accounts import passphrases, people
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, Refused
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.drafts import Draft, Edit, SourceFile, live_manifest, make_draft, read_files
from control_plane.registry.facts import facts_of
from control_plane.registry.records import Proposal
from control_plane.registry.tables import CheckRow, ProposalRow, RevisionRow, StatementRow
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import parse_manifest

__all__ = ["edit", "propose"]

Files = Mapping[str, str | bytes]
MAX_TITLE_LENGTH = 200
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Kinds of characters that a title in a line cannot hold: they would break it, or cannot be stored."""


@dataclass(frozen=True, slots=True)
class _Revising:
    """A revision about to be stored: whose, what it writes, and the draft it makes."""

    actor: str
    key: Ed25519PrivateKey
    files: tuple[SourceFile, ...]
    removed: tuple[tuple[str, str], ...]
    draft: Draft
    logged: Act
    title: str
    before: str = ""


def propose(
    plane: ControlPlane,
    actor: str,
    *,
    files: Files,
    title: str,
    passphrase: str,
    base: str | None = None,
    remove: Sequence[tuple[str, str]] = (),
    channel: str = "",
) -> Proposal:
    """Propose a change of the live release of a channel, signed by its author.

    Args:
        plane: the control plane.
        actor: person id of the author.
        files: YAML text by path.
        title: what the change is, in a line.
        passphrase: opens the author's key.
        base: digest of the manifest that the author looked at; None if they did not say.
        remove: kind and name of entries that go.
        channel: "" for the usual one.

    Raises:
        InvalidDocument: a file does not read or freeze, nothing governed changes, or there is no such channel.
        Conflict: `base` is no longer live, or the very same change is proposed already.
        Refused: the actor is not an author, or a wrong passphrase.
    """
    people.require_role(plane, actor, "author", attempt=Attempt("propose", LeafObject("proposal")))
    _require_title(title)
    written, on = read_files(files), plane.on(channel)
    key = passphrases.open_author_key(plane, actor, passphrase)
    with ledger.act(plane) as session:
        _refuse_stale(session, on, base)
        draft = make_draft(plane, session, Edit(on, actor, written, tuple(remove)))
        _refuse_proposed(session, draft.digest)
        leaf = ledger.next_index(session)  # the entry of the author's statement, whose text is the title
        proposal = ProposalRow(channel=on, leaf=leaf, state="open", revision=1, author=actor, at=plane.now())
        session.add(proposal)
        session.flush()
        revising = _Revising(actor, key, written, tuple(remove), draft, Act.PROPOSED, title.strip())
        row = _store_revision(plane, session, proposal, revising=revising)
        return store.record(plane, session, proposal, revision=row)


def edit(
    plane: ControlPlane,
    actor: str,
    number: int,
    *,
    files: Files,
    passphrase: str,
    revision: int | None = None,
    remove: Sequence[tuple[str, str]] = (),
) -> Proposal:
    """Edit a proposal; approvals of what it was before are void.

    Args:
        plane: the control plane.
        actor: person id of the editor, who then cannot approve it.
        number: of the proposal.
        files: YAML text by path: written over those of the revision before; may be empty to rebase.
        passphrase: opens the editor's key.
        revision: the one that the editor looked at; None if they did not say.
        remove: kind and name of further entries that go.

    Raises:
        InvalidDocument, Refused: as for `propose`.
        Conflict: it was edited meanwhile, or is released.
        NotFound: there is no such proposal.
    """
    target = LeafObject("proposal", f"proposal-{number}")
    people.require_role(plane, actor, "author", attempt=Attempt("edit", target))
    written = read_files(files)
    key = passphrases.open_author_key(plane, actor, passphrase)
    with ledger.act(plane) as session:
        proposal, current = store.find_proposal(session, number)
        if proposal.state == "released":
            raise Refused("expected a proposal that is not released yet, got one that is")
        if revision is not None and revision != proposal.revision:
            raise Conflict(f"expected revision {proposal.revision}, got {revision}")
        merged = {file.key: file for file in (*(SourceFile(**file) for file in current.files), *written)}
        removed = tuple(sorted({*((kind, name) for kind, name in current.removed), *remove} - {f.key for f in written}))
        kept = tuple(file for file in merged.values() if file.key not in removed)
        earlier = parse_manifest(current.manifest).entries
        draft = make_draft(plane, session, Edit(proposal.channel, actor, kept, removed, earlier=earlier))
        # The title is a text of the author's: nobody else's statement repeats it.
        title = (
            texts.reasons(session, plane, [proposal.leaf]).get(proposal.leaf, "") if actor == proposal.author else ""
        )
        revising = _Revising(actor, key, kept, removed, draft, Act.EDITED, title, current.digest)
        if draft.digest == current.digest:
            _refuse_files(session, current, revising)
            row = _store_files(plane, session, proposal, revising=revising)
        else:
            _refuse_proposed(session, draft.digest)
            row = _store_revision(plane, session, proposal, revising=revising)
        return store.record(plane, session, proposal, revision=row)


def _store_revision(
    plane: ControlPlane, session: Session, proposal: ProposalRow, *, revising: _Revising
) -> RevisionRow:
    draft, actor = revising.draft, revising.actor
    row = _add_revision(plane, session, proposal, revising=revising)
    kinds = {entry.digest: entry.kind for entry in draft.introduced}
    store.add_closures(session, ((digest, kinds[digest], data) for digest, data in draft.closures.items()))
    signing = store.Signing(
        act="author",
        logged=revising.logged,
        channel=proposal.channel,
        person=actor,
        role="author",
        reason=revising.title,
        key=revising.key,
        manifest=draft.digest,
        entries=draft.introduced,
        target=_target(proposal, draft.digest),
        proposal=proposal.number,
        facts=facts_of(draft.manifest, live_manifest(session, proposal.channel)[0]),
        before=revising.before or draft.manifest.base,
        after=draft.digest,
    )
    store.sign(plane, session, signing)
    return row


def _store_files(plane: ControlPlane, session: Session, proposal: ProposalRow, *, revising: _Revising) -> RevisionRow:
    """Store a revision of the same manifest with other files: nothing to sign anew, but every check runs again."""
    digest = revising.draft.digest
    row = _add_revision(plane, session, proposal, revising=revising)
    session.exec(delete(CheckRow).where(col(CheckRow.manifest) == digest))
    facts = facts_of(revising.draft.manifest, live_manifest(session, proposal.channel)[0])
    event = ledger.Event(
        revising.logged,
        revising.actor,
        "author",
        Auth.PASSPHRASE,
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
    ledger.append(plane, session, event)
    return row


def _target(proposal: ProposalRow, digest: str) -> LeafObject:
    return LeafObject("proposal", f"proposal-{proposal.number}", digest, str(proposal.revision))


def _add_revision(plane: ControlPlane, session: Session, proposal: ProposalRow, *, revising: _Revising) -> RevisionRow:
    if revising.logged is Act.EDITED:
        proposal.revision += 1
        proposal.state = "open"
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


def _as_rows(files: Sequence[SourceFile]) -> list[dict[str, str]]:
    return [{"kind": f.kind, "name": f.name, "path": f.path, "text": f.text} for f in files]


def _refuse_files(session: Session, current: RevisionRow, revising: _Revising) -> None:
    """Refuse an edit that leaves the manifest as it is, unless it brings other files and comes in time."""
    if current.files == _as_rows(revising.files) and current.removed == [list(key) for key in revising.removed]:
        raise InvalidDocument("expected a change of the proposal, got what it is already")
    if revising.actor != current.editor:
        raise Refused("expected the person who wrote this revision, because only its cases change, got another")
    approved = select(StatementRow.id).where(StatementRow.manifest == current.digest, StatementRow.act == "approve")
    if session.exec(approved).first() is not None:
        raise Refused("expected cases to change before anybody approved, got a proposal with an approval")


def _refuse_proposed(session: Session, digest: str) -> None:
    """Refuse what an open proposal proposes already."""
    same = select(ProposalRow.number).where(
        ProposalRow.state == "open",
        ProposalRow.number == RevisionRow.proposal,
        ProposalRow.revision == RevisionRow.revision,
        RevisionRow.digest == digest,
    )
    number = session.exec(same).first()
    if number is not None:
        raise Conflict(
            f"expected a change that nobody proposes yet, got that of proposal {number}", hint="edit that proposal"
        )


def _refuse_stale(session: Session, channel: str, base: str | None) -> None:
    live = live_manifest(session, channel)[1]
    if base is not None and base != live:
        raise Conflict(
            "expected a change of the live release, got one of an earlier release", hint="look again, then edit"
        )


def _require_title(title: str) -> None:
    if not 0 < len(title.strip()) <= MAX_TITLE_LENGTH:
        raise InvalidDocument(f"expected a title of 1 to {MAX_TITLE_LENGTH} characters")
    if any(unicodedata.category(character) in _BREAKING for character in title.strip()):
        raise InvalidDocument("expected a title in one line, without control characters")
