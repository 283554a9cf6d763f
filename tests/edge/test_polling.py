"""An open app looks by itself, when it asked to: at once, then about every five minutes, until it is closed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.following import Following, pause_s
from tests.published import Published, published_once


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release."""
    return published_once(tmp_path)


def open_device(published: Published, tmp_path: Path, source: str | None = "") -> EdgeRuntime:
    """A device of it."""
    address = str(published.folder) if source == "" else source
    return EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=address)


def test_pauses_are_never_longer_than_asked_for_while_looks_succeed() -> None:
    """So a withdrawal arrives within the interval; devices differ, and after failures pauses grow up to fourfold."""
    drawn = [number / 10 for number in range(11)]
    assert all(225 <= pause_s(300, 0, drawn=one) <= 300 for one in drawn)
    assert [pause_s(300, failures, drawn=1.0) for failures in (0, 1, 2, 3, 50)] == [300, 600, 1200, 1200, 1200]
    assert len({pause_s(300, 2, drawn=one) for one in drawn}) == len(drawn)


def test_it_looks_again_and_again_until_it_is_stopped() -> None:
    """A look that fails does not end it; after `stop` there is none."""
    results, enough = [True, False, False, True], threading.Event()
    looks: list[bool] = []

    def look() -> bool:
        looks.append(True)
        if len(looks) >= len(results):
            enough.set()
        return results[min(len(looks), len(results)) - 1]

    with Following(look, every_s=0.0) as following:
        assert enough.wait(30)
    assert len(looks) >= len(results)
    assert not following._thread.is_alive()


def test_an_open_app_learns_of_a_withdrawal(published: Published, tmp_path: Path) -> None:
    """Asked to, a device looks at once; closing it ends that, and `refresh` goes on to work."""
    with open_device(published, tmp_path) as edge:
        with edge.poll():
            pass  # the first look is made, whenever it is stopped
        assert edge.prompts() == ("opener",)
        published.organisation.withdraw("prompt", "opener")
        published.publish()
        polling = edge.poll(every_s=3_600)
    assert not polling._thread.is_alive()
    assert edge.prompts() == ()
    assert edge.refresh().ok


def test_nothing_is_asked_for_unless_the_app_says_so(published: Published, tmp_path: Path) -> None:
    """Opening starts no thread; polling needs a source, and a second between looks."""
    before = threading.active_count()
    edge = open_device(published, tmp_path)
    assert (threading.active_count(), edge.state) == (before, None)
    with pytest.raises(ValueError, match="source"):
        open_device(published, tmp_path, None).poll()
    with pytest.raises(ValueError, match="second"):
        edge.poll(every_s=0.5)
