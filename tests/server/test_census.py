"""The census on the server: what is taken, what is kept of it, what is shown, and attacks on what is shown."""

from __future__ import annotations

import json
import logging
import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlmodel import select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from control_plane import db
from control_plane.accounts import people, tokens
from control_plane.app import create_app
from control_plane.census import counting, showing
from control_plane.census.figures import LEAST, MOST_ABOVE, shown
from control_plane.cli import app as cli
from control_plane.errors import Refused, TooMany
from control_plane.plane import ControlPlane, open_plane
from control_plane.settings import Settings
from control_plane.tables.census import CensusRow
from edge_runtime import EdgeRuntime
from edge_runtime.census import Census, Kept
from edge_runtime.core import canonical
from edge_runtime.core.census import Report, report_document
from edge_runtime.core.counts import encode
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, Unavailable
from edge_runtime.home import Home
from tests.core.test_receipt import receipt
from tests.server.acts import Acts
from tests.server.conftest import Clock
from tests.serving import served

JSON = {"Content-Type": "application/json"}
Counts = Mapping[str, Mapping[str, int]]


def report(plane: ControlPlane, **other: object) -> Report:
    """What a device of release 1 tells today."""
    told = Report("production", plane.now().date().isoformat(), 1, 1, 1, 0, "fresh", "ok", "0.3.0")
    return replace(told, **other)  # type: ignore[arg-type]


def tell(plane: ControlPlane, times: int = 1, **other: object) -> None:
    """Let some devices tell the same: one by a report, the others as they would then be counted."""
    told = report(plane, **other)
    counting.take(plane, encode(told))
    with db.write(plane.engine) as session:
        for question, answer in ((counting.ALL, counting.ALL), *counting.answers_of(told)):
            row = session.get_one(CensusRow, (told.day, told.channel, question, answer))
            row.devices += times - 1
            session.add(row)


def rows(plane: ControlPlane) -> dict[tuple[str, str, str], int]:
    """What is kept of the usual channel."""
    with db.read(plane.engine) as session:
        found = session.exec(select(CensusRow).where(CensusRow.channel == "production")).all()
        return {(row.day, row.question, row.answer): row.devices for row in found}


def seen(acts: Acts, clock: Clock) -> showing.CensusDay:
    """What is shown of today, once it is over."""
    clock.advance(days=2)
    return showing.show(acts.plane, acts.id("remy"), days=1)[0]


@pytest.fixture
def client(plane: ControlPlane, clock: Clock) -> Iterator[TestClient]:
    """A server over the control plane's home."""
    app = create_app(plane.settings, clock=clock)
    yield TestClient(app, raise_server_exceptions=False)
    app.state.plane.close()


@pytest.mark.databases
def test_answers_are_counted_apart_from_each_other(plane: ControlPlane) -> None:
    """Each question has its own counts and each device one answer; no row holds two questions."""
    for other in ({}, {}, {"fresh": "stale", "refresh": "unavailable"}):
        counting.take(plane, encode(report(plane, **other)))
    day = plane.now().date().isoformat()
    assert rows(plane) == {
        (day, "all", "all"): 3,
        (day, "package", "0.3.0"): 3,
        (day, "release", "1/1/1"): 3,
        (day, "state", "fresh/ok"): 2,
        (day, "state", "stale/unavailable"): 1,
        (day, "withdrawals", "0"): 3,
    }


@pytest.mark.parametrize(
    "other",
    [
        {"day": "2020-01-01"},
        {"channel": "elsewhere"},
        {"newest": 2},
        {"release": 2},
        {"release": 0},
        {"package": "0.3.0+made-for-one"},
        {"fresh": "rather"},
        {"withdrawals": -1},
    ],
)
def test_what_no_device_of_ours_would_tell_is_refused(plane: ControlPlane, other: dict[str, object]) -> None:
    """Another day, channel, release or form is an invalid document, and nothing is counted."""
    with pytest.raises(InvalidDocument):
        tell(plane, **other)
    assert not rows(plane)


def test_tomorrow_and_the_day_before_yesterday_are_not_taken(plane: ControlPlane) -> None:
    """Today and yesterday may be told of, and no other day: what is shown later does not change any more."""
    today = plane.now().date()
    for days, taken in ((1, False), (0, True), (-1, True), (-2, False)):
        day = (today + timedelta(days=days)).isoformat()
        before = rows(plane)
        if taken:
            tell(plane, day=day)
        else:
            with pytest.raises(InvalidDocument):
                tell(plane, day=day)
        assert (rows(plane) != before) is taken


