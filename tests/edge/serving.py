"""`mentorplane edge serve` in a process of its own, as an app's developer starts it, and in a thread."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.serving.answering import Answering
from edge_runtime.serving.app import make_app
from edge_runtime.serving.gate import Gate
from edge_runtime.serving.guard import Guarded
from edge_runtime.serving.jobs import Jobs
from edge_runtime.serving.server import listen
from tests.edge.conftest import POLICY_RULES, ruled
from tests.published import Published, adopted
from tests.simulator import prompt_document

TOKEN = "token-of-a-test-0123456789"
TYPED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["topic", "minutes"],
    "properties": {
        "topic": {"type": "string", "maxLength": 200, "x-data-class": "R2"},
        "aim": {"type": "string", "maxLength": 200, "x-data-class": "R2"},
        "minutes": {"type": "integer", "enum": [10, 15], "x-data-class": "R0"},
    },
}


@dataclass
class Served:
    """A server that runs, and what its developer knows of it."""

    process: subprocess.Popen[str]
    base_url: str
    token: str
    home: Path
    published: Published

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.base_url.split(":")[2].split("/")[0])

    def end(self) -> str:
        """Interrupt it, as Ctrl-C does, and return what it wrote to standard error."""
        self.process.terminate()
        return self.process.communicate(timeout=30)[1]


def organisation(folder: Path) -> Published:
    """Return an organisation with a prompt that takes a note, and one that takes typed inputs."""
    made = Published(folder)
    documents = made.organisation.base_documents()
    typed = prompt_document(
        "typed",
        inputs=TYPED,
        instruction="{{ topic }} {{ aim }} {{ minutes }}",
        fill={"summary": ["{{ topic }} in {{ minutes }}"]},
    )
    documents["prompt", "typed"] = canonical.encode(typed)
    made.release(ruled(documents, POLICY_RULES))
    return made


def elsewhere(folder: Path) -> Path:
    """Return the folder where a server would find its user's home and its temporary files."""
    (folder / "elsewhere").mkdir(exist_ok=True)
    return folder / "elsewhere"


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the server: no model, so that it starts at once, and whatever it warns of is told."""
    places = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME"), str(elsewhere(folder)))
    loud = {"PYTHONUNBUFFERED": "1", "PYTHONASYNCIODEBUG": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, "MENTORPLANE_READER": "none", **loud, **places}


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Serve the home of a device that has adopted a release."""
    published = organisation(folder)
    adopted(published, folder)
    home = folder / "home"
    command = [sys.executable, "-m", "edge_runtime", "edge", "serve", "--port", "0"]
    command += ["--home", str(home), "--trust", str(published.trust), "--allow-origin", "app://coach"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment(folder), **pipes) as process:
        assert process.stdout
        base_url = process.stdout.readline().split()[-1]
        assert process.stdout.readline().split() == ["token", "in", str(home / "serve-token")]
        token = (home / "serve-token").read_text("ascii").strip()
        try:
            yield Served(process, base_url, token, home, published)
        finally:
            process.kill()


@contextmanager
def answered(edge: EdgeRuntime, *, answering: Answering | None = None, jobs: Jobs | None = None) -> Iterator[str]:
    """Serve a runtime in a thread of this process, and give the base URL; the token is `TOKEN`."""
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    app = make_app(answering or Answering(edge, lambda: 0.0), jobs)
    guarded = Guarded(app, Gate.of("127.0.0.1", port, origins=(), token=TOKEN))
    server = uvicorn.Server(uvicorn.Config(guarded, lifespan="off", log_level="critical", http="h11", loop="asyncio"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def asked(
    server: Served, *, method: str = "GET", path: str = "/v1/models", headers: dict[str, str], body: Any = b""
) -> tuple[int, dict[str, str], bytes]:
    """Ask with headers of one's own, and return status, headers and body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, body=body or None, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()
