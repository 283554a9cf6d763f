"""Ten thousand proposals: lists, searches and inboxes, each p95 at most 50 ms; and saving a draft over HTTP.

Run `pytest benchmarks/test_proposals.py`. The proposals are rows with entries of the log and titles, made in one
transaction beside the use cases, which would take an hour; what is measured is what the routes call.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from audit.record import Act, Auth, LeafObject
from control_plane import ledger, texts
from control_plane.accounts import people
from control_plane.demo.parties import Server
from control_plane.overview import listing, queries
from control_plane.overview.listing import Search
from control_plane.plane import ControlPlane, open_plane
from control_plane.seed import seed
from control_plane.settings import Settings
from control_plane.tables.registry import ProposalRow, RevisionRow
from control_plane.tables.reviewing import ChangeRow, WaitingRow

pytestmark = pytest.mark.timeout(900)
COUNT, ROUNDS = 10_000, 40
MAX_P95_S = 0.05
STATES = ("open", "open", "released", "rejected", "expired")
WORDS = ("warmer", "shorter", "clearer", "friendlier", "safer", "plainer")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A seeded home with ten thousand proposals."""
    plane = open_plane(Settings(home=tmp_path_factory.mktemp("proposals") / "home"))
    seed(plane)
    fill(plane, COUNT)
    yield plane
    plane.close()


def fill(plane: ControlPlane, count: int) -> None:
    """Make the proposals: like the one that is open, each with a title, changes and what it waits for."""
    author = people.find_person(plane, "maya").id
    shown = queries.show_proposal(plane, 2)
    with ledger.act(plane) as session:
        like = session.get(RevisionRow, (2, 1))
        assert like is not None
        for n in range(count):
            state, leaf = STATES[n % len(STATES)], ledger.next_index(session)
            now = plane.now()
            row = ProposalRow(
                channel=plane.settings.channels[n % 2],
                leaf=leaf,
                state=state,
                revision=1,
                author=author,
                expires_at=shown.proposal.expires_at,
                at=now,
            )
            session.add(row)
            session.flush()
            number = row.number or 0
            revision = RevisionRow(
                proposal=number,
                revision=1,
                editor=author,
                digest=f"sha256:{n:064x}",
                base=like.base,
                manifest=b"{}",
                files=[],
                removed=[],
                at=now,
            )
            session.add(revision)
            session.flush()
            session.add(ChangeRow(proposal=number, kind="prompt", name=f"script-{n % 500}", digest=""))
            if state == "open":
                session.add(WaitingRow(proposal=number, what="approve", role="facilitator"))
            title = f"A {WORDS[n % len(WORDS)]} wording number {n}"
            target = LeafObject("proposal", f"proposal-{number}", f"sha256:{n:064x}", "1")
            event = ledger.Event(Act.PROPOSED, author, "author", Auth.SYSTEM, target, reason=texts.say(plane, title))
            ledger.append(plane, session, event)
            session.expunge_all()


def p95(act: Callable[[int], object]) -> float:
    """Return the 95th percentile of how long an act takes, in seconds."""
    times = []
    for n in range(ROUNDS):
        before = time.perf_counter()
        act(n)
        times.append(time.perf_counter() - before)
    return statistics.quantiles(times, n=20)[-1]


QUESTIONS: dict[str, Callable[[ControlPlane, int], object]] = {
    "the newest": lambda plane, n: listing.find_proposals(plane, Search(limit=50)),
    "a page in the middle": lambda plane, n: listing.find_proposals(plane, Search(before=9000 - 100 * n, limit=50)),
    "by state and channel": lambda plane, n: listing.find_proposals(
        plane, Search("rejected", "pilot", before=9000 - 100 * n, limit=50)
    ),
    "by name": lambda plane, n: listing.find_proposals(plane, Search(name=f"script-{n}", limit=50)),
    "by a common word": lambda plane, n: listing.find_proposals(plane, Search(words=WORDS[n % 6], limit=50)),
    "by a rare word": lambda plane, n: listing.find_proposals(plane, Search(words=f"{n * 211}", limit=50)),
    "waiting for me": lambda plane, n: listing.find_proposals(
        plane, Search(waiting_for=people.find_person(plane, "tom").id, limit=50)
    ),
    "inbox": lambda plane, n: listing.inbox(plane, "tom", limit=50),
    "inbox of nobody's": lambda plane, n: listing.inbox(plane, "ines", limit=50),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_about_ten_thousand_proposals(
    plane: ControlPlane, question: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each answer with fifty proposals takes 50 ms at most, at the 95th percentile."""
    ask = QUESTIONS[question]
    ask(plane, 0)
    took = p95(lambda n: ask(plane, n))
    with capsys.disabled():
        print(f"\n{question}: p95 {took * 1e3:.1f} ms")
    assert took <= MAX_P95_S


def test_saving_a_draft_over_http(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Saving a version is one durable transaction: 20 ms at most, at the median."""
    server = Server(tmp_path / "home")
    headers = {"Authorization": f"Bearer {server.people['maya']['token']}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        shown = client.get("/v1/prompts/compliment-first-opener").json()
        numbers, times = itertools.count(), []
        made = client.post("/v1/drafts", json={"title": "A wording", "files": {shown["path"]: shown["source"]}}).json()
        for revision in range(1, ROUNDS + 1):
            text = shown["source"].replace("\ninstruction: |\n", f"\ninstruction: |\n  Wording {next(numbers)}.\n")
            before = time.perf_counter()
            answer = client.put(f"/v1/drafts/{made['id']}", json={"files": {shown["path"]: text}, "revision": revision})
            times.append(time.perf_counter() - before)
            assert answer.status_code == 200, answer.text
    server.close()
    with capsys.disabled():
        print(f"\nsave a version of a draft: p50 {statistics.median(times) * 1e3:.1f} ms")
    assert statistics.median(times) <= 0.02
