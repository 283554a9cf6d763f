"""How often what ran, as a device tells it: from its receipts, once, in rows that many devices share, and one root."""

from __future__ import annotations

import json
from pathlib import Path

from audit.frozen import replace
from edge_runtime import EdgeRuntime
from edge_runtime.census import MOST_WAITING, Kept
from edge_runtime.core.census import Report, day_of
from edge_runtime.core.counts import MOST_ROWS, Root, RunCount, Telling, parse
from tests.core.test_receipt import receipt
from tests.edge import test_census as census
from tests.edge.test_census import DAY_S, HEADERS, SPREAD_S, Clock, Counter, device, looks
from tests.published import Published

organisation, published, counter = census.organisation, census.published, census.counter
clock, edge = census.clock, census.edge
NOTES = "We agreed that I write to Priya Nair by Thursday."
CRISIS = "I want to kill myself tonight."


def run(edge: EdgeRuntime, times: int = 1, notes: str = NOTES) -> None:
    """Let somebody run a prompt."""
    session = edge.session(learner="u1", names=["Priya Nair"])
    for _ in range(times):
        session.run("opener", {"notes": notes})


def told(counter: Counter) -> list[Telling]:
    """What the server was told, in order."""
    return [parse(request.partition(b"\r\n\r\n")[2]) for request in counter.asked]


def kept(edge: EdgeRuntime) -> Kept:
    """What the home knows of it."""
    found = edge.census.kept()
    assert found is not None
    return found


def test_each_row_is_a_request_of_its_own_that_holds_no_identity(
    edge: EdgeRuntime, counter: Counter, clock: Clock
) -> None:
    """Yesterday's runs: one row by class, one root, one report, each alone, with the headers of all and no others."""
    looks(edge, clock)
    counter.asked.clear()
    run(edge, 4)
    clock.now += DAY_S
    looks(edge, clock)
    tellings = told(counter)
    assert sorted(type(one).__name__ for one in tellings) == ["Report", "Root", "RunCount"]
    for request in counter.asked:
        head = request.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")[1:]
        assert {line.partition(":")[0].lower() for line in head} == HEADERS
    (row,) = (one for one in tellings if isinstance(one, RunCount))
    entry = next(one for one in edge.trusted().manifest.entries if (one.kind, one.name) == ("prompt", "opener"))
    assert row == RunCount(
        channel="production",
        day=day_of(int(clock.now) - DAY_S),
        release=1,
        stage=1,
        prompt="opener",
        version=entry.digest,
        route="device",
        outcome="filled",
        runs=3,
    )
    sent = b"".join(counter.asked)
    assert [word for word in (b"Priya", b"Nair", b"Thursday", b'u1"') if word in sent] == []
    assert set(kept(edge).last) >= set(tellings)


def test_two_devices_that_ran_the_same(
    edge: EdgeRuntime, published: Published, tmp_path: Path, counter: Counter, clock: Clock
) -> None:
    """Attack: to know a device again by what it tells. Rows are the same bytes; roots have nothing in common."""
    other = device(published, tmp_path / "other", counter, clock)
    looks(other, clock)
    clock.now -= 3 * SPREAD_S
    looks(edge, clock)
    for one in (edge, other):
        run(one, 3)
    roots = set()
    for _ in range(2):
        clock.now += DAY_S
        begun = clock.now
        for one in (edge, other):
            clock.now = begun
            looks(one, clock)
            run(one, 3)
        roots |= {one.root for one in told(counter) if isinstance(one, Root)}
    rows = [request for request in counter.asked if b"mentorplane-runs" in request]
    assert (len(rows), len(set(rows))) == (4, 2)
    assert len(roots) == 4


def test_what_is_never_told(edge: EdgeRuntime, counter: Counter, clock: Clock) -> None:
    """A hand-off is in no row, and no root stands for it: of a day on which nothing else ran there is none."""
    looks(edge, clock)
    counter.asked.clear()
    run(edge, notes=CRISIS)
    clock.now += DAY_S
    looks(edge, clock)
    assert [type(one).__name__ for one in told(counter)] == ["Report"]
    assert b"hand" not in b"".join(counter.asked)


