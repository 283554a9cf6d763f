"""Who is asked, in which order, and within which budget."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge_runtime.cli.edge import app
from edge_runtime.core.disclosure import disclose
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.policy import Decision, Route
from edge_runtime.generators.budgets import FILE, LIMITS, Budget, Budgets, Spent, load_limits, save_limits
from edge_runtime.generators.protocol import Ask, NotAsked, OnDevice, Piece, Wire
from edge_runtime.generators.routing import ASIDE_S, PATIENCE_S, Candidate, Routing
from tests.edge.answering import Scripted, said

DAY = int(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC).timestamp())
TEXT = "x" * 400
WHOLE = said("y" * 40)


class Clock:
    """A clock that a test moves."""

    def __init__(self, at: float = 0.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class Slow(Scripted):
    """Takes its time."""

    def __init__(self, clock: Clock, takes_s: float, *answers: Any, **options: Any) -> None:
        super().__init__(*answers, **options)
        self._clock, self._takes_s = clock, takes_s

    def answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
        """Give an answer, later."""
        self._clock.at += self._takes_s
        yield from super().answer(ask, wire)


def asked(place: Route, prompt: str = "opener") -> Ask:
    """A question for a model of a place."""
    if place is Route.DEVICE:
        return Ask(OnDevice(TEXT, prompt), max_tokens=50)
    return Ask(disclose(Decision(Route.CLOUD, (), (), ()), TEXT, prompt=prompt), max_tokens=50)


def run(generator: Any, wire: Wire | None = None, prompt: str = "opener") -> list[Piece]:
    """Ask a generator."""
    return list(generator.answer(asked(generator.place, prompt), wire or Wire(lambda _: ())))


def names(routing: Routing, route: Route = Route.CLOUD) -> list[str]:
    """Return who is asked, in the order."""
    return [one.name for one in routing.order(route)]


def model(name: str, place: Route = Route.CLOUD, **declared: int) -> Candidate:
    """A model that answers at once."""
    return Candidate(Scripted(WHOLE, name=name, place=place), **declared)


LOCAL, COVERED, OPEN = (
    model("local", Route.DEVICE),
    model("covered", Route.REDACTED, cost_micros=9),
    model("open", Route.CLOUD),
)


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (Route.BLOCK, []),
        (Route.DEVICE, ["local"]),
        (Route.REDACTED, ["local", "covered", "open"]),
        (Route.CLOUD, ["local", "covered", "open"]),
    ],
)
def test_the_policy_s_route_says_who_may_be_asked_and_the_nearest_place_comes_first(
    route: Route, expected: list[str]
) -> None:
    """P2: off the device is nobody asked on the route `device`; dearer and nearer comes before cheaper and farther."""
    assert names(Routing([OPEN, COVERED, LOCAL]), route) == expected


def test_a_model_alone_is_tried_twice() -> None:
    """The one retry goes to the same model where there is no other; on this device there is the way without one."""
    assert names(Routing([OPEN])) == ["open", "open"]
    assert names(Routing([LOCAL])) == ["local"]
    assert names(Routing([])) == []


def test_of_one_place_the_cheapest_that_is_fast_enough_is_asked_first() -> None:
    """What takes too long comes last, the least slow of them first."""
    routing = Routing(
        [
            model("slowest", answer_ms=20_000),
            model("dear", cost_micros=500, answer_ms=100),
            model("cheap", cost_micros=50, answer_ms=4_000),
            model("slow", cost_micros=900, answer_ms=9_000),
            model("unknown", cost_micros=60),
        ]
    )
    assert names(routing) == ["cheap", "unknown", "dear", "slow", "slowest"]


def test_what_was_measured_counts_more_than_what_was_declared() -> None:
    """A model that turns out slow loses its place, and gets it back once it is fast again."""
    clock = Clock()
    cheap = Slow(clock, 30, WHOLE, name="cheap")
    routing = Routing([Candidate(cheap, 1, 100), model("dear", cost_micros=9)], clock=clock)
    assert names(routing) == ["cheap", "dear"]
    run(routing.order(Route.CLOUD)[0])
    assert names(routing) == ["dear", "cheap"]
    cheap._takes_s = 0.1
    for _ in range(2):
        run(routing.order(Route.CLOUD)[1])
    assert names(routing) == ["cheap", "dear"]


def test_whoever_reads_slowly_does_not_make_a_model_slow() -> None:
    """A page that shows an answer in its own time says nothing about who gave it."""
    clock = Clock()
    routing = Routing([model("first"), model("second", cost_micros=1)], clock=clock)
    for _ in routing.order(Route.CLOUD)[0].answer(asked(Route.CLOUD), Wire(lambda _: ())):
        clock.at += 60
    assert names(routing) == ["first", "second"]


def test_of_one_place_whoever_failed_is_asked_last_for_a_while() -> None:
    """A server that is gone costs the next person nothing where another one of its place answers."""
    clock = Clock()
    gone = Scripted(None, name="gone", place=Route.CLOUD)
    routing = Routing([Candidate(gone), model("open", cost_micros=9)], clock=clock)
    assert names(routing) == ["gone", "open"]
    with pytest.raises(Unavailable):
        run(routing.order(Route.CLOUD)[0])
    assert names(routing) == ["open", "gone"]
    clock.at += ASIDE_S
    assert names(routing) == ["gone", "open"]


@pytest.mark.parametrize("place", [Route.DEVICE, Route.REDACTED])
def test_a_failure_sends_nobody_s_text_further_than_before(place: Route) -> None:
    """Privacy first: whoever is nearer is asked first in the next run too, however often it failed."""
    routing = Routing([Candidate(Scripted(None, name="nearer", place=place)), OPEN], clock=Clock())
    with pytest.raises(Unavailable):
        run(routing.order(Route.CLOUD)[0])
    assert names(routing) == ["nearer", "open"]


def test_what_was_refused_is_no_fault_of_a_model() -> None:
    """A scan that finds a value says nothing about who would have been asked."""
    routing = Routing([model("first"), model("second", cost_micros=1)])
    with pytest.raises(NotAsked):
        run(routing.order(Route.CLOUD)[0], Wire(lambda _: ("PERSON",)))
    assert names(routing) == ["first", "second"]


def test_a_slow_failure_is_not_repeated_for_a_person_who_waits() -> None:
    """The retry is for what fails at once; whoever kept silent for long is not asked again in the same run."""
    clock, wire = Clock(), Wire(lambda _: ())
    for takes_s, tries in ((PATIENCE_S + 1, 1), (0.1, 2)):
        slow = Slow(clock, takes_s, None)
        for one in Routing([Candidate(slow)], clock=clock).order(Route.CLOUD):
            with pytest.raises(Unavailable):
                run(one, wire)
        assert len(slow.asked) == tries


def budgets(home: Path, now: Callable[[], float] = lambda: DAY, **limits: int) -> Budgets:
    """The budget of a home."""
    return Budgets(home, Budget(**limits), lambda: int(now()))


def routed(home: Path, *answers: Any, now: Callable[[], float] = lambda: DAY, **limits: int) -> tuple[Any, Scripted]:
    """Return a model within a budget as it is asked, and the model itself."""
    scripted = Scripted(*(answers or (WHOLE,)))
    return Routing([Candidate(scripted, 1000)], budgets=budgets(home, now, **limits)).order(Route.CLOUD)[0], scripted


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        ({}, 4),
        ({"requests": 2}, 2),
        ({"prompt_requests": 3}, 3),
        ({"tokens": 300}, 2),
        ({"prompt_tokens": 300}, 2),
        ({"cost_micros": 300}, 2),
        ({"prompt_cost_micros": 149}, 0),
        ({"requests": 0}, 0),
    ],
)
def test_nothing_leaves_beyond_the_budget(tmp_path: Path, limits: dict[str, int], allowed: int) -> None:
    """A request of 100 tokens that may be answered by 50 leaves only if 150 are left; what it used is taken off."""
    asking, scripted = routed(tmp_path, **limits)
    for number in range(4):
        if number < allowed:
            assert run(asking) == WHOLE
        else:
            with pytest.raises(NotAsked, match="used up"):
                run(asking)
    assert len(scripted.asked) == allowed
    spent = sum(one.requests for one in budgets(tmp_path).spent().values())
    assert spent == allowed


def test_a_prompt_has_a_budget_of_its_own(tmp_path: Path) -> None:
    """One prompt that is used up leaves the others theirs; the day's budget is for all of them."""
    asking, _ = routed(tmp_path, prompt_requests=1, requests=2)
    run(asking, prompt="opener")
    with pytest.raises(NotAsked, match="'opener'"):
        run(asking, prompt="opener")
    run(asking, prompt="closer")
    with pytest.raises(NotAsked, match="this day"):
        run(asking, prompt="third")


