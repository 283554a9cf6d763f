"""Review: checks, approvals and rejections of a proposal.

Promises: an approval is a signed statement over the manifest that was checked and that the approver says they looked
at, and each entry that it introduces; whoever wrote any revision never approves it, administrators included, and the
log says that they tried; nobody signs twice; checks must have passed on this very manifest; a stale one is refused; a
rejection is an act of its own, with a reason. Statement, state and audit leaf are one transaction.
Does not: count to the quorum (see `releases`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import passphrases, people, rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, Refused
from control_plane.plane import ControlPlane
from control_plane.policy import reports
from control_plane.policy.checks.running import run_checks
from control_plane.policy.reports import require_passed
from control_plane.registry import store
from control_plane.registry.drafts import live_manifest
from control_plane.registry.facts import checks_digest, facts_of
from control_plane.registry.records import CheckResult, Proposal
from control_plane.registry.tables import ProposalRow, RevisionRow, StatementRow
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import changed_entries, parse_manifest

__all__ = ["approve", "check", "reject", "require_current", "require_open", "require_passed"]


def check(plane: ControlPlane, actor: str, number: int, *, auth: Auth = Auth.TOKEN) -> tuple[CheckResult, ...]:
    """Run every check on the proposal as it is now and store the results with their evidence.

    Raises:
        NotFound: there is no such proposal or person.
        Refused: it is not open.
        Conflict: it was edited while the checks ran.
    """
    person = people.find_person(plane, actor)
    rights.require_scope(plane, person.id, attempt=Attempt("check", LeafObject("proposal", f"proposal-{number}")))
    with db.read(plane.engine) as session:
        proposal, revision = store.find_proposal(session, number)
        require_open(proposal)
        seen, digest, candidate = revision.revision, revision.digest, reports.gather(session, revision)
    results = run_checks(candidate)
    with ledger.act(plane) as session:
        proposal, revision = store.find_proposal(session, number)
        require_open(proposal)
        if (revision.revision, revision.digest) != (seen, digest):
            raise Conflict("expected the revision that was checked, got a later one")
        reports.store_report(session, digest, results, at=plane.now())
        facts = facts_of(parse_manifest(revision.manifest), live_manifest(session, proposal.channel)[0])
        report = checks_digest(results)
        event = ledger.Event(
            Act.CHECKED,
            actor=person.id,
            role=person.roles[0],
            auth=auth,
            target=_target(proposal, revision),
            channel=proposal.channel,
            after=report,
            manifest=digest,
            policy=facts.policy,
            checks=report,
            models=facts.models,
            tier=facts.tier,
            code="failed" if any(result.status == "failed" for result in results) else "passed",
        )
        ledger.append(plane, session, event)
    return results


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer says: in which role, why, with which passphrase, having looked at which manifest digest."""

    role: str
    reason: str
    passphrase: str = field(repr=False)
    manifest: str


def approve(
    plane: ControlPlane,
    actor: str,
    number: int,
    *,
    role: str,
    reason: str,
    passphrase: str,
    manifest: str,
) -> Proposal:
    """Approve a proposal: sign its manifest and each entry that it introduces.

    Args:
        plane: the control plane.
        actor: person id of the approver.
        number: of the proposal.
        role: one of the approver's roles, in which they sign.
        reason: why, in their own words; devices get a commitment to it only.
        passphrase: opens the approver's key for this one signature.
        manifest: digest that the approver looked at: `Proposal.manifest` of what was shown to them.

    Raises:
        NotFound: no such proposal or person.
        Refused: they wrote a part of it, signed before, lack the role, gave a wrong passphrase; checks did not pass;
            the proposal is not open.
        Conflict: the proposal is stale, or is not what the approver looked at.
        InvalidDocument: no reason, or one that is too long.
    """
    return _review(plane, actor, number, act=Act.APPROVED, verdict=Verdict(role, reason, passphrase, manifest))


