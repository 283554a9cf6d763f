"""What stands withdrawn, read as devices read it.

Does not: withdraw anything (see `lifecycle.withdrawing`).
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from control_plane import db
from control_plane.plane import ControlPlane
from control_plane.registry.live import live_manifest
from control_plane.registry.records import Withdrawal
from control_plane.tables.registry import StatementRow
from edge_runtime.core import canonical, dsse
from edge_runtime.core.manifest import Entry
from edge_runtime.core.statements import Statement, open_statement
from edge_runtime.core.withdrawals import Stop, Whole, Withdrawals

__all__ = [
    "stopped_anywhere",
    "who_stopped",
    "withdrawal_record",
    "withdrawal_rows",
    "withdrawals_of",
    "withdrawn_digests",
]

_OF_CHANNEL = (
    select(StatementRow)
    .where(StatementRow.act == "withdraw", StatementRow.channel == bindparam("channel"))
    .order_by(col(StatementRow.id))
)
"""Put together once, as it is asked in each request."""


def withdrawal_rows(session: Session, channel: str) -> list[StatementRow]:
    """Return all withdrawals on a channel, oldest first."""
    return list(session.exec(_OF_CHANNEL, params={"channel": channel}))


def withdrawals_of(session: Session, channel: str) -> Withdrawals:
    """Return what the withdrawals on a channel stop, as devices work it out."""
    return db.once(session, ("withdrawals", channel), lambda: _withdrawals_of(session, channel), of=(StatementRow,))


def _withdrawals_of(session: Session, channel: str) -> Withdrawals:
    stops: dict[str, tuple[Stop, ...]] = {}
    whole: list[Whole] = []
    rows = withdrawal_rows(session, channel)
    for row in rows:
        said = _opened(row)
        for entry in said.entries:
            stops[entry.digest] = (*stops.get(entry.digest, ()), Stop(row.digest, said.replacement))
        if not said.entries:
            whole.append(Whole(row.digest, said.manifest, said.person))
    return Withdrawals(len(rows), rows[-1].digest if rows else "", stops, tuple(whole))


def withdrawn_digests(session: Session, channel: str) -> frozenset[str]:
    """Return the digests of everything that is withdrawn on a channel, and not lifted by its live release."""
    manifest, _ = live_manifest(session, channel)
    return frozenset(withdrawals_of(session, channel).stopped(manifest.lifts if manifest else ()))


def stopped_anywhere(plane: ControlPlane, session: Session, *, lifts: Collection[str]) -> frozenset[str]:
    """Return the digests that stand withdrawn on a channel, beside those that `lifts` would lift."""
    found: set[str] = set()
    for channel in plane.settings.channels:
        manifest, _ = live_manifest(session, channel)
        own = manifest.lifts if manifest else ()
        found |= withdrawals_of(session, channel).stopped({*own, *lifts}).keys()
    return frozenset(found)


def who_stopped(said: Withdrawals, manifest: str, lifts: Collection[str]) -> set[str]:
    """Return who withdrew all of the release of that manifest, but for what is lifted."""
    return {one.person for one in said.whole if one.manifest == manifest and one.statement not in lifts}


def withdrawal_record(row: StatementRow, reason: str) -> Withdrawal:
    """Return the record of a withdrawal, with its reason as people read it."""
    said = _opened(row)
    [ref] = said.entries or [Entry("channel", row.channel, 1, row.manifest, "R4", row.person)]
    return Withdrawal(
        row.channel,
        ref.name,
        ref.kind,
        ref.digest,
        row.person,
        row.at,
        reason=reason,
        replacement=said.replacement,
        statement=canonical.digest(said.encode()),
    )


def _opened(row: StatementRow) -> Statement:
    return open_statement(dsse.parse_envelope(row.envelope))
