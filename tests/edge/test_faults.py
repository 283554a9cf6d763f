"""Faults: the model, the disk and the clock fail, two processes meet. There is always a typed reply, never a leak."""

from __future__ import annotations

import math
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime, NotTrusted, Reply
from edge_runtime.core.not_yet import not_yet_text
from edge_runtime.core.reader import SentenceFindings
from edge_runtime.hearing import Hearing
from edge_runtime.home import Home
from tests.edge import tiny_reader
from tests.published import Published, fingerprint
from tests.recording_cloud import Cloud

NOTES = "Priya Nair called. We agreed that I will write to mara@example.org by Thursday. The talk was good."
CRISIS = "I want to kill myself."
ROOT = Path(__file__).parents[2]


class Faulty:
    """A model that does as it is told."""

    entity_types: frozenset[str] = frozenset({"PERSON"})
    locales: frozenset[str] = frozenset({"en"})
    thresholds_bp: Mapping[str, int] = {"crisis": 1}

    def __init__(self, does: Callable[[Sequence[str]], Sequence[SentenceFindings]]) -> None:
        self.read = does


def fails(error: BaseException) -> Callable[[Sequence[str]], Sequence[SentenceFindings]]:
    """Return a reading that raises."""

    def read(sentences: Sequence[str]) -> Sequence[SentenceFindings]:
        raise error

    return read


def is_kept_here(reply: Reply, cloud: Cloud) -> bool:
    """Return whether a reply came from this device, with its text, and nothing was sent."""
    return (reply.route, bool(reply.text), reply.sent_bytes, cloud.requests) == ("device", True, 0, [])


@pytest.mark.parametrize(
    "does",
    [
        fails(RuntimeError("the text: Priya Nair")),
        fails(MemoryError()),
        fails(OSError(5, "Input/output error")),
        lambda _: [],
    ],
    ids=["raises", "memory", "disk", "says too little"],
)
def test_a_model_that_fails_keeps_the_text_on_the_device(
    edge: EdgeRuntime, cloud: Cloud, does: Callable[[Sequence[str]], Sequence[SentenceFindings]]
) -> None:
    """What nobody could read may hold anything: the run is done here, says why, and quotes nothing."""
    edge.encoder = Faulty(does)
    reply = edge.session(learner="u1", consents={"cloud"}).run("opener", {"notes": NOTES})

    assert is_kept_here(reply, cloud)
    assert any("could not be read whole" in reason.because for reason in reply.reasons)
    assert "Priya" not in repr(reply) + "".join(reply.problems)


@pytest.mark.parametrize("fault", ["missing", "cut", "another", "no description"])
def test_a_model_file_that_is_missing_or_corrupt_keeps_the_text_on_the_device(
    published: Published, tmp_path: Path, cloud: Cloud, fault: str
) -> None:
    """The host named a model: the run goes on without it, on this device alone, and says what is wrong."""
    folder = tiny_reader.write(tmp_path / "reader")
    graph = folder / "reader.onnx"
    if fault == "missing":
        graph.unlink()
    elif fault == "cut":
        graph.write_bytes(graph.read_bytes()[:100])
    elif fault == "another":
        graph.write_bytes(graph.read_bytes()[::-1])
    else:
        (folder / "reader.json").write_bytes(b"{")
    edge = EdgeRuntime.open(
        tmp_path / "home", trust=published.trust, source=str(published.folder), cloud=cloud.model, model=folder
    )
    assert edge.refresh().ok
    reply = edge.session(learner="u1", consents={"cloud"}).run("opener", {"notes": NOTES})

    assert is_kept_here(reply, cloud)
    assert any("could not be read whole" in reason.because for reason in reply.reasons)


def test_a_crisis_waits_for_no_model(edge: EdgeRuntime, cloud: Cloud) -> None:
    """P6: what the phrases hear of oneself is answered before a model, however slow, is asked at all."""
    asked: list[str] = []

    def slow(sentences: Sequence[str]) -> Sequence[SentenceFindings]:
        asked.extend(sentences)
        return [SentenceFindings((), {}) for _ in sentences]

    edge.encoder = Faulty(slow)
    reply = edge.session(learner="u1", consents={"cloud"}).run("opener", {"notes": f"{NOTES} {CRISIS}"})

    assert (reply.route, asked, cloud.requests) == ("hand-off", [], [])


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("notes", [NOTES, CRISIS])
def test_a_full_disk_costs_the_receipt_and_not_the_reply(edge: EdgeRuntime, notes: str) -> None:
    """P5, P6: the reply comes and says that no receipt was kept; with room again the chain goes on unbroken.

    Of a hand-off there is none to keep; it is counted once there is room.
    """
    session = edge.session(learner="u1")
    assert session.run("private", {"notes": NOTES}).receipt
    with full_disk():
        reply = session.run("private", {"notes": notes})
    after = session.run("private", {"notes": NOTES})

    assert (reply.receipt, reply.route) == (None, "device" if notes == NOTES else "hand-off")
    assert reply.text
    assert any("receipt" in problem for problem in reply.problems) == (notes == NOTES)
    assert after.receipt is not None
    assert edge.receipts.verify() == 2