def test_what_was_not_sent_or_said_is_given_back(tmp_path: Path) -> None:
    """A refused request costs nothing, a short answer no more than it was."""
    asking, _ = routed(tmp_path)
    with pytest.raises(NotAsked):
        run(asking, Wire(lambda _: ("PERSON",)))
    assert budgets(tmp_path).spent() == {"opener": Spent()}
    run(asking)
    assert budgets(tmp_path).spent() == {"opener": Spent(1, 110, 110)}


def test_a_failure_after_sending_costs_what_was_sent(tmp_path: Path) -> None:
    """What left is paid for, whatever came back."""
    asking, _ = routed(tmp_path, None)
    with pytest.raises(Unavailable):
        run(asking)
    assert budgets(tmp_path).spent() == {"opener": Spent(1, 100, 100)}


def test_a_crash_before_the_answer_gives_nothing_back(tmp_path: Path) -> None:
    """What was taken off stays taken off until somebody says what was used."""
    budgets(tmp_path).take("opener", Spent(1, 150, 0))
    with pytest.raises(NotAsked):
        budgets(tmp_path, tokens=299).take("opener", Spent(1, 150, 0))


def test_a_budget_is_one_for_all_processes_and_survives_them(tmp_path: Path) -> None:
    """Two processes that ask at once get together what one of them would have got."""
    program = (
        "import sys, pathlib; from edge_runtime.generators.budgets import *\n"
        "from edge_runtime.generators.protocol import NotAsked\n"
        f"budgets = Budgets(pathlib.Path(sys.argv[1]), Budget(requests=30), lambda: {DAY})\n"
        "got = 0\n"
        "for _ in range(20):\n"
        "    try: budgets.take('opener', Spent(1)); got += 1\n"
        "    except NotAsked: pass\n"
        "print(got)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(2)
    ]
    assert sum(int(process.communicate()[0]) for process in started) == 30
    assert budgets(tmp_path).spent()["opener"].requests == 30


