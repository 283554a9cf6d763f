"""`/v1/proposals`: what only reads. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import Call, Paged, given, segment
from control_plane.client.records.proposals import Conflicting, ProposalDetail, ProposalEffects, Thread
from control_plane.client.records.shared import Material, Proposal

__all__ = ["read_effects", "read_get", "read_list", "read_list_conflicts", "read_list_threads", "read_material"]


def read_list(
    *,
    state: str | None = None,
    channel: str | None = None,
    author: str | None = None,
    kind: str | None = None,
    name: str | None = None,
    words: str | None = None,
    waiting: bool | None = None,
    waiting_for: str | None = None,
    limit: int | None = None,
) -> Paged[Proposal]:
    """Return the proposals that match everything that is given, newest first."""
    return Paged(
        Call(
            "GET",
            "/v1/proposals",
            tuple[Proposal, ...],
            query=given(
                state=state,
                channel=channel,
                author=author,
                kind=kind,
                name=name,
                words=words,
                waiting=waiting,
                waiting_for=waiting_for,
                limit=limit,
            ),
        )
    )


def read_get(number: int) -> Call[ProposalDetail]:
    """Return a proposal with all that is needed to decide about it."""
    return Call("GET", f"/v1/proposals/{segment(number)}", ProposalDetail)


def read_material(number: int) -> Call[Material]:
    """Return what somebody needs to decide where their own key is, without believing this server."""
    return Call("GET", f"/v1/proposals/{segment(number)}/material", Material)


def read_list_conflicts(number: int) -> Call[tuple[Conflicting, ...]]:
    """Return the files that the live release changed as well, with the text of each side."""
    return Call("GET", f"/v1/proposals/{segment(number)}/conflicts", tuple[Conflicting, ...])


def read_list_threads(number: int) -> Call[tuple[Thread, ...]]:
    """Return the threads of a proposal in the order in which they began."""
    return Call("GET", f"/v1/proposals/{segment(number)}/threads", tuple[Thread, ...])


def read_effects(number: int) -> Call[ProposalEffects]:
    """Return what a proposal means, and what it changes for the person being coached."""
    return Call("GET", f"/v1/proposals/{segment(number)}/effects", ProposalEffects)
