"""Which approval rules count: those in force on a channel, and all that a release must meet.

Promises: works in the caller's transaction; without rules nothing is ever approved. Does not: count approvals (see
`edge_runtime.core.coverage`).
"""

from __future__ import annotations

from sqlmodel import Session, select

from control_plane.registry.drafts import live_manifest
from control_plane.registry.tables import ClosureRow, ReleaseRow
from edge_runtime.core import approval
from edge_runtime.core.manifest import Manifest

__all__ = ["rules_in_force", "rules_to_meet"]


def rules_in_force(session: Session, channel: str) -> approval.ApprovalRules | None:
    """Return the approval rules of the live release of a channel; None before the first."""
    manifest, _ = live_manifest(session, channel)
    return _rules_of(session, manifest) if manifest else None


def rules_to_meet(session: Session, manifest: Manifest) -> list[tuple[approval.ApprovalRules, ...]]:
    """Return the approval rules that a manifest must meet, each: those in force on its channel.

    The first release of a channel brings its own, and meets those of every other channel besides: a new channel is no
    way around the rules. Where there are none nothing is ever approved.
    """
    if (live := rules_in_force(session, manifest.channel)) is not None:
        return [(live,)]
    channels = sorted(session.exec(select(ReleaseRow.channel).distinct()))
    found = [_rules_of(session, manifest), *(rules_in_force(session, channel) for channel in channels)]
    return [() if rules is None else (rules,) for rules in dict.fromkeys(found)]


def _rules_of(session: Session, manifest: Manifest) -> approval.ApprovalRules | None:
    digests = [entry.digest for entry in manifest.entries if entry.kind == "approval-rules"]
    return approval.parse_rules(session.get_one(ClosureRow, digests[0]).data) if len(digests) == 1 else None