@pytest.mark.parametrize("member", ["device", "user", "at", "text"])
def test_a_report_with_room_for_an_identity_is_refused(plane: ControlPlane, member: str) -> None:
    """Attack: a member more, blanks or another order of members, in which a device could be told from others."""
    document = report_document(report(plane))
    written = [
        canonical.encode({**document, member: "x"}),
        canonical.encode(document) + b"\n",
        json.dumps(document).encode(),
        json.dumps(dict(reversed(document.items())), separators=(",", ":")).encode(),
    ]
    for data in written:
        with pytest.raises(InvalidDocument):
            counting.take(plane, data)
    assert not rows(plane)


def test_days_that_are_filled_up(plane: ControlPlane) -> None:
    """Attack: somebody inflates a day; it takes so many reports, and so many answers, and no more."""
    few = replace(plane, settings=replace(plane.settings, census_most_per_day=counting.MOST_ANSWERS + 6))
    tell(few, counting.MOST_ANSWERS)
    with db.write(plane.engine) as session:
        for number in range(counting.MOST_ANSWERS - 1):
            session.add(
                CensusRow(
                    day=report(plane).day, channel="production", question="package", answer=f"9.8.{number}", devices=1
                )
            )
    for number in range(6):
        counting.take(few, encode(report(few, package=f"9.9.{number}")))
    before = rows(few)
    with pytest.raises(TooMany):
        counting.take(few, encode(report(few)))
    assert rows(few) == before
    packages = {answer: devices for (_, question, answer), devices in before.items() if question == "package"}
    assert (len(packages), packages[counting.OTHER]) == (counting.MOST_ANSWERS + 1, 6)


def test_a_private_channel_takes_no_report_without_its_token(plane: ControlPlane, tmp_path: Path) -> None:
    """Attack: counts of a private channel by whoever knows the address; two tokens count while one is replaced."""
    file = tmp_path / "census-tokens"
    private = replace(plane, settings=replace(plane.settings, census_tokens=file))
    file.write_text("production app-1\nproduction app-2\npilot other\n")
    told = encode(report(plane))
    for token in ("", "app", "app-11", "other"):
        with pytest.raises(Refused):
            counting.take(private, told, token=token)
    file.write_text("production\n")
    with pytest.raises(Unavailable):
        counting.take(private, told, token="app-1")
    assert not rows(plane)
    file.write_text("production app-1\nproduction app-2\npilot other\n")
    counting.take(private, told, token="app-1")
    counting.take(private, told, token="app-2")
    assert rows(plane)[report(plane).day, "all", "all"] == 2


def test_old_days_are_deleted(plane: ControlPlane, clock: Clock) -> None:
    """The first report of a day deletes what is older than the days that are kept."""
    tell(plane)
    old = report(plane).day
    clock.advance(days=counting.KEPT_DAYS)
    tell(plane)
    assert {day for day, _, _ in rows(plane)} == {old, report(plane).day}
    clock.advance(days=1)
    tell(plane)
    assert old not in {day for day, _, _ in rows(plane)}


