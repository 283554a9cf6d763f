"""Objections: one blocks, until whoever made it takes it back or the content changes.

An objection is an act of one person with a reason; it is not signed, because it can only tighten (DESIGN, P3). A
rejection is a signed act that closes a proposal as well, and it blocks in the same way. Both hold on to the content
that was objected to: a rebase that changes nothing of it, a duplicate, or the same change proposed anew meets them
again, on every channel.
Promises: whoever wrote a part of the proposal does not object to it, they edit or close it; machines do not object;
only the objector takes an objection back. That loosens, so it takes their passphrase or the key that they keep, as they
had it when they objected: whoever linked an account to theirs, or let them have a new key, does not do it for them.
Does not: stop approvals from being signed meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from audit.record import Act, Auth, LeafObject
from control_plane import ledger, texts
from control_plane.accounts import presence, rights
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.accounts.standing import has_say, key_since
from control_plane.errors import Conflict, Refused
from control_plane.plane import ControlPlane
from control_plane.purposes import taking_back
from control_plane.registry import store
from control_plane.registry.discussed import Anchor, Objection
from control_plane.registry.exclusion import contributors
from control_plane.reviewing import expiry, threads, waiting
from control_plane.reviewing.contents import content_of, standing
from control_plane.tables.registry import ProposalRow, RevisionRow
from control_plane.tables.reviewing import ObjectionRow
from edge_runtime.core.approval import APPROVING
from edge_runtime.core.errors import InvalidDocument

__all__ = [
    "OBJECTING",
    "Objecting",
    "add_objection",
    "object_to",
    "objections_to",
    "require_unobjected",
    "take_back",
    "taking_back",
]

OBJECTING = (*APPROVING, "reviewer")
"""Roles in which people object."""


@dataclass(frozen=True, slots=True)
class Objecting:
    """Who objects, in which role, to which manifest; by an act or by a signed rejection."""

    act: str
    person: str
    role: str
    manifest: str
    leaf: int
    thread: int | None = None


def object_to(
    plane: ControlPlane,
    actor: str,
    number: int,
    *,
    role: str,
    reason: str,
    manifest: str,
    anchor: Anchor | None = None,
    auth: Auth = Auth.TOKEN,
) -> Objection:
    """Object to a proposal: it is not released until the objection is taken back or its content changes.

    Args:
        plane: the control plane.
        actor: person id.
        number: of the proposal.
        role: one of theirs: a role in which people approve, or reviewer.
        reason: why, in their own words; it begins a thread.
        manifest: digest that they looked at.
        anchor: the lines that it is about.
        auth: how they had authenticated.

    Raises:
        NotFound: no such proposal, person or lines.
        Refused: they wrote a part of it, lack the role, or it is not open.
        Conflict: it is not what they looked at, or they object already.
        InvalidDocument: no reason, one that is too long, or a role in which nobody objects.
    """
    threads.require_text(reason)
    if role not in OBJECTING:
        raise InvalidDocument(f"expected one of the roles {', '.join(OBJECTING)}, got another")
    expiry.expire_due(plane, number)
    rights.require_role(plane, actor, (role,), attempt=Attempt("object", LeafObject("proposal", f"proposal-{number}")))
    with rights.acting(plane, actor, role) as session:
        proposal, revision = store.find_proposal(session, number)
        _require_objectable(session, proposal, revision, person=actor, manifest=manifest)
        leaf = ledger.next_index(session)
        thread = threads.add_thread(session, revision, anchor, by=actor, leaf=leaf, now=plane.now())
        event = ledger.Event(
            Act.OBJECTED,
            actor,
            role,
            auth,
            store.target_of(proposal, revision),
            channel=proposal.channel,
            manifest=revision.digest,
            reason=texts.say(plane, reason.strip()),
            code=threads.code_of(thread),
        )
        ledger.append(plane, session, event)
        row = add_objection(session, revision, Objecting("object", actor, role, manifest, leaf, thread), at=plane.now())
        waiting.refresh(plane, session, proposal, revision=revision)
        return _record(row, reason.strip(), standing_now=True)


def add_objection(session: Session, revision: RevisionRow, objecting: Objecting, *, at: datetime) -> ObjectionRow:
    """Store an objection to the content of a revision, in the caller's transaction."""
    row = ObjectionRow(
        leaf=objecting.leaf,
        proposal=revision.proposal,
        act=objecting.act,
        content=content_of(session, revision.proposal),
        manifest=objecting.manifest,
        person=objecting.person,
        role=objecting.role,
        thread=objecting.thread,
        at=at,
    )
    session.add(row)
    session.flush()
    return row


