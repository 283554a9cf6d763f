"""`/v1/audit`: what the log says, and whether it holds together."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse

from control_plane import ledger
from control_plane.api.shared import Actor, Plane, Text

__all__ = ["router"]

router = APIRouter(prefix="/audit")


@router.get("/search")
def audit_search(
    plane: Plane,
    _actor: Actor,
    *,
    act: Text = "",
    actor: Text = "",
    name: Text = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> tuple[ledger.LedgerLeaf, ...]:
    """Search the audit log, newest first."""
    return ledger.search(plane, act=act, actor=actor, name=name, since=since, until=until, limit=limit, before=before)


@router.get("/verify")
def audit_verify(plane: Plane, _actor: Actor) -> ledger.LedgerReport:
    """Verify the whole audit log."""
    return ledger.verify(plane)


@router.get("/checkpoint", response_class=PlainTextResponse)
def audit_checkpoint(plane: Plane) -> str:
    """Return the signed checkpoint of the audit log: public, as all of the log is."""
    return ledger.checkpoint(plane).decode()