def test_over_http_nothing_of_the_sender_stays(
    plane: ControlPlane, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A request with every header that could name somebody leaves the same database as one with none of them."""
    told = encode(report(plane))
    named = {
        "User-Agent": "canary-1",
        "Cookie": "a=canary-2",
        "X-Forwarded-For": "canary-3",
        "X-Request-Id": "canary-4",
    }
    with caplog.at_level(logging.DEBUG):
        answers = [client.post("/v1/census", content=told, headers={**JSON, **more}) for more in ({}, named)]
        answers.append(client.post("/v1/census", content=told + b"canary-5", headers={**JSON, **named}))
    assert [answer.status_code for answer in answers] == [204, 204, 422]
    assert answers[0].content == b""
    assert not any(name in answers[0].headers for name in ("etag", "set-cookie", "last-modified"))
    assert rows(plane)[report(plane).day, "all", "all"] == 2
    assert "canary" not in caplog.text.replace("testserver", "")
    kept = [path for path in plane.settings.home.rglob("*") if path.is_file()]
    assert not any(b"canary-" in path.read_bytes() for path in kept)


def test_http_refuses_forms_and_floods(plane: ControlPlane, clock: Clock) -> None:
    """A page of the web cannot send reports for its readers; long bodies and floods from an address are refused."""
    app = create_app(replace(plane.settings, census_per_minute_of_address=3), clock=clock)
    client = TestClient(app, raise_server_exceptions=False)
    told = encode(report(plane))
    sent = [
        client.post("/v1/census", content=told, headers={"Content-Type": "text/plain"}),
        client.post("/v1/census", content=told.ljust(2_000), headers=JSON),
        client.post("/v1/census", content=told, headers=JSON),
        client.post("/v1/census", content=told, headers=JSON),
    ]
    app.state.plane.close()
    assert [answer.status_code for answer in sent] == [422, 422, 204, 429]
    assert rows(plane)[report(plane).day, "all", "all"] == 1


def test_roles_decide_who_sees_it(acts: Acts, client: TestClient) -> None:
    """Those who answer for what runs see it; authors and machines do not, and the log says that they tried."""
    plane = acts.plane
    answers = {}
    for login in ("maya", "remy", "ines"):
        token = tokens.issue_token(plane, people.find_person(plane, login).id)
        answers[login] = client.get("/v1/census", headers={"Authorization": f"Bearer {token}"}).status_code
    assert (answers["maya"], answers["remy"]) == (403, 200)
    assert client.get("/v1/census").status_code == 401
    for days in (0, 93):
        with pytest.raises(InvalidDocument):
            showing.show(plane, acts.id("remy"), days=days)
    with pytest.raises(Refused):
        showing.show(plane, acts.id("maya"))


def test_governance_sees_how_far_a_release_and_a_withdrawal_have_come(acts: Acts, clock: Clock) -> None:
    """Each group is shown with at least its step below, and by what it is known by."""
    tell(acts.plane, 30, withdrawals=2)
    tell(acts.plane, 20, fresh="stale", refresh="unavailable", package="0.2.9")
    day = seen(acts, clock)
    assert 42 <= day.devices <= 50
    assert [(one.release, one.newest, one.stage) for one in day.releases] == [(1, 1, 1)]
    assert {one.known: 22 <= one.devices <= 30 or 12 <= one.devices <= 20 for one in day.withdrawals} == {
        2: True,
        0: True,
    }
    assert {(one.fresh, one.refresh) for one in day.states} == {("fresh", "ok"), ("stale", "unavailable")}
    assert [one.package for one in day.packages] == ["0.3.0", "0.2.9"]


def test_a_group_below_five_is_never_shown(acts: Acts, clock: Clock) -> None:
    """Four devices show as none, and none shows as four: the total, too."""
    tell(acts.plane, 4)
    told, empty = seen(acts, clock), seen(acts, clock)
    assert told == replace(empty, day=told.day) == showing.CensusDay(told.day, "production", 0)


def test_looking_twice_at_one_day(acts: Acts, clock: Clock) -> None:
    """Attack: two looks at a day, a report between them. A day is shown once nothing is taken of it any more."""
    plane, day = acts.plane, report(acts.plane).day
    tell(plane, 40)
    for _ in range(2):
        assert day not in {one.day for one in showing.show(plane, acts.id("remy"), days=5)}
        tell(plane, day=day)
        clock.advance(days=1)
    with pytest.raises(MentorplaneError):
        tell(plane, day=day)
    looks = {showing.show(plane, acts.id("remy"), days=1) for _ in range(3)}
    assert len(looks) == 1


# What follows attacks the figures themselves, with every count and every offset.


def world(draw: random.Random, devices: int) -> dict[str, dict[str, int]]:
    """Return counts of so many devices: a total, and three questions with few and rare answers."""
    counts: dict[str, dict[str, int]] = {"all": {"all": devices}} if devices else {}
    for question, answers in (("release", "aaab"), ("state", "aaaaaaaaaaab"), ("package", "aabbc")):
        for answer in draw.choices(answers, k=devices):
            counts.setdefault(question, {}).setdefault(answer, 0)
            counts[question][answer] += 1
    return counts


def worlds(many: int) -> Iterator[tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]]:
    """Yield counts and what is shown of them."""
    draw = random.Random(5)
    for _ in range(many):
        counts = world(draw, draw.choice((draw.randint(0, 14), draw.randint(0, 80))))
        offsets = {(q, a): draw.randrange(LEAST) for q, given in counts.items() for a in given}
        yield counts, shown(counts, lambda question, answer, of=offsets: of[question, answer])  # type: ignore[misc]


def test_subtracting_neighbours_from_the_total() -> None:
    """Attack: the total less the figures of a question, or one question less another, says that a few are hidden.

    For each question that hides one to four devices, nobody hidden is possible by all that is shown.
    """
    few = 0
    for counts, figures in worlds(1_500):
        least = max((sum(some.values()) for some in figures.values()), default=0)
        for question, given in counts.items():
            some = figures.get(question, {})
            assert all(LEAST <= figure <= given[answer] and figure % LEAST == 0 for answer, figure in some.items())
            hidden = sum(count for answer, count in given.items() if answer not in some)
            if 0 < hidden < LEAST:
                few += 1
                assert least <= sum(some.values()) + MOST_ABOVE * len(some), (counts, figures)
    assert few > 200


@pytest.mark.parametrize("offset", range(LEAST))
def test_successive_days_that_differ_by_one_device(offset: int) -> None:
    """Attack: the day before one device went, less the day after. A step is five, and five may have gone for it."""
    figures = [shown({"all": {"all": count}}, lambda *_: offset).get("all", {}).get("all", 0) for count in range(60)]
    for before, after in pairwise(figures):
        assert after - before in {0, LEAST}
    for step in {b - a for a, b in pairwise(figures)}:
        apart = [j - i for i in range(60) for j in range(i, 60) if figures[j] - figures[i] == step]
        assert LEAST - 1 in apart
        assert not step or LEAST in apart


def test_averaging_over_many_days(acts: Acts, clock: Clock) -> None:
    """Attack: the mean of the figures of many days comes near the count. The same counts show the same figures."""
    for _ in range(6):
        tell(acts.plane, 13)
        clock.advance(days=1)
    clock.advance(days=1)
    days = showing.show(acts.plane, acts.id("remy"), days=6)
    assert len({(one.devices, *(each.devices for each in one.states)) for one in days}) == 1


def test_a_group_filled_up_by_made_up_reports() -> None:
    """Attack: four made-up reports beside one real one, to see it appear. Where the line is drawn is not known.

    For four of five offsets, five reports of an answer show no more than four do.
    """
    appears = [bool(shown({"release": {"7": LEAST}}, lambda *_, by=by: by)) for by in range(LEAST)]  # type: ignore[misc]
    assert appears == [True, False, False, False, False]


def test_a_device_tells_a_server_and_people_see_it(settings: Settings, tmp_path: Path) -> None:
    """Over HTTP, from a device's look to the command of a release manager, at the server's home and from elsewhere."""
    plane = open_plane(settings)
    day, remy = plane.now().date() - timedelta(days=2), people.find_person(plane, "remy").id
    tell(replace(plane, clock=lambda: datetime.combine(day, time(12), UTC)), 20)
    token = tmp_path / "token"
    token.write_text(tokens.issue_token(plane, remy))
    plane.close()
    with served(settings) as address:
        trust = shutil.copytree(settings.home / "trust", tmp_path / "trust")
        (trust / "census").write_text(f"{address}/v1/census")
        edge = EdgeRuntime.open(tmp_path / "device", trust=trust, source=f"{address}/edge")
        assert edge.refresh().ok
        yesterday = (day + timedelta(days=1)).isoformat()
        (tmp_path / "device" / "census.json").write_bytes(canonical.encode(Kept(yesterday).as_json()))
        prompt = next(entry for entry in edge.trusted().manifest.entries if entry.kind == "prompt")
        ran = receipt(at=f"{yesterday}T10:00:00Z", prompt=prompt.name, version=prompt.digest, obligations=(), release=1)
        edge.receipts.append(ran, {"output": "so"})
        edge.census = Census(Home(tmp_path / "device"), f"{address}/v1/census", draw=lambda: 0.0)
        assert edge.refresh().ok
        kept = edge.census.kept()
        assert kept is not None
        assert (sorted(type(one).__name__ for one in kept.last), kept.lost) == (["Report", "Root", "RunCount"], 0)
        asked = ["census", "show", "--days", "1", "--json"]
        there = CliRunner().invoke(cli, [*asked, "--server", address, "--token-file", str(token)])
    here = CliRunner().invoke(cli, [*asked, "--home", str(settings.home), "--as", "remy"])
    assert (here.exit_code, there.exit_code) == (0, 0), here.output + there.output
    assert json.loads(here.stdout) == json.loads(there.stdout)
    (shown_day,) = json.loads(here.stdout)
    assert shown_day["day"] == day.isoformat()
    assert 12 <= shown_day["devices"] <= 20
    refused = CliRunner().invoke(cli, [*asked, "--home", str(settings.home), "--as", "maya"])
    assert (refused.exit_code, "devices" in refused.stdout) == (2, False)
