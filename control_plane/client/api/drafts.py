"""`/v1/drafts`: each operation as a call. Written by `tests.client_api`."""

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
from control_plane.client.records.drafts import DraftInfo, SavedDraft
from control_plane.client.records.shared import Proposal, Stated

__all__ = ["AsyncDraftsApi", "DraftsApi"]


def _list(*, channel: str | None = None, ended: bool | None = None, limit: int | None = None) -> Paged[DraftInfo]:
    """Return the drafts that this person may see, newest first."""
    return Paged(
        Call("GET", "/v1/drafts", tuple[DraftInfo, ...], query=given(channel=channel, ended=ended, limit=limit))
    )


def _save_draft(
    *,
    title: str,
    if_match: str | None = None,
    files: Mapping[str, str] | None = None,
    remove: Sequence[tuple[str, str]] | None = None,
    channel: str | None = None,
) -> Call[DraftInfo]:
    """Save a new draft; nothing is signed."""
    return Call(
        "POST",
        "/v1/drafts",
        DraftInfo,
        headers=given(**{"If-Match": if_match}),
        body=given(title=title, files=files, remove=remove, channel=channel),
    )


def _get(number: int, *, revision: int | None = None) -> Call[SavedDraft]:
    """Return a draft as it was saved, and what stands in the way of proposing it."""
    return Call("GET", f"/v1/drafts/{segment(number)}", SavedDraft, query=given(revision=revision))


def _update_draft(
    number: int,
    *,
    revision: int,
    if_match: str | None = None,
    title: str | None = None,
    files: Mapping[str, str] | None = None,
    remove: Sequence[tuple[str, str]] | None = None,
) -> Call[DraftInfo]:
    """Save a further version of a draft."""
    return Call(
        "PUT",
        f"/v1/drafts/{segment(number)}",
        DraftInfo,
        headers=given(**{"If-Match": if_match}),
        body=given(revision=revision, title=title, files=files, remove=remove),
    )


def _discard_draft(number: int, *, if_match: str | None = None) -> Call[None]:
    """Discard a draft with all its versions."""
    return Call("DELETE", f"/v1/drafts/{segment(number)}", type(None), headers=given(**{"If-Match": if_match}))


def _invite_to_draft(number: int, *, people: Sequence[str], if_match: str | None = None) -> Call[tuple[str, ...]]:
    """Let people see and edit a draft; return everybody who is invited."""
    return Call(
        "POST",
        f"/v1/drafts/{segment(number)}/invite",
        tuple[str, ...],
        headers=given(**{"If-Match": if_match}),
        body=given(people=people),
    )


def _uninvite_from_draft(number: int, *, people: Sequence[str], if_match: str | None = None) -> Call[tuple[str, ...]]:
    """Let people no longer see a draft; return everybody who still is invited."""
    return Call(
        "POST",
        f"/v1/drafts/{segment(number)}/uninvite",
        tuple[str, ...],
        headers=given(**{"If-Match": if_match}),
        body=given(people=people),
    )


def _propose_draft(
    number: int,
    *,
    if_match: str | None = None,
    passphrase: str | None = None,
    signed: Sequence[Stated] | None = None,
    revision: int | None = None,
) -> Call[Proposal]:
    """Propose a draft, signed by its author."""
    return Call(
        "POST",
        f"/v1/drafts/{segment(number)}/propose",
        Proposal,
        headers=given(**{"If-Match": if_match}),
        body=given(passphrase=passphrase, signed=signed, revision=revision),
    )


class DraftsApi(Group):
    """`/v1/drafts`, one call after the other."""

    list = now_items(_list)
    save_draft = now(_save_draft)
    get = now(_get)
    update_draft = now(_update_draft)
    discard_draft = now(_discard_draft)
    invite_to_draft = now(_invite_to_draft)
    uninvite_from_draft = now(_uninvite_from_draft)
    propose_draft = now(_propose_draft)


class AsyncDraftsApi(AsyncGroup):
    """The same for `await`."""

    list = later_items(_list)
    save_draft = later(_save_draft)
    get = later(_get)
    update_draft = later(_update_draft)
    discard_draft = later(_discard_draft)
    invite_to_draft = later(_invite_to_draft)
    uninvite_from_draft = later(_uninvite_from_draft)
    propose_draft = later(_propose_draft)
