"""The census on the device: what leaves, once a day or not at all, and nothing that tells one device from another."""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime, InvalidDocument
from edge_runtime.census import Census
from edge_runtime.core import canonical, counts
from edge_runtime.core.census import MAX_BYTES, Report, day_of, report_document
from edge_runtime.delivery.access import Access
from tests.edge.test_cli import invoke
from tests.published import Published, published_once

DAY_S, SPREAD_S = 86_400, 900
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
HEADERS = {"host", "accept-encoding", "content-length", "content-type", "user-agent"}
MEMBERS = {"format", "channel", "day", "release", "newest", "stage", "withdrawals", "fresh", "refresh", "package"}


class Counter:
    """A server that keeps every byte of each request and gives one answer; without one it hangs up."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.answer = TAKEN
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1/census"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                got = b""
                while b"\r\n\r\n" not in got or not got.endswith(b"}"):
                    got += connection.recv(65_536)
                self.asked.append(got)
                connection.sendall(self.answer)

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


class Clock:
    """The device's clock."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """An organisation with one release."""
    return published_once(tmp_path_factory.mktemp("organisation"))


@pytest.fixture
def published(organisation: Published, tmp_path: Path) -> Published:
    """A copy of it."""
    return organisation.copied(tmp_path / "organisation")


@pytest.fixture
def counter() -> Iterator[Counter]:
    """Where devices tell."""
    made = Counter()
    with closing(made):
        yield made


@pytest.fixture
def clock(published: Published) -> Clock:
    """Noon of the day of the release."""
    return Clock(published.now.timestamp() // DAY_S * DAY_S + DAY_S // 2)


def device(published: Published, home: Path, counter: Counter, clock: Clock) -> EdgeRuntime:
    """A device whose app names who is told."""
    (published.trust / "census").write_text(counter.address)
    return EdgeRuntime.open(home, trust=published.trust, source=str(published.folder), clock=clock)


@pytest.fixture
def edge(published: Published, tmp_path: Path, counter: Counter, clock: Clock) -> EdgeRuntime:
    """A device on its second day: its first is not counted."""
    made = device(published, tmp_path / "home", counter, clock)
    assert made.refresh().ok
    clock.now += DAY_S
    return made


def looks(edge: EdgeRuntime, clock: Clock, many: int = 3) -> None:
    """Let a device look, as often as an app that is open for a while."""
    for _ in range(many):
        assert edge.refresh().ok
        clock.now += SPREAD_S


def told(counter: Counter) -> list[Report]:
    """What the server was told."""
    return [counts.parse(request.partition(b"\r\n\r\n")[2]) for request in counter.asked]


def test_the_bytes_on_the_wire_hold_no_identity(edge: EdgeRuntime, counter: Counter, clock: Clock) -> None:
    """One request, with these headers and members and no others, each of a value that many devices share."""
    looks(edge, clock)
    (request,) = counter.asked
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert first == "POST /v1/census HTTP/1.1"
    assert set(headers) == HEADERS
    assert headers["user-agent"] == "mentorplane"
    document = json.loads(body)
    assert set(document) == MEMBERS
    assert document == {
        "format": "mentorplane-census/1",
        "channel": "production",
        "day": day_of(int(clock.now)),
        "release": 1,
        "newest": 1,
        "stage": 1,
        "withdrawals": 0,
        "fresh": document["fresh"],
        "refresh": "ok",
        "package": document["package"],
    }
    assert document["fresh"] in {"fresh", "stale"}  # noon of the next day is more than a day after a release at night
    assert document["package"].count(".") == 2
    assert body == canonical.encode(document)


def test_two_devices_send_the_same_bytes(
    edge: EdgeRuntime, published: Published, tmp_path: Path, counter: Counter, clock: Clock
) -> None:
    """Attack: to know a device again by what it tells. Two with the same release differ in no byte."""
    clock.now -= DAY_S
    other = device(published, tmp_path / "other", counter, clock)
    assert other.refresh().ok
    clock.now += DAY_S
    looks(edge, clock)
    clock.now -= 3 * SPREAD_S
    looks(other, clock)
    one, another = counter.asked
    assert one == another


def test_a_day_is_told_of_once_whatever_is_opened_again(
    edge: EdgeRuntime, published: Published, tmp_path: Path, counter: Counter, clock: Clock
) -> None:
    """An app that is opened again and again, and one whose clock is set back and forward, tells a day once."""
    looks(edge, clock)
    for _ in range(3):
        looks(device(published, tmp_path / "home", counter, clock), clock, many=2)
    clock.now -= 2 * DAY_S
    looks(edge, clock)
    clock.now += 2 * DAY_S
    looks(edge, clock)
    assert len(counter.asked) == 1
    clock.now += DAY_S
    looks(edge, clock)
    assert [report.day for report in told(counter)] == [day_of(int(clock.now - DAY_S)), day_of(int(clock.now))]


def test_processes_on_one_home_tell_a_day_once(edge: EdgeRuntime, counter: Counter, clock: Clock) -> None:
    """Several processes that look at one moment tell one report."""
    assert edge.refresh().ok
    clock.now += SPREAD_S
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=edge.refresh) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 4
    assert len(counter.asked) == 1


