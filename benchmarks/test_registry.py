"""The registry beside MLflow's, over HTTP on the loopback address, in one run.

Run `pytest benchmarks/test_registry.py`; `make bench` installs the peer first. Aims: register a version and load it by
channel, uncached, each in at most a tenth of MLflow's time. Both servers run over SQLite with one worker, one after the
other; each is asked by a Python client, one request at a time. MLflow's version is a row, which a draft compares with;
a proposal is signed, and opening its author's key with Argon2 alone takes 50 ms on an idle machine, on purpose.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import mlflow_peer
from control_plane.demo.parties import Server

pytestmark = pytest.mark.timeout(600)
ROUNDS = 60


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    """How long MLflow took for each round, in seconds; and its start and memory."""
    if not mlflow_peer.PYTHON.is_file():
        pytest.skip("no MLflow to compare with: `make bench` installs it")
    with mlflow_peer.running(tmp_path_factory.mktemp("mlflow")) as server:
        times = mlflow_peer.client_times(server, ROUNDS)
        return times | {"healthy": [server.healthy_s], "resident_mb": [float(server.resident_mb)]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Our server, seeded."""
    server = Server(tmp_path_factory.mktemp("registry") / "home")
    yield server
    server.close()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client that keeps its connection, as the author."""
    headers = {"Authorization": f"Bearer {server.people['maya']['token']}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        yield client


def compare(benchmark: BenchmarkFixture, peer: list[float]) -> None:
    """Note the peer's median and how many times ours it is."""
    theirs = sorted(peer)[len(peer) // 2]
    benchmark.extra_info["mlflow_p50_ms"] = round(theirs * 1e3, 1)
    benchmark.extra_info["mlflow_takes_times"] = round(theirs / benchmark.stats.stats.median, 1)


@pytest.mark.benchmark(group="registry")
def test_register_a_version(
    benchmark: BenchmarkFixture, server: Server, client: httpx.Client, mlflow: dict[str, list[float]]
) -> None:
    """Propose a new wording of a script, signed by its author."""
    shown = client.get("/v1/prompts/compliment-first-opener").json()
    numbers = iter(range(10_000))

    def register() -> None:
        text = shown["source"].replace("\ninstruction: |\n", f"\ninstruction: |\n  Wording {next(numbers)}.\n")
        body = {"title": "A wording", "files": {shown["path"]: text}, "passphrase": server.passphrase("maya")}
        answer = client.post("/v1/proposals", json=body)
        assert answer.status_code == 201, answer.text

    benchmark.pedantic(register, rounds=ROUNDS, warmup_rounds=3)
    compare(benchmark, mlflow["register"])


@pytest.mark.benchmark(group="registry")
def test_save_a_version_of_a_draft(
    benchmark: BenchmarkFixture, client: httpx.Client, mlflow: dict[str, list[float]]
) -> None:
    """Save another wording that nobody has signed: what a version in MLflow is."""
    shown = client.get("/v1/prompts/compliment-first-opener").json()
    made = client.post("/v1/drafts", json={"title": "A wording", "files": {shown["path"]: shown["source"]}}).json()
    revisions = iter(range(1, 10_000))

    def save() -> None:
        revision = next(revisions)
        text = shown["source"].replace("\ninstruction: |\n", f"\ninstruction: |\n  Wording {revision}.\n")
        body = {"files": {shown["path"]: text}, "revision": revision}
        answer = client.put(f"/v1/drafts/{made['id']}", json=body)
        assert answer.status_code == 200, answer.text

    benchmark.pedantic(save, rounds=ROUNDS, warmup_rounds=3)
    compare(benchmark, mlflow["register"])


@pytest.mark.benchmark(group="registry")
def test_load_by_channel(benchmark: BenchmarkFixture, client: httpx.Client, mlflow: dict[str, list[float]]) -> None:
    """Read the live version of a script from the server, past every cache."""

    def load() -> None:
        assert client.get("/v1/prompts/compliment-first-opener").status_code == 200

    benchmark.pedantic(load, rounds=ROUNDS, warmup_rounds=3)
    compare(benchmark, mlflow["load"])


@pytest.mark.benchmark(group="registry")
def test_start_to_healthy(benchmark: BenchmarkFixture, server: Server, mlflow: dict[str, list[float]]) -> None:
    """Start a second time over the home of the first server."""
    command = [sys.executable, "-m", "edge_runtime", "serve", "--home", str(server.home), "--port"]
    resident: list[int] = []

    def start() -> None:
        port = str(mlflow_peer.free_port())
        process = subprocess.Popen([*command, port], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            mlflow_peer.wait_healthy(f"http://127.0.0.1:{port}/v1/health", 30)
            resident.append(mlflow_peer.tree_memory_mb(process.pid))
        finally:
            process.terminate()
            process.wait(timeout=15)
            time.sleep(0.1)

    benchmark.pedantic(start, rounds=5, warmup_rounds=1)
    compare(benchmark, mlflow["healthy"])
    benchmark.extra_info |= {"resident_mb": max(resident), "mlflow_resident_mb": int(mlflow["resident_mb"][0])}
