"""`/v1/audit`: what the log says, with proofs, what was live when, and whether it holds together.

Every reading is an entry of the log, made by the use case.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from fastapi import Path, Query
from fastapi.responses import PlainTextResponse
from pydantic import AfterValidator

from control_plane import ledger, verifying
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Plane, Text
from control_plane.evidence import asof, search

__all__ = ["router"]

router = routes("/audit")


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


Moment: TypeAlias = Annotated[datetime, AfterValidator(_utc)]
"""A time; without a zone it is in UTC."""
Index: TypeAlias = Annotated[int, Path(ge=0, le=2**31 - 1)]
Release: TypeAlias = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
Below: TypeAlias = Annotated[int | None, Query(ge=0, le=2**31 - 1)]


@router.get("/search")
def audit_search(
    plane: Plane,
    asking: Actor,
    *,
    act: Text = "",
    actor: Text = "",
    name: Text = "",
    version: Text = "",
    channel: Text = "",
    manifest: Text = "",
    release: Release = None,
    words: Text = "",
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Below = None,
    proofs: bool = False,
) -> tuple[search.Hit, ...]:
    """Search the audit log, newest first; `before` goes on below an index, `proofs` adds C2SP proof files."""
    query = search.Query(
        act=act,
        actor=actor,
        name=name,
        version=version,
        channel=channel,
        manifest=manifest,
        release=release,
        words=words,
        since=since,
        until=until,
        before=before,
        limit=limit,
    )
    return search.read(plane, asking.person, query, proof_files=proofs)


@router.get("/entries/{index}/proof", response_class=PlainTextResponse)
def audit_proof(plane: Plane, asking: Actor, index: Index) -> str:
    """Return the C2SP proof file of one entry."""
    return search.prove(plane, asking.person, index).tlog_proof


@router.get("/as-of")
def audit_as_of(plane: Plane, asking: Actor, at: Moment, *, channel: Text = "", prompt: Text = "") -> asof.AsOf:
    """Say what was live on a channel at a moment, by whose approval, with the entries that evidence it."""
    return asof.as_of(plane, asking.person, at=at, channel=channel, name=prompt)


@router.get("/verify")
def audit_verify(plane: Plane, _actor: Actor) -> verifying.LedgerReport:
    """Verify the whole audit log."""
    return verifying.verify(plane)


@router.get("/keys")
def audit_log_keys(plane: Plane) -> tuple[str, ...]:
    """Return the public keys by which the log is verified, the log's own first, then its witnesses': public."""
    return tuple(one.vkey for one in ledger.verifiers(plane))


@router.get("/checkpoint", response_class=PlainTextResponse)
def audit_checkpoint(plane: Plane) -> str:
    """Return the signed checkpoint of the audit log: public, as all of the log is."""
    return ledger.checkpoint(plane).decode()
