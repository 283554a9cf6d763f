"""MLflow as a measuring peer: its server and its client, in an environment of their own.

Its dependencies do not go together with ours, so `make bench` installs it into `.venv/peers/mlflow`; without it the
comparisons are skipped, and say so.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from control_plane.demo.parties import free_port

__all__ = ["PYTHON", "MlflowServer", "client_times", "running", "tree_memory_mb", "wait_healthy"]

PYTHON = Path(
    os.environ.get("MENTORPLANE_MLFLOW_PYTHON", str(Path(sys.prefix) / "peers" / "mlflow" / "bin" / "python"))
)
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_LOGGING_LEVEL": "ERROR"}
START_TIMEOUT_S = 120


@dataclass(frozen=True)
class MlflowServer:
    """A running server: its address, the seconds until it was healthy, the memory of all its processes then."""

    url: str
    healthy_s: float
    resident_mb: int


@contextmanager
def running(folder: Path) -> Iterator[MlflowServer]:
    """Run MLflow's server over SQLite, with one worker, as its quick start does."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    store = [
        "--backend-store-uri",
        f"sqlite:///{folder / 'mlflow.db'}",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(PYTHON), "-m", "mlflow", "server", *options, *store],
        cwd=folder,
        env=os.environ | QUIET,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_healthy(f"{url}/health", START_TIMEOUT_S)
        healthy_s = time.perf_counter() - started
        yield MlflowServer(url, healthy_s, tree_memory_mb(process.pid))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def client_times(server: MlflowServer, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round of what `mlflow_client` asks."""
    script = str(Path(__file__).with_name("mlflow_client.py"))
    command = [str(PYTHON), script, server.url, str(rounds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | QUIET)
    times: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return times


def wait_healthy(url: str, timeout_s: float) -> None:
    """Wait until `url` answers 200."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.01)
    raise AssertionError(f"expected {url} to answer within {timeout_s} s")


def tree_memory_mb(pid: int) -> int:
    """Return the resident memory of a process and of all that it started, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024 + sum(tree_memory_mb(int(child)) for child in children)
