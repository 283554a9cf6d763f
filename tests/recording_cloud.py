"""A cloud for tests: a real OpenAI-compatible server on loopback that records what it gets and answers as a stream."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from edge_runtime import CloudModel

PIECE = 7
"""How many characters come with each event, so that placeholders are cut in two."""


class Cloud:
    """Records bodies and headers of requests, and gives the next of its answers; the last one for good.

    An answer is a text, `"500"` for a failure, or a list of tool calls, each of a name and the text of its arguments.
    """

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.usage: dict[str, int] | None = None
        self.answers: list[str | list[tuple[str, str]]] = ['{"summary": ["You will write to [EMAIL_1]."]}']
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                cloud.headers.append({name.lower(): value for name, value in self.headers.items()})
                cloud.requests.append(self.rfile.read(int(self.headers["Content-Length"])))
                answer = cloud.answers.pop(0) if len(cloud.answers) > 1 else cloud.answers[0]
                if answer == "500":
                    self.send_error(500)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for event in events(answer, cloud.usage):
                    self.wfile.write(event)

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.model = CloudModel("m", self.base_url)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()


def events(answer: str | list[tuple[str, str]], usage: dict[str, int] | None = None) -> Iterator[bytes]:
    """Yield the events of an answer, as OpenAI's servers send them."""
    if isinstance(answer, str):
        for text in _cut(answer):
            yield _event({"content": text})
    else:
        for index, (name, arguments) in enumerate(answer):
            begun = {"index": index, "id": f"call-{index}", "type": "function"}
            yield _event({"tool_calls": [{**begun, "function": {"name": name, "arguments": ""}}]})
            for text in _cut(arguments):
                yield _event({"tool_calls": [{"index": index, "function": {"arguments": text}}]})
    yield _event({}, finish="stop" if isinstance(answer, str) else "tool_calls")
    if usage:
        yield b"data: " + json.dumps({"id": "1", "choices": [], "usage": usage}).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


def _cut(text: str) -> list[str]:
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(event).encode() + b"\n\n"
