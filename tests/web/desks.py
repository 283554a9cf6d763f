"""What tests of the desk share: the policy they run under, and a way to ask a desk over HTTP."""

from __future__ import annotations

import http.client
import json
from importlib.resources import files
from typing import Any

from control_plane.sources.closures import freeze
from control_plane.sources.parsing import parse_source
from edge_runtime.desk import DeskServer

PARENT = "http://127.0.0.1:8420"
NOTE = (
    "Talked with Priya Raman 🙂 today; her number is +44 20 7946 0018, her address priya.raman@example.org. She agreed."
)
VALUES = ("Priya", "Raman", "7946", "priya.raman@example.org")


def library_policy() -> bytes:
    """Return the policy of the starter library."""
    paths = ("policies/organisation.yaml", "vocabularies/standard.yaml")
    policy, words = (parse_source(files("prompt_library").joinpath(path).read_bytes(), path) for path in paths)
    return freeze(policy, [words])


class Answer:
    """One answer of the desk."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        """Return the answer's JSON."""
        return json.loads(self.body)


def call(desk: DeskServer, path: str, question: object = None, *, body: bytes | None = None, **headers: str) -> Answer:
    """Return the answer to one request; headers are given with `_` for `-`, an empty one is left out."""
    given = {"Host": desk.address, "X-Desk-Token": desk.token}
    if question is not None or body is not None:
        body = json.dumps(question).encode() if body is None else body
        given |= {"Content-Type": "application/json", "Origin": desk.origin, "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(*desk.server_address[:2], timeout=10)
    connection.putrequest("POST" if body is not None else "GET", path, skip_host=True, skip_accept_encoding=True)
    for name, value in given.items():
        if value:
            connection.putheader(name, value)
    connection.endheaders(body)
    try:
        return Answer(connection.getresponse())
    finally:
        connection.close()


def note(text: str = NOTE, **members: object) -> dict[str, object]:
    """Return a question about a note."""
    return {"text": text, "names": ["Priya Raman"], "consents": [], "prompt": "opener", "suppose_model": True} | members