def reject(
    plane: ControlPlane,
    actor: str,
    number: int,
    *,
    role: str,
    reason: str,
    passphrase: str,
    manifest: str,
) -> Proposal:
    """Reject a proposal, signed and with a reason; its author may edit it and try again.

    Raises: as for `approve`, but checks need not have passed.
    """
    return _review(plane, actor, number, act=Act.REJECTED, verdict=Verdict(role, reason, passphrase, manifest))


def _review(plane: ControlPlane, actor: str, number: int, *, act: Act, verdict: Verdict) -> Proposal:
    if not verdict.reason.strip():
        raise InvalidDocument("expected a reason, got none")
    attempt = Attempt("approve" if act is Act.APPROVED else "reject", LeafObject("proposal", f"proposal-{number}"))
    people.require_role(plane, actor, verdict.role, attempt=attempt)
    key = passphrases.open_key(plane, actor, verdict.passphrase)
    _log_own_work(plane, actor, number, verdict=verdict, code=f"{attempt.code}-own-work")
    with ledger.act(plane) as session:
        proposal, revision = store.find_proposal(session, number)
        _require_reviewable(session, proposal, revision, person=actor)
        if verdict.manifest != revision.digest:
            raise Conflict(
                "expected the digest of the proposal as it is now, got another",
                hint="look again, then decide: `proposal show` and GET /v1/proposals/{number} say the manifest digest",
            )
        if act is Act.APPROVED:
            require_passed(session, revision, now=plane.now())
        else:
            proposal.state = "rejected"
        base, _ = live_manifest(session, proposal.channel)
        manifest = parse_manifest(revision.manifest)
        signing = store.Signing(
            act=attempt.code,
            logged=act,
            channel=proposal.channel,
            person=actor,
            role=verdict.role,
            reason=verdict.reason,
            key=key,
            manifest=revision.digest,
            entries=changed_entries(manifest, base),
            target=_target(proposal, revision),
            proposal=number,
            facts=facts_of(manifest, base),
            checks=checks_digest(store.checks_of(session, revision.digest)),
        )
        store.sign(plane, session, signing)
        return store.record(plane, session, proposal, revision=revision)


def _target(proposal: ProposalRow, revision: RevisionRow) -> LeafObject:
    return LeafObject("proposal", f"proposal-{proposal.number}", revision.digest, str(revision.revision))


def _log_own_work(plane: ControlPlane, actor: str, number: int, *, verdict: Verdict, code: str) -> None:
    """Log that somebody reviews what they wrote themselves: the refusal that follows rolls back all but this."""
    with db.read(plane.engine) as session:
        if actor not in store.contributors(session, number):
            return
        target = _target(*store.find_proposal(session, number))
    attempt = Attempt(code, target, Auth.PASSPHRASE, manifest=target.digest)
    rights.log_refusal(plane, actor, attempt, role=verdict.role)


def require_open(proposal: ProposalRow) -> None:
    """Refuse a proposal that is rejected or released.

    Raises:
        Refused: it is.
    """
    if proposal.state != "open":
        raise Refused(f"expected an open proposal, got one that is {proposal.state}")


def require_current(session: Session, revision: RevisionRow) -> None:
    """Refuse a revision that does not build on the live release of its channel, or whose epochs are taken.

    Raises:
        Conflict: it does not.
    """
    if store.is_stale(session, revision):
        raise Conflict("expected a proposal on the live release, got a stale one", hint="edit it to rebase it")


def _require_reviewable(session: Session, proposal: ProposalRow, revision: RevisionRow, *, person: str) -> None:
    require_open(proposal)
    require_current(session, revision)
    if person in store.contributors(session, revision.proposal):
        raise Refused("expected an approver who is not an author of the proposal, got one of its authors")
    signed = select(StatementRow.id).where(
        StatementRow.manifest == revision.digest,
        StatementRow.person == person,
        col(StatementRow.act).in_(("approve", "reject")),
    )
    if session.exec(signed).first() is not None:
        raise Refused("expected one signature of each person, got a second one")
