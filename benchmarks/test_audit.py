"""The audit log: durable appends, cosigned checkpoints, verifying a million entries, inclusion proofs.

Run `pytest benchmarks/test_audit.py`. Aims: durable append of one act p95 at most 20 ms; batched at least 10,000
entries a second; append to cosigned checkpoint, with a witness on this machine, p95 below 1 s; a million entries
verified in at most 10 s on one core in flat memory; an inclusion proof from tiles in at most 50 us.

The peer for proofs is `pymerkle`, in memory. It is under the GPL: a measuring peer in the extra `dev`, imported here
and nowhere in the product. `MENTORPLANE_BENCH_LEAVES` sets another size than a million.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from audit.checkpoint import open_checkpoint
from audit.disk import Disk
from audit.folder import folder_reader
from audit.note import parse_note, parse_vkey
from audit.policy import Log, Policy, PolicyWitness
from audit.record import Act, Auth, LeafObject
from audit.tiles import TileReader
from audit.writer import MAX_BATCH, open_log
from benchmarks.audit_logs import UNSAFE_LOG_SIGNER, entries, write_log
from control_plane import ledger, verifying
from control_plane.plane import ControlPlane, open_plane
from control_plane.settings import Settings

LEAVES = int(os.environ.get("MENTORPLANE_BENCH_LEAVES", "1000000"))
PEER_LEAVES = 100_000
ROOT = Path(__file__).parents[1]
EVENT = ledger.Event(Act.RECOVERED, actor=ledger.SYSTEM, role=ledger.SYSTEM, auth=Auth.SYSTEM, target=LeafObject("log"))
_CHECK = """
import json, re, sys, time
from pathlib import Path
from audit.folder import folder_reader
from audit.note import parse_vkey
from audit.verify import check_log
opaque = sys.argv[3] == "bytes"
start, cpu = time.perf_counter(), time.process_time()
report = check_log(folder_reader(Path(sys.argv[1])), [parse_vkey(sys.argv[2])], opaque=opaque)
took = {"wall_s": time.perf_counter() - start, "cpu_s": time.process_time() - cpu}
status = Path("/proc/self/status")  # the resource module would count what the parent held before this program began
found = re.search(r"VmHWM:\\s+([0-9]+) kB", status.read_text()) if status.exists() else None
peak = int(found[1]) / 1024 if found else 0.0
print(json.dumps({**took, "peak_mb": peak, "ok": report.ok, "size": report.size}))
"""
_FLOOR = """
import hashlib, json, sys, time
count, width = int(sys.argv[1]), int(sys.argv[2])
entry, node = bytes(width + 1), bytes(65)
start = time.process_time()
for _ in range(count):
    hashlib.sha256(entry).digest(), hashlib.sha256(node).digest()
print(json.dumps({"cpu_s": time.process_time() - start}))
"""


def p95(benchmark: BenchmarkFixture) -> None:
    """Note the 95th percentile in milliseconds."""
    times = sorted(benchmark.stats.stats.data)
    benchmark.extra_info["p95_ms"] = round(times[int(len(times) * 0.95)] * 1e3, 2)


def child(script: str, *arguments: str) -> dict[str, float]:
    """Run a script in a process of its own and return what it measured of itself."""
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """An empty control plane on SQLite."""
    plane = open_plane(Settings(home=tmp_path / "home"))
    yield plane
    plane.close()


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A log on disk, written by streaming."""
    folder = tmp_path_factory.mktemp("million") / "log"
    write_log(folder, LEAVES)
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def act(plane: ControlPlane) -> None:
    """One act: transaction, leaf, publication."""
    with ledger.act(plane) as session:
        ledger.append(plane, session, EVENT)


@pytest.mark.benchmark(group="audit: append")
def test_durable_append_of_one_act(benchmark: BenchmarkFixture, plane: ControlPlane) -> None:
    """An act on SQLite, from the first statement to the published checkpoint."""
    benchmark.pedantic(act, (plane,), rounds=300, iterations=1, warmup_rounds=20)
    p95(benchmark)
    assert verifying.verify(plane).ok


