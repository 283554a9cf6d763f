"""The client and the routes say the same: each operation has a method, with its parameters and its answer."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.client import Options
from control_plane.client.api import AsyncOperations, Operations
from control_plane.client.calls import Call, Paged
from tests import client_api, client_document

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The OpenAPI document of a server."""
    return client_document.openapi()


class Recorder:
    """A sender that keeps calls instead of sending them."""

    def send(self, call: Call[Any]) -> Any:
        return call

    def items(self, page: Paged[Any]) -> Any:
        return page.call


def methods(operations: object) -> Iterator[tuple[str, Any]]:
    """Yield every method of every group by its full name."""
    for group, api in vars(operations).items():
        yield from ((f"{group}.{name}", getattr(api, name)) for name in dir(api) if not name.startswith("_"))


def called(method: Any) -> Call[Any]:
    """Return the call that a method makes when it is given everything that it takes."""
    parameters = inspect.signature(inspect.unwrap(method)).parameters.values()
    positional = [f"<{one.name}>" for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    keywords = {one.name: f"<{one.name}>" for one in parameters if one.kind is one.KEYWORD_ONLY}
    found = method(*positional, **keywords)
    assert isinstance(found, Call)
    return found


def test_every_route_has_its_method_and_every_method_its_route(document: dict[str, Any]) -> None:
    """The files are what the routes make of them; if this fails, `make docs` writes them anew."""
    assert client_api.stale(client_api.files(document)) == [], "run `make docs`"


def test_what_the_methods_send_is_what_the_document_asks_for(document: dict[str, Any]) -> None:
    """Method, path, query and body of each call, read back from the calls themselves, are those of one operation."""
    wanted = {}
    for path, item in document["paths"].items():
        for method, told in item.items():
            if not client_document.is_for_programs(told):
                continue
            query = {one["name"] for one in told.get("parameters", ()) if one["in"] == "query"} - {"cursor"}
            schema = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            name = schema.get("$ref", "").rpartition("/")[2]
            body = set(document["components"]["schemas"][name]["properties"]) if name else set()
            wanted[method.upper(), re.sub(r"\{.*?\}", "{}", path)] = (query, body)
    found = {}
    for _, method in methods(Operations(Recorder())):  # type: ignore[arg-type]
        call = called(method)
        path = re.sub(r"%3C\w+%3E", "{}", call.path)
        found[call.method, path] = (set(call.query) - {"cursor"}, set(call.body or ()))
    assert found == wanted


def test_both_clients_have_the_same_methods() -> None:
    """Whatever can be called can be awaited."""
    here, later = Operations(Recorder()), AsyncOperations(Recorder())  # type: ignore[arg-type]
    assert [name for name, _ in methods(here)] == [name for name, _ in methods(later)]


def test_the_client_needs_nothing_of_the_server() -> None:
    """Importing the client loads no FastAPI, no database, no YAML."""
    program = (
        "import sys, control_plane.client, control_plane.client.records; "
        "print(' '.join(sorted({m.split('.')[0] for m in sys.modules})))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "httpx" in loaded.stdout.split()
    assert set(loaded.stdout.split()) & {"fastapi", "pydantic", "sqlalchemy", "sqlmodel", "uvicorn", "yaml"} == set()


def test_tokens_and_passphrases_stay_out_of_representations() -> None:
    """Neither what a client holds nor what a call carries shows a secret."""
    assert "mp_secret" not in repr(Options("https://coach.example", "mp_secret_token"))
    shown = [repr(called(method)) for _, method in methods(Operations(Recorder()))]  # type: ignore[arg-type]
    assert not any("<passphrase>" in one for one in shown)
