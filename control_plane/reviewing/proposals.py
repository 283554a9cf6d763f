"""Proposing and editing: from files to a manifest that its author signed.

Promises: what does not read strictly, changes nothing, or stands on a base that is no longer live, stores nothing; the
author's signature, the state and the audit leaf are one transaction. An edit makes a new manifest, so every approval
of the old one is void; it builds on the live release, so it also rebases a stale proposal, unless a file of it changed
underneath and is not written anew: nobody's change is undone unseen. It opens an expired proposal again, and a rejected
one if it changes what was rejected.
Cases are in no manifest: an edit of those alone keeps the manifest with its signatures, voids its checks, and comes
from the editor who signed it, before anybody approved.
Does not: store revisions (see `revising`), check or approve (see `review`), or know drafts that nobody signed (see
`reviewing.drafts`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from audit.record import Act, LeafObject
from control_plane import ledger, texts
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, Refused
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.derived import derive
from control_plane.registry.drafts import Edit, SourceFile, make_draft, read_files
from control_plane.registry.live import live_manifest
from control_plane.registry.records import Proposal
from control_plane.reviewing import conflicts, expiry, trials
from control_plane.reviewing.revising import Revising, refuse_files, refuse_proposed, store_files, store_revision
from control_plane.reviewing.trials import Window
from control_plane.signing import Elsewhere, auth_of, key_of
from control_plane.sources.closures import CLOSURE_KINDS
from control_plane.tables.lifecycle import OriginRow
from control_plane.tables.registry import ProposalRow, RevisionRow
from control_plane.tables.reviewing import ContributorRow, DraftRow
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import parse_manifest

__all__ = ["Origin", "edit", "propose", "propose_derived", "rebase", "require_title"]

Files = Mapping[str, str | bytes]
MAX_TITLE_LENGTH = 200
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Kinds of characters that a title in a line cannot hold: they would break it, or cannot be stored."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a proposal comes from: the draft and its version, and who wrote a part of it before it was one."""

    draft: int | None = None
    revision: int = 0
    contributors: Collection[str] = ()


def propose(
    plane: ControlPlane,
    actor: str,
    *,
    files: Files,
    title: str,
    passphrase: str | Elsewhere,
    base: str | None = None,
    remove: Sequence[tuple[str, str]] = (),
    channel: str = "",
    origin: Origin = Origin(),
    emergency: bool = False,
    stages: Sequence[int] = (),
    window: Window | None = None,
) -> Proposal:
    """Propose a change of the live release of a channel, signed by its author.

    Args:
        plane: the control plane.
        actor: person id of the author.
        files: YAML text by path.
        title: what the change is, in a line.
        passphrase: opens the author's key; or what they signed where their own key is.
        base: digest of the manifest that the author looked at; None if they did not say.
        remove: kind and name of entries that go.
        channel: "" for the usual one.
        origin: where it comes from, if it was something before.
        emergency: whether people are asked for the quorum of emergencies; the release is then to be reviewed.
        stages: the percentages of devices by which the release is rolled out; none: those of the release before.
        window: when a trial on a channel ends, and what happens then.

    Raises:
        InvalidDocument: a file does not read or freeze, nothing governed changes, there is no such channel, stages that
            do not rise to 100, or a window that is none.
        Conflict: `base` is no longer live, or the very same change is proposed already.
        Refused: the actor is not an author, or a wrong passphrase.
    """
    rights.require_role(plane, actor, ("author",), attempt=Attempt("propose", LeafObject("proposal")))
    require_title(title)
    written, on = read_files(files), plane.on(channel)
    key = key_of(plane, actor, passphrase, use="propose", author=True)
    with rights.acting(plane, actor, "author") as session:
        _refuse_stale(session, on, base)
        edit = Edit(on, actor, written, tuple(remove), emergency=emergency, stages=tuple(stages))
        draft = make_draft(plane, session, edit)
        revising = Revising(actor, key, written, tuple(remove), draft, Act.PROPOSED, title.strip())
        proposal, row = _store_new(plane, session, on, revising=revising, origin=origin)
        if window is not None:
            trials.state(plane, session, proposal, window=window, by=actor, auth=auth_of(passphrase))
        return store.record(plane, session, proposal, revision=row)