@pytest.mark.parametrize("fault", ["missing", "cut", "a folder"])
def test_a_prompt_whose_content_is_missing_or_damaged_gives_a_typed_reply(
    published: Published, edge: EdgeRuntime, tmp_path: Path, fault: str
) -> None:
    """P5, P6: whichever way is taken, a fixed text, a reason, a receipt; a crisis is heard, and a refresh mends it."""
    path = tmp_path / "home" / "closures" / f"{edge.trusted().entries['prompt', 'private'].digest[7:]}.json"
    data = path.read_bytes()
    path.unlink()
    if fault == "cut":
        path.write_bytes(data[:-9])
    elif fault == "a folder":
        path.mkdir()
    reopened = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))
    session = reopened.session(learner="u1", locale="de")
    given = {"notes": NOTES}
    stream = session.stream("private", given)
    replies = [session.run("private", given), session.hand_over("private", given)]

    assert "".join(stream) == stream.reply.text == not_yet_text("de")
    for reply in (*replies, stream.reply):
        assert (reply.route, reply.outcome, reply.text) == ("block", "fallback", not_yet_text("de"))
        assert (reply.sent_bytes, reply.receipt is not None, len(reply.problems)) == (0, True, 1)
    assert session.run("private", {"notes": CRISIS}).route == "hand-off"
    with pytest.raises(NotTrusted):
        session.run("never-approved", given)
    if fault != "a folder":
        assert reopened.refresh().ok
        assert session.run("private", given).outcome == "filled"


def test_a_full_disk_keeps_the_last_known_good(published: Published, edge: EdgeRuntime, tmp_path: Path) -> None:
    """P5: a refresh that finds no room changes nothing and says so; with room again it is done."""
    published.release()
    with full_disk():
        before = fingerprint(tmp_path / "home" / "closures")
        refused = edge.refresh()
        reopened = EdgeRuntime.open(tmp_path / "home", trust=published.trust)
    assert (refused.ok, refused.release, fingerprint(tmp_path / "home" / "closures")) == (False, 1, before)
    assert reopened.status().release == 1
    assert "written" in refused.message
    assert edge.refresh().release == 2


def test_a_time_that_cannot_be_written_is_remembered_while_the_app_is_open(tmp_path: Path) -> None:
    """P5: a look that found everything good has succeeded, also if the disk filled up at its very end."""
    home = Home(tmp_path)
    hearing = Hearing(home)
    with full_disk():
        hearing.hear(now=2_000_000_000, good_until=2_000_086_400, witnessed=None)
    assert hearing.at > 0
    assert Hearing(home).at == 0


@pytest.mark.parametrize("now", [-1e18, -1.0, 0.0, 1e11, 1e18, math.inf, -math.inf, math.nan])
def test_a_clock_that_is_wrong_gives_a_typed_reply(
    published: Published, edge: EdgeRuntime, tmp_path: Path, cloud: Cloud, now: float
) -> None:
    """P5: before the first second, beyond the last year, or no time at all: what is too old stays here, P6 holds."""
    wrong = EdgeRuntime.open(
        tmp_path / "home", trust=published.trust, source=str(published.folder), cloud=cloud.model, clock=lambda: now
    )
    session = wrong.session(learner="u1", consents={"cloud"})

    assert is_kept_here(session.run("opener", {"notes": NOTES}), cloud)
    assert session.run("opener", {"notes": CRISIS}).route == "hand-off"
    assert wrong.refresh().release == 1
    assert wrong.status().release == 1


PROGRAM = """
import sys
from edge_runtime import EdgeRuntime
edge = EdgeRuntime.open(sys.argv[1], trust=sys.argv[2], source=sys.argv[3], model="none")
session = edge.session(learner="u1")
for number in range(20):
    assert session.run("private", {"notes": "We agreed to write by Thursday."}).receipt is not None
    assert number % 10 or edge.refresh().ok
"""


def test_two_processes_share_one_home(published: Published, edge: EdgeRuntime, tmp_path: Path) -> None:
    """Both run and look for releases at once; no receipt is lost, the chain holds, and the home opens."""
    published.release()
    arguments = [sys.executable, "-c", PROGRAM, str(tmp_path / "home"), str(published.trust), str(published.folder)]
    processes = [subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0], said
    assert edge.receipts.verify() == 40
    assert EdgeRuntime.open(tmp_path / "home", trust=published.trust).status().release == 2
