"""Break-glass: a release by the quorum of emergencies, and the review that must follow it.

That a manifest is one for an emergency stands in its signed bytes. Its release leaves an act of its own and opens a
review, due in so many days as the approval rules in force say.

Promises: the review is made by people who had not approved before, signed over the very manifest, until the normal
quorum is there; a rollback to what was live before ends it too; while one is overdue, nothing else is released on that
channel. Does not: count (see `core.coverage`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from audit.frozen import replace
from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import people, rights
from control_plane.accounts.holdings import Holding
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.granting import grants
from control_plane.granting.delegations import require_distinct
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.exclusion import excluded
from control_plane.registry.times import time_digest
from control_plane.reviewing.material import review_of
from control_plane.signing import Elsewhere, Signing, Unsigned, auth_of, key_of, sign
from control_plane.tables.lifecycle import EmergencyRow, OriginRow
from control_plane.tables.registry import ProposalRow, ReleaseRow, RevisionRow, StatementRow
from edge_runtime.core import approval, canonical, coverage, dsse
from edge_runtime.core.approval import APPROVING
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Manifest, changed_entries, parse_manifest

__all__ = ["REVIEW_DAYS", "PendingReview", "begin", "close_rolled_back", "pending", "require_reviewed", "review"]

REVIEW_DAYS = 5
"""How many days a review may take where the approval rules in force say nothing."""


@dataclass(frozen=True, slots=True)
class PendingReview:
    """A break-glass release that is still to be reviewed."""

    channel: str
    release: int
    manifest: str
    due: datetime
    overdue: bool
    leaf: int


def begin(plane: ControlPlane, session: Session, release: ReleaseRow, *, by: str, auth: Auth) -> None:
    """Log that a release broke the glass, and open its review, in the caller's transaction."""
    manifest = parse_manifest(release.manifest)
    due = plane.now() + timedelta(days=_review_days(session, manifest))
    event = ledger.Event(
        Act.BREAK_GLASS,
        by,
        "release-manager",
        auth,
        LeafObject("release", f"release-{release.channel}-{release.number}", release.digest, str(release.number)),
        release.channel,
        after=time_digest("review_due", due),
        manifest=release.digest,
    )
    leaf = ledger.append(plane, session, event)
    session.add(EmergencyRow(channel=release.channel, number=release.number, due=due, leaf=leaf))
    session.flush()


def _review_days(session: Session, manifest: Manifest) -> int:
    """Return the least number of days that the approval rules of a manifest give for a review."""
    stated = []
    for entry in manifest.entries:
        if entry.kind == "approval-rules":
            document = canonical.parse(store.closure(session, entry.digest), max_bytes=1_000_000)
            stated.append(document.get("review_due_days", REVIEW_DAYS))
    return min((days for days in stated if type(days) is int and days > 0), default=REVIEW_DAYS)


def pending(plane: ControlPlane, session: Session, channel: str = "") -> tuple[PendingReview, ...]:
    """Return the break-glass releases that are still to be reviewed, of every channel or of one."""
    query = select(EmergencyRow, ReleaseRow.digest).where(
        EmergencyRow.channel == ReleaseRow.channel,
        EmergencyRow.number == ReleaseRow.number,
        col(EmergencyRow.closed).is_(None),
    )
    if channel:
        query = query.where(EmergencyRow.channel == channel)
    rows = session.exec(query.order_by(col(EmergencyRow.due))).all()
    return tuple(
        PendingReview(row.channel, row.number, digest, row.due, row.due <= plane.now(), row.leaf)
        for row, digest in rows
    )


def list_reviews(plane: ControlPlane) -> tuple[PendingReview, ...]:
    """Return the break-glass releases that are still to be reviewed."""
    with db.read(plane.engine) as session:
        return pending(plane, session)


def require_reviewed(plane: ControlPlane, session: Session, proposal: ProposalRow) -> None:
    """Refuse any release on a channel where the review of a break-glass release is overdue.

    But for a rollback that undoes all of those, as a whole: it ends their reviews.

    Raises:
        Refused: one is.
    """
    to = undone_from(session, proposal.number or 0)
    overdue = [one for one in pending(plane, session, proposal.channel) if one.overdue and not to < one.release]
    if overdue:
        raise Refused(
            f"expected break-glass releases to be reviewed in time, got release {overdue[0].release} on "
            f"{proposal.channel}, whose review was due on {overdue[0].due:%Y-%m-%d}",
            hint="review it, or roll it back",
        )


def undone_from(session: Session, proposal: int) -> float:
    """Return the number of the release to which a proposal goes back as a whole: what came later is undone by it.

    Infinity for any other proposal, which undoes nothing.
    """
    origin = session.get(OriginRow, proposal)
    if origin is None or origin.act != "rollback" or origin.spec.get("only"):
        return math.inf
    return int(origin.spec["release"])


