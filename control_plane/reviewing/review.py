"""Review: checks, approvals and rejections of a proposal.

Promises: an approval is a signed statement over the manifest that was checked and that the approver says they looked
at, and each entry that it introduces; whoever wrote a part of it never approves it (see `registry.exclusion`),
administrators included, and the log says that they tried; nobody signs twice; checks must have passed on this very
manifest; a stale one is refused; a rejection is an act of its own, with a reason, and an objection to the content.
Statement, state and audit leaf are one transaction.
Does not: count to the quorum (see `releases`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, select

from audit.record import Act, Auth
from control_plane import db, ledger
from control_plane.accounts import people, rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, Refused
from control_plane.granting import grants
from control_plane.granting.delegations import require_distinct
from control_plane.plane import ControlPlane
from control_plane.policy.checks.records import CheckResult
from control_plane.policy.checks.running import run_checks
from control_plane.registry import reports, store
from control_plane.registry.exclusion import excluded, is_excluded
from control_plane.registry.facts import checks_digest, facts_of
from control_plane.registry.records import Proposal
from control_plane.registry.reports import require_passed
from control_plane.reviewing import expiry, objections, requested, waiting
from control_plane.signing import Elsewhere, Signing, auth_of, key_of, require_as_many, sign
from control_plane.tables.registry import ProposalRow, RevisionRow, StatementRow
from control_plane.tables.reviewing import OpeningRow
from edge_runtime.core.approval import APPROVING
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import changed_entries, parse_manifest

__all__ = [
    "Verdict",
    "approve",
    "check",
    "decide",
    "reject",
    "require_current",
    "require_open",
    "require_passed",
    "review_all",
]

CODES = {Act.APPROVED: "approve", Act.REJECTED: "reject"}
"""The act of a statement, and the word of an attempt, by the act of the log."""


def check(plane: ControlPlane, actor: str, number: int, *, auth: Auth = Auth.TOKEN) -> tuple[CheckResult, ...]:
    """Run every check on the proposal as it is now and store the results with their evidence.

    Raises:
        NotFound: there is no such proposal or person.
        Refused: it is not open, or they are an auditor.
        Conflict: it was edited while the checks ran.
    """
    person = people.find_person(plane, actor)
    role = rights.require_part(plane, person.id, attempt=Attempt("check", store.target_named(number)))
    expiry.expire_due(plane, number)
    with db.read(plane.engine) as session:
        proposal, revision = store.find_proposal(session, number)
        store.require_living(proposal)
        seen, digest, candidate = revision.revision, revision.digest, reports.gather(session, revision)
    results = run_checks(candidate)
    with rights.acting(plane, person.id) as session:
        proposal, revision = store.find_proposal(session, number)
        store.require_living(proposal)
        if (revision.revision, revision.digest) != (seen, digest):
            raise Conflict("expected the revision that was checked, got a later one")
        facts = facts_of(parse_manifest(revision.manifest), store.base_of(session, revision))
        report = checks_digest(results)
        event = ledger.Event(
            Act.CHECKED,
            actor=person.id,
            role=role,
            auth=auth,
            target=store.target_of(proposal, revision),
            channel=proposal.channel,
            after=report,
            manifest=digest,
            policy=facts.policy,
            checks=report,
            models=facts.models,
            tier=facts.tier,
            code="failed" if any(result.status == "failed" for result in results) else "passed",
        )
        at = ledger.logged_at(session, ledger.append(plane, session, event))
        reports.store_report(session, digest, results, at=at)
        waiting.refresh(plane, session, proposal, revision=revision)
    return results


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer says about a proposal: in which role, why, having looked at which manifest digest."""

    number: int
    role: str
    reason: str
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
    verdict = Verdict(number, role, reason, manifest)
    return review_all(plane, actor, [verdict], act=Act.APPROVED, passphrase=passphrase)[0]


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
    verdict = Verdict(number, role, reason, manifest)
    return review_all(plane, actor, [verdict], act=Act.REJECTED, passphrase=passphrase)[0]


def review_all(
    plane: ControlPlane,
    actor: str,
    verdicts: Sequence[Verdict],
    *,
    act: Act,
    passphrase: str | Elsewhere,
    opened: bool = False,
) -> tuple[Proposal, ...]:
    """Approve or reject proposals, all or none, with a key that is opened once; see `approve` and `approve_batch`.

    Or with one statement for each that was signed where the person's own key is, in the order of the verdicts. With
    `opened`, each must have been opened by the actor as it is now.
    """
    for verdict in verdicts:
        _prepare(plane, actor, verdict, act=act)
    key = key_of(plane, actor, passphrase, use=CODES[act])
    require_as_many(key, len(verdicts))
    for verdict in verdicts:
        _log_own_work(plane, actor, verdict, act=act, auth=auth_of(passphrase))
    keys: list[Ed25519PrivateKey | Elsewhere] = [key] * len(verdicts)
    if isinstance(key, Elsewhere):
        keys = [Elsewhere((one,)) for one in key.signed]
    with rights.acting(plane, actor) as session:
        return tuple(
            decide(plane, session, verdict, actor=actor, act=act, key=one, opened=opened)
            for verdict, one in zip(verdicts, keys, strict=True)
        )


