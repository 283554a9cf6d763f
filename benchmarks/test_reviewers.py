"""Fifty reviewers at once for a minute, over HTTP, against a server that was started as people start it.

Run `pytest benchmarks/test_reviewers.py`. Each reviewer, without a pause, goes from proposal to proposal: lists what is
open, looks at their inbox, opens one, comments, runs the checks, reads the comments, and approves, with their
passphrase and the full cost of Argon2. Aims: no error of any kind, and every approval in the log once. Reported:
requests and approvals a second, how long each kind of request takes, and who was told to come again.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mlflow_peer import tree_memory_mb
from control_plane import verifying
from control_plane.accounts import people, tokens
from control_plane.accounts.people import NewPerson
from control_plane.accounts.sealing import SALT_BYTES, derive
from control_plane.demo.parties import Server
from control_plane.overview import queries
from control_plane.plane import ControlPlane, open_plane
from control_plane.reviewing import proposals
from control_plane.seed import seed
from control_plane.settings import Argon2, Settings

pytestmark = pytest.mark.timeout(600)
REVIEWERS, PROPOSALS, LASTS_S = 50, 40, 60
ROLE = "facilitator"
PASSPHRASE = "a passphrase of a reviewer"


@dataclass
class Reviewer:
    """One reviewer: their token, a connection that stays open, and what they met."""

    token: str
    host: str
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    again: int = 0
    approved: int = 0

    def ask(self, what: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask once, and again when told to; note how long the answer took and what was wrong with it."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        while True:
            before = time.perf_counter()
            self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = self._connection.getresponse()
            data = answer.read()
            self.times[what].append(time.perf_counter() - before)
            if answer.status == 503 and answer.getheader("Retry-After"):
                self.again += 1
                time.sleep(float(answer.getheader("Retry-After") or 1))
                continue
            if answer.status >= 400:
                self.errors.append(f"{what}: {answer.status} {data[:200].decode()}")
                return None
            return json.loads(data)

    def work(self, place: int, end: float) -> None:
        """Go from proposal to proposal until the time is over, or everything is approved."""
        self._connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            numbers = [one["number"] for one in self.ask("list", "GET", "/v1/proposals?state=open&limit=100")]
            for turn in range(len(numbers)):
                if time.perf_counter() > end:
                    return
                self._review(numbers[(place + turn) % len(numbers)])
        except Exception as error:  # noqa: BLE001 - whatever ends a reviewer is an error of the benchmark
            self.errors.append(f"{type(error).__name__}: {error}")
        finally:
            self._connection.close()

    def _review(self, number: int) -> None:
        path = f"/v1/proposals/{number}"
        self.ask("list", "GET", "/v1/proposals?state=open&limit=50")
        self.ask("inbox", "GET", "/v1/inbox?limit=50")
        shown = self.ask("open", "POST", f"{path}/open")
        self.ask("comment", "POST", f"{path}/threads", {"text": "Would a learner say it so?"})
        self.ask("check", "POST", f"{path}/check")
        self.ask("read comments", "GET", f"{path}/threads?limit=50")
        manifest = shown["proposal"]["manifest"]
        said = {"role": ROLE, "reason": "Read it aloud.", "passphrase": PASSPHRASE, "manifest": manifest}
        self.approved += self.ask("approve", "POST", f"{path}/approve", said) is not None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded home with the proposals."""
    folder = tmp_path_factory.mktemp("reviewers") / "home"
    plane = open_plane(Settings(home=folder))
    seed(plane, change=None)
    known = json.loads((folder / "demo-people.json").read_bytes())["people"]
    maya = next(person for person in known if person["login"] == "maya")
    shown = queries.show_prompt(plane, "compliment-first-opener")
    for number in range(PROPOSALS):
        text = shown.source.replace("\ninstruction: |\n", f"\ninstruction: |\n  Wording {number}.\n")
        files = {shown.path: text}
        proposals.propose(plane, maya["id"], files=files, title=f"Wording {number}", passphrase=maya["passphrase"])
    plane.close()
    return folder


@pytest.fixture(scope="module")
def reviewers(home: Path) -> list[str]:
    """The tokens of the reviewers, who are enrolled before the server starts."""
    plane = open_plane(Settings(home=home))
    new = [(NewPerson(f"reviewer{n}", f"Reviewer {n}", (ROLE,)), PASSPHRASE) for n in range(REVIEWERS)]
    issued = tokens.issue_tokens(plane, [person.id for person in people.enrol_all(plane, new)])
    plane.close()
    return list(issued)


@pytest.fixture(scope="module")
def server(home: Path, reviewers: list[str]) -> Iterator[Server]:
    """The server."""
    server = Server(home)
    yield server
    server.close()


def report(crowd: list[Reviewer], took_s: float) -> None:
    """Print what was done, and how long it took."""
    times: dict[str, list[float]] = defaultdict(list)
    for one in crowd:
        for what, some in one.times.items():
            times[what] += some
    everything = [taken for some in times.values() for taken in some]
    print(f"\n{len(everything) / took_s:.0f} requests/s, {len(times['approve']) / took_s:.1f} approvals/s")
    print(f"told to come again: {sum(one.again for one in crowd)}")
    for what, some in [*times.items(), ("all", everything)]:
        p95 = statistics.quantiles(some, n=20)[-1]
        print(f"{what}: {len(some)}, p50 {statistics.median(some) * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms")


def derivation_s() -> float:
    """Return how long one derivation takes now: how busy the machine is with other things."""
    before = time.perf_counter()
    derive("a passphrase", bytes(SALT_BYTES), Argon2())
    return time.perf_counter() - before


def processor_s(pid: int) -> float:
    """Return how long a process has had a processor since it started."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def approvals(plane: ControlPlane, crowd: int) -> int:
    """Return how many approvals the proposals hold, none of them twice."""
    found = [
        (one.number, signature.person)
        for one in queries.list_proposals(plane)[:crowd]
        for signature in queries.show_proposal(plane, one.number).signatures
        if signature.act == "approve"
    ]
    assert len(found) == len(set(found))
    return len(found)


def test_fifty_reviewers_for_a_minute(
    home: Path, server: Server, reviewers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody meets an error; every approval that was answered stands, once; the log verifies."""
    idle_s = derivation_s()
    crowd = [Reviewer(token, server.url.removeprefix("http://")) for token in reviewers]
    started = time.perf_counter()
    ends = started + LASTS_S
    threads = [threading.Thread(target=one.work, args=(place, ends)) for place, one in enumerate(crowd)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - started
    with capsys.disabled():
        report(crowd, took_s)
        print(f"one Argon2 derivation before that: {idle_s * 1e3:.0f} ms")
        print(f"memory of the server: {tree_memory_mb(server.pid)} MB, processor time {processor_s(server.pid):.0f} s")
    assert [error for one in crowd for error in one.errors] == []
    plane = open_plane(Settings(home=home))
    assert approvals(plane, PROPOSALS) == sum(one.approved for one in crowd)
    assert verifying.verify(plane).ok
    plane.close()
