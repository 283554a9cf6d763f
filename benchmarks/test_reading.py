"""How long reading takes: structured entities alone beside DataFog's expressions, and a whole message with the model.

Run `pytest -s benchmarks/test_reading.py`. Targets: structured entities of 1, 10 and 100 KB in no more time than
DataFog takes for its four types; a message of 64 tokens in at most 10 ms (half of the runs) and 20 ms (99 of 100) on
one thread; the model loaded in 300 ms and 150 MB. Times are of the processor, the least of many runs, and what is
found is checked first. DataFog runs in the environment that `make accuracy` makes; without it its part is left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable

import pytest

from benchmarks.accuracy import peers
from edge_runtime.core.reader import TextReader
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.patterns import find_patterns
from edge_runtime.encoder import PACKAGED, find_encoder
from models.data.shared import FOLDER

PAYLOADS = FOLDER / "DataFog" / "payloads"
NAMES = {"CREDIT_CARD": "CARD", "SSN": "ID_NUMBER"}
MESSAGE = (
    "Had a long chat with Priya about the release on Friday, and I will call the client tomorrow, since she said that "
    "my manager at Acme was happy with how we handled the outage in Leeds, though I am still worried about the budget."
)
_DATAFOG = """
import sys, time, datafog
text = open(sys.argv[1], encoding="utf-8").read()
def run():
    start = time.process_time(); datafog.scan(text, engine="regex"); return time.process_time() - start
print(min(run() for _ in range(int(sys.argv[2]))))
"""


def least(run: Callable[[], object], times: int) -> float:
    """Return the least processor time of some runs, in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken) * 1000


@pytest.mark.parametrize(
    ("name", "times"), [("core_1kb_dense", 300), ("core_10kb_mixed", 60), ("core_100kb_sparse", 12)]
)
def test_structured_entities(name: str, times: int) -> None:
    """What the publisher of the texts expects is found; then both are timed."""
    path = PAYLOADS / f"{name}.txt"
    if not path.exists():
        pytest.skip(f"no texts of DataFog in {PAYLOADS}: MENTORPLANE_DATA names another folder")
    text = path.read_text(encoding="utf-8")
    expected = json.loads((PAYLOADS / "manifest.json").read_text())["payloads"][path.name]["expected_counts"]
    found = Counter(entity.type for entity in TextReader().read(text).entities)
    assert {NAMES.get(kind, kind): count for kind, count in expected.items()}.items() <= found.items()
    ours = least(lambda: list(find_patterns(normalise(text).text)), times)
    said = f"{name}: {ours:.2f} ms, {len(text) / ours / 1000:.2f} MB/s"
    if peers.PYTHON.exists():
        command = [str(peers.PYTHON), "-W", "ignore", "-c", _DATAFOG, str(path), str(times)]
        theirs = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) * 1000
        said += f"; DataFog {theirs:.2f} ms, {len(text) / theirs / 1000:.2f} MB/s"
    print(f"\n{said}")


def test_a_message_with_the_model() -> None:
    """The middle and the slowest of a hundred runs, and what loading takes in a fresh process."""
    if not (PACKAGED / "reader.json").exists():
        pytest.skip(f"no model in {PACKAGED}: `make models` makes it")
    reader = TextReader(encoder=find_encoder(str(PACKAGED)))
    taken = sorted(least(lambda: reader.read(MESSAGE), 1) for _ in range(200))
    print(f"\nmessage: p50 {taken[100]:.1f} ms, p99 {taken[198]:.1f} ms")
    program = (
        "import re, time; start = time.process_time(); import numpy, onnxruntime, tokenizers\n"
        "from edge_runtime.encoder import OnnxEncoder; imported = time.process_time(); OnnxEncoder.open()\n"
        "highest = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        "print(imported - start, time.process_time() - imported, highest)"
    )
    importing, loading, kilobytes = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()
    print(f"libraries: {float(importing) * 1000:.0f} ms of processor; then loading: {float(loading) * 1000:.0f} ms")
    print(f"highest memory: {int(kilobytes) / 1000:.0f} MB")
