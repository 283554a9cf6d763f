"""The guided tour over HTTP: one page, its state, and the acts of its demo persons. Also the server's first page.

Promises:
1. The tour exists only where the server was started with a start key, which opens it once the printed link was used:
   the key moves from the link into a cookie that no script reads, no other site sends and no other path receives.
2. A change needs that cookie and a request from the page's own origin.
3. The page loads nothing from elsewhere and runs no inline script; only the device's page may stand in its frames.

Does not: decide anything (see `journey`), or see what is typed into the device's page.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Body, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from audit.acts import Client
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.web.journey import Journey
from edge_runtime.core.errors import InvalidDocument, MentorplaneError

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["mount"]

COOKIE = "mentorplane_tour"
_STATUS = {NotFound: 404, Conflict: 409, Refused: 403, InvalidDocument: 422}


def mount(app: FastAPI) -> None:
    """Add the tour to the server, if it was started with a start key, and a first page that leads on."""
    app.add_api_route("/", _first_page, include_in_schema=False)
    if app.state.start_key:
        app.state.journey = Journey(replace(app.state.plane, client=Client.CONSOLE))
        app.mount("/tour/static", StaticFiles(directory=Path(__file__).with_name("static")), name="tour-static")
        app.include_router(_router(), include_in_schema=False)


def _first_page(request: Request) -> Response:
    if request.app.state.start_key:
        return RedirectResponse("/tour", headers=_safety_headers(""))
    return _page("home.html", request, organisation=request.app.state.plane.organisation)


def _router() -> APIRouter:
    router = APIRouter()

    @router.get("/tour")
    def tour(request: Request, key: str = "") -> Response:
        if key and _same(key, request.app.state.start_key):
            return _with_cookie(request)
        if not _is_known(request):
            return _page("locked.html", request, status=403)
        return _page("tour.html", request, organisation=request.app.state.plane.organisation)

    @router.get("/tour/api/state")
    def state(request: Request) -> Response:
        if not _is_known(request):
            return _refusal(403, "please use the link that was printed at the start")
        return _answer(request, None)

    @router.post("/tour/api/act")
    def act(request: Request, wanted: dict[str, Any] = Body()) -> Response:  # noqa: B008 - how FastAPI declares a body
        if not _is_known(request) or request.headers.get("origin") != _own_origin(request):
            return _refusal(403, "expected a request from the tour's own page")
        return _answer(request, wanted)

    return router


def _answer(request: Request, wanted: dict[str, Any] | None) -> Response:
    journey: Journey = request.app.state.journey
    try:
        if wanted is not None:
            journey.act(wanted)
        state = journey.state(has_device=bool(_device_origin(request)))
    except MentorplaneError as error:
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
        return _refusal(status, str(error))
    device = {"origin": _device_origin(request), "token": getattr(request.app.state, "device_token", "")}
    return JSONResponse({**state, "device": device}, headers={"Cache-Control": "no-store"})


def _with_cookie(request: Request) -> Response:
    response = RedirectResponse("/tour", status_code=303, headers=_safety_headers(""))
    # INVARIANT: browsers send cookies to every port of an address; the path keeps this one to the tour.
    response.set_cookie(COOKIE, request.app.state.start_key, httponly=True, samesite="strict", path="/tour")
    return response


def _is_known(request: Request) -> bool:
    return _same(request.cookies.get(COOKIE, ""), request.app.state.start_key)


def _same(given: str, expected: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def _own_origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


def _device_origin(request: Request) -> str:
    return str(getattr(request.app.state, "device_url", ""))


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers={"Cache-Control": "no-store"})


@cache
def _pages() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("control_plane.web")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def _page(name: str, request: Request, *, status: int = 200, **values: str) -> Response:
    html = _pages().get_template(name).render(**values)
    return HTMLResponse(html, status_code=status, headers=_safety_headers(_device_origin(request)))


def _safety_headers(device: str) -> dict[str, str]:
    frames = device or "'none'"
    policy = (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        f"frame-src {frames}"
    )
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
