"""Problems: the one form of every answer that is a no.

Promises: no person's text and no value of the request is in it; `type` is a name that docs/api.md explains, and says
more than the status where two things share one. Source: RFC 9457.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.responses import Response

from control_plane.requests.identity import current

__all__ = ["MEDIA_TYPE", "TYPES", "malformed", "problem", "type_uri"]

MEDIA_TYPE = "application/problem+json"
TYPES = {
    400: "malformed",
    401: "not-signed-in",
    403: "refused",
    404: "not-found",
    405: "no-such-method",
    409: "conflict",
    412: "changed-since",
    413: "too-large",
    415: "wrong-media-type",
    422: "invalid",
    428: "precondition-required",
    429: "too-many-requests",
    500: "unexpected",
    503: "unavailable",
}
"""The usual name for each status."""
_MAX_PLACES = 20


def malformed(error: Exception) -> str:
    """Return what is wrong with a request, by the places only: the values may be a person's text."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    places = sorted({".".join(str(part) for part in one["loc"]) for one in found})[:_MAX_PLACES]
    where = ", ".join(places).encode(errors="replace").decode()
    return f"expected a request of the documented form, got a problem at {where}"


def type_uri(name: str) -> str:
    """Return the URI of a kind of problem."""
    return f"urn:mentorplane:problem:{name}"


def problem(
    status: int, detail: str, hint: str = "", *, name: str = "", headers: dict[str, str] | None = None
) -> Response:
    """Return the answer that says what went wrong, and to which request."""
    body = {
        "type": type_uri(name or TYPES.get(status, "other")),
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if hint:
        body["hint"] = hint
    if current():
        body["request"] = current()
    said = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        said["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status, headers=said, media_type=MEDIA_TYPE)