def test_a_new_day_has_a_new_budget_and_a_clock_put_back_has_not(tmp_path: Path) -> None:
    """Whoever puts the clock back finds the latest day, as it was spent."""
    clock = Clock(DAY)
    asking, _ = routed(tmp_path, now=clock, requests=1)
    run(asking)
    clock.at += 86_400
    run(asking)
    clock.at -= 86_400
    with pytest.raises(NotAsked, match="used up"):
        run(asking)


@pytest.mark.parametrize(
    "damage", [b"", b"{}", b"[1]", b'{"day":"2026-03-01","format":"mentorplane-budget/1","spent":{"a":3}}']
)
def test_a_budget_that_cannot_be_read_lets_nothing_leave(tmp_path: Path, damage: bytes) -> None:
    """Fail closed: whoever damages the file gains nothing."""
    (tmp_path / FILE).write_bytes(damage)
    asking, scripted = routed(tmp_path, requests=5)
    with pytest.raises(NotAsked, match="in its form"):
        run(asking)
    assert (scripted.asked, (tmp_path / FILE).read_bytes()) == ([], damage)


def test_a_budget_that_cannot_be_written_down_lets_nothing_leave(tmp_path: Path) -> None:
    """A disk that is full, or gone, is no way around a budget."""
    (tmp_path / "gone").touch()
    asking, scripted = routed(tmp_path / "gone", requests=5)
    with pytest.raises(NotAsked, match="read and written"):
        run(asking)
    assert scripted.asked == []


