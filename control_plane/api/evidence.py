"""`/v1/audit`: evidence packs, reports by rule book, gaps: the use cases of the command line, by token.

Only compliance and administrators get a pack with names and reasons in it.
"""

from __future__ import annotations

import io
from datetime import date
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from audit.pack.container import write_zip
from audit.record import Auth, LeafObject
from control_plane import ledger
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.api.audit import Moment
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Explained, Plane, Text
from control_plane.evidence import controls, gaps, packs
from control_plane.evidence.controls.report import controls_html
from control_plane.evidence.filed import document_digest, file_digest
from control_plane.evidence.search import note_reading
from control_plane.keeping.keepers import KEEPERS, Asking
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument

__all__ = ["router"]

router = routes("/audit")


class Packing(Body):
    """What a pack is to be about: a period, or a release; the auditor's nonce; whether names and reasons go in."""

    since: Moment | None = None
    until: Moment | None = None
    release: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    channel: Text = ""
    nonce: Text = ""
    with_texts: bool = True


class Filing(Explained):
    """A document that the organisation has: its kind, its text in UTF-8 or its digest, its last valid day, why.

    `role` is the one in which somebody files it; whoever has several that fit says which.
    """

    kind: Text
    document: Text = ""
    digest: Text = ""
    valid_until: date | None = None
    ticket: Text = ""
    role: Text = ""


class Filed(Body):
    """The entry that says that a document is on file."""

    logged: int


@router.post("/packs", status_code=201, response_class=Response)
def make_pack(plane: Plane, actor: Actor, body: Packing) -> Response:
    """Make an evidence pack and return it as a ZIP file."""
    if bool(body.release) == bool(body.since or body.until):
        raise InvalidDocument("expected either a release or a period")
    rights.require_reader(plane, actor.person, KEEPERS, attempt=Attempt("make-pack", LeafObject("pack")))
    asked = packs.PackRequest(
        body.since,
        body.until,
        release=body.release,
        channel=body.channel,
        nonce=body.nonce,
        with_texts=body.with_texts,
    )
    auth = Auth.SYSTEM if actor.person == ledger.SYSTEM else Auth.TOKEN
    made = packs.make_pack(plane, asked, actor=actor.person, auth=auth)
    stream = io.BytesIO()
    try:
        write_zip(stream, made.files)
    except ValueError as error:
        raise InvalidDocument(str(error), hint="choose a shorter period") from error
    headers = {"Content-Disposition": 'attachment; filename="evidence.pack"', "X-Pack-Digest": made.digest}
    return Response(stream.getvalue(), 201, headers=headers, media_type="application/zip")


@router.get("/gaps")
def audit_gaps(plane: Plane, actor: Actor) -> tuple[gaps.Gap, ...]:
    """Return where the record is uncovered."""
    note_reading(plane, actor.person, canonical.digest(b"gaps"))
    return gaps.find_gaps(plane)


@router.get("/report/{rules}")
def audit_report(
    plane: Plane, actor: Actor, rules: Text, *, since: Moment | None = None, until: Moment | None = None
) -> controls.ControlsReport:
    """Return what the log holds and lacks for a rule book."""
    made = controls.report_controls(plane, rules, since=since, until=until)
    note_reading(plane, actor.person, canonical.digest(f"report {rules}".encode()))
    return made


@router.get("/report/{rules}/page", response_class=HTMLResponse)
def audit_report_page(
    plane: Plane,
    actor: Actor,
    rules: Text,
    *,
    since: Annotated[Moment | None, Query()] = None,
    until: Annotated[Moment | None, Query()] = None,
) -> HTMLResponse:
    """Return the same as a page."""
    return HTMLResponse(controls_html(audit_report(plane, actor, rules, since=since, until=until)))


@router.post("/evidence", status_code=201)
def file_document(plane: Plane, request: Request, actor: Actor, *, body: Filing) -> Filed:
    """Log that the organisation has a document; only its digest is kept."""
    asking = Asking(actor.person, body.reason, body.present(request), body.ticket, body.role)
    if bool(body.document) == bool(body.digest):
        raise InvalidDocument("expected either a document or its digest")
    digest = body.digest or document_digest(body.document.encode())
    entry = file_digest(plane, body.kind, digest, asking=asking, valid_until=body.valid_until)
    return Filed(logged=entry)
