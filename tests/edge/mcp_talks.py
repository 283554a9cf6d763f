"""`mentorplane edge mcp` in a process of its own, and the official client talking to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation

from edge_runtime.core import canonical
from tests.edge.conftest import ruled
from tests.edge.serving import environment
from tests.published import Published, adopted
from tests.simulator import prompt_document

NAME, EMAIL, IBAN = "Priya Nair", "mara@example.org", "DE89 3704 0044 0532 0130 00"
CANARIES = ("Priya", "Nair", "mara@", "3704 0044", "37040044")
NOTES = f"{NAME} called. We agreed that I will write to {EMAIL} by Thursday. The talk was good."
ACCOUNT = f"Please send it to the account {IBAN} before Friday."
CRISIS = "I have been thinking about killing myself."
TYPED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["notes"],
    "properties": {
        "notes": {"type": "string", "title": "Notes", "description": "What was said", "x-data-class": "R2"},
        "minutes": {"type": "integer", "enum": [10, 15], "default": 15, "x-data-class": "R0"},
        "done": {"type": "array", "items": {"type": "string"}, "x-data-class": "R2"},
    },
}
RULES = [
    {
        "id": "consent",
        "because": "no consent",
        "when": {"consents": {"missing_any_of": ["cloud"]}},
        "at_most": "device",
    },
    {
        "id": "model",
        "because": "no model",
        "when": {"capabilities": {"missing_any_of": ["cloud-model"]}},
        "at_most": "device",
    },
    {"id": "personal", "because": "personal", "when": {"entities": {"any_of": ["EMAIL"]}}, "at_most": "redacted"},
    {"id": "bank", "because": "accounts stay", "when": {"entities": {"any_of": ["BANK"]}}, "at_most": "device"},
]


def organisation(folder: Path) -> Published:
    """Return an organisation with a prompt of typed inputs, whose policy looks at consent, model and findings."""
    made = Published(folder)
    documents = ruled(made.organisation.base_documents(), RULES)
    instruction = "In {{ minutes }} minutes:\n{{ notes }}\n{{ done }}"
    documents["prompt", "opener"] = canonical.encode(prompt_document(inputs=TYPED, instruction=instruction))
    free = prompt_document("free", placement="cloud", inputs=TYPED, instruction=instruction)
    documents["prompt", "free"] = canonical.encode(free)
    made.release(documents)
    adopted(made, folder)
    return made


@dataclass
class Talk:
    """What came of a conversation, by the name that its script gave each answer."""

    answers: dict[str, Any] = field(default_factory=dict)
    stderr: str = ""

    async def note(self, name: str, question: Awaitable[Any]) -> None:
        """Keep an answer as JSON, or the error."""
        try:
            answer = await question
        except MCPError as error:
            self.answers[name] = {"code": error.code, "message": error.message}
        else:
            self.answers[name] = answer.model_dump(mode="json", by_alias=True, exclude_none=True)

    def __getitem__(self, name: str) -> Any:
        return self.answers[name]

    def text(self, name: str) -> str:
        """Return the text of a prompt's one message, or of a tool's first block."""
        answer = self.answers[name]
        content = answer["messages"][0]["content"] if "messages" in answer else answer["content"][0]
        return str(content["text"])


def command(folder: Path, *options: str) -> list[str]:
    """Return the command that serves the home in `folder`."""
    home = ["--home", str(folder / "home"), "--trust", str(folder / "trust")]
    return [sys.executable, "-m", "edge_runtime", "edge", "mcp", *home, *options]


def over_stdio(argv: list[str], script: Callable[[Client, Talk], Awaitable[None]], folder: Path) -> Talk:
    """Let the official client start a server and talk to it over standard input and output."""
    talk = Talk()
    errors = folder / "stderr.txt"

    async def run() -> None:
        with errors.open("w", encoding="utf-8") as stream:
            server = StdioServerParameters(command=argv[0], args=argv[1:], env=environment(folder))
            async with Client(stdio_client(server, errlog=stream)) as client:
                await script(client, talk)

    anyio.run(run)
    talk.stderr = errors.read_text(encoding="utf-8")
    return talk


@dataclass
class Listening:
    """A server that listens, and its token."""

    address: str
    token: str
    process: subprocess.Popen[str]

    def talk(self, script: Callable[[Client, Talk], Awaitable[None]], mode: str = "auto", program: str = "app") -> Talk:
        """Let the official client talk to it over HTTP, as a program of that name."""
        talk = Talk()

        async def run() -> None:
            headers = {"Authorization": f"Bearer {self.token}"}
            async with (
                httpx2.AsyncClient(headers=headers) as http,
                Client(
                    streamable_http_client(self.address, http_client=http),
                    mode=mode,
                    client_info=Implementation(name=program, version="1"),
                ) as client,
            ):
                await script(client, talk)

        anyio.run(run)
        return talk

    def told(self, body: object) -> str:
        """Return what a body that no client would send is answered with."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json, text/event-stream"}
        return httpx2.post(self.address, json=body, headers=headers).text

    def status(self, headers: Mapping[str, str]) -> int:
        """Return how a bare request is answered."""
        question = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        accepted = {"Accept": "application/json, text/event-stream"}
        return httpx2.post(self.address, json=question, headers={**accepted, **headers}).status_code


@contextmanager
def over_http(folder: Path, *options: str) -> Iterator[Listening]:
    """Serve the home in `folder` over HTTP."""
    argv = command(folder, "--http", "--port", "0", *options)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(argv, text=True, env=environment(folder), **pipes) as process:
        assert process.stdout
        address = process.stdout.readline().split()[-1]
        assert process.stdout.readline().split() == ["token", "in", str(folder / "home" / "serve-token")]
        token = (folder / "home" / "serve-token").read_text("ascii").strip()
        try:
            yield Listening(address, token, process)
        finally:
            process.terminate()
            assert process.communicate(timeout=30)[1] == ""