def test_a_budget_holds_no_text(tmp_path: Path) -> None:
    """P2: a day, names of prompts, and numbers."""
    asking, _ = routed(tmp_path)
    run(asking)
    assert (tmp_path / FILE).read_bytes() == (
        b'{"day":"2026-03-01","format":"mentorplane-budget/1",'
        b'"spent":{"opener":{"cost_micros":110,"requests":1,"tokens":110}}}'
    )


def test_what_a_person_allows_holds_beside_what_the_app_allows(tmp_path: Path) -> None:
    """P3: whoever is stricter counts, from the next request on; an app that says nothing is held to the person's."""
    asking, scripted = routed(tmp_path, requests=3)
    run(asking)
    save_limits(tmp_path, Budget(prompt_requests=1))
    with pytest.raises(NotAsked, match="'opener'"):
        run(asking)
    save_limits(tmp_path, Budget(requests=50))
    run(asking)
    run(asking)
    with pytest.raises(NotAsked, match="this day"):
        run(asking)
    said_nothing = Routing([Candidate(scripted)], budgets=Budgets(tmp_path, None, lambda: DAY)).order(Route.CLOUD)[0]
    run(said_nothing)
    save_limits(tmp_path, Budget(requests=4))
    with pytest.raises(NotAsked):
        run(said_nothing)
    assert len(scripted.asked) == 4


def test_where_nobody_sets_a_limit_nothing_is_written(tmp_path: Path) -> None:
    """A full disk costs no answer there; limits that cannot be read let nothing leave."""
    scripted = Scripted(WHOLE)
    asking = Routing([Candidate(scripted)], budgets=Budgets(tmp_path, None, lambda: DAY)).order(Route.CLOUD)[0]
    assert run(asking) == WHOLE
    assert list(tmp_path.iterdir()) == []
    (tmp_path / LIMITS).write_bytes(b"{}")
    with pytest.raises(NotAsked, match="limits of this home"):
        run(asking)
    assert len(scripted.asked) == 1


def test_a_command_shows_and_sets_what_may_leave(tmp_path: Path) -> None:
    """`edge budget`: limits are kept and added to, taken away together, and what was spent today is told by prompt."""

    def told(*options: str) -> Any:
        result = CliRunner().invoke(app, ["budget", "--home", str(tmp_path), *options, "--json"])
        return json.loads(result.stdout) if result.exit_code == 0 else result.exit_code

    assert told() == 3
    (tmp_path / "generations").mkdir()
    assert told() == {"limits": {}, "spent": {}}
    assert told("--requests", "9")["limits"] == {"requests": 9}
    assert told("--prompt-tokens", "400")["limits"] == {"requests": 9, "prompt_tokens": 400}
    assert load_limits(tmp_path) == Budget(requests=9, prompt_tokens=400)
    Budgets(tmp_path, Budget(), lambda: 4_000_000_000).take("opener", Spent(1, 150, 0))
    assert told()["spent"] == {"opener": {"requests": 1, "tokens": 150, "cost_micros": 0}}
    assert told("--no-limits")["limits"] == {}


def test_what_stays_on_the_device_costs_nothing(tmp_path: Path) -> None:
    """The budget is one of what leaves."""
    local = Scripted(WHOLE, place=Route.DEVICE)
    [asking] = Routing([Candidate(local)], budgets=budgets(tmp_path, requests=0)).order(Route.DEVICE)
    assert run(asking) == WHOLE
    assert not (tmp_path / FILE).exists()