@pytest.mark.parametrize("harm", ["gone", "damaged", "of another format"])
def test_a_home_that_may_have_told_does_not(
    edge: EdgeRuntime, tmp_path: Path, counter: Counter, clock: Clock, harm: str
) -> None:
    """Rather not counted than counted twice: without a sound memory a day passes untold, and the next one counts."""
    looks(edge, clock)
    kept = tmp_path / "home" / "census.json"
    if harm == "gone":
        kept.unlink()
    else:
        kept.write_bytes(kept.read_bytes()[:-9] if harm == "damaged" else b'{"format":"mentorplane-census-kept/9"}')
    looks(edge, clock)
    assert len(counter.asked) == 1
    clock.now += DAY_S
    looks(edge, clock)
    assert len(counter.asked) == 2


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", b"nonsense"])
def test_what_may_have_arrived_is_not_told_again(
    edge: EdgeRuntime, counter: Counter, clock: Clock, answer: bytes
) -> None:
    """A server that hangs up, fails or talks nonsense may have counted: the report is lost, the look is well."""
    counter.answer = answer
    looks(edge, clock, many=5)
    kept = edge.census.kept()
    assert kept is not None
    assert (len(counter.asked), kept.lost, kept.waiting, kept.last) == (1, 1, (), ())


def test_a_report_sent_on_elsewhere(edge: EdgeRuntime, counter: Counter, clock: Clock) -> None:
    """Attack: the server sends devices on to another, which would see them. No redirect is followed."""
    other = Counter()
    counter.answer = f"HTTP/1.1 307 Go\r\nLocation: {other.address}\r\nContent-Length: 0\r\n\r\n".encode()
    looks(edge, clock)
    assert (len(counter.asked), other.asked) == (1, [])
    other.close()


def test_what_waits_is_bounded(edge: EdgeRuntime, published: Published, counter: Counter, clock: Clock) -> None:
    """With nobody to tell, looks stay well; two reports wait at most, what is older is lost and counted as lost."""
    counter.close()
    for _ in range(4):
        looks(edge, clock, many=2)
        clock.now += DAY_S - 2 * SPREAD_S
    kept = edge.census.kept()
    assert kept is not None
    assert len(kept.waiting) <= 2
    assert len(kept.waiting) + kept.lost == 4
    again = Counter()
    (published.trust / "census").write_text(again.address)
    later = device(published, edge._home.folder, again, clock)
    looks(later, clock, many=6)
    days = [report.day for report in told(again)]
    assert days == [day_of(int(clock.now) - DAY_S), day_of(int(clock.now))]
    again.close()


def test_turned_off_sends_nothing(edge: EdgeRuntime, tmp_path: Path, counter: Counter, clock: Clock) -> None:
    """By the person's preference: what waits is dropped, nothing is made, and nothing is made up for afterwards."""
    assert edge.refresh().ok
    edge.census.turn(on=False)
    clock.now += SPREAD_S
    looks(edge, clock)
    clock.now += DAY_S
    looks(edge, clock)
    kept = edge.census.kept()
    assert kept is not None
    assert (counter.asked, kept.waiting) == ([], ())
    turned = invoke("census", "--home", str(tmp_path / "home"), "--turn", "on", "--json")
    assert (turned.exit_code, json.loads(turned.stdout)["off"]) == (0, False)
    looks(edge, clock)
    assert [report.day for report in told(counter)] == [day_of(int(clock.now))]


