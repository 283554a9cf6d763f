"""`/v1/unsigned`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.shared import Material, Window
from control_plane.client.records.unsigned import Terms, Words

__all__ = ["AsyncUnsignedApi", "UnsignedApi"]


def _proposal(
    *,
    title: str,
    files: Mapping[str, str],
    if_match: str | None = None,
    base: str | None = None,
    remove: Sequence[tuple[str, str]] | None = None,
    channel: str | None = None,
    emergency: bool | None = None,
    stages: Sequence[int] | None = None,
    window: Window | None = None,
) -> Call[Material]:
    """Return what there is to sign of a proposal."""
    return Call(
        "POST",
        "/v1/unsigned/proposals",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(
            title=title,
            files=files,
            base=base,
            remove=remove,
            channel=channel,
            emergency=emergency,
            stages=stages,
            window=window,
        ),
    )


def _edit(
    number: int,
    *,
    if_match: str | None = None,
    files: Mapping[str, str] | None = None,
    revision: int | None = None,
    remove: Sequence[tuple[str, str]] | None = None,
) -> Call[Material]:
    """Return what there is to sign of an edit of a proposal."""
    return Call(
        "POST",
        f"/v1/unsigned/proposals/{segment(number)}",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(files=files, revision=revision, remove=remove),
    )


def _draft(number: int, *, if_match: str | None = None, revision: int | None = None) -> Call[Material]:
    """Return what there is to sign of a draft."""
    return Call(
        "POST",
        f"/v1/unsigned/drafts/{segment(number)}",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(revision=revision),
    )


def _rebase(
    number: int, *, if_match: str | None = None, revision: int | None = None, merged: bool | None = None
) -> Call[Material]:
    """Return what there is to sign of a rebase."""
    return Call(
        "POST",
        f"/v1/unsigned/proposals/{segment(number)}/rebase",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(revision=revision, merged=merged),
    )


def _duplicate(number: int, *, title: str, if_match: str | None = None, channel: str | None = None) -> Call[Material]:
    """Return what there is to sign of a duplicate."""
    return Call(
        "POST",
        f"/v1/unsigned/proposals/{segment(number)}/duplicate",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(title=title, channel=channel),
    )


def _promotion(
    *,
    source: str,
    if_match: str | None = None,
    target: str | None = None,
    names: Sequence[str] | None = None,
    title: str | None = None,
) -> Call[Material]:
    """Return what there is to sign of a promotion."""
    return Call(
        "POST",
        "/v1/unsigned/promotions",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(source=source, target=target, names=names, title=title),
    )


def _rollback(
    *,
    to: int,
    if_match: str | None = None,
    only: str | None = None,
    lift: bool | None = None,
    channel: str | None = None,
    title: str | None = None,
) -> Call[Material]:
    """Return what there is to sign of a rollback."""
    return Call(
        "POST",
        "/v1/unsigned/rollbacks",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(to=to, only=only, lift=lift, channel=channel, title=title),
    )


def _return_(*, channel: str, if_match: str | None = None, title: str | None = None) -> Call[Material]:
    """Return what there is to sign of a return."""
    return Call(
        "POST",
        "/v1/unsigned/returns",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(channel=channel, title=title),
    )


def _review(
    number: int, *, role: str, reason: str, manifest: str, if_match: str | None = None, channel: str | None = None
) -> Call[Material]:
    """Return what there is to sign of the review of a break-glass release."""
    return Call(
        "POST",
        f"/v1/unsigned/releases/{segment(number)}/review",
        Material,
        headers=given(**{"If-Match": if_match}),
        body=given(role=role, reason=reason, manifest=manifest, channel=channel),
    )


def _withdrawal(
    *,
    target: str,
    reason: str,
    if_match: str | None = None,
    replacement: str | None = None,
    channel: str | None = None,
    role: str | None = None,
) -> Call[Words]:
    """Return what there is to sign of a withdrawal, for each channel."""
    return Call(
        "POST",
        "/v1/unsigned/withdrawals",
        Words,
        headers=given(**{"If-Match": if_match}),
        body=given(target=target, reason=reason, replacement=replacement, channel=channel, role=role),
    )


def _channel_withdrawal(name: str, *, reason: str, if_match: str | None = None, role: str | None = None) -> Call[Words]:
    """Return what there is to sign of the withdrawal of a channel."""
    return Call(
        "POST",
        f"/v1/unsigned/channels/{segment(name)}/withdrawal",
        Words,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason, role=role),
    )


def _opening(
    name: str, *, release: int, stage: int, if_match: str | None = None, reason: str | None = None
) -> Call[Words]:
    """Return what there is to sign of the opening of a stage."""
    return Call(
        "POST",
        f"/v1/unsigned/channels/{segment(name)}/rollout",
        Words,
        headers=given(**{"If-Match": if_match}),
        body=given(release=release, stage=stage, reason=reason),
    )


def _halt(name: str, *, release: int, reason: str, if_match: str | None = None, role: str | None = None) -> Call[Words]:
    """Return what there is to sign of the halt of a rollout."""
    return Call(
        "POST",
        f"/v1/unsigned/channels/{segment(name)}/halt",
        Words,
        headers=given(**{"If-Match": if_match}),
        body=given(release=release, reason=reason, role=role),
    )


def _grant(
    *,
    person: str,
    role: str,
    reason: str,
    if_match: str | None = None,
    since: datetime | None = None,
    days: int | None = None,
    previous: str | None = None,
) -> Call[Terms]:
    """Return what the first of two people signs of a grant."""
    return Call(
        "POST",
        "/v1/unsigned/grants",
        Terms,
        headers=given(**{"If-Match": if_match}),
        body=given(person=person, role=role, reason=reason, since=since, days=days, previous=previous),
    )


def _second(identity: str, *, digest: str, reason: str, if_match: str | None = None) -> Call[Terms]:
    """Return what the second of two people signs of a grant."""
    return Call(
        "POST",
        f"/v1/unsigned/grants/{segment(identity)}/sign",
        Terms,
        headers=given(**{"If-Match": if_match}),
        body=given(digest=digest, reason=reason),
    )


def _delegation(
    *, person: str, role: str, until: datetime, reason: str, if_match: str | None = None, since: datetime | None = None
) -> Call[Terms]:
    """Return what whoever will be away signs of a delegation."""
    return Call(
        "POST",
        "/v1/unsigned/delegations",
        Terms,
        headers=given(**{"If-Match": if_match}),
        body=given(person=person, role=role, until=until, reason=reason, since=since),
    )


class UnsignedApi(Group):
    """`/v1/unsigned`, one call after the other."""

    proposal = now(_proposal)
    edit = now(_edit)
    draft = now(_draft)
    rebase = now(_rebase)
    duplicate = now(_duplicate)
    promotion = now(_promotion)
    rollback = now(_rollback)
    return_ = now(_return_)
    review = now(_review)
    withdrawal = now(_withdrawal)
    channel_withdrawal = now(_channel_withdrawal)
    opening = now(_opening)
    halt = now(_halt)
    grant = now(_grant)
    second = now(_second)
    delegation = now(_delegation)


class AsyncUnsignedApi(AsyncGroup):
    """The same for `await`."""

    proposal = later(_proposal)
    edit = later(_edit)
    draft = later(_draft)
    rebase = later(_rebase)
    duplicate = later(_duplicate)
    promotion = later(_promotion)
    rollback = later(_rollback)
    return_ = later(_return_)
    review = later(_review)
    withdrawal = later(_withdrawal)
    channel_withdrawal = later(_channel_withdrawal)
    opening = later(_opening)
    halt = later(_halt)
    grant = later(_grant)
    second = later(_second)
    delegation = later(_delegation)
