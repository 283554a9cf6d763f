"""What can go wrong between a client and a server.

    MentorplaneError
    ├── ApiError          the server said no; `problem` holds its status, its words and the request id
    │   ├── ApiConflict       409, 412: what the caller saw is no longer so
    │   ├── ApiInvalid        400, 413, 415, 422: the request is not of the documented form
    │   ├── ApiNotFound       404
    │   ├── ApiNotSignedIn    401
    │   ├── ApiRefused        403
    │   └── ApiUnavailable    429, 5xx, after the tries that were allowed; `retry_after_s` if the server said so
    ├── BadAnswer         the answer is not of the documented form
    └── NoAnswer          nothing came back: no connection, or too slow

The six below `ApiError` are also the errors that the use case raises in process (`ApiConflict` is a `Conflict`), so
that `except Conflict` holds over HTTP and at home. Messages are the server's; they never hold a token.
"""

from __future__ import annotations

from dataclasses import dataclass

from control_plane.errors import Conflict, NotFound, NotSignedIn, Refused
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, Unavailable

__all__ = [
    "ApiConflict",
    "ApiError",
    "ApiInvalid",
    "ApiNotFound",
    "ApiNotSignedIn",
    "ApiRefused",
    "ApiUnavailable",
    "BadAnswer",
    "NoAnswer",
    "Problem",
    "error_of",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem as the server told it (RFC 9457), and the id of the request, by which its log is searched."""

    status: int
    title: str = ""
    detail: str = ""
    hint: str = ""
    type: str = "about:blank"
    request_id: str = ""
    retry_after_s: float | None = None


class ApiError(MentorplaneError):
    """The server answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        said = problem.detail or problem.title or f"HTTP status {problem.status}"
        super().__init__(f"{said} (request {problem.request_id})" if problem.request_id else said, hint=problem.hint)
        self.problem = problem

    @property
    def request_id(self) -> str:
        """The id of the request, "" if the server gave none."""
        return self.problem.request_id


class ApiConflict(ApiError, Conflict):
    """What the caller saw is no longer so."""


class ApiInvalid(ApiError, InvalidDocument):
    """The request is not of the documented form, or a file in it does not read."""


class ApiNotFound(ApiError, NotFound):
    """There is nothing of that name, number or digest."""


class ApiNotSignedIn(ApiError, NotSignedIn):
    """The token is missing, wrong or expired."""


class ApiRefused(ApiError, Refused):
    """The act is not allowed to this person, or not now."""


class ApiUnavailable(ApiError, Unavailable):
    """The server cannot do it just now."""


class NoAnswer(Unavailable):
    """No answer came: the server cannot be reached, or took too long."""


class BadAnswer(MentorplaneError):
    """The answer is not of the documented form: another version of the server, or something in between."""


_CLASSES: dict[int, type[ApiError]] = {
    400: ApiInvalid,
    401: ApiNotSignedIn,
    403: ApiRefused,
    404: ApiNotFound,
    409: ApiConflict,
    412: ApiConflict,
    413: ApiInvalid,
    415: ApiInvalid,
    422: ApiInvalid,
    428: ApiConflict,
    429: ApiUnavailable,
}


def error_of(problem: Problem) -> ApiError:
    """Return the error that says a problem."""
    fallback = ApiUnavailable if problem.status >= 500 else ApiError
    return _CLASSES.get(problem.status, fallback)(problem)
