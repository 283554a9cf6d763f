"""Promote, roll back, lift, return: the use cases that make a proposal of content that was approved before.

Promises: each makes a proposal and nothing else; what it may hold is decided in `derived`, who may approve it in
`reviewing.review`. Does not: release.
"""

from __future__ import annotations

from collections.abc import Collection

from control_plane.plane import ControlPlane
from control_plane.registry.records import Proposal
from control_plane.reviewing.proposals import propose_derived
from control_plane.signing import Elsewhere
from edge_runtime.core.errors import InvalidDocument

__all__ = ["prepare_return", "promote", "rollback"]


def promote(
    plane: ControlPlane,
    actor: str,
    *,
    source: str,
    target: str = "",
    names: Collection[str] = (),
    title: str = "",
    passphrase: str | Elsewhere,
) -> Proposal:
    """Propose for one channel the very entries that are live on another.

    Args:
        plane: the control plane.
        actor: person id of the promoter, who signs the manifest and not the content.
        source: the channel that has them.
        target: the channel that is to have them, "" for the usual one.
        names: of the entries; none: the target is to hold just what the source holds.
        title: what the proposal is called; made of the channels if it is not given.
        passphrase: opens the promoter's key; or what they signed where their own key is.

    Raises:
        NotFound: nothing of these names is live on the source.
        Conflict: the target has a newer version of one, or others share a passage with it.
        Refused: the actor is no author, something is withdrawn, or a wrong passphrase.
        InvalidDocument: nothing would change, or there is no such channel.
    """
    if source == plane.on(target):
        raise InvalidDocument("expected two channels, got one twice")
    spec = {"source": plane.on(source), "names": sorted(names)}
    title = title or f"Promote {', '.join(sorted(names)) or 'everything'} from {source} to {plane.on(target)}"
    return propose_derived(
        plane, actor, channel=target, act="promotion", spec=spec, title=title[:200], passphrase=passphrase
    )


def rollback(
    plane: ControlPlane,
    actor: str,
    *,
    to: int,
    channel: str = "",
    only: str = "",
    lift: bool = False,
    title: str = "",
    passphrase: str | Elsewhere,
) -> Proposal:
    """Propose what an earlier release of a channel held, as a new release.

    Args:
        plane: the control plane.
        actor: person id of who proposes it.
        to: number of the earlier release.
        channel: "" for the usual one.
        only: name of the one entry that goes back; "" for the whole release.
        lift: whether withdrawals of this content, and of the whole channel, are lifted; it takes the quorum of that.
        title: what the proposal is called; made of the numbers if it is not given.
        passphrase: opens their key; or what they signed where their own key is.

    Raises: as for `promote`, NotFound if there is no such release.
    """
    spec = {"release": to, "only": only, "lift": lift}
    what = f"{only} as in release {to}" if only else f"release {to}"
    title = title or (f"Lift the withdrawal of {what}" if lift else f"Back to {what}")
    return propose_derived(plane, actor, channel=channel, act="rollback", spec=spec, title=title, passphrase=passphrase)


def prepare_return(
    plane: ControlPlane, actor: str, *, channel: str, title: str = "", passphrase: str | Elsewhere
) -> Proposal:
    """Propose for the channel of a trial what the usual channel has: it goes out when the trial ends, if approved.

    Raises: as for `promote`.
    """
    if plane.on(channel) == plane.channel:
        raise InvalidDocument(f"expected another channel than {plane.channel} to return, got that one")
    title = title or f"Return {channel} to what {plane.channel} has"
    spec = {"source": plane.channel}
    return propose_derived(plane, actor, channel=channel, act="return", spec=spec, title=title, passphrase=passphrase)