def propose_derived(
    plane: ControlPlane,
    actor: str,
    *,
    channel: str,
    act: str,
    spec: dict[str, Any],
    title: str,
    passphrase: str | Elsewhere,
) -> Proposal:
    """Propose what derives from content that was approved before; see `lifecycle.derived`.

    Raises: as for `propose`, and what `derive` raises.
    """
    rights.require_role(plane, actor, ("author",), attempt=Attempt(act, LeafObject("proposal")))
    require_title(title)
    on = plane.on(channel)
    key = key_of(plane, actor, passphrase, use=act, author=True)
    with rights.acting(plane, actor, "author") as session:
        made = derive(plane, session, on, actor=actor, act=act, spec=spec)
        revising = Revising(
            actor, key, made.files, made.removed, made.draft, Act.PROPOSED, title.strip(), signs=made.signs, code=act
        )
        proposal, row = _store_new(plane, session, on, revising=revising, origin=Origin())
        session.add(OriginRow(proposal=proposal.number or 0, act=act, spec=spec))
        return store.record(plane, session, proposal, revision=row)


def _store_new(
    plane: ControlPlane, session: Session, channel: str, *, revising: Revising, origin: Origin
) -> tuple[ProposalRow, RevisionRow]:
    refuse_proposed(session, revising.draft.digest)
    leaf = ledger.next_index(session)  # the entry of the author's statement, whose text is the title
    now, actor = plane.now(), revising.actor
    ends = expiry.end_of(session, channel, manifest=revising.draft.manifest, now=now)
    proposal = ProposalRow(channel=channel, leaf=leaf, state="open", revision=1, author=actor, expires_at=ends, at=now)
    session.add(proposal)
    session.flush()
    _keep_origin(session, proposal, origin)
    return proposal, store_revision(plane, session, proposal, revising=revising)


def edit(
    plane: ControlPlane,
    actor: str,
    number: int,
    *,
    files: Files,
    passphrase: str | Elsewhere,
    revision: int | None = None,
    remove: Sequence[tuple[str, str]] = (),
) -> Proposal:
    """Edit a proposal; approvals of what it was before are void.

    Args:
        plane: the control plane.
        actor: person id of the editor, who then cannot approve it.
        number: of the proposal.
        files: YAML text by path: written over those of the revision before; may be empty to rebase.
        passphrase: opens the editor's key; or what they signed where their own key is.
        revision: the one that the editor looked at; None if they did not say.
        remove: kind and name of further entries that go.

    Raises:
        InvalidDocument, Refused: as for `propose`.
        Conflict: it was edited meanwhile, or is released.
        NotFound: there is no such proposal.
    """
    target = LeafObject("proposal", f"proposal-{number}")
    rights.require_role(plane, actor, ("author",), attempt=Attempt("edit", target))
    written = read_files(files)
    expiry.expire_due(plane, number)
    key = key_of(plane, actor, passphrase, use="edit", author=True)
    with rights.acting(plane, actor, "author") as session:
        proposal, current = store.find_proposal(session, number)
        if proposal.state in {"released", "closed"}:
            raise Refused(f"expected a proposal that is neither released nor closed, got one that is {proposal.state}")
        if revision is not None and revision != proposal.revision:
            raise Conflict(f"expected revision {proposal.revision}, got {revision}")
        origin = session.get(OriginRow, number)
        if origin is not None:
            return _derive_anew(plane, session, proposal, origin=origin, actor=actor, key=key, changes=files or remove)
        anew = (*(file.key for file in written), *remove)
        conflicts.refuse_conflicts(session, proposal.channel, current, written=anew)
        merged = {file.key: file for file in (*(SourceFile(**file) for file in current.files), *written)}
        removed = tuple(sorted({*_still_there(session, proposal, current), *remove} - {f.key for f in written}))
        kept = tuple(file for file in merged.values() if file.key not in removed)
        was, base = parse_manifest(current.manifest), store.base_of(session, current)
        stages = () if base is not None and base.stages == was.stages else was.stages
        edit = Edit(proposal.channel, actor, kept, removed, earlier=was.entries, emergency=was.emergency, stages=stages)
        draft = make_draft(plane, session, edit)
        # The title is a text of the author's: nobody else's statement repeats it.
        title = (
            texts.reasons(session, plane, [proposal.leaf]).get(proposal.leaf, "") if actor == proposal.author else ""
        )
        revising = Revising(actor, key, kept, removed, draft, Act.EDITED, title, current.digest)
        if draft.digest == current.digest:
            refuse_files(session, current, revising)
            row = store_files(plane, session, proposal, revising=revising)
        else:
            refuse_proposed(session, draft.digest)
            row = store_revision(plane, session, proposal, revising=revising)
        return store.record(plane, session, proposal, revision=row)


