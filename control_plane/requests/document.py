"""The OpenAPI 3.1 document: what FastAPI knows of the routes, with what every request meets around them.

Promises: an operation's id is the name of its function, so it stays when its path or its place moves; every operation
says its problems and whether it wants somebody signed in.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from control_plane.requests.idempotency import HEADER
from control_plane.requests.identity import HEADER as REQUEST_ID
from control_plane.requests.problems import MEDIA_TYPE

__all__ = ["install", "operation_id"]

_READING = {"get": (304, 401, 403, 404, 422, 429, 503)}
_WRITING = (401, 403, 404, 409, 412, 413, 422, 428, 429, 503)
_SAYS = {
    304: "The entity tag given is still that of the resource.",
    401: "Not signed in.",
    403: "Refused.",
    404: "Not found.",
    409: "What the caller saw is no longer so, or the request is being carried out.",
    412: "The entity tag given is not that of the resource any more.",
    413: "The body is too large.",
    422: "Not of the documented form.",
    428: "A revision or If-Match is needed.",
    429: "Too many requests; Retry-After says when to come again.",
    503: "Not available now.",
}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "request": {"type": "string"},
    },
}


_PUBLIC = {"/v1/health", "/v1/audit/checkpoint", "/v1/audit/keys", "/v1/keys", "/v1/keys/own", "/v1/tokens/login"}
"""What nobody need be signed in for."""


def operation_id(route: APIRoute) -> str:
    """Return the id of a route's operation: its function's name."""
    return route.name


def install(app: FastAPI) -> None:
    """Let the application answer with this document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes, summary="Prompts, governed.")
            app.openapi_schema = _completed(made)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _completed(made: dict[str, Any]) -> dict[str, Any]:
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API token."},
        "session": {"type": "apiKey", "in": "cookie", "name": "mentorplane", "description": "A browser's session."},
    }
    for path, item in made["paths"].items():
        for method, operation in item.items():
            _complete(operation, method=method, path=path)
    return made


def _complete(operation: dict[str, Any], *, method: str, path: str) -> None:
    public = path in _PUBLIC or (path, method) in {("/v1/session", "post"), ("/v1/census", "post")}
    operation["security"] = [] if public else [{"bearer": []}, {"session": []}]
    responses = operation["responses"]
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in _READING.get(method, _WRITING):
        content = {} if status == 304 else {"content": problem}
        responses[str(status)] = {"description": _SAYS[status], **content}
    responses["default"] = {"description": "Another problem.", "content": problem}
    for response in responses.values():
        response.setdefault("headers", {})[REQUEST_ID] = {"schema": {"type": "string"}}
    parameters = operation.setdefault("parameters", [])
    if method == "get":
        parameters.append(_header("If-None-Match", "Entity tags that the caller has."))
    else:
        parameters.append(_header(HEADER, "16 to 128 characters; the request is carried out once for each."))
        parameters.append(_header("If-Match", "Entity tag of the resource that the caller saw."))


def _header(name: str, says: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": says, "schema": {"type": "string"}}
