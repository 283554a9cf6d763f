"""Releasing: what devices are told, and when.

Promises: a release needs the quorum, counted by the functions that devices use, and whatever else `conditions` asks;
its state, its sources, its versions and its audit leaves are one transaction, and publication follows from the database
alone, so a crash anywhere is finished by `recover`. What is live goes only by a release that people approved: there is
no other way to remove it.
Does not: withdraw (see `lifecycle.withdrawing`), or wait for a time (see `lifecycle.scheduling`).
"""

from __future__ import annotations

from dataclasses import replace

from sqlmodel import Session

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.lifecycle import emergency
from control_plane.lifecycle.conditions import obstacle
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.derived import has_lifted
from control_plane.registry.facts import checks_digest, facts_of
from control_plane.registry.records import Release
from control_plane.reviewing import conflicts, expiry, waiting
from control_plane.reviewing.review import require_open
from control_plane.tables.registry import ProposalRow, ReleaseRow, RevisionRow, SourceRow, VersionRow
from edge_runtime.core.manifest import Manifest, changed_entries, parse_manifest

__all__ = [
    "RELEASE_ROLE",
    "carry_out",
    "publish_all",
    "recover",
    "release",
    "release_name",
    "release_record",
]

RELEASE_ROLE = "release-manager"


def release(plane: ControlPlane, actor: str, number: int, *, auth: Auth = Auth.TOKEN) -> Release:
    """Release an approved proposal and publish it.

    Raises:
        NotFound: no such proposal or person.
        Refused: the actor is no release manager, the proposal is not open, its checks did not pass, it lacks
            approvals, brings what is withdrawn, or the review of a break-glass release is overdue on its channel.
        Conflict: it is stale.
    """
    attempt = Attempt("release", LeafObject("proposal", f"proposal-{number}"), auth)
    rights.require_role(plane, actor, (RELEASE_ROLE,), attempt=attempt)
    expiry.expire_due(plane, number)
    with rights.acting(plane, actor, RELEASE_ROLE) as session:
        proposal, revision = store.find_proposal(session, number)
        require_open(proposal)
        found = obstacle(plane, session, proposal, revision=revision)
        if found is not None:
            raise found.error
        done = carry_out(plane, session, proposal, revision=revision, by=actor, auth=auth)
    # Crash before this line: nothing happened. Crash after it: the release is made; `recover` publishes it.
    publish_all(plane)
    return done


def carry_out(
    plane: ControlPlane, session: Session, proposal: ProposalRow, *, revision: RevisionRow, by: str, auth: Auth
) -> Release:
    """Release a revision past whose `obstacle` nothing stands, in the caller's transaction."""
    manifest, base = parse_manifest(revision.manifest), store.base_of(session, revision)
    facts = facts_of(manifest, base)
    event = ledger.Event(
        Act.RELEASED,
        actor=by,
        role=RELEASE_ROLE,
        auth=auth,
        target=LeafObject("release", release_name(manifest), revision.digest, str(manifest.number)),
        channel=proposal.channel,
        before=revision.base,
        after=revision.digest,
        diff=facts.diff,
        manifest=revision.digest,
        policy=facts.policy,
        checks=checks_digest(store.checks_of(session, revision.digest)),
        models=facts.models,
        tier=facts.tier,
        names=tuple(entry.name for entry in changed_entries(manifest, base)),
    )
    leaf = ledger.append(plane, session, event)
    row = _store_release(plane, session, revision, manifest=manifest, by=by, leaf=leaf, base=base)
    for statement, entry in has_lifted(session, manifest, base):
        about = LeafObject(entry.kind, entry.name, entry.digest, str(entry.epoch))
        lifted = replace(event, act=Act.WITHDRAWAL_LIFTED, target=about, before=statement, diff="", names=())
        ledger.append(plane, session, lifted)
    if manifest.emergency:
        emergency.begin(plane, session, row, by=by, auth=auth)
    emergency.close_rolled_back(session, revision.proposal, channel=manifest.channel, leaf=leaf)
    proposal.state = "released"
    waiting.forget(session, revision.proposal)
    conflicts.forget_bases(session, revision.proposal)
    return release_record(row, manifest)


def _store_release(
    plane: ControlPlane,
    session: Session,
    revision: RevisionRow,
    *,
    manifest: Manifest,
    by: str,
    leaf: int,
    base: Manifest | None,
) -> ReleaseRow:
    row = ReleaseRow(
        channel=manifest.channel,
        number=manifest.number,
        digest=revision.digest,
        manifest=revision.manifest,
        proposal=revision.proposal,
        person=by,
        leaf=leaf,
        statements=[row.id or 0 for row in store.statements_for(session, revision)],
        at=plane.now(),
    )
    session.add(row)
    session.flush()
    for entry in changed_entries(manifest, base):
        if session.get(VersionRow, (manifest.channel, *entry.key, entry.epoch)) is not None:
            continue  # it was live here before, went, and comes back just so
        session.add(
            VersionRow(
                channel=manifest.channel,
                kind=entry.kind,
                name=entry.name,
                epoch=entry.epoch,
                digest=entry.digest,
                tier=entry.tier,
                author=entry.author,
                release=manifest.number,
                at=plane.now(),
            )
        )
    for file in revision.files:
        session.merge(SourceRow(channel=manifest.channel, **file))
    for kind, name in revision.removed:
        gone = session.get(SourceRow, (manifest.channel, kind, name))
        if gone is not None:
            session.delete(gone)
    session.flush()
    return row


def recover(plane: ControlPlane) -> tuple[str, ...]:
    """Finish what a crash left unpublished and return what that was; changes nothing if nothing was.

    Raises:
        Unavailable: the database was changed from outside, so that it no longer agrees with its own log.
    """
    db.scrub_again(plane.engine)  # a crash right after an erasure leaves the key in a file of the database
    done = ("audit log",) if ledger.recover_log(plane) else ()
    return (*done, *publish_all(plane))


def publish_all(plane: ControlPlane) -> tuple[str, ...]:
    """Publish what the database holds and return the paths that were new."""
    from control_plane.publish import publish  # brings `tuf`, which takes a third of a second to import

    return publish(plane)


def release_record(row: ReleaseRow, manifest: Manifest) -> Release:
    """Return the record of a release."""
    return Release(
        row.channel,
        row.number,
        row.digest,
        row.proposal,
        row.person,
        row.at,
        entries=len(manifest.entries),
        leaf=row.leaf,
    )


def release_name(manifest: Manifest) -> str:
    """Return how entries of the log name a release."""
    return f"release-{manifest.channel}-{manifest.number}"