@pytest.mark.benchmark(group="audit: append")
def test_durable_append_by_the_writer_alone(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """One entry without a database, from the call to the durable checkpoint."""
    writer = open_log(Disk(tmp_path / "log"), UNSAFE_LOG_SIGNER)
    some = cycle(list(entries(500)))
    benchmark.pedantic(lambda: writer.append(next(some)), rounds=300, iterations=1, warmup_rounds=20)
    p95(benchmark)
    writer.close()


@pytest.mark.benchmark(group="audit: append")
def test_batched_append(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Batches of 4,096 entries, each durable and published before the next."""
    writer = open_log(Disk(tmp_path / "log"), UNSAFE_LOG_SIGNER)
    batch = list(entries(MAX_BATCH))
    benchmark.pedantic(writer.append_all, (batch,), rounds=20, iterations=1, warmup_rounds=2)
    benchmark.extra_info["entries_per_s"] = round(MAX_BATCH / benchmark.stats.stats.median)
    writer.close()


@pytest.mark.benchmark(group="audit: append")
def test_append_to_cosigned_checkpoint(benchmark: BenchmarkFixture, plane: ControlPlane, tmp_path: Path) -> None:
    """An act until its published checkpoint carries the line of a witness, a process of its own on this machine."""
    command = [sys.executable, "-m", "audit", "witness", "--home", str(tmp_path / "witness"), "--port", "0"]
    command += ["--log", plane.keys.log.verifier.vkey]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **quiet) as witness:  # type: ignore[call-overload]
        said = dict(line.split(maxsplit=1) for line in islice(witness.stdout, 3))
        known = PolicyWitness("local", parse_vkey(said["witness"].strip()), said["serving"].strip())
        policy = Policy((Log(plane.keys.log.verifier),), (known,), (), "local")
        plane.settings.witness_policy.write_bytes(policy.encode())

        def cosigned() -> None:
            act(plane)
            assert len(parse_note(ledger.checkpoint(plane)).signatures) == 2

        benchmark.pedantic(cosigned, rounds=100, iterations=1, warmup_rounds=5)
        p95(benchmark)
        witness.terminate()


@pytest.mark.benchmark(group="audit: verify a million")
@pytest.mark.parametrize("what", ["bytes", "records"])
def test_verify_a_million(benchmark: BenchmarkFixture, million: Path, what: str) -> None:
    """The whole log from its files, with every record parsed or not, beside the time that its hashes alone take."""
    found = benchmark.pedantic(
        child, (_CHECK, str(million), UNSAFE_LOG_SIGNER.verifier.vkey, what), rounds=1, iterations=1
    )
    assert (found["ok"], found["size"]) == (True, LEAVES)
    floor = child(_FLOOR, str(LEAVES), str(len(next(entries(1)))))["cpu_s"]
    benchmark.extra_info |= {key: round(value, 2) for key, value in found.items()}
    benchmark.extra_info |= {"hashes_alone_s": round(floor, 2), "times_the_hashes": round(found["cpu_s"] / floor, 2)}


@pytest.mark.benchmark(group="audit: inclusion proof")
def test_inclusion_proof_from_tiles(benchmark: BenchmarkFixture, million: Path) -> None:
    """Warm: tiles around a part of a million entries cached, each proof led back to the root before it is returned."""
    read, key = folder_reader(million), UNSAFE_LOG_SIGNER.verifier
    signed = open_checkpoint(read("checkpoint"), [key], key.name).checkpoint
    reader = TileReader(read, size=signed.size, root=signed.root)
    indexes = cycle(range(0, min(LEAVES, 40_000), 37))
    for index in range(0, min(LEAVES, 40_000), 256):
        reader.inclusion_proof(index)
    benchmark.pedantic(lambda: reader.inclusion_proof(next(indexes)), rounds=5000, iterations=1, warmup_rounds=100)
    p95(benchmark)


@pytest.mark.benchmark(group="audit: inclusion proof")
def test_inclusion_proof_of_the_peer(benchmark: BenchmarkFixture) -> None:
    """The peer: a tenth of the entries, all in memory; it verifies nothing before it returns."""
    from pymerkle import InmemoryTree

    tree = InmemoryTree(algorithm="sha256")
    for entry in islice(entries(PEER_LEAVES), PEER_LEAVES):
        tree.append_entry(entry)
    indexes = cycle(range(1, PEER_LEAVES, 37))
    benchmark.pedantic(lambda: tree.prove_inclusion(next(indexes)), rounds=2000, iterations=1, warmup_rounds=100)
    p95(benchmark)


def test_the_peer_builds_the_same_tree() -> None:
    """What is timed are proofs of the same tree: both come to one root."""
    from pymerkle import InmemoryTree

    from audit.merkle import leaf_hash, root_of

    tree = InmemoryTree(algorithm="sha256")
    some = list(entries(100))
    for entry in some:
        tree.append_entry(entry)
    assert tree.get_root() == root_of([leaf_hash(entry) for entry in some])
