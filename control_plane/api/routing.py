"""Where the routes of `/v1` are kept: each is made once, with its path, its limit and its id as they are served.

FastAPI's own way of including one router in another makes every route a second time: a third of what starting takes.
Does not: know a route.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends

from control_plane.requests.document import operation_id
from control_plane.requests.limits import limit_person

__all__ = ["routes"]


def routes(prefix: str = "") -> APIRouter:
    """Return a router for routes below `/v1` and `prefix`, each within the limit of the person who asks."""
    return APIRouter(
        prefix=f"/v1{prefix}", dependencies=[Depends(limit_person)], generate_unique_id_function=operation_id
    )
