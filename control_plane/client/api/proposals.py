"""`/v1/proposals`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from control_plane.client.api import proposals_reading as reading
from control_plane.client.calls import AsyncGroup, Call, Group, given, later, later_items, now, now_items, segment
from control_plane.client.records.proposals import CheckResult, Lines, Objection, ProposalDetail, Requested, Thread
from control_plane.client.records.shared import Proposal, Proving, Release, Stated, Window

__all__ = ["AsyncProposalsApi", "ProposalsApi"]


def _release(number: int, *, if_match: str | None = None) -> Call[Release]:
    """Release an approved proposal."""
    return Call("POST", f"/v1/proposals/{segment(number)}/release", Release, headers=given(**{"If-Match": if_match}))


def _schedule(number: int, *, at: datetime, if_match: str | None = None) -> Call[Proposal]:
    """Let an approved proposal go out at a time."""
    return Call(
        "PUT",
        f"/v1/proposals/{segment(number)}/schedule",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(at=at),
    )


def _unschedule(number: int, *, if_match: str | None = None) -> Call[Proposal]:
    """Take a proposal off the schedule."""
    return Call(
        "DELETE", f"/v1/proposals/{segment(number)}/schedule", Proposal, headers=given(**{"If-Match": if_match})
    )


def _propose(
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
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Proposal]:
    """Propose a change."""
    return Call(
        "POST",
        "/v1/proposals",
        Proposal,
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
            passphrase=passphrase,
            signed=signed,
        ),
    )


def _edit(
    number: int,
    *,
    if_match: str | None = None,
    files: Mapping[str, str] | None = None,
    revision: int | None = None,
    remove: Sequence[tuple[str, str]] | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Proposal]:
    """Edit a proposal, which voids its approvals; `revision` or If-Match says what the editor looked at."""
    return Call(
        "PUT",
        f"/v1/proposals/{segment(number)}",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(files=files, revision=revision, remove=remove, passphrase=passphrase, signed=signed),
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


def _open_proposal(number: int, *, if_match: str | None = None) -> Call[ProposalDetail]:
    """Return a proposal as it is now, and record that this person was shown it: what a batch asks for."""
    return Call(
        "POST", f"/v1/proposals/{segment(number)}/open", ProposalDetail, headers=given(**{"If-Match": if_match})
    )


def _take_statement(
    number: int, *, envelope: Mapping[str, Any], reason: str, salt: str, if_match: str | None = None
) -> Call[Proposal]:
    """Take an approval or a rejection that was signed with the person's own key."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/statements",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(envelope=envelope, reason=reason, salt=salt),
    )


def _rebase(
    number: int,
    *,
    if_match: str | None = None,
    revision: int | None = None,
    merged: bool | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Proposal]:
    """Put a stale proposal on the live release, which voids its approvals."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/rebase",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(revision=revision, merged=merged, passphrase=passphrase, signed=signed),
    )


def _close(number: int, *, if_match: str | None = None, reason: str | None = None) -> Call[Proposal]:
    """Close a proposal for good."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/close",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason),
    )


def _duplicate(
    number: int,
    *,
    title: str,
    if_match: str | None = None,
    channel: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
) -> Call[Proposal]:
    """Propose what another proposal has; no approval comes along."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/duplicate",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(title=title, channel=channel, passphrase=passphrase, signed=signed),
    )


def _comment(number: int, *, text: str, if_match: str | None = None, lines: Lines | None = None) -> Call[Thread]:
    """Begin a thread."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/threads",
        Thread,
        headers=given(**{"If-Match": if_match}),
        body=given(text=text, lines=lines),
    )


def _reply(number: int, thread: int, *, text: str, if_match: str | None = None) -> Call[Thread]:
    """Reply in a thread."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/threads/{segment(thread)}/comments",
        Thread,
        headers=given(**{"If-Match": if_match}),
        body=given(text=text),
    )


def _resolve(number: int, thread: int, *, if_match: str | None = None) -> Call[Thread]:
    """Resolve a thread."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/threads/{segment(thread)}/resolve",
        Thread,
        headers=given(**{"If-Match": if_match}),
    )