def rebase(
    plane: ControlPlane,
    actor: str,
    number: int,
    *,
    passphrase: str | Elsewhere,
    revision: int | None = None,
    merged: bool = False,
) -> Proposal:
    """Put a stale proposal on the live release, as an edit that writes nothing anew.

    Args:
        plane: the control plane.
        actor: person id of who rebases, who then cannot approve it.
        number: of the proposal.
        passphrase: opens their key; or what they signed where their own key is.
        revision: the one that they looked at; None if they did not say.
        merged: take the merged text of each file that conflicts in other lines only.

    Raises:
        Conflict: files of it changed underneath, or it was edited meanwhile.
        InvalidDocument: it is not stale.
        NotFound, Refused: as for `edit`.
    """
    found = conflicts.conflicts_of(plane, number) if merged else ()
    lines = {one.path: one.merged for one in found if one.merged is not None}
    return edit(plane, actor, number, files=lines, passphrase=passphrase, revision=revision)


def _still_there(session: Session, proposal: ProposalRow, current: RevisionRow) -> list[tuple[str, str]]:
    """Return what a revision removes, without the entries that are gone by now."""
    live = live_manifest(session, proposal.channel)[0]
    keys = {entry.key for entry in live.entries} if live else set()
    gone = [(kind, name) for kind, name in current.removed]
    return [key for key in gone if key in keys or key[0] not in CLOSURE_KINDS]


def _keep_origin(session: Session, proposal: ProposalRow, origin: Origin) -> None:
    number = proposal.number or 0
    others = sorted(set(origin.contributors) - {proposal.author})
    session.add_all(ContributorRow(proposal=number, person=person) for person in others)
    draft = session.get(DraftRow, origin.draft) if origin.draft is not None else None
    if draft is not None:
        if draft.ended or draft.revision != origin.revision:
            raise Conflict("expected the draft as it was read, got one that was saved or proposed meanwhile")
        draft.proposal, draft.ended = number, True
    session.flush()


def _derive_anew(
    plane: ControlPlane,
    session: Session,
    proposal: ProposalRow,
    *,
    origin: OriginRow,
    actor: str,
    key: Ed25519PrivateKey | Elsewhere,
    changes: object,
) -> Proposal:
    """Make a promotion, rollback or return anew on what is live now."""
    if changes:
        raise Refused(
            f"expected no files, because this is a {origin.act}, got some",
            hint="edit without files to rebase it; propose a change of your own for other content",
        )
    made = derive(plane, session, proposal.channel, actor=actor, act=origin.act, spec=origin.spec)
    _, current = store.find_proposal(session, proposal.number or 0)
    if made.draft.digest == current.digest:
        raise InvalidDocument("expected a change of the proposal, got what it is already")
    title = texts.reasons(session, plane, [proposal.leaf]).get(proposal.leaf, "") if actor == proposal.author else ""
    revising = Revising(
        actor,
        key,
        made.files,
        made.removed,
        made.draft,
        Act.EDITED,
        title,
        current.digest,
        signs=made.signs,
        code=origin.act,
    )
    row = store_revision(plane, session, proposal, revising=revising)
    return store.record(plane, session, proposal, revision=row)


def _refuse_stale(session: Session, channel: str, base: str | None) -> None:
    live = live_manifest(session, channel)[1]
    if base is not None and base != live:
        raise Conflict(
            "expected a change of the live release, got one of an earlier release", hint="look again, then edit"
        )


def require_title(title: str) -> None:
    """Refuse what is no title.

    Raises:
        InvalidDocument: none, too long, or not in one line.
    """
    if not 0 < len(title.strip()) <= MAX_TITLE_LENGTH:
        raise InvalidDocument(f"expected a title of 1 to {MAX_TITLE_LENGTH} characters")
    if any(unicodedata.category(character) in _BREAKING for character in title.strip()):
        raise InvalidDocument("expected a title in one line, without control characters")
