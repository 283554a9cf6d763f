"""Closing a proposal, and beginning a new one with what another has.

Promises: a closed proposal is never approved or released; a duplicate carries no approval, no opening and no comment
over, and whoever wrote the other one is excluded from approving it as well; objections to the content meet it again.
Does not: delete: what was proposed stays in the log.
"""

from __future__ import annotations

from audit.record import Act, Auth
from control_plane import db, ledger, texts
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Refused
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.exclusion import contributors
from control_plane.registry.records import Proposal
from control_plane.reviewing import conflicts, expiry, proposals, threads, waiting
from control_plane.signing import Elsewhere

__all__ = ["close", "duplicate"]

FINAL = ("released", "closed")


def close(plane: ControlPlane, actor: str, number: int, *, reason: str = "", auth: Auth = Auth.TOKEN) -> Proposal:
    """Close a proposal for good: an act of its author's.

    Raises:
        NotFound: no such proposal or person.
        Refused: they are not its author, or it is released or closed.
        InvalidDocument: a reason that is too long.
    """
    if reason.strip():
        threads.require_text(reason)
    expiry.expire_due(plane, number)
    attempt = Attempt("close", store.target_named(number))
    role = rights.require_role(plane, actor, ("author",), attempt=attempt)
    with rights.acting(plane, actor, role) as session:
        proposal, revision = store.find_proposal(session, number)
        if proposal.author != actor:
            raise Refused("expected the author of the proposal, got another")
        if proposal.state in FINAL:
            raise Refused(f"expected a proposal that is neither released nor closed, got one that is {proposal.state}")
        proposal.state = "closed"
        event = ledger.Event(
            Act.ABANDONED,
            actor,
            role,
            auth,
            store.target_of(proposal, revision),
            channel=proposal.channel,
            manifest=revision.digest,
            reason=texts.say(plane, reason.strip()) if reason.strip() else None,
        )
        ledger.append(plane, session, event)
        waiting.forget(session, number)
        conflicts.forget_bases(session, number)
        return store.record(plane, session, proposal, revision=revision)


def duplicate(
    plane: ControlPlane, actor: str, number: int, *, title: str, passphrase: str | Elsewhere, channel: str = ""
) -> Proposal:
    """Propose what another proposal has, as a proposal of one's own on the live release.

    Args:
        plane: the control plane.
        actor: person id of its author.
        number: of the proposal to take the files of.
        title: of the new one.
        passphrase: opens the author's key; or what they signed where their own key is.
        channel: where to; "" for the channel of the other.

    Raises:
        NotFound: there is no such proposal.
        Conflict, InvalidDocument, Refused: as for `proposals.propose`.
    """
    with db.read(plane.engine) as session:
        other, revision = store.find_proposal(session, number)
        on, wrote = channel or other.channel, contributors(session, number)
        files: dict[str, str] = {}
        for file in revision.files:  # each where it lies; only edits can have left two at one path
            path = file["path"] if file["path"] not in files else f"{file['kind']}/{file['name']}.yaml"
            files[path] = file["text"]
        removed = [(kind, name) for kind, name in revision.removed]
    return proposals.propose(
        plane,
        actor,
        files=files,
        title=title,
        passphrase=passphrase,
        remove=removed,
        channel=on,
        origin=proposals.Origin(contributors=wrote),
    )
