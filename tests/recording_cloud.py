"""A cloud for tests: a real OpenAI-compatible server on loopback that records what it gets."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from edge_runtime import CloudModel


class Cloud:
    """Records bodies and headers of requests, and gives the next of its answers; the last one for good."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[str] = ['{"summary": ["You will write to [EMAIL_1]."]}']
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                cloud.headers.append({name.lower(): value for name, value in self.headers.items()})
                cloud.requests.append(self.rfile.read(int(self.headers["Content-Length"])))
                answer = cloud.answers.pop(0) if len(cloud.answers) > 1 else cloud.answers[0]
                if answer == "500":
                    self.send_error(500)
                    return
                message = {"role": "assistant", "content": answer}
                body = {
                    "id": "1",
                    "object": "chat.completion",
                    "created": 0,
                    "model": "m",
                    "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
                }
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.model = CloudModel("m", f"http://127.0.0.1:{self.server.server_address[1]}/v1")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()
