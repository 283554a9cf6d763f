"""The HTTP interface `/v1`: each route is one use case, as the person behind the bearer token or the session.

Does not: decide anything, know statuses (see `app`), or show one person's text to somebody without a token.
The documented form of every request and answer is at `/v1/openapi.json`.
"""

from fastapi.routing import APIRoute

from control_plane.api import (
    accounts,
    audit,
    authorship,
    census,
    checks,
    discussion,
    drafts,
    evidence,
    grants,
    keys,
    library,
    proposals,
    registry,
    releases,
    sessions,
    sources,
    texts,
    webhooks,
)

__all__ = ["all_routes"]

_PARTS = (
    registry,
    releases,
    proposals,
    drafts,
    authorship,
    discussion,
    checks,
    sessions,
    accounts,
    keys,
    grants,
    audit,
    evidence,
    texts,
    sources,
    library,
    webhooks,
    census,
)


def all_routes() -> list[APIRoute]:
    """Return every route, in the order of the document."""
    routers = [*(part.router for part in _PARTS), census.of_devices]
    return [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
