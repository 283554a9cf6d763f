"""`/v1/holds`: each operation as a call. Written by `tests.client_api`."""

from __future__ import annotations

from control_plane.client.calls import AsyncGroup, Call, Group, given, later, now, segment
from control_plane.client.records.holds import Hold
from control_plane.client.records.shared import Proving

__all__ = ["AsyncHoldsApi", "HoldsApi"]


def _list_legal_holds(*, lifted: bool | None = None) -> Call[tuple[Hold, ...]]:
    """Return the legal holds in force, and with `lifted` all that ever were."""
    return Call("GET", "/v1/holds", tuple[Hold, ...], query=given(lifted=lifted))


def _place_hold(
    *,
    reason: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
    ticket: str | None = None,
    role: str | None = None,
    person: str | None = None,
) -> Call[Hold]:
    """Place a legal hold on the texts of somebody, or of everybody."""
    return Call(
        "POST",
        "/v1/holds",
        Hold,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason, passphrase=passphrase, proof=proof, ticket=ticket, role=role, person=person),
    )


def _lift_hold(
    identity: str,
    *,
    reason: str,
    if_match: str | None = None,
    passphrase: str | None = None,
    proof: Proving | None = None,
    ticket: str | None = None,
    role: str | None = None,
) -> Call[Hold]:
    """Lift a legal hold."""
    return Call(
        "POST",
        f"/v1/holds/{segment(identity)}/lift",
        Hold,
        headers=given(**{"If-Match": if_match}),
        body=given(reason=reason, passphrase=passphrase, proof=proof, ticket=ticket, role=role),
    )


class HoldsApi(Group):
    """`/v1/holds`, one call after the other."""

    list_legal_holds = now(_list_legal_holds)
    place_hold = now(_place_hold)
    lift_hold = now(_lift_hold)


class AsyncHoldsApi(AsyncGroup):
    """The same for `await`."""

    list_legal_holds = later(_list_legal_holds)
    place_hold = later(_place_hold)
    lift_hold = later(_lift_hold)