def take_back(plane: ControlPlane, actor: str, number: int, *, present: str | Proof, reason: str = "") -> None:
    """Take back one's own objections to a proposal, rejections included; a rejected proposal is open again.

    Args:
        plane: the control plane.
        actor: person id of the objector.
        number: of the proposal.
        present: their passphrase, or a proof by the key that they keep, for `taking_back(number)`.
        reason: why, if they like to say.

    Raises:
        NotFound: no such proposal or person.
        Refused: their token is not good for it; a wrong passphrase or proof; their key is newer than the objection, and
            nobody granted them a role since.
        Conflict: they have nothing to take back.
    """
    if reason.strip():
        threads.require_text(reason)
    target = LeafObject("proposal", f"proposal-{number}")
    expiry.expire_due(plane, number)
    rights.require_scope(plane, actor, attempt=Attempt("take-back", target))
    auth = presence.require(plane, actor, present, purpose=taking_back(number))
    with rights.acting(plane, actor) as session:
        proposal, revision = store.find_proposal(session, number)
        mine = _own(session, revision, actor)
        said = texts.say(plane, reason.strip()) if reason.strip() else None
        for row in mine:
            event = ledger.Event(
                Act.OBJECTION_TAKEN_BACK,
                row.person,
                row.role,
                auth,
                store.target_of(proposal, revision),
                channel=proposal.channel,
                before=row.manifest,
                manifest=revision.digest,
                reason=said,
                code=f"entry-{row.leaf}",
            )
            row.taken_back = ledger.append(plane, session, event)
            if row.thread is not None:
                threads.settle(session, row.thread, by=row.person, leaf=row.taken_back)
        if proposal.state == "rejected" and not any(one.act == "reject" for one in standing(session, revision)):
            proposal.state = "open"
        session.flush()
        waiting.refresh(plane, session, proposal, revision=revision)


def _own(session: Session, revision: RevisionRow, actor: str) -> list[ObjectionRow]:
    """Return the objections of a person that block a revision, once they are who made them."""
    person = rights.find_row(session, actor)
    mine = [row for row in standing(session, revision) if row.person == person.id]
    if not mine:
        raise Conflict("expected an objection of the same person's to this content, got none")
    if key_since(session, person) > min(row.leaf for row in mine) and not has_say(session, person):
        raise Refused(
            "expected the key that the objector had when they objected, got a newer one",
            hint="two people grant them a role anew, or an edit changes what they object to",
        )
    return mine


def require_unobjected(session: Session, revision: RevisionRow) -> None:
    """Refuse a revision that somebody objects to.

    Raises:
        Refused: somebody does, or rejected this very content.
    """
    found = standing(session, revision)
    if found:
        raise Refused(
            f"expected nobody to object, got {len(found)} who did",
            hint="whoever objected takes it back, or an edit changes what they object to",
        )


def objections_to(plane: ControlPlane, session: Session, revision: RevisionRow) -> tuple[Objection, ...]:
    """Return the objections to a proposal, and those elsewhere that block the same content, oldest first."""
    blocking = {row.leaf: row for row in standing(session, revision)}
    own = session.exec(select(ObjectionRow).where(ObjectionRow.proposal == revision.proposal))
    rows = {row.leaf: row for row in own} | blocking
    shown = texts.shown_reasons(session, plane, rows)
    return tuple(_record(row, shown.get(leaf, ""), standing_now=leaf in blocking) for leaf, row in sorted(rows.items()))


def _record(row: ObjectionRow, reason: str, *, standing_now: bool) -> Objection:
    return Objection(row.act, row.person, row.role, reason, row.at, standing=standing_now, thread=row.thread)


def _require_objectable(
    session: Session, proposal: ProposalRow, revision: RevisionRow, *, person: str, manifest: str
) -> None:
    if proposal.state not in expiry.LIVING:
        raise Refused(f"expected an open proposal, got one that is {proposal.state}")
    if person in contributors(session, revision.proposal):
        raise Refused(
            "expected somebody who did not write this, got one of its authors", hint="edit the proposal, or close it"
        )
    if manifest != revision.digest:
        raise Conflict("expected the digest of the proposal as it is now, got another", hint="look again, then decide")
    if any(row.person == person for row in standing(session, revision)):
        raise Conflict("expected one objection of each person, got a second one", hint="reply in its thread")
