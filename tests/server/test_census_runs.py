"""How often what ran, on the server: what is taken, what is kept of it, and what is shown from five devices on."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from control_plane import db
from control_plane.census import counting, showing
from control_plane.census.figures import LEAST, MOST_ABOVE, shown_steps
from control_plane.cli import app as cli
from control_plane.errors import TooMany
from control_plane.plane import ControlPlane
from control_plane.tables.census import CensusRow
from control_plane.tables.registry import VersionRow
from edge_runtime.core.canonical import digest
from edge_runtime.core.census import Report
from edge_runtime.core.counts import LEVELS, Root, RunCount, encode
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts


def version(plane: ControlPlane, prompt: str = "opener") -> str:
    """The version of a prompt that release 1 brought."""
    with db.read(plane.engine) as session:
        some = select(VersionRow.digest).where(VersionRow.kind == "prompt", VersionRow.name == prompt)
        return session.exec(some).one()


def row(plane: ControlPlane, **other: object) -> RunCount:
    """What a device tells of yesterday."""
    told = RunCount(
        channel="production",
        day=plane.now().date().isoformat(),
        release=1,
        stage=1,
        prompt="opener",
        version=version(plane),
        route="device",
        outcome="filled",
        runs=1,
    )
    return replace(told, **other)  # type: ignore[type-var]


def counts(plane: ControlPlane) -> dict[tuple[str, str], int]:
    """What is kept, by question and answer."""
    with db.read(plane.engine) as session:
        return {(one.question, one.answer): one.devices for one in session.exec(select(CensusRow)).all()}


def tell(plane: ControlPlane, times: int, **other: object) -> None:
    """Let some devices tell the same row: one by a request, the others as they would then be counted."""
    told = row(plane, **other)
    before = counts(plane)
    counting.take(plane, encode(told))
    with db.write(plane.engine) as session:
        for key in (key for key, count in counts(plane).items() if before.get(key, 0) != count):
            kept = session.get_one(CensusRow, (told.day, told.channel, *key))
            kept.devices += times - 1
            session.add(kept)


@pytest.mark.databases
def test_a_row_is_counted_with_each_level_that_it_reached(plane: ControlPlane) -> None:
    """Whoever ran it ten times ran it once; versions and outcomes are apart, and no row says what came together."""
    for other in (
        {},
        {"runs": 10},
        {"outcome": "fallback"},
        {"version": version(plane, "closing"), "prompt": "closing"},
    ):
        counting.take(plane, encode(row(plane, **other)))
    opener, closing = (f"runs/{version(plane, name)}" for name in ("opener", "closing"))
    assert counts(plane) == {
        ("runs", "all"): 4,
        (opener, "1/1/device/filled/1"): 2,
        (opener, "1/1/device/filled/3"): 1,
        (opener, "1/1/device/filled/10"): 1,
        (opener, "1/1/device/fallback/1"): 1,
        (closing, "1/1/device/filled/1"): 1,
    }


@pytest.mark.parametrize(
    "other",
    [
        {"release": 2},
        {"channel": "elsewhere"},
        {"day": "2020-01-01"},
        {"version": digest(b"made up")},
        {"prompt": "closing"},
        {"prompt": "never-was"},
    ],
)
def test_rows_about_what_there_is_not(plane: ControlPlane, other: dict[str, object]) -> None:
    """Attack: to fill the table with made-up versions, releases, names, channels and days. Nothing is counted."""
    with pytest.raises(InvalidDocument):
        counting.take(plane, encode(row(plane, **other)))
    assert counts(plane) == {}


def test_a_version_that_is_filled_up(plane: ControlPlane) -> None:
    """Attack: made-up stages without end. A version takes so many answers, a day so many rows, and no more."""
    few = replace(plane, settings=replace(plane.settings, census_most_per_day=1))
    question = f"runs/{version(plane)}"
    with db.write(plane.engine) as session:
        for stage in range(counting.MOST_OF_A_VERSION):
            key = {"day": row(plane).day, "channel": "production", "question": question}
            session.add(CensusRow(**key, answer=f"1/{stage + 10}/device/filled/1", devices=1))
    for stage in range(8):
        counting.take(few, encode(row(plane, stage=stage)))
    before = counts(plane)
    assert before[question, counting.OTHER] == 8
    assert len(before) == counting.MOST_OF_A_VERSION + 2
    with pytest.raises(TooMany):
        counting.take(few, encode(row(plane)))
    assert counts(plane) == before


def test_governance_sees_what_ran_in_groups_of_five_or_more(acts: Acts) -> None:
    """By version, stage, route and outcome: at least so many devices and runs; fewer than five are not shown."""
    plane, past = acts.plane, acts.plane.now() - timedelta(days=2)
    before = replace(plane, clock=lambda: past)
    tell(before, 30, runs=3)
    tell(before, 12, outcome="fallback", stage=2)
    tell(before, 4, prompt="closing", version=version(plane, "closing"))
    (day,) = showing.show(plane, acts.id("remy"), days=1)
    assert [(one.prompt, one.stage, one.route, one.outcome) for one in day.runs] == [
        ("opener", 2, "device", "fallback"),
        ("opener", 1, "device", "filled"),
    ]
    fell, filled = day.runs
    assert (5 <= fell.devices <= 12, fell.runs) == (True, fell.devices)
    assert 22 <= filled.devices <= 30
    assert filled.runs == 3 * filled.devices
    assert (filled.version, filled.release) == (version(plane), 1)
    assert day.devices == 0  # rows are not counted among those that say what they run
    shown = CliRunner().invoke(
        cli, ["census", "show", "--home", str(plane.settings.home), "--as", "remy", "--days", "1"]
    )
    assert "device, fallback" in shown.output
    as_json = ["census", "show", "--home", str(plane.settings.home), "--as", "remy", "--days", "1", "--json"]
    (told,) = json.loads(CliRunner().invoke(cli, as_json).stdout)
    assert [one["runs"] for one in told["runs"]] == [fell.runs, filled.runs]


@pytest.mark.parametrize("offset", range(LEAST))
def test_subtracting_one_level_from_another(offset: int) -> None:
    """Attack: devices that ran it once, less those that ran it three times. It stays possible that nobody is between.

    For each count and each difference of one to four the figures allow that all reached the higher level.
    """
    for count in range(60):
        for fewer in range(1, LEAST):
            higher = max(count - fewer, 0)
            figures = shown_steps({1: count, 3: higher}, offset)
            assert all(figure >= LEAST for figure in figures.values())
            if 3 in figures:
                assert figures[1] - figures[3] in {0, LEAST}
                assert figures[1] <= figures[3] + MOST_ABOVE  # so the lower count may be as small as the higher
            elif figures:
                assert figures[1] == LEAST  # and the higher count, which is below nine, may be the same
    assert LEVELS[0] == 1


@pytest.mark.databases
def test_devices_that_tell_at_once_are_counted_together_and_each_for_itself(plane: ControlPlane) -> None:
    """Reports, rows, a root twice and what is refused, all at once: every sound one counts once, no other does."""
    today = plane.now().date().isoformat()
    report = Report("production", today, 1, 1, 1, 0, "fresh", "ok", "0.3.0")
    root = Root("production", today, digest(b"root"))
    told = [report, row(plane), root, replace(report, release=2, newest=2), replace(report, fresh="stale")] * 4
    with ThreadPoolExecutor(20) as pool:
        done = [pool.submit(counting.take, plane, encode(one)) for one in told]
    none = type(None)
    assert [type(one.exception()) for one in done] == [none, none, none, InvalidDocument, none] * 4
    kept = counts(plane)
    assert kept[counting.ALL, counting.ALL] == 8
    assert (kept["state", "fresh/ok"], kept["state", "stale/ok"]) == (4, 4)
    assert (kept[counting.RUNS, counting.ALL], kept[counting.ROLLUPS, counting.ALL]) == (4, 1)
