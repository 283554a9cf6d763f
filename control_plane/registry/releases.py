"""Releasing and withdrawing: what devices are told, and when.

Promises: a release needs the quorum, counted by the functions that devices use; its state, its sources, its versions
and its audit leaf are one transaction, and publication follows from the database alone, so a crash anywhere is finished
by `recover`. A withdrawal takes one person with a signature; it is linked to the one before; hand-off texts are exempt.
Does not: lift a withdrawal; release new content of that name instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import passphrases, people, rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.drafts import live_manifest
from control_plane.registry.facts import Facts, checks_digest, facts_of
from control_plane.registry.records import Release, Withdrawal
from control_plane.registry.review import require_open, require_releasable
from control_plane.registry.tables import ReleaseRow, RevisionRow, SourceRow, StatementRow, VersionRow
from control_plane.reviewing import conflicts, expiry, waiting
from edge_runtime.core import coverage, dsse
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry, Manifest, changed_entries
from edge_runtime.core.statements import open_statement

__all__ = ["recover", "release", "release_record", "withdraw", "withdrawal_record"]

RELEASE_ROLE = "release-manager"
WITHDRAWABLE = ("prompt",)


def release(plane: ControlPlane, actor: str, number: int, *, auth: Auth = Auth.TOKEN) -> Release:
    """Release an approved proposal and publish it.

    Raises:
        NotFound: no such proposal or person.
        Refused: the actor is no release manager, the proposal is not open, its checks did not pass, or it lacks
            approvals; the message says how many and for what.
        Conflict: it is stale.
    """
    attempt = Attempt("release", LeafObject("proposal", f"proposal-{number}"), auth)
    people.require_role(plane, actor, RELEASE_ROLE, attempt=attempt)
    expiry.expire_due(plane, number)
    with ledger.act(plane) as session:
        proposal, revision = store.find_proposal(session, number)
        require_open(proposal)
        require_releasable(plane, session, proposal, revision=revision)
        manifest, missing = store.shortfalls(plane, session, revision)
        if missing:
            raise Refused(_what_is_missing(missing))
        base, before = live_manifest(session, proposal.channel)
        facts = facts_of(manifest, base)
        event = ledger.Event(
            Act.RELEASED,
            actor=actor,
            role=RELEASE_ROLE,
            auth=auth,
            target=LeafObject("release", release_name(manifest), revision.digest, str(manifest.number)),
            channel=proposal.channel,
            before=before,
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
        row = _store_release(plane, session, revision, manifest=manifest, by=actor, leaf=leaf, base=base)
        proposal.state = "released"
        waiting.forget(session, number)
        conflicts.forget_bases(session, number)
        done = release_record(row, manifest)
    # Crash before this line: nothing happened. Crash after it: the release is made; `recover` publishes it.
    _publish(plane)
    return done


def _what_is_missing(missing: Sequence[coverage.Shortfall]) -> str:
    """Return what lacks most, how many approvals, and in which roles."""
    entry = max(missing, key=lambda short: short.people).entry
    what = f"{entry.kind} {entry.name!r}" if entry else "the release as a whole"
    return f"expected people to have approved {what}, which lacks {coverage.lacking(missing, entry)}"


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


def withdraw(
    plane: ControlPlane, actor: str, *, target: str, reason: str, passphrase: str, channel: str = ""
) -> Withdrawal:
    """Withdraw a prompt: devices stop using this content as soon as they learn of it.

    Args:
        plane: the control plane.
        actor: person id; one person suffices, because this can only tighten.
        target: name of a live prompt, or digest of any released version.
        reason: why, in their own words.
        passphrase: opens their key for this one signature.

    Raises:
        NotFound: nothing released has that name or digest, or no such person.
        Refused: it is not a prompt (a hand-off text cannot be withdrawn), or a wrong passphrase.
        Conflict: it is withdrawn already.
    """
    if not reason.strip():
        raise InvalidDocument("expected a reason, got none")
    person = people.find_person(plane, actor)
    rights.require_scope(plane, person.id, attempt=Attempt("withdraw", LeafObject("prompt")))
    key = passphrases.open_key(plane, actor, passphrase)
    with ledger.act(plane) as session:
        on = plane.on(channel)
        version = _find_version(session, on, target)
        if version.kind not in WITHDRAWABLE:
            raise Refused(f"expected a prompt, got a {version.kind}, which cannot be withdrawn")
        before = withdrawal_rows(session, on)
        if any(ref.digest == version.digest for row in before for ref in _refs(row)):
            raise Conflict("expected content that is in use, got what is withdrawn already")
        signing = store.Signing(
            act="withdraw",
            logged=Act.WITHDRAWN,
            channel=on,
            person=person.id,
            role=person.roles[0],
            reason=reason,
            key=key,
            manifest=live_manifest(session, on)[1],
            entries=(Entry(version.kind, version.name, version.epoch, version.digest, version.tier, version.author),),
            target=LeafObject(version.kind, version.name, version.digest, str(version.epoch)),
            previous=before[-1].digest if before else "",
            facts=_facts_now(session, on, version),
            before=version.digest,
        )
        done = withdrawal_record(store.sign(plane, session, signing), reason)
    # Crash here: the withdrawal is made and logged; `recover` publishes it.
    _publish(plane)
    return done


def recover(plane: ControlPlane) -> tuple[str, ...]:
    """Finish what a crash left unpublished and return what that was; changes nothing if nothing was.

    Raises:
        Unavailable: the database was changed from outside, so that it no longer agrees with its own log.
    """
    db.scrub_again(plane.engine)  # a crash right after an erasure leaves the key in a file of the database
    done = ("audit log",) if ledger.recover_log(plane) else ()
    return (*done, *_publish(plane))


def _publish(plane: ControlPlane) -> tuple[str, ...]:
    from control_plane.publish import publish  # brings `tuf`, which takes a third of a second to import

    return publish(plane)


def withdrawal_rows(session: Session, channel: str) -> list[StatementRow]:
    """Return all withdrawals on a channel, oldest first."""
    query = select(StatementRow).where(StatementRow.act == "withdraw", StatementRow.channel == channel)
    return list(session.exec(query.order_by(col(StatementRow.id))))


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


def withdrawal_record(row: StatementRow, reason: str) -> Withdrawal:
    """Return the record of a withdrawal, with its reason as people read it."""
    [ref] = _refs(row)
    return Withdrawal(row.channel, ref.name, ref.kind, ref.digest, row.person, row.at, reason=reason)


def withdrawn_digests(session: Session, channel: str) -> frozenset[str]:
    """Return the digests of everything that is withdrawn on a channel."""
    return frozenset(ref.digest for row in withdrawal_rows(session, channel) for ref in _refs(row))


def _facts_now(session: Session, channel: str, version: VersionRow) -> Facts:
    """Return the facts about the live release, and the tier of a version."""
    manifest, _ = live_manifest(session, channel)
    return replace(facts_of(manifest, manifest), tier=version.tier, diff="") if manifest else Facts(tier=version.tier)


def _refs(row: StatementRow) -> tuple[Entry, ...]:
    return open_statement(dsse.parse_envelope(row.envelope)).entries


def _find_version(session: Session, channel: str, target: str) -> VersionRow:
    manifest, _ = live_manifest(session, channel)
    live = {entry.digest for entry in manifest.entries} if manifest else set()
    query = select(VersionRow).where(VersionRow.channel == channel).order_by(col(VersionRow.epoch).desc())
    if target.startswith("sha256:"):
        found = session.exec(query.where(VersionRow.digest == target)).first()
    else:
        named = session.exec(query.where(VersionRow.name == target))
        found = next((row for row in named if row.digest in live), None)
    if found is None:
        raise NotFound("expected the name of a live prompt or the digest of a released one")
    return found
