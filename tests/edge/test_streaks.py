"""How long somebody is with the assistant alone: counted without a word of theirs, and told to the policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_runtime import EdgeRuntime, Session
from edge_runtime.cli.edge import app
from edge_runtime.tallies import Streaks
from tests.edge.answering import Fixed, Scripted, said
from tests.edge.conftest import ruled
from tests.edge.test_faults import full_disk
from tests.published import Published

NOTES = {"notes": "A plain day."}
AFTER = 3
RULE = {
    "id": "human-check-in",
    "because": "it is time to talk with a person",
    "when": {"ai_streak": {"at_least": AFTER}},
    "at_most": "device",
}


@pytest.fixture
def alone(edge: EdgeRuntime, published: Published) -> EdgeRuntime:
    """A device whose policy sends nobody's text anywhere after a few exchanges with the assistant alone."""
    published.release(ruled(published.organisation.base_documents(), [RULE]))
    assert edge.refresh().ok
    edge.routing = Fixed(Scripted(said({"summary": ["A plain day."]})))
    return edge


def routes(session: Session, times: int) -> list[str]:
    """Run so often, and return where each ran."""
    return [session.run("opener", NOTES).route for _ in range(times)]


def test_after_so_many_exchanges_with_the_assistant_alone_a_rule_of_the_policy_holds(alone: EdgeRuntime) -> None:
    """Exchanges are counted over sessions and processes, for each person; who talked with somebody begins anew."""
    assert routes(alone.session(learner="u1"), AFTER) == ["redacted"] * AFTER
    later = alone.session(learner="u1")
    reply = later.run("opener", NOTES)

    assert (reply.route, "human-check-in" in {reason.rule for reason in reply.reasons}) == ("device", True)
    assert routes(alone.session(learner="u2"), 1) == ["redacted"]
    later.check_in()
    assert routes(alone.session(learner="u1"), AFTER + 1) == [*["redacted"] * AFTER, "device"]


def test_what_gives_nobody_an_answer_is_no_exchange(alone: EdgeRuntime) -> None:
    """A way to a person, a decision and a preview count for nothing; a mentor is never alone with the assistant."""
    session = alone.session(learner="u1")
    for _ in range(AFTER):
        session.run("opener", {"notes": "I want to kill myself."})
        session.preview("opener", NOTES)
        session.decide("opener", NOTES)
    assert session.run("opener", NOTES).route == "redacted"
    assert routes(alone.session(learner="u1", role="mentor"), AFTER + 1) == ["redacted"] * (AFTER + 1)


def test_exchanges_through_a_stream_and_a_host_s_own_model_count(alone: EdgeRuntime) -> None:
    """Whichever way is taken: attack, to count none by hanging up before the last word."""
    session = alone.session(learner="u1")
    for _ in session.stream("opener", NOTES):
        pass
    session.hand_over("opener", NOTES)
    session.stream("opener", NOTES).close()
    assert session.run("opener", NOTES).route == "device"


@pytest.mark.parametrize("fault", ["full disk", "no folder", "another key"])
def test_what_cannot_be_counted_counts_as_the_most_there_can_be(alone: EdgeRuntime, tmp_path: Path, fault: str) -> None:
    """Fail closed: nobody can tell how many there were, so the strictest holds; the person gets their reply."""
    session, folder = alone.session(learner="u1"), tmp_path / "home" / "streaks"
    if fault == "full disk":
        session.run("opener", NOTES)
        with full_disk():
            reply = session.run("opener", NOTES)
        assert "the exchange could not be counted: OSError" in reply.problems
    elif fault == "no folder":
        folder.write_bytes(b"")
    else:
        session.run("opener", NOTES)
        (folder / "key").write_bytes(b"x")
    assert (session.run("opener", NOTES).route, session.run("opener", NOTES).outcome) == ("device", "filled")


def test_a_count_holds_no_word_and_no_name(alone: EdgeRuntime, tmp_path: Path) -> None:
    """P2: what lies in the home is a key, and files of dots that only the key and the host's id name."""
    routes(alone.session(learner="u17-canary"), 2)
    [kept] = [path for path in (tmp_path / "home" / "streaks").iterdir() if path.name not in {"key", "lock"}]
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (b"..", 0o600)
    assert "canary" not in kept.name


def test_a_command_notes_that_somebody_talked_with_a_person(alone: EdgeRuntime, tmp_path: Path) -> None:
    """`edge check-in` says how many there were and begins anew."""
    routes(alone.session(learner="local"), 2)
    told = CliRunner().invoke(app, ["check-in", "--home", str(tmp_path / "home"), "--json"])
    assert (told.exit_code, json.loads(told.stdout)) == (0, {"before": 2})
    assert Streaks(tmp_path / "home").of("local") == 0
