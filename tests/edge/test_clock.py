"""Device clocks are not trusted: freshness counts from the newest signed time, and no clock makes anything fresher."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from control_plane.repository import Site
from edge_runtime import EdgeRuntime
from edge_runtime.core.freshness import DRIFT_S
from tests.published import Published, adopted, fingerprint, published_once

DAY_S = 86_400


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release."""
    return published_once(tmp_path)


def witnessed(published: Published) -> None:
    """Have two of three witnesses, of whom two are asked, cosign the log now, and publish that."""
    organisation = published.organisation
    organisation.witnesses, organisation.cosigning = (1, 2, 3), (1, 2)
    organisation.cosigned_s = int(published.now.timestamp())
    published.publish()


def at(published: Published, tmp_path: Path, later_s: int) -> EdgeRuntime:
    """The device, opened with a clock that is so much later than the newest signed time."""
    time_s = published.now.timestamp() + later_s
    return EdgeRuntime.open(
        tmp_path / "home", trust=published.trust, source=str(published.folder), clock=lambda: time_s
    )


@pytest.mark.parametrize(
    ("later_s", "fresh"),
    [
        (-DAY_S, "expired"),
        (-DRIFT_S - 9, "expired"),
        (-DRIFT_S + 9, "fresh"),
        (0, "fresh"),
        (DAY_S, "fresh"),
        (DAY_S + 1, "stale"),
        (14 * DAY_S, "stale"),
        (14 * DAY_S + 1, "expired"),
    ],
)
@pytest.mark.attack("clock set back and forward")
def test_the_clock_is_set_back_and_forward(published: Published, tmp_path: Path, later_s: int, fresh: str) -> None:
    """Below the newest signed time it counts as stalest; beyond it, what is held ages; a little difference is none."""
    adopted(published, tmp_path)
    assert at(published, tmp_path, later_s).status().fresh == fresh


@pytest.mark.attack("clock set back and forward")
def test_the_clock_is_set_back_and_refreshed(published: Published, tmp_path: Path) -> None:
    """Attack: with the clock a year back, a refresh makes nothing fresh; one with the right clock does."""
    adopted(published, tmp_path)
    back = at(published, tmp_path, -365 * DAY_S)
    assert back.refresh().ok
    assert (back.status().fresh, back.status().clock_behind) == ("expired", True)
    right = at(published, tmp_path, 0)
    assert right.status().fresh == "expired"
    assert right.refresh().ok
    assert (right.status().fresh, right.status().as_of) == ("fresh", int(published.now.timestamp()))


@pytest.mark.attack("clock set back and forward")
def test_the_clock_is_set_forward_and_refreshed(published: Published, tmp_path: Path) -> None:
    """Attack: a year ahead everything has ended: refused; a refresh with the right clock heals it everywhere."""
    edge = adopted(published, tmp_path)
    before = fingerprint(tmp_path / "home")
    ahead = at(published, tmp_path, 365 * DAY_S)
    result = ahead.refresh()
    assert (result.ok, result.check) == (False, "V2")
    assert fingerprint(tmp_path / "home") == before
    assert ahead.status().fresh == "expired"
    assert (edge.refresh().ok, edge.status().fresh) == (True, "fresh")
    assert at(published, tmp_path, 0).status().fresh == "fresh"


@pytest.mark.attack("indefinite freeze")
def test_a_frozen_mirror_answers_every_look(published: Published, tmp_path: Path) -> None:
    """Indefinite freeze: a source that goes on serving the same files is followed, and what it serves grows stale."""
    adopted(published, tmp_path)
    shutil.copytree(published.folder, tmp_path / "frozen")
    later = at(published, tmp_path, 2 * DAY_S)
    assert later.refresh(str(tmp_path / "frozen")).ok
    assert later.status().fresh == "stale"


@pytest.mark.attack("indefinite freeze")
def test_a_thief_of_the_timestamp_key_keeps_nobody_fresh_whom_witnesses_do_not(
    published: Published, tmp_path: Path
) -> None:
    """Timestamps signed anew, over a log that no witness saw since: stale, then expired; cosigned again: fresh."""
    witnessed(published)
    adopted(published, tmp_path)
    assert at(published, tmp_path, 0).status().fresh == "fresh"
    for days, said in ((2, "stale"), (13, "expired")):
        published.now += dt.timedelta(days=days)
        Site(published.folder, published.keys, published.now).resign()
        edge = at(published, tmp_path, 0)
        assert edge.refresh().ok
        assert (edge.status().fresh, at(published, tmp_path, 0).status().fresh) == (said, said)
    witnessed(published)
    edge = at(published, tmp_path, 0)
    assert edge.refresh().ok
    assert edge.status().fresh == "fresh"


@pytest.mark.attack("clock set back and forward")
def test_a_thief_of_the_timestamp_key_signs_times_ahead(published: Published, tmp_path: Path) -> None:
    """Where witnesses say what time it is, a timestamp of next month makes no clock count as one that was set back."""
    witnessed(published)
    adopted(published, tmp_path)
    published.now += dt.timedelta(days=30)
    published.publish()
    published.now -= dt.timedelta(days=30)
    edge = at(published, tmp_path, 3600)
    edge.refresh()
    assert (edge.status().fresh, edge.status().clock_behind) == ("fresh", False)


@pytest.mark.attack("indefinite freeze")
def test_a_checkpoint_that_waits_for_its_witnesses_makes_nobody_staler(published: Published, tmp_path: Path) -> None:
    """The log grew and nobody cosigned that yet: what was witnessed before still counts."""
    witnessed(published)
    adopted(published, tmp_path)
    organisation = published.organisation
    organisation.cosigning = ()
    organisation.leaves.append(organisation.leaves[-1])
    published.write_log()
    edge = at(published, tmp_path, 3600)
    assert edge.refresh().ok
    assert (edge.status().fresh, at(published, tmp_path, 3600).status().fresh) == ("fresh", "fresh")