def _reopen(number: int, thread: int, *, if_match: str | None = None) -> Call[Thread]:
    """Reopen a thread."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/threads/{segment(thread)}/reopen",
        Thread,
        headers=given(**{"If-Match": if_match}),
    )


def _object_to(
    number: int, *, role: str, reason: str, manifest: str, if_match: str | None = None, lines: Lines | None = None
) -> Call[Objection]:
    """Object: nothing is released until this is taken back or the content changes."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/objections",
        Objection,
        headers=given(**{"If-Match": if_match}),
        body=given(role=role, reason=reason, manifest=manifest, lines=lines),
    )


def _take_back(
    number: int,
    *,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
    reason: str | None = None,
) -> Call[None]:
    """Take back one's own objection or rejection."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/objections/take-back",
        type(None),
        headers=given(**{"If-Match": if_match}),
        body=given(passphrase=passphrase, proof=proof, reason=reason),
    )


def _request(
    number: int,
    *,
    if_match: str | None = None,
    people: Sequence[str] | None = None,
    roles: Sequence[str] | None = None,
    my_role: str | None = None,
) -> Call[tuple[Requested, ...]]:
    """Ask people, or anybody in some roles, to look at a proposal."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/requests",
        tuple[Requested, ...],
        headers=given(**{"If-Match": if_match}),
        body=given(people=people, roles=roles, my_role=my_role),
    )


def _end_request(
    number: int,
    *,
    if_match: str | None = None,
    person: str | None = None,
    role: str | None = None,
    my_role: str | None = None,
) -> Call[tuple[Requested, ...]]:
    """Ask somebody, or a role, no longer."""
    return Call(
        "POST",
        f"/v1/proposals/{segment(number)}/requests/end",
        tuple[Requested, ...],
        headers=given(**{"If-Match": if_match}),
        body=given(person=person, role=role, my_role=my_role),
    )


class ProposalsApi(Group):
    """`/v1/proposals`, one call after the other."""

    release = now(_release)
    schedule = now(_schedule)
    unschedule = now(_unschedule)
    list = now_items(reading.read_list)
    propose = now(_propose)
    get = now(reading.read_get)
    edit = now(_edit)
    check = now(_check)
    approve = now(_approve)
    reject = now(_reject)
    open_proposal = now(_open_proposal)
    material = now(reading.read_material)
    take_statement = now(_take_statement)
    list_conflicts = now(reading.read_list_conflicts)
    rebase = now(_rebase)
    close = now(_close)
    duplicate = now(_duplicate)
    list_threads = now(reading.read_list_threads)
    comment = now(_comment)
    reply = now(_reply)
    resolve = now(_resolve)
    reopen = now(_reopen)
    object_to = now(_object_to)
    take_back = now(_take_back)
    request = now(_request)
    end_request = now(_end_request)
    effects = now(reading.read_effects)


class AsyncProposalsApi(AsyncGroup):
    """The same for `await`."""

    release = later(_release)
    schedule = later(_schedule)
    unschedule = later(_unschedule)
    list = later_items(reading.read_list)
    propose = later(_propose)
    get = later(reading.read_get)
    edit = later(_edit)
    check = later(_check)
    approve = later(_approve)
    reject = later(_reject)
    open_proposal = later(_open_proposal)
    material = later(reading.read_material)
    take_statement = later(_take_statement)
    list_conflicts = later(reading.read_list_conflicts)
    rebase = later(_rebase)
    close = later(_close)
    duplicate = later(_duplicate)
    list_threads = later(reading.read_list_threads)
    comment = later(_comment)
    reply = later(_reply)
    resolve = later(_resolve)
    reopen = later(_reopen)
    object_to = later(_object_to)
    take_back = later(_take_back)
    request = later(_request)
    end_request = later(_end_request)
    effects = later(reading.read_effects)
