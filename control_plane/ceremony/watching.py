"""What is due: how long root and targets are still good, and whom custodians have not signed yet.

Promises: warns from a third of a life before its end, and says what to do. Does not: read what custodians hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audit.frozen import replace
from control_plane import db, trust
from control_plane.plane import ControlPlane
from control_plane.repository import LIFETIMES, site_of
from edge_runtime.core.trustfile import encode_trust, parse_trust

__all__ = ["Standing", "standing", "warnings"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How an installation stands: who signs, until when, and what is due, one sentence each."""

    self_contained: bool
    root_version: int
    root_expires: datetime | None
    root_keys: str
    targets_version: int
    targets_expires: datetime | None
    targets_keys: str
    warnings: tuple[str, ...]


def standing(plane: ControlPlane) -> Standing:
    """Return how the installation stands now."""
    site = site_of(plane)
    root, top = site.root(), site.top()
    roles = root.signed.roles if root else {}
    counted = {name: f"{role.threshold} of {len(role.keyids)}" for name, role in roles.items()}
    return Standing(
        plane.keys.is_self_contained,
        root.signed.version if root else 0,
        root.signed.expires if root else None,
        counted.get("root", ""),
        top.signed.version if top else 0,
        top.signed.expires if top else None,
        counted.get("targets", ""),
        warnings(plane),
    )


def warnings(plane: ControlPlane) -> tuple[str, ...]:
    """Return what is due, one sentence each."""
    if plane.keys.is_self_contained:
        return ()
    site = site_of(plane)
    root, top = site.root(), site.top()
    if root is None or top is None:
        return ("custodians have not signed the first order: no device is served (mentorplane ceremony apply)",)
    lives = (("root", root.signed.expires, "renew --with-root"), ("targets", top.signed.expires, "renew"))
    found = []
    for name, expires, how in lives:
        left = expires - plane.now()
        if left < LIFETIMES[name] / 3:
            said = f"in {left.days} days" if left.days >= 0 else "already: devices take nothing new"
            found.append(f"{name} expires {said}: mentorplane ceremony {how}")
    signed = trust.signed_trust(plane) or b""
    with db.read(plane.engine) as session:
        now = trust.trust_file(plane, session)
    if encode_trust(now) != signed:
        only_ended = signed and encode_trust(replace(now, terms=parse_trust(signed).terms)) == signed
        what = "grants were ended" if only_ended else "people or rules changed"
        found.append(f"{what} since custodians signed: mentorplane ceremony renew")
    return tuple(found)
