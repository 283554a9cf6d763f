"""Resolve, decide and render one prompt from memory, beside the `langfuse` SDK's cached get and compile.

Run `pytest benchmarks/test_resolve.py`. Aim: at most 20 microseconds for all three, on one core. The peer serves its
prompt from its own memory cache, filled once from a stub HTTP server on the loopback address; it resolves and renders,
and decides nothing. Both outputs are compared before anything is timed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.test_policy import LAYERS
from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.core.policy import DEFAULT_VOCABULARY, Context, Layer, Policy, Route, encode_policy
from edge_runtime.core.template import render
from tests.published import Published
from tests.simulator import prompt_document

TEXT = "You open a session with {{ name }} about {{ work }}.\n" + "Keep it specific, warm and short.\n" * 40
VALUES = {"name": "[PERSON_1]", "work": "the migration plan"}
CONTEXT = Context(
    {
        "labels": frozenset(),
        "entities": frozenset({"PERSON"}),
        "crisis": "none",
        "injection": "none",
        "tier": "R2",
        "staleness": "fresh",
        "ai_streak": 0,
    },
    {
        "consents": frozenset(
            {"cloud", "special-categories", "unchecked-text", "analytics", "recognition", "experiment"}
        ),
        "agreement": 3,
        "capabilities": frozenset({"cloud-model"}),
    },
)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> EdgeRuntime:
    """A device with one prompt and the policy of 100 rules."""
    folder = tmp_path_factory.mktemp("resolve")
    published = Published(folder)
    inputs = {
        "type": "object",
        "additionalProperties": False,
        "properties": {n: {"type": "string", "x-data-class": "R2"} for n in VALUES},
    }
    documents = published.organisation.base_documents()
    prompt = prompt_document(instruction=TEXT, inputs=inputs, fill={"summary": []}, reply="done")
    documents["prompt", "opener"] = canonical.encode(prompt)
    policy = Policy(DEFAULT_VOCABULARY, Layer("organisation", Route.CLOUD, LAYERS[0].rules))
    documents["policy", "organisation"] = encode_policy(policy)
    published.release(documents)
    runtime = EdgeRuntime.open(folder / "home", trust=published.trust, source=str(published.folder))
    assert runtime.refresh().ok
    return runtime


def _ours(edge: EdgeRuntime) -> Callable[[], str]:
    def resolve_decide_render() -> str:
        prompt = edge.prompt("opener")
        decision = edge.decide("opener", CONTEXT)
        assert decision.route is not Route.BLOCK
        return render(prompt.instruction, VALUES)

    return resolve_decide_render


class _Stub(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = TEXT.replace("{{ ", "{{").replace(" }}", "}}")
        prompt = {
            "id": "1",
            "name": "opener",
            "version": 1,
            "type": "text",
            "prompt": text,
            "config": {},
            "labels": ["production"],
            "tags": [],
        }
        data = json.dumps(prompt).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def peer() -> Iterator[Callable[[], str]]:
    """The SDK's get and compile, with a stub server behind its cache."""
    from langfuse import Langfuse

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = Langfuse(
        public_key="pk", secret_key="sk", host=f"http://127.0.0.1:{server.server_address[1]}", tracing_enabled=False
    )

    def get_and_compile() -> str:
        return str(client.get_prompt("opener", cache_ttl_seconds=3600).compile(**VALUES))

    yield get_and_compile
    server.shutdown()


def test_both_render_the_same(edge: EdgeRuntime, peer: Callable[[], str]) -> None:
    """What is timed gives the same text on both sides."""
    assert _ours(edge)() == peer()


@pytest.mark.benchmark(group="resolve, decide, render")
def test_resolve_decide_render(benchmark: BenchmarkFixture, edge: EdgeRuntime) -> None:
    """Ours: resolve, decide under 100 rules, render."""
    benchmark.pedantic(_ours(edge), rounds=5000, iterations=1, warmup_rounds=200)


@pytest.mark.benchmark(group="resolve, decide, render")
def test_peer_get_compile(benchmark: BenchmarkFixture, peer: Callable[[], str]) -> None:
    """The peer: get from its cache and compile; no decision."""
    benchmark.pedantic(peer, rounds=5000, iterations=1, warmup_rounds=200)
