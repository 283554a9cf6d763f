"""The application: HTTP around the use cases, static files for devices, pages for people.

Promises: one table says which error is which HTTP status; errors are `application/problem+json` without a person's
text, and an unexpected one says nothing of its cause; bodies are capped; what a crash left unpublished is finished at
start, the timestamp and cosignatures are renewed then and hourly, witnesses that have not signed are asked again every
minute, and the bucket, if there is one, is kept up.
Does not: hold logic of the domain. Source: RFC 9457.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from audit.acts import Client
from control_plane import api, ledger
from control_plane.bucket import keeper_of, keeping
from control_plane.errors import Busy, Conflict, NotFound, NotSignedIn, Refused, TooMany, Unguarded
from control_plane.plane import Clock, ControlPlane, open_plane, utc_now
from control_plane.published import IMMUTABLE, cache_control
from control_plane.requests.document import operation_id
from control_plane.requests.identity import HEADER as REQUEST_ID
from control_plane.requests.identity import current as current_request
from control_plane.requests.installing import install
from control_plane.requests.problems import malformed, problem
from control_plane.sending import sending
from control_plane.settings import Settings
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, NotTrusted, Unavailable

__all__ = ["STATUS_OF", "create_app"]

STATUS_OF: dict[type[MentorplaneError], int] = {
    NotFound: 404,
    Conflict: 409,
    Refused: 403,
    InvalidDocument: 422,
    NotTrusted: 422,
    Unavailable: 503,
    NotSignedIn: 401,
    TooMany: 429,
    Unguarded: 428,
}
RENEW_EVERY_S = 3600
ASK_EVERY_S = 60
SETTLE_S = 0.5
"""How long the first requests have the processor for themselves: what maintenance imports takes longer than they do."""
THREADS = 80
"""Requests that are worked on at once: more than may wait to open a key, so that others get through."""
_LOG = logging.getLogger(__name__)


def create_app(settings: Settings, *, clock: Clock = utc_now, start_key: str = "") -> FastAPI:
    """Return the application over `settings.home`; `start_key` opens the guided tour."""
    plane = replace(open_plane(settings, clock=clock), client=Client.API)
    app = FastAPI(
        title="Mentorplane",
        version="1",
        lifespan=_lifespan,
        docs_url="/v1/docs",
        openapi_url="/v1/openapi.json",
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        generate_unique_id_function=operation_id,
    )
    app.state.plane = plane
    app.state.start_key = start_key
    app.state.warnings = ()
    app.state.keeper = keeper_of(plane)
    install(app, plane)
    app.add_exception_handler(MentorplaneError, _on_known)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unexpected)
    app.router.routes += api.all_routes()
    app.mount("/edge", _Published(settings.site))
    app.mount("/forged", _Published(settings.forged))
    for pages in ("control_plane.web", "control_plane.demo"):
        if importlib.util.find_spec(pages) is not None:
            mount = getattr(importlib.import_module(pages), "mount", None)
            if mount is not None:
                mount(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    plane: ControlPlane = app.state.plane
    current_default_thread_limiter().total_tokens = THREADS
    stop = threading.Event()
    thread = threading.Thread(target=_maintain, args=(app, stop), name="maintain", daemon=True)
    thread.start()
    with sending(plane), keeping(app.state.keeper):
        yield
    stop.set()
    thread.join()
    plane.close()


def _maintain(app: FastAPI, stop: threading.Event) -> None:
    """Finish what a crash left unpublished, keep the timestamp fresh, see what is due; answers wait for none of it."""
    if stop.wait(SETTLE_S):
        return
    from control_plane.census.rollups import gather
    from control_plane.ceremony.watching import warnings
    from control_plane.lifecycle.releases import recover
    from control_plane.publish import renew
    from control_plane.reviewing.expiry import expire_due

    plane: ControlPlane = app.state.plane
    while not stop.is_set():
        try:
            for what in recover(plane):
                _LOG.warning("finished what was left unpublished: %s", what)
            renew(plane)
            ledger.ask_witnesses(plane, anew_after_s=RENEW_EVERY_S // 2)
            expire_due(plane)
            gather(plane)
            app.state.warnings = warnings(plane)
            for warning in app.state.warnings:
                _LOG.warning("%s", warning)
        except (MentorplaneError, OSError):
            _LOG.exception("publishing was not finished; the next hour tries again")
        for _ in range(RENEW_EVERY_S // ASK_EVERY_S):
            _release_due(plane)
            _ask_witnesses(plane)
            _pack(plane)
            if stop.wait(ASK_EVERY_S):
                break


def _ask_witnesses(plane: ControlPlane) -> None:
    """Have the log cosigned where that is asked for and lacking; publish what waited for it."""
    from control_plane.publish import publish_waiting

    try:
        if ledger.ask_witnesses(plane):
            publish_waiting(plane)
    except (MentorplaneError, OSError):
        _LOG.exception("what waits for witnesses was not published; the next minute tries again")


def _pack(plane: ControlPlane) -> None:
    """Write the packs that live releases lack."""
    from control_plane.packing import write_packs

    try:
        write_packs(plane)
    except (MentorplaneError, OSError):
        _LOG.exception("not every pack was written; the next minute tries again")


def _release_due(plane: ControlPlane) -> None:
    """Release or suspend what is scheduled, and end the trials, whose time has come."""
    from control_plane.lifecycle.scheduling import release_due

    try:
        for what in release_due(plane):
            _LOG.warning("its time had come: %s", what)
    except (MentorplaneError, OSError):
        _LOG.exception("what is due was not done; the next minute tries again")


async def _on_known(_request: Request, error: Exception) -> Response:
    kinds = [kind for kind in type(error).__mro__ if kind in STATUS_OF]
    status = STATUS_OF[kinds[0]] if kinds else 500
    response = problem(status, str(error), getattr(error, "hint", ""))
    if isinstance(error, Busy | TooMany):
        response.headers["Retry-After"] = str(error.retry_after_s)
        response.headers.update(getattr(error, "headers", {}))
    return response


async def _on_malformed(_request: Request, error: Exception) -> Response:
    return problem(422, malformed(error))


async def _on_http(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return problem(status, HTTPStatus(status).phrase.lower())


async def _on_unexpected(_request: Request, _error: Exception) -> Response:
    said = {REQUEST_ID: current_request()}  # this answer is made outside of everything that names requests
    return problem(500, "something unexpected happened; the server's log says what", headers=said)


class _Published(StaticFiles):
    """Files for devices: all but the timestamp and the log's checkpoint never change under their name."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)

    async def check_config(self) -> None:
        """Accept a folder that is not there yet: it has no files."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, never one that is still being written."""
        if any(part.startswith(".") for part in Path(path).parts):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = cache_control(path)
        if cache_control(path) != IMMUTABLE and isinstance(response, FileResponse):
            # Devices send no tag back that a server made up: they know what this one must be.
            response.headers["ETag"] = tag = f'"{hashlib.sha256(Path(response.path).read_bytes()).hexdigest()}"'
            if tag in Headers(scope=scope).get("if-none-match", ""):
                return NotModifiedResponse(response.headers)
        return response