def test_what_ran_while_counting_was_off_is_never_told(edge: EdgeRuntime, counter: Counter, clock: Clock) -> None:
    """Turned off and on again, with looks between or without: neither what waited nor what ran meanwhile is told."""
    looks(edge, clock)
    counter.asked.clear()
    run(edge)
    edge.census.turn(on=False)
    run(edge)
    edge.census.turn(on=True)
    clock.now += DAY_S
    looks(edge, clock)
    assert [type(one) for one in told(counter)] == [Report]
    edge.census.turn(on=False)
    run(edge)
    clock.now += DAY_S
    looks(edge, clock)
    edge.census.turn(on=True)
    clock.now += DAY_S
    looks(edge, clock)
    assert {type(one) for one in told(counter)} == {Report}


def test_a_receipt_is_counted_once(
    edge: EdgeRuntime, published: Published, tmp_path: Path, counter: Counter, clock: Clock
) -> None:
    """However often the app is opened, and wherever its clock is set; runs of before the first look are not counted."""
    run(edge)
    clock.now += DAY_S
    for back in (0, 2, 0):
        clock.now -= back * DAY_S
        looks(device(published, tmp_path / "home", counter, clock), clock)
        clock.now += back * DAY_S
    assert len([one for one in told(counter) if isinstance(one, RunCount)]) == 1
    assert len([one for one in told(counter) if isinstance(one, Root)]) == 1


def test_a_day_has_so_many_rows_and_the_rest_is_counted_as_lost(
    edge: EdgeRuntime, counter: Counter, clock: Clock
) -> None:
    """A day of many kinds of runs tells those that ran most; so is what comes too late lost, and counted."""
    looks(edge, clock)
    counter.asked.clear()
    at = f"{day_of(int(clock.now))}T10:00:00Z"
    for number in range(MOST_ROWS + 3):
        made = replace(receipt(), at=at, obligations=(), prompt=f"p{number}", release=1)
        for _ in range(3 if number > 4 else 1):
            edge.receipts.append(made, {"output": "so"})
    clock.now += DAY_S
    looks(edge, clock)
    rows = [one for one in told(counter) if isinstance(one, RunCount)]
    assert (len(rows), kept(edge).lost) == (MOST_ROWS, 3)
    assert {f"p{number}" for number in range(5, MOST_ROWS + 3)} <= {row.prompt for row in rows}
    run(edge)
    clock.now += 3 * DAY_S
    looks(edge, clock)
    assert len([one for one in told(counter) if isinstance(one, RunCount)]) == MOST_ROWS
    assert kept(edge).lost == 4


def test_damaged_receipts_are_not_counted_and_stop_nothing_else(
    edge: EdgeRuntime, counter: Counter, clock: Clock
) -> None:
    """The report is told all the same, and whoever turns counting off is not counted."""
    looks(edge, clock)
    counter.asked.clear()
    run(edge)
    path = edge.census._home.folder / "receipts.jsonl"
    path.write_bytes(b"damaged\n")
    clock.now += DAY_S
    looks(edge, clock)
    assert [type(one) for one in told(counter)] == [Report]
    path.unlink()
    for _ in range(3):
        run(edge)
        clock.now += DAY_S
        looks(edge, clock)
    assert {Root, RunCount} <= {type(one) for one in told(counter)}  # a chain that begins anew goes on to be counted
    path.write_bytes(b"damaged\n")
    clock.now += DAY_S
    assert edge.refresh().ok
    edge.census.turn(on=False)
    assert (kept(edge).waiting, edge.census.is_off) == ((), True)


def test_what_waits_for_a_server_that_is_away_is_bounded(edge: EdgeRuntime, counter: Counter, clock: Clock) -> None:
    """With nobody to tell, no look fails, what waits has an end, and all that is dropped is counted."""
    looks(edge, clock)
    counter.close()
    for _ in range(4):
        run(edge)
        clock.now += DAY_S
        looks(edge, clock, many=2)
        clock.now -= 2 * SPREAD_S
    found = kept(edge)
    assert len(found.waiting) <= 6 <= MOST_WAITING
    assert len(found.waiting) + found.lost == 4 * 3
    size = (edge.census._home.folder / "census.json").stat().st_size
    assert size < 32_768
    assert json.loads((edge.census._home.folder / "census.json").read_bytes())["format"] == "mentorplane-census-kept/2"
