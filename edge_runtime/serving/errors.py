"""The error tree of `serving`: requests that are not answered, told in the shape in which OpenAI tells errors.

    Refusal         a request that is not answered: the HTTP status, and the members of OpenAI's error
    └── Stopped     nobody waits for an answer any more: the client hung up

    {"error": {"message": …, "type": …, "param": …, "code": …}}

Promises: a message says what was expected, on one line, and quotes no text of a person.
Does not: decide who is refused.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from edge_runtime.core.errors import InvalidDocument, MentorplaneError, Unavailable

__all__ = ["Refusal", "Stopped", "as_refusal"]


class Refusal(Exception):
    """A request that is not answered: the HTTP status, and the members of OpenAI's error."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        param: str | None = None,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param

    def as_json(self) -> dict[str, Any]:
        """Return the body that says it."""
        fault = "server_error" if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
        return {"error": {"message": str(self), "type": fault, "param": self.param, "code": self.code}}


class Stopped(Refusal):
    """The client is gone: nobody waits for what its run makes."""

    def __init__(self) -> None:
        super().__init__("expected a client that waits", code="stopped", status=HTTPStatus.REQUEST_TIMEOUT)


def as_refusal(error: Exception) -> Refusal:
    """Return what a client is told of an error; of one that nobody foresaw, nothing but that it happened."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, InvalidDocument):
        return Refusal(str(error), code="invalid_inputs", param="inputs")
    if isinstance(error, Unavailable):
        return Refusal(str(error), code="unavailable", status=HTTPStatus.SERVICE_UNAVAILABLE)
    message = str(error) if isinstance(error, MentorplaneError) else "the device could not answer"
    return Refusal(message, code="device_error", status=HTTPStatus.INTERNAL_SERVER_ERROR)