def _prepare(plane: ControlPlane, actor: str, verdict: Verdict, *, act: Act) -> None:
    if not verdict.reason.strip():
        raise InvalidDocument("expected a reason, got none")
    attempt = Attempt(CODES[act], store.target_named(verdict.number))
    rights.require_role(plane, actor, (verdict.role,), attempt=attempt)
    expiry.expire_due(plane, verdict.number)


def decide(
    plane: ControlPlane,
    session: Session,
    verdict: Verdict,
    *,
    actor: str,
    act: Act,
    key: Ed25519PrivateKey | Elsewhere,
    opened: bool = False,
) -> Proposal:
    """Sign one approval or rejection in the caller's transaction, once everything about it holds."""
    proposal, revision = store.find_proposal(session, verdict.number)
    _require_reviewable(plane, session, proposal, person=actor, role=verdict.role)
    require_current(session, revision)
    _refuse_second(session, revision, person=actor)
    held = grants.require(session, actor, verdict.role, now=plane.now())
    require_distinct(
        session, revision.digest, held, proposal=verdict.number, excluded=excluded(session, verdict.number)
    )
    if verdict.manifest != revision.digest:
        raise Conflict(
            "expected the digest of the proposal as it is now, got another",
            hint="look again, then decide: `proposal show` and GET /v1/proposals/{number} say the manifest digest",
        )
    if opened and session.get(OpeningRow, (actor, revision.digest)) is None:
        raise Refused(f"expected proposal {verdict.number} to have been opened as it is now, and it was not")
    if act is Act.APPROVED:
        require_passed(session, revision, now=plane.now())
    signing = _signing(session, verdict, actor=actor, act=act, key=key)
    row = sign(plane, session, replace(signing, behalf=held.behalf))
    if act is Act.REJECTED:
        proposal.state = "rejected"
        objecting = objections.Objecting("reject", actor, verdict.role, revision.digest, row.leaf)
        objections.add_objection(session, revision, objecting, at=plane.now())
    requested.answered(session, verdict.number, person=actor, leaf=row.leaf)
    waiting.refresh(plane, session, proposal, revision=revision)
    return store.record(plane, session, proposal, revision=revision)


def _signing(
    session: Session,
    verdict: Verdict,
    *,
    actor: str,
    act: Act,
    key: Ed25519PrivateKey | Elsewhere,
) -> Signing:
    proposal, revision = store.find_proposal(session, verdict.number)
    base = store.base_of(session, revision)
    manifest = parse_manifest(revision.manifest)
    return Signing(
        act=CODES[act],
        logged=act,
        channel=proposal.channel,
        person=actor,
        role=verdict.role,
        reason=verdict.reason,
        key=key,
        manifest=revision.digest,
        entries=changed_entries(manifest, base),
        target=store.target_of(proposal, revision),
        proposal=verdict.number,
        facts=facts_of(manifest, base),
        checks=checks_digest(store.checks_of(session, revision.digest)),
    )


def _log_own_work(plane: ControlPlane, actor: str, verdict: Verdict, *, act: Act, auth: Auth) -> None:
    """Log that somebody reviews what they wrote themselves: the refusal that follows rolls back all but this."""
    with db.read(plane.engine) as session:
        if not is_excluded(session, verdict.number, actor, role=verdict.role, now=plane.now()):
            return
        target = store.target_of(*store.find_proposal(session, verdict.number))
    attempt = Attempt(f"{CODES[act]}-own-work", target, auth, manifest=target.digest)
    rights.log_refusal(plane, actor, attempt, role=verdict.role)


def require_open(proposal: ProposalRow) -> None:
    """Refuse to release what is rejected or released, or goes out at its own time.

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


def _require_reviewable(
    plane: ControlPlane, session: Session, proposal: ProposalRow, *, person: str, role: str
) -> None:
    store.require_living(proposal)
    expiry.require_alive(proposal, plane.now())
    if is_excluded(session, proposal.number or 0, person, role=role, now=plane.now()):
        raise Refused("expected an approver who is not an author of the proposal, got one of its authors")
    if role not in APPROVING:
        raise Refused(f"expected a role in which people approve, got {role}")


def _refuse_second(session: Session, revision: RevisionRow, *, person: str) -> None:
    signed = select(StatementRow.id).where(
        StatementRow.proposal == revision.proposal,
        StatementRow.manifest == revision.digest,
        StatementRow.person == person,
        col(StatementRow.act).in_(("approve", "reject")),
    )
    if session.exec(signed).first() is not None:
        raise Refused("expected one signature of each person, got a second one")
