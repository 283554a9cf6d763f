"""Who takes part in the demonstration: a server and a device as processes of their own, and a cloud that records.

Everything listens on the loopback address and ends with the demonstration.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from edge_runtime.core.errors import MentorplaneError, Unavailable

__all__ = ["Device", "RecordingCloud", "Refusal", "Server"]

START_TIMEOUT_S = 60


class Refusal(MentorplaneError):
    """The server answered no: its status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def free_port() -> int:
    """Return a port of the loopback address that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A `mentorplane serve` process with a seeded home, and its HTTP interface as a person uses it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", "edge_runtime", "serve", "--home", str(home), "--port", port, "--seed"]
        self._log = (home.parent / "server.log").open("wb")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)  # noqa: S603 - our own command
        self._wait()
        people = json.loads((home / "demo-people.json").read_text("utf-8"))["people"]
        self.people: dict[str, dict[str, Any]] = {person["login"]: person for person in people}

    def _wait(self) -> None:
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end and self._process.poll() is None:
            try:
                self.call("GET", "/v1/health")
            except (Refusal, Unavailable):
                time.sleep(0.05)
            else:
                return
        self.close()  # nobody else would: this object never comes to be, and its folder goes, so the log is said here
        said = Path(self._log.name).read_text("utf-8", "replace").strip().splitlines()
        raise Unavailable(f"expected the server to be healthy within {START_TIMEOUT_S} s, got: {' '.join(said[-1:])}")

    def call(self, method: str, path: str, *, person: str = "", body: dict[str, Any] | None = None) -> Any:
        """Return the JSON answer to one request made as `person`.

        Raises:
            Refusal: the server answered with an error status.
            Unavailable: it did not answer.
        """
        headers = {"Content-Type": "application/json"}
        if person:
            headers["Authorization"] = f"Bearer {self.people[person]['token']}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
                return json.load(response)
        except urllib.error.HTTPError as error:
            problem = json.loads(error.read() or b"{}")
            raise Refusal(error.code, str(problem.get("detail") or problem.get("title") or error.reason)) from error
        except OSError as error:
            raise Unavailable(f"expected the server to answer, got {type(error).__name__}") from error

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def passphrase(self, person: str) -> str:
        """Return a demo person's signing passphrase."""
        return str(self.people[person]["passphrase"])

    def close(self) -> None:
        """Stop the server."""
        self._process.terminate()
        self._process.wait(timeout=15)
        self._log.close()


class Device:
    """A device as its user has it: every step is a `mentorplane edge` command in a process of its own."""

    def __init__(self, home: Path, trust: Path, source: str) -> None:
        self._home, self._trust, self._source = home, trust, source

    def command(self, *arguments: str, source: str = "", needs_home: bool = True) -> tuple[int, dict[str, Any]]:
        """Return the exit code and the JSON answer of one command."""
        command = [sys.executable, "-m", "edge_runtime", "edge", *arguments, "--json"]
        if needs_home:
            command += ["--home", str(self._home), "--trust", str(self._trust)]
        if arguments[0] == "refresh":
            command += ["--source", source or self._source]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=os.environ)  # noqa: S603
        try:
            return done.returncode, json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError) as error:
            raise Unavailable(f"expected an answer from the device, got: {done.stderr.strip()[-300:]}") from error


class RecordingCloud:
    """An OpenAI-compatible server on the loopback address that keeps every byte of every request it gets."""

    def __init__(self, answer: dict[str, Any]) -> None:
        recorded: list[bytes] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                recorded.append(f"{self.requestline}\n{self.headers}".encode() + body)
                said = {"role": "assistant", "content": json.dumps(answer)}
                event = {
                    "id": "recorded-1",
                    "object": "chat.completion.chunk",
                    "created": 0,
                    "model": "recording-model",
                    "choices": [{"index": 0, "finish_reason": "stop", "delta": said}],
                }
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n".encode())

            def log_message(self, *_: object) -> None:
                """Keep quiet: what comes in is in `recorded`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.recorded = recorded
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
