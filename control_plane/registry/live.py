"""What is live on a channel: its newest release, what is said of its stages, and the approval rules that count.

Promises: works in the caller's transaction; without rules nothing is ever approved. Does not: count approvals (see
`edge_runtime.core.coverage`).
"""

from __future__ import annotations

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from control_plane import db
from control_plane.tables.registry import ClosureRow, ReleaseRow, StatementRow
from edge_runtime.core import approval
from edge_runtime.core.manifest import Manifest, parse_manifest

__all__ = ["live_manifest", "live_release", "rules_in_force", "rules_over", "words_on"]

_NEWEST = (
    select(ReleaseRow)
    .where(ReleaseRow.channel == bindparam("channel"))
    .order_by(col(ReleaseRow.number).desc())
    .limit(1)
)
"""Put together once: it is asked several times in each request."""
_WORDS = (
    select(StatementRow)
    .where(StatementRow.manifest == bindparam("manifest"), col(StatementRow.act).in_(("open", "halt")))
    .order_by(col(StatementRow.id))
)
"""Put together once, as each publication asks it."""


def live_release(session: Session, channel: str) -> ReleaseRow | None:
    """Return the newest release on a channel."""
    given = {"channel": channel}
    return db.once(session, ("live", channel), lambda: session.exec(_NEWEST, params=given).first(), of=(ReleaseRow,))


def live_manifest(session: Session, channel: str) -> tuple[Manifest | None, str]:
    """Return the manifest in force on a channel and its digest; (None, "") before the first release."""
    row = live_release(session, channel)
    return (parse_manifest(row.manifest), row.digest) if row else (None, "")


def words_on(session: Session, manifest: str) -> list[StatementRow]:
    """Return what was said about the stages of the release with a manifest of this digest, oldest first."""
    return list(session.exec(_WORDS, params={"manifest": manifest}))


def rules_in_force(session: Session, channel: str) -> approval.ApprovalRules | None:
    """Return the approval rules of the live release of a channel; None before the first."""
    manifest, _ = live_manifest(session, channel)
    return _rules_of(session, manifest) if manifest else None


def rules_over(session: Session, manifest: Manifest, base: Manifest | None) -> list[tuple[approval.ApprovalRules, ...]]:
    """Return the approval rules that a manifest on top of another must meet, each: those of what was before it.

    The first release of a channel brings its own, and meets those of every other channel besides: a new channel is no
    way around the rules. Where there are none nothing is ever approved.
    """
    if base is not None:
        found = [_rules_of(session, base)]
    else:
        others = sorted({*session.exec(select(ReleaseRow.channel).distinct())} - {manifest.channel})
        found = [_rules_of(session, manifest), *(rules_in_force(session, channel) for channel in others)]
    return [() if rules is None else (rules,) for rules in dict.fromkeys(found)]


def _rules_of(session: Session, manifest: Manifest) -> approval.ApprovalRules | None:
    digests = [entry.digest for entry in manifest.entries if entry.kind == "approval-rules"]
    return approval.parse_rules(session.get_one(ClosureRow, digests[0]).data) if len(digests) == 1 else None
