"""`/v1/census`: devices tell of themselves, nobody in particular; people see groups of five or more, and roll-ups.

What a device sends is a format of its own (see docs/formats.md), and is read as bytes: the document of routes names the
formats, and no client here speaks them. Promises: the route of devices looks for nobody behind a request, answers
nothing but its status, and is not for pages of the web: no browser sends its type of content to another server unasked.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse

from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Plane, Text, token_of
from control_plane.census import counting, rollups, showing
from control_plane.errors import TooMany
from control_plane.requests.limits import Buckets
from edge_runtime.core.census import FORMAT, MAX_BYTES
from edge_runtime.core.counts import ROLLUP, RUNS
from edge_runtime.core.errors import InvalidDocument

__all__ = ["of_devices", "router"]

router = routes("/census")
of_devices = routes("/census", of_people=False)


@router.get("")
def list_census(
    plane: Plane,
    actor: Actor,
    *,
    channel: Text = "",
    days: Annotated[int, Query(ge=1, le=showing.MOST_DAYS)] = 7,
) -> tuple[showing.CensusDay, ...]:
    """Return what devices told on the last days that are over, newest first, in groups of five or more."""
    return showing.show(plane, actor.person, channel=channel, days=days)


@router.get("/rollups/{day}", response_class=PlainTextResponse)
def census_rollups(plane: Plane, actor: Actor, day: Text, *, channel: Text = "") -> str:
    """Return the roll-ups of receipts that devices told of a day, as the log holds the root of them."""
    return rollups.rollups(plane, actor.person, day=day, channel=channel).encode().decode()


async def _limited(request: Request) -> None:
    """Hold an address to its limit; counted in memory alone.

    Raises:
        TooMany: it sent a minute's worth.
    """
    buckets: Buckets = request.app.state.census_limits
    _, after_s = buckets.take(request.client.host if request.client else "")
    if after_s:
        raise TooMany("expected fewer reports from one address", retry_after_s=after_s)


async def _report(request: Request) -> bytes:
    """Return the body of a request.

    Raises:
        InvalidDocument: it is longer than a report, or of another type.
    """
    if request.headers.get("Content-Type") != "application/json":
        raise InvalidDocument("expected a report of the type application/json, got another")
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BYTES:
            raise InvalidDocument(f"expected a report of at most {MAX_BYTES} bytes, got more")
    return data


_TOLD = {
    "type": "object",
    "description": "Canonical JSON in one of these formats; its other members are in docs/formats.md.",
    "required": ["format"],
    "properties": {"format": {"enum": [FORMAT, RUNS, ROLLUP]}},
}


@of_devices.post(
    "",
    status_code=204,
    response_class=Response,
    tags=["devices"],
    dependencies=[Depends(_limited)],
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": _TOLD}}}},
)
def take_report(request: Request, data: Annotated[bytes, Depends(_report)]) -> Response:
    """Count what a device tells."""
    counting.take(request.app.state.plane, data, token=token_of(request))
    return Response(status_code=204)
