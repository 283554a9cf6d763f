"""What each proposal waits for, kept by its last act, so that thousands of them are not counted one by one.

The rows are a hint for lists and inboxes: what may be done is decided anew whenever somebody does it. Promises:
`refresh` is called in the transaction of every act on a proposal; a report that is not fresh then is no report. Does
not: notice another release, or time passing: lists look at the base of a revision, and at the age of its report
(`is_aged`), themselves.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, false, or_
from sqlmodel import Session, col, delete, select

from control_plane.plane import ControlPlane
from control_plane.registry import reports, store
from control_plane.registry.live import rules_in_force
from control_plane.reviewing.contents import standing
from control_plane.tables.registry import CheckRow, ProposalRow, RevisionRow
from control_plane.tables.reviewing import WaitingRow

__all__ = ["ANYBODY", "forget", "is_aged", "refresh"]

ANYBODY = ""
"""Stands where any role will do."""


def forget(session: Session, number: int) -> None:
    """Let a proposal wait for nothing."""
    session.exec(delete(WaitingRow).where(col(WaitingRow.proposal) == number))


def refresh(plane: ControlPlane, session: Session, proposal: ProposalRow, *, revision: RevisionRow) -> None:
    """Keep what a proposal waits for now, in the caller's transaction."""
    number = proposal.number or 0
    forget(session, number)
    wanted = _wanted(plane, session, proposal, revision=revision)
    session.add_all(WaitingRow(proposal=number, what=what, role=role) for what, role in sorted(wanted))
    session.flush()


def is_aged(plane: ControlPlane, session: Session) -> ColumnElement[bool]:
    """Return whether the report on a proposal is older than the rules in force on its channel allow."""
    aged: list[ColumnElement[bool]] = [false()]
    for channel in plane.settings.channels:
        rules = rules_in_force(session, channel)
        if rules is not None:
            since = plane.now() - timedelta(days=rules.checks_fresh_days)
            old = exists(select(CheckRow.name).where(CheckRow.manifest == RevisionRow.digest, CheckRow.at < since))
            # The proposal is older than its report: most are too young for anybody to look for that.
            aged.append(and_(col(ProposalRow.channel) == channel, col(ProposalRow.at) < since, old))
    return or_(*aged)


def _wanted(
    plane: ControlPlane, session: Session, proposal: ProposalRow, *, revision: RevisionRow
) -> set[tuple[str, str]]:

    if proposal.state in {"rejected", "suspended"}:
        return {("edit", ANYBODY)}
    if proposal.state != "open":
        return set()
    if reports.staleness(session, revision, now=plane.now()):
        return {("check", ANYBODY)}
    checks = store.checks_of(session, revision.digest)
    if any(one.status == "failed" for one in checks) or standing(session, revision):
        return {("edit", ANYBODY)}
    missing = store.shortfalls(plane, session, revision)[1]
    if not missing:
        return {("release", ANYBODY)}
    roles = {role for one in missing for role in one.roles if role != "author"}
    return {("approve", role) for role in roles} or {("approve", ANYBODY)}
