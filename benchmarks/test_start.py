"""Whole processes: importing the runtime, opening a large home, starting the server.

Run `pytest benchmarks/test_start.py`. Aims: `import edge_runtime` (with its public names) ≤ 80 ms; open a home with
1,000 prompts and decide ≤ 150 ms; server healthy ≤ 2 s and ≤ 150 MB resident. Each includes the start of Python, which
is timed beside them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from control_plane.demo.parties import free_port
from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from tests.published import Published
from tests.simulator import prompt_document

ROUNDS = 10
IMPORT = "import edge_runtime; edge_runtime.EdgeRuntime"
OPEN = """
import sys
from edge_runtime import EdgeRuntime
edge = EdgeRuntime.open(sys.argv[1], trust=sys.argv[2])
"""
DECIDE = (
    OPEN
    + """
from edge_runtime.core.policy import Context
sensitivities = {"labels": frozenset(), "entities": frozenset({"PERSON"}), "crisis": "none", "injection": "none"}
sensitivities |= {"tier": "R2", "staleness": "fresh", "ai_streak": 0}
context = Context(sensitivities, {"consents": frozenset(), "agreement": 0, "capabilities": frozenset()})
assert str(edge.decide("prompt-500", context).route) == "device"
"""
)
READ_AND_DECIDE = (
    OPEN
    + """
assert str(edge.session(learner="u1").decide("prompt-500", {"notes": "a short note"}).route) == "device"
"""
)


# Installed packages are compiled once; so is the working tree here, whatever the environment says.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, cwd=Path(__file__).parents[1], env=ENVIRONMENT)


@pytest.fixture(scope="module")
def large_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A home that has adopted 1,000 prompts, and its trust folder."""
    folder = tmp_path_factory.mktemp("large")
    published = Published(folder)
    documents = published.organisation.base_documents()
    for number in range(1000):
        name = f"prompt-{number}"
        documents["prompt", name] = canonical.encode(prompt_document(name, placement="device"))
    published.release(documents)
    edge = EdgeRuntime.open(folder / "home", trust=published.trust, source=str(published.folder))
    assert edge.refresh().ok
    return folder / "home", published.trust


@pytest.mark.benchmark(group="whole processes")
def test_python_alone(benchmark: BenchmarkFixture) -> None:
    """The floor: a Python process that does nothing."""
    benchmark.pedantic(lambda: _python("-c", "pass"), rounds=ROUNDS, warmup_rounds=2)


@pytest.mark.benchmark(group="whole processes")
def test_import_edge_runtime(benchmark: BenchmarkFixture) -> None:
    """Import the package and its main class."""
    benchmark.pedantic(lambda: _python("-c", IMPORT), rounds=ROUNDS, warmup_rounds=2)


@pytest.mark.benchmark(group="whole processes")
def test_import_package_alone(benchmark: BenchmarkFixture) -> None:
    """Import the package, no name of it used."""
    benchmark.pedantic(lambda: _python("-c", "import edge_runtime"), rounds=ROUNDS, warmup_rounds=2)


@pytest.mark.benchmark(group="whole processes")
def test_open_1000_prompts_and_decide(benchmark: BenchmarkFixture, large_home: tuple[Path, Path]) -> None:
    """Open a home with 1,000 prompts, verify it from root to targets and approvals, and decide about one."""
    home, trust = map(str, large_home)
    benchmark.pedantic(lambda: _python("-c", DECIDE, home, trust), rounds=ROUNDS, warmup_rounds=2)


@pytest.mark.benchmark(group="whole processes")
def test_open_1000_prompts_read_and_decide(benchmark: BenchmarkFixture, large_home: tuple[Path, Path]) -> None:
    """The same through a session, which reads a note first."""
    home, trust = map(str, large_home)
    benchmark.pedantic(lambda: _python("-c", READ_AND_DECIDE, home, trust), rounds=ROUNDS, warmup_rounds=2)


@pytest.mark.benchmark(group="server")
def test_server_start_to_healthy(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Start a seeded server; memory is read when it is healthy."""
    home = tmp_path / "server"
    _python("-m", "edge_runtime", "seed", "--home", str(home))
    resident: list[int] = []

    def start() -> None:
        port = free_port()
        command = [sys.executable, "-m", "edge_runtime", "serve", "--home", str(home), "--port", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        try:
            _wait_healthy(port)
            status = Path(f"/proc/{process.pid}/status").read_text()
            resident.append(int(status.split("VmRSS:")[1].split()[0]) // 1024)
        finally:
            process.terminate()
            process.wait(timeout=10)

    benchmark.pedantic(start, rounds=5, warmup_rounds=1)
    benchmark.extra_info["resident_mb"] = max(resident)


def _wait_healthy(port: int) -> None:
    for _ in range(2000):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/health", timeout=1) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.005)
    raise AssertionError("the server did not become healthy")
