"""`/v1/proposals`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from control_plane.client.calls import (
    AsyncGroup,
    Call,
    Group,
    Paged,
    given,
    later,
    later_items,
    now,
    now_items,
    segment,
)
from control_plane.client.records.proposals import CheckResult, ProposalDetail, ProposalEffects
from control_plane.client.records.shared import Proposal, Release

__all__ = ["AsyncProposalsApi", "ProposalsApi"]


def _list(*, state: str | None = None, channel: str | None = None, limit: int | None = None) -> Paged[Proposal]:
    """Return proposals, newest first."""
    return Paged(
        Call("GET", "/v1/proposals", tuple[Proposal, ...], query=given(state=state, channel=channel, limit=limit))
    )


def _propose(
    *,
    title: str,
    files: Mapping[str, str],
    if_match: str | None = None,
    passphrase: str | None = None,
    base: str | None = None,
    remove: Sequence[tuple[str, str]] | None = None,
    channel: str | None = None,
) -> Call[Proposal]:
    """Propose a change."""
    return Call(
        "POST",
        "/v1/proposals",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(title=title, files=files, passphrase=passphrase, base=base, remove=remove, channel=channel),
    )


def _get(number: int) -> Call[ProposalDetail]:
    """Return a proposal with all that is needed to decide about it."""
    return Call("GET", f"/v1/proposals/{segment(number)}", ProposalDetail)


def _edit(
    number: int,
    *,
    if_match: str | None = None,
    files: Mapping[str, str] | None = None,
    passphrase: str | None = None,
    revision: int | None = None,
    remove: Sequence[tuple[str, str]] | None = None,
) -> Call[Proposal]:
    """Edit a proposal, which voids its approvals; `revision` or If-Match says what the editor looked at."""
    return Call(
        "PUT",
        f"/v1/proposals/{segment(number)}",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(files=files, passphrase=passphrase, revision=revision, remove=remove),
    )


def _check(number: int, *, if_match: str | None = None) -> Call[tuple[CheckResult, ...]]:
    """Run every check."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/check",
        tuple[CheckResult, ...],
        headers=given(**{"If-Match": if_match}),
    )


def _approve(
    number: int, *, role: str, reason: str, passphrase: str, manifest: str, if_match: str | None = None
) -> Call[Proposal]:
    """Approve a proposal."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/approve",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(role=role, reason=reason, passphrase=passphrase, manifest=manifest),
    )


def _reject(
    number: int, *, role: str, reason: str, passphrase: str, manifest: str, if_match: str | None = None
) -> Call[Proposal]:
    """Reject a proposal."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/reject",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(role=role, reason=reason, passphrase=passphrase, manifest=manifest),
    )


def _release(number: int, *, if_match: str | None = None) -> Call[Release]:
    """Release an approved proposal."""
    return Call("POST", f"/v1/proposals/{segment(number)}/release", Release, headers=given(**{"If-Match": if_match}))


def _effects(number: int) -> Call[ProposalEffects]:
    """Return what a proposal means, and what it changes for the person being coached."""
    return Call("GET", f"/v1/proposals/{segment(number)}/effects", ProposalEffects)


class ProposalsApi(Group):
    """`/v1/proposals`, one call after the other."""

    list = now_items(_list)
    propose = now(_propose)
    get = now(_get)
    edit = now(_edit)
    check = now(_check)
    approve = now(_approve)
    reject = now(_reject)
    release = now(_release)
    effects = now(_effects)


class AsyncProposalsApi(AsyncGroup):
    """The same for `await`."""

    list = later_items(_list)
    propose = later(_propose)
    get = later(_get)
    edit = later(_edit)
    check = later(_check)
    approve = later(_approve)
    reject = later(_reject)
    release = later(_release)
    effects = later(_effects)