def test_the_policy_turns_it_off(edge: EdgeRuntime, published: Published, counter: Counter, clock: Clock) -> None:
    """A rule that asks for no telemetry whatever the text is one for the census too; one about some texts is not."""
    documents = published.organisation.base_documents()
    policy = json.loads(documents["policy", "organisation"])
    rule = {"id": "quiet", "because": "so", "when": {}, "at_most": "cloud", "require": ["no-telemetry"]}
    policy["rules"] = [*policy["rules"], rule]
    documents["policy", "organisation"] = canonical.encode(policy)
    assert edge.refresh().ok
    published.release(documents)
    clock.now += SPREAD_S
    looks(edge, clock)
    clock.now += DAY_S
    looks(edge, clock)
    kept = edge.census.kept()
    assert edge.status().release == 2
    assert kept is not None
    assert (counter.asked, kept.waiting) == ([], ())


def test_an_app_that_names_nobody_tells_nobody(published: Published, tmp_path: Path, clock: Clock) -> None:
    """Without an address from the app there is no census, and no trace of one in the home."""
    edge = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder), clock=clock)
    looks(edge, clock)
    assert not list((tmp_path / "home").glob("census*"))


@pytest.mark.parametrize(
    "address", ["http://coach.example/v1/census", "https://u:p@coach.example/", "/tmp/x", "https://a/?id=7"]
)
def test_an_address_that_others_read_or_that_names_a_device_is_refused(
    published: Published, tmp_path: Path, address: str
) -> None:
    """Only TLS or this machine, and no name, secret or query in the address."""
    (published.trust / "census").write_text(address)
    with pytest.raises(InvalidDocument):
        EdgeRuntime.open(tmp_path / "home", trust=published.trust)


def test_the_apps_token_goes_to_the_server_that_it_is_for(edge: EdgeRuntime, counter: Counter, clock: Clock) -> None:
    """The census of the same server gets it, and nobody else."""
    elsewhere, standing = Counter(), edge._held.standing if edge._held else None
    looked = edge.refresh()
    assert standing
    for told_to, day in ((counter, 1), (elsewhere, 2)):
        access = Access(counter.address.replace("/v1/census", "/edge"), "app-1")
        census = Census(edge._home, told_to.address, access, draw=lambda: 0.0)
        census.look(standing, looked, fresh="fresh", now=int(clock.now) + day * DAY_S)
    assert {request.count(b"\r\nAuthorization: Bearer app-1\r\n") for request in counter.asked} == {1}
    assert not any(b"app-1" in request or b"uthorization" in request for request in elsewhere.asked)
    assert len(elsewhere.asked) == 1
    elsewhere.close()


def test_no_failure_of_the_census_disturbs_a_look(
    edge: EdgeRuntime, tmp_path: Path, counter: Counter, clock: Clock
) -> None:
    """A home that cannot keep it, and a clock that shows no day, leave the look as it is."""
    (tmp_path / "home" / "census.json").unlink()
    (tmp_path / "home" / "census.json").mkdir()
    looks(edge, clock)
    assert edge._held
    edge.census.look(edge._held.standing, edge.refresh(), fresh="fresh", now=10**15)
    assert counter.asked == []


def test_a_report_reads_back_and_no_flipped_byte_does_harm() -> None:
    """Encode and parse are inverse; a changed byte is refused, or is another report that a device could tell."""
    report = Report("production", "2026-11-27", 12, 13, 2, 3, "stale", "unavailable", "0.3.0")
    data = counts.encode(report)
    assert counts.parse(data) == report
    assert len(data) < MAX_BYTES
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            read = counts.parse(flipped)
        except InvalidDocument:
            continue
        assert counts.encode(read) == flipped
        assert set(report_document(read)) == MEMBERS
