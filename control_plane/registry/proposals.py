"""Proposing and editing: from files to a manifest that its author signed.

Promises: what does not read strictly, changes nothing, or stands on a base that is no longer live, stores nothing; the
author's signature, the state and the audit leaf are one transaction. An edit makes a new manifest, so every approval
of the old one is void; it builds on the live release, so it also rebases a stale proposal and reopens a rejected one.
Does not: check or approve (see `review`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from audit.record import Act, LeafObject
from control_plane import ledger, people
from control_plane.errors import Conflict, Refused
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.drafts import Draft, Edit, SourceFile, live_manifest, make_draft, read_files
from control_plane.registry.records import Proposal
from control_plane.registry.tables import ProposalRow, RevisionRow
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import parse_manifest

__all__ = ["edit", "propose"]

Files = Mapping[str, str | bytes]
MAX_TITLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class _Revising:
    """A revision about to be stored: whose, what it writes, and the draft it makes."""

    actor: str
    key: Ed25519PrivateKey
    files: tuple[SourceFile, ...]
    removed: tuple[tuple[str, str], ...]
    draft: Draft
    logged: Act
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
) -> Proposal:
    """Propose a change of the live release, signed by its author.

    Args:
        plane: the control plane.
        actor: person id of the author.
        files: YAML text by path.
        title: what the change is, in a line.
        passphrase: opens the author's key.
        base: digest of the manifest that the author looked at; None if they did not say.
        remove: kind and name of entries that go.

    Raises:
        InvalidDocument: a file does not read or freeze, or nothing governed changes.
        Conflict: `base` is no longer live, or the very same change is proposed already.
        Refused: the actor is not an author, or a wrong passphrase.
    """
    people.require_role(plane, actor, "author")
    _require_title(title)
    written = read_files(files)
    key = people.open_key(plane, actor, passphrase)
    with ledger.act(plane) as session:
        _refuse_stale(session, base)
        draft = make_draft(plane, session, Edit(actor, written, tuple(remove)))
        proposal = ProposalRow(title=title.strip(), state="open", revision=1, author=actor, at=plane.now())
        session.add(proposal)
        session.flush()
        revising = _Revising(actor, key, written, tuple(remove), draft, Act.PROPOSED)
        return store.record(proposal, _store_revision(plane, session, proposal, revising=revising))


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
    people.require_role(plane, actor, "author")
    written = read_files(files)
    key = people.open_key(plane, actor, passphrase)
    with ledger.act(plane) as session:
        proposal, current = store.find_proposal(session, number)
        if proposal.state == "released":
            raise Refused("expected a proposal that is not released yet, got one that is")
        if revision is not None and revision != proposal.revision:
            raise Conflict(f"expected revision {proposal.revision}, got {revision}")
        merged = {file.key: file for file in (*(SourceFile(**file) for file in current.files), *written)}
        removed = tuple(sorted({*((kind, name) for kind, name in current.removed), *remove} - {f.key for f in written}))
        kept = tuple(file for file in merged.values() if file.key not in removed)
        draft = make_draft(plane, session, Edit(actor, kept, removed, earlier=parse_manifest(current.manifest).entries))
        if draft.digest == current.digest:
            raise InvalidDocument("expected a change of the proposal, got what it is already")
        proposal.revision += 1
        proposal.state = "open"
        revising = _Revising(actor, key, kept, removed, draft, Act.EDITED, before=current.digest)
        return store.record(proposal, _store_revision(plane, session, proposal, revising=revising))


def _store_revision(
    plane: ControlPlane, session: Session, proposal: ProposalRow, *, revising: _Revising
) -> RevisionRow:
    draft, actor = revising.draft, revising.actor
    row = RevisionRow(
        proposal=proposal.number or 0,
        revision=proposal.revision,
        editor=actor,
        digest=draft.digest,
        base=draft.manifest.base,
        manifest=draft.data,
        files=[{"kind": f.kind, "name": f.name, "path": f.path, "text": f.text} for f in revising.files],
        removed=[list(key) for key in revising.removed],
        at=plane.now(),
    )
    session.add(row)
    kinds = {entry.digest: entry.kind for entry in draft.introduced}
    store.add_closures(session, ((digest, kinds[digest], data) for digest, data in draft.closures.items()))
    signing = store.Signing(
        act="author",
        logged=revising.logged,
        person=actor,
        role="author",
        reason=proposal.title,
        key=revising.key,
        manifest=draft.digest,
        entries=draft.introduced,
        target=LeafObject("proposal", f"proposal-{proposal.number}", draft.digest),
        proposal=proposal.number,
    )
    store.sign(plane, session, signing)
    return row


def _refuse_stale(session: Session, base: str | None) -> None:
    live = live_manifest(session)[1]
    if base is not None and base != live:
        raise Conflict(
            "expected a change of the live release, got one of an earlier release", hint="look again, then edit"
        )


def _require_title(title: str) -> None:
    if not 0 < len(title.strip()) <= MAX_TITLE_LENGTH:
        raise InvalidDocument(f"expected a title of 1 to {MAX_TITLE_LENGTH} characters")