def close_rolled_back(session: Session, proposal: int, *, channel: str, leaf: int) -> None:
    """Close the reviews of releases that a rollback undid, if a proposal is one, in the caller's transaction."""
    to = undone_from(session, proposal)
    later = select(EmergencyRow).where(EmergencyRow.channel == channel, EmergencyRow.number > to)
    for row in session.exec(later.where(col(EmergencyRow.closed).is_(None))):
        row.closed = leaf


def review(
    plane: ControlPlane,
    actor: str,
    *,
    channel: str = "",
    release: int,
    role: str,
    reason: str,
    passphrase: str | Elsewhere,
    manifest: str,
) -> bool:
    """Sign the review of a break-glass release and return whether the normal quorum has reviewed it now.

    Args:
        plane: the control plane.
        actor: person id of the reviewer, who neither wrote nor approved it.
        channel: "" for the usual one.
        release: number of the release.
        role: one of the reviewer's roles, in which they sign.
        reason: what they found, in their own words.
        passphrase: opens their key for this one signature; or what they signed where their own key is.
        manifest: digest of the release that they looked at.

    Raises:
        NotFound: no such person, or no such release to review.
        Refused: they wrote or approved it, lack the role, or gave a wrong passphrase.
        Conflict: it is another manifest than they looked at.
        InvalidDocument: no reason.
    """
    if not reason.strip():
        raise InvalidDocument("expected a reason, got none")
    on = plane.on(channel)
    target = LeafObject("release", f"release-{on}-{release}")
    rights.require_role(plane, actor, (role,), attempt=Attempt("review", target, auth_of(passphrase)))
    key = key_of(plane, actor, passphrase, use="review")
    with rights.acting(plane, actor) as session:
        row, released, revision = _under_review(session, on, release)
        if manifest != released.digest:
            raise Conflict("expected the digest of the release under review, got another")
        held = _require_reviewer(session, released, grants.require(session, actor, role, now=plane.now()))
        if key == Elsewhere():
            raise Unsigned(review_of(plane, session, store.find_proposal(session, released.proposal)))
        signing = Signing(
            act="approve",
            logged=Act.REVIEWED,
            channel=on,
            person=actor,
            role=role,
            reason=reason,
            key=key,
            manifest=released.digest,
            entries=changed_entries(parse_manifest(released.manifest), store.base_of(session, revision)),
            target=replace(target, digest=released.digest, version=str(release)),
            proposal=released.proposal,
            behalf=held.behalf,
        )
        signed = sign(plane, session, signing)
        done = not _lacking(plane, session, released, revision=revision)
        if done:
            row.closed = signed.leaf
        return done


def _under_review(session: Session, channel: str, number: int) -> tuple[EmergencyRow, ReleaseRow, RevisionRow]:
    row = session.get(EmergencyRow, (channel, number))
    released = session.get(ReleaseRow, (channel, number))
    if row is None or released is None or row.closed is not None:
        raise NotFound(f"expected the number of a break-glass release on {channel} to review, got another")
    _, revision = store.find_proposal(session, released.proposal)
    return row, released, revision


def _require_reviewer(session: Session, released: ReleaseRow, held: Holding) -> Holding:
    """Refuse whoever wrote or approved a release, by themselves or through a delegate, or reviewed it already."""
    out = excluded(session, released.proposal)
    signed = select(StatementRow.id).where(StatementRow.manifest == released.digest, StatementRow.act == "approve")
    if held.person in out or session.exec(signed.where(StatementRow.person == held.person)).first() is not None:
        raise Refused("expected a reviewer who neither wrote nor approved it, got one who did")
    if held.role not in APPROVING:
        raise Refused(f"expected a role in which people approve, got {held.role}")
    require_distinct(session, released.digest, held, proposal=released.proposal, excluded=out)
    return held


def _lacking(
    plane: ControlPlane, session: Session, released: ReleaseRow, *, revision: RevisionRow
) -> tuple[coverage.Shortfall, ...]:
    """Return what the normal quorum of a release still lacks, counting only who signed after it went out."""
    rows = store.statements_for(session, revision)
    after = [row for row in rows if row.act != "approve" or row.manifest != released.digest or row.leaf > released.leaf]
    signed = approval.read_signed([dsse.parse_envelope(row.envelope) for row in after], people.keyring(session))
    calm = replace(parse_manifest(released.manifest), emergency=False)
    base = store.base_of(session, revision)
    return store.lacking(plane, session, calm, digest=released.digest, base=base, statements=signed)
