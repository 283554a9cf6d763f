"""Whole bodies and whole answers, for middleware that must see all of one before it passes it on."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Answer", "ask", "body_of", "header_of", "send_answer"]

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """A whole answer."""

    status: int = 500
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def header(self, name: bytes) -> bytes:
        """Return a header's value, b"" if it is not there."""
        return next((value for key, value in self.headers if key.lower() == name), b"")


def header_of(scope: Scope, name: bytes) -> str:
    """Return a request's header, "" if it is not there; `name` is in lower case."""
    found = next((value for key, value in scope["headers"] if key == name), b"")
    return bytes(found).decode("latin-1")


async def body_of(receive: Receive) -> bytes | None:
    """Return a request's whole body; None if who asks has gone."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def ask(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """Return the whole answer of an application to a request whose body is there."""
    answer, told = Answer(), False

    async def receive() -> Message:
        nonlocal told
        if told:
            return {"type": "http.disconnect"}
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


async def send_answer(answer: Answer, send: Send) -> None:
    """Send a whole answer."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})
