"""`/v1`: releases and their stages, schedules, promotion, rollback, reviews, withdrawals, channels."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Number, Plane, Signing, Text
from control_plane.lifecycle import acts, emergency, releases, rollout, scheduling, windows, withdrawing
from control_plane.lifecycle.withdrawing import ChannelWithdrawn
from control_plane.overview import course, queries
from control_plane.plane import ControlPlane
from control_plane.registry.records import Proposal, Release, Withdrawal
from control_plane.requests.paging import Paging
from control_plane.signing import Elsewhere

__all__ = ["router"]

router = routes()
Small = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Withdraw(Body):
    """What to withdraw, by name or digest, why, and what runs instead ("" for the fallback text).

    `role` is the one in which somebody signs; whoever has several that fit says which.
    """

    target: Text
    reason: Text
    replacement: Text = ""
    channel: Text = ""
    role: Text = ""


class Withdrawing(Signing, Withdraw):
    """A withdrawal with what signs it on each channel."""


class WithdrawChannel(Body):
    """Why all of a channel stops, and in which role somebody signs that."""

    reason: Text
    role: Text = ""


class WithdrawingChannel(Signing, WithdrawChannel):
    """The withdrawal of a channel with what signs it."""


class Scheduling(Body):
    """When a proposal goes out."""

    at: AwareDatetime


class Promote(Body):
    """Which entries of which channel are proposed for which; no names: all that is live there."""

    source: Text
    target: Text = ""
    names: list[Text] = Field(default_factory=list, max_length=1000)
    title: Text = ""


class Promoting(Signing, Promote):
    """A promotion with what signs it."""


class RollBack(Body):
    """Which earlier release comes back, or one entry of it, and whether withdrawals of it are lifted."""

    to: Small
    only: Text = ""
    lift: bool = False
    channel: Text = ""
    title: Text = ""


class RollingBack(Signing, RollBack):
    """A rollback with what signs it."""


class Return(Body):
    """Which channel goes back to what the usual one has when its trial ends."""

    channel: Text
    title: Text = ""


class Returning(Signing, Return):
    """A return with what signs it."""


class Review(Body):
    """The review of a break-glass release: in which role, what was found, of which manifest."""

    role: Text
    reason: Text
    manifest: Text
    channel: Text = ""


class Reviewing(Signing, Review):
    """A review with what signs it."""


class Reviewed(Body):
    """Whether the normal quorum has reviewed the release now."""

    reviewed: bool


class OpenStage(Body):
    """Which stage of which release is to open: the next one, counted from 1."""

    release: Small
    stage: Small
    reason: Text = ""


class OpeningStage(Signing, OpenStage):
    """The opening of a stage with what signs it."""


class Halt(Body):
    """Why no further device is to adopt which release, and in which role somebody signs that."""

    release: Small
    reason: Text
    role: Text = ""


class Halting(Signing, Halt):
    """A halt with what signs it."""


class ChannelInfo(Body):
    """A channel, the number of its live release, 0 before the first, and whether it is meant where none is named."""

    name: str
    release: int
    usual: bool


@router.get("/channels")
def list_channels(plane: Plane, _actor: Actor) -> tuple[ChannelInfo, ...]:
    """Return the channels, and what is live on each."""
    live = {name: queries.live_manifest(plane, channel=name) for name in plane.settings.channels}
    return tuple(
        ChannelInfo(name=name, release=one.number if one else 0, usual=name == plane.channel)
        for name, one in live.items()
    )


@router.post("/channels/{name}/withdrawal", status_code=201)
def withdraw_channel(plane: Plane, actor: Actor, name: Text, *, body: WithdrawingChannel) -> ChannelWithdrawn:
    """Withdraw all prompts of a channel; two people must, about the same release."""
    return channel_withdrawn(plane, actor.person, body, channel=name, proof=body.proof())


def channel_withdrawn(
    plane: ControlPlane, person: str, body: WithdrawChannel, *, channel: str, proof: str | Elsewhere
) -> ChannelWithdrawn:
    """Withdraw the channel that a request names, with what signs it."""
    return withdrawing.withdraw_channel(
        plane, person, channel=channel, reason=body.reason, passphrase=proof, role=body.role
    )


@router.get("/withdrawn")
def list_standing(plane: Plane, _actor: Actor) -> tuple[course.Standing, ...]:
    """Return what stands withdrawn on each channel where something does."""
    return course.list_standing(plane)


@router.get("/channels/{name}/rollout")
def show_rollout(plane: Plane, _actor: Actor, name: Text) -> rollout.Staged:
    """Return how far the live release of a channel is rolled out."""
    return rollout.show(plane, channel=name)


@router.post("/channels/{name}/rollout", status_code=201)
def open_stage(plane: Plane, actor: Actor, name: Text, *, body: OpeningStage) -> rollout.Staged:
    """Let further devices adopt the live release of a channel: its next stage."""
    return stage_opened(plane, actor.person, body, channel=name, proof=body.proof())


def stage_opened(
    plane: ControlPlane, person: str, body: OpenStage, *, channel: str, proof: str | Elsewhere
) -> rollout.Staged:
    """Open the stage that a request names, with what signs it."""
    return rollout.open_stage(
        plane,
        person,
        channel=channel,
        release=body.release,
        stage=body.stage,
        reason=body.reason,
        passphrase=proof,
    )


@router.post("/channels/{name}/halt", status_code=201)
def halt_rollout(plane: Plane, actor: Actor, name: Text, *, body: Halting) -> rollout.Staged:
    """Halt the rollout of the live release of a channel: no further device adopts it."""
    return halted(plane, actor.person, body, channel=name, proof=body.proof())


def halted(plane: ControlPlane, person: str, body: Halt, *, channel: str, proof: str | Elsewhere) -> rollout.Staged:
    """Halt the rollout that a request names, with what signs it."""
    return rollout.halt(
        plane, person, channel=channel, release=body.release, reason=body.reason, passphrase=proof, role=body.role
    )


@router.get("/schedule")
def list_planned(plane: Plane, _actor: Actor) -> tuple[course.Planned, ...]:
    """Return what goes out at a time, and what was suspended instead and why; the next first."""
    return course.list_planned(plane)


@router.get("/trials")
def list_trials(plane: Plane, _actor: Actor) -> tuple[windows.WindowInfo, ...]:
    """Return the trials with an end, the next to end first."""
    return windows.list_windows(plane)


@router.get("/reviews")
def list_reviews(plane: Plane, _actor: Actor) -> tuple[emergency.PendingReview, ...]:
    """Return the break-glass releases that are still to be reviewed."""
    return emergency.list_reviews(plane)


@router.post("/proposals/{number}/release", status_code=201)
def release(plane: Plane, actor: Actor, number: Number) -> Release:
    """Release an approved proposal."""
    return releases.release(plane, actor.person, number)


@router.put("/proposals/{number}/schedule")
def schedule(plane: Plane, actor: Actor, number: Number, *, body: Scheduling) -> Proposal:
    """Let an approved proposal go out at a time."""
    return scheduling.schedule(plane, actor.person, number, at=body.at)


@router.delete("/proposals/{number}/schedule")
def unschedule(plane: Plane, actor: Actor, number: Number) -> Proposal:
    """Take a proposal off the schedule."""
    return scheduling.unschedule(plane, actor.person, number)


@router.post("/promotions", status_code=201)
def promote(plane: Plane, actor: Actor, body: Promoting) -> Proposal:
    """Propose for one channel what is live on another."""
    return promoted(plane, actor.person, body, proof=body.proof())


def promoted(plane: ControlPlane, person: str, body: Promote, *, proof: str | Elsewhere) -> Proposal:
    """Promote what a request says, with what signs it."""
    return acts.promote(
        plane,
        person,
        source=body.source,
        target=body.target,
        names=body.names,
        title=body.title,
        passphrase=proof,
    )


@router.post("/rollbacks", status_code=201)
def rollback(plane: Plane, actor: Actor, body: RollingBack) -> Proposal:
    """Propose what an earlier release held, as a new release."""
    return rolled_back(plane, actor.person, body, proof=body.proof())


def rolled_back(plane: ControlPlane, person: str, body: RollBack, *, proof: str | Elsewhere) -> Proposal:
    """Roll back as a request says, with what signs it."""
    return acts.rollback(
        plane,
        person,
        to=body.to,
        only=body.only,
        lift=body.lift,
        channel=body.channel,
        title=body.title,
        passphrase=proof,
    )


@router.post("/returns", status_code=201)
def prepare_return(plane: Plane, actor: Actor, body: Returning) -> Proposal:
    """Propose for the channel of a trial what the usual channel has."""
    return acts.prepare_return(plane, actor.person, channel=body.channel, title=body.title, passphrase=body.proof())


@router.get("/releases")
def list_releases(plane: Plane, _actor: Actor, page: Paging, *, channel: Text = "") -> tuple[Release, ...]:
    """Return all releases of a channel, newest first."""
    return page.cut(queries.list_releases(plane, channel=channel), lambda release: release.number, falling=True)


@router.post("/releases/{number}/review", status_code=201)
def review_release(plane: Plane, actor: Actor, number: Number, *, body: Reviewing) -> Reviewed:
    """Sign the mandatory review of a break-glass release."""
    return Reviewed(reviewed=reviewed(plane, actor.person, body, number=number, proof=body.proof()))


def reviewed(plane: ControlPlane, person: str, body: Review, *, number: int, proof: str | Elsewhere) -> bool:
    """Review a release as a request says, with what signs it."""
    return emergency.review(
        plane,
        person,
        channel=body.channel,
        release=number,
        role=body.role,
        reason=body.reason,
        passphrase=proof,
        manifest=body.manifest,
    )


@router.get("/withdrawals")
def list_withdrawals(plane: Plane, _actor: Actor, page: Paging, *, channel: Text = "") -> tuple[Withdrawal, ...]:
    """Return all withdrawals on a channel, newest first."""
    found = queries.list_withdrawals(plane, channel=channel)
    numbered = [(len(found) - at, withdrawal) for at, withdrawal in enumerate(found)]  # the list only grows
    return tuple(withdrawal for _, withdrawal in page.cut(numbered, lambda pair: pair[0], falling=True))


@router.post("/withdrawals", status_code=201)
def withdraw(plane: Plane, actor: Actor, body: Withdrawing) -> Withdrawal:
    """Withdraw a prompt, on every channel that has it."""
    return withdrawn(plane, actor.person, body, proof=body.proof())


def withdrawn(plane: ControlPlane, person: str, body: Withdraw, *, proof: str | Elsewhere) -> Withdrawal:
    """Withdraw what a request says, with what signs it."""
    return withdrawing.withdraw(
        plane,
        person,
        target=body.target,
        reason=body.reason,
        passphrase=proof,
        replacement=body.replacement,
        channel=body.channel,
        role=body.role,
    )
