"""What a device does that has not heard for a day, or for weeks: the starter policy says it, from home to reply."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from control_plane.sources.closures import freeze
from control_plane.sources.parsing import default_library
from edge_runtime import EdgeRuntime
from edge_runtime.cli.edge import app
from edge_runtime.core import canonical
from tests.published import Published
from tests.recording_cloud import Cloud
from tests.simulator import prompt_document

DAY = 86_400
NOTES = "I will write to Mara by Thursday."
CONSENTS = {"cloud", "special-categories", "unchecked-text"}


@dataclass
class Clock:
    """A device's clock that somebody sets."""

    now: float

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that is right."""
    return Clock(time.time())


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """A release with the starter policy, an ordinary script and one of static text."""
    made = Published(tmp_path)
    library = default_library()
    policy = freeze(next(source for source in library if source.kind == "policy"), library)
    documents = made.organisation.base_documents() | {("policy", "organisation"): policy}
    documents["prompt", "facts"] = canonical.encode(prompt_document("facts", tier="R1"))
    made.release(documents)
    return made


def opened(published: Published, tmp_path: Path, clock: Clock, cloud: Cloud) -> EdgeRuntime:
    home, source = tmp_path / "home", str(published.folder)
    return EdgeRuntime.open(home, trust=published.trust, source=source, cloud=cloud.model, clock=clock, model="none")


@pytest.fixture
def edge(published: Published, tmp_path: Path, clock: Clock, cloud: Cloud) -> EdgeRuntime:
    """A device that has just heard."""
    runtime = opened(published, tmp_path, clock, cloud)
    assert runtime.refresh().ok
    return runtime


def ran(edge: EdgeRuntime, prompt: str = "opener", notes: str = NOTES) -> tuple[str, str, str]:
    """Return how a prompt ran for somebody who agreed to everything: route, outcome, freshness."""
    reply = edge.session(learner="u1", consents=CONSENTS).run(prompt, {"notes": notes})
    return reply.route, reply.outcome, edge.status().fresh


def test_after_a_day_nothing_leaves_and_after_two_weeks_fixed_texts_are_shown(
    edge: EdgeRuntime, clock: Clock, cloud: Cloud
) -> None:
    """P5, and the reply says why; static scripts go on, and a refresh brings everything back."""
    assert (ran(edge)[0], len(cloud.requests)) == ("redacted", 1)
    begun = clock.now
    clock.now = begun + DAY + 3600
    assert ran(edge) == ("device", "filled", "stale")
    clock.now = begun + 15 * DAY
    assert ran(edge) == ("block", "blocked", "expired")
    assert ran(edge, "facts") == ("device", "filled", "expired")
    reply = edge.session(learner="u1", consents=CONSENTS).run("opener", {"notes": NOTES})
    assert reply.text == prompt_document()["fallback"]
    assert "expired-fixed-texts-only" in {reason.rule for reason in reply.reasons}
    assert any("until it is online again" in reason.because for reason in reply.reasons)
    assert len(cloud.requests) == 1


def test_an_expired_device_still_leads_to_a_person(edge: EdgeRuntime, clock: Clock) -> None:
    """P6: no staleness keeps the hand-off text away."""
    clock.now += 300 * DAY
    assert ran(edge, notes="I want to kill myself")[:2] == ("hand-off", "handed-off")


def test_a_refresh_makes_a_stale_device_fresh_again(edge: EdgeRuntime, published: Published, clock: Clock) -> None:
    """What counts is what the source signed anew."""
    clock.now += 2 * DAY
    assert edge.status().fresh == "stale"
    published.now += timedelta(days=2)
    published.release({("prompt", "more"): canonical.encode(prompt_document("more"))})
    assert edge.refresh().ok
    assert edge.status().fresh == "fresh"


@pytest.mark.attack("clock set back and forward")
def test_attack_clock_set_back_and_forward(
    edge: EdgeRuntime, published: Published, tmp_path: Path, clock: Clock, cloud: Cloud
) -> None:
    """Set back below what it has shown it is expired, after a restart too; status says that the clock is wrong."""
    begun = clock.now
    clock.now = begun + DAY + 3600
    assert ran(edge)[2] == "stale"
    clock.now = begun + 60
    for runtime in (edge, opened(published, tmp_path, clock, cloud)):
        assert ran(runtime) == ("block", "blocked", "expired")
        assert runtime.status().clock_behind
    said = CliRunner().invoke(app, ["status", "--home", str(tmp_path / "home"), "--trust", str(published.trust)])
    assert "was set back" in said.output
    clock.now = begun + DAY + 7200
    assert ran(edge)[2] == "stale"
    for name in ("checked", "clock"):
        (tmp_path / "home" / name).write_text("x")
    assert ran(opened(published, tmp_path, clock, cloud))[2] == "expired"
