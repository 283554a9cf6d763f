"""The HTTP interface `/v1`: each route is one use case, as the person behind the bearer token or the session.

Does not: decide anything, know statuses (see `app`), or show one person's text to somebody without a token.
The documented form of every request and answer is at `/v1/openapi.json`.
"""

from fastapi import APIRouter, Depends

from control_plane.api import (
    accounts,
    audit,
    authorship,
    checks,
    discussion,
    drafts,
    evidence,
    grants,
    library,
    proposals,
    registry,
    releases,
    sources,
    webhooks,
)
from control_plane.requests.limits import limit_person

__all__ = ["router"]

router = APIRouter(prefix="/v1", dependencies=[Depends(limit_person)])
router.include_router(registry.router)
router.include_router(releases.router)
router.include_router(proposals.router)
router.include_router(drafts.router)
router.include_router(authorship.router)
router.include_router(discussion.router)
router.include_router(checks.router)
router.include_router(accounts.router)
router.include_router(grants.router)
router.include_router(audit.router)
router.include_router(evidence.router)
router.include_router(sources.router)
router.include_router(library.router)
router.include_router(webhooks.router)
