"""Searching a log of one million synthetic events, on SQLite and on PostgreSQL.

Run `pytest benchmarks/test_search.py`. Aim: p95 of at most 50 ms for a page of 100, whatever is combined, found or not.
The events are real leaves of three years by 400 people about 1,000 prompts, with reasons of words from a Zipf-like
vocabulary; they are written straight into the tables, with the index made by the function that the server uses. The
queries include the worst that the design could think of: two terms that half of the log has and no entry both, one
entry in a million, words that are everywhere and together nowhere, the oldest page of a common term, a period that
cuts its blocks. `MENTORPLANE_BENCH_EVENTS` sets another number of events.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from control_plane import db, ledger
from control_plane.evidence import search as evidence
from control_plane.ledger.search import Query, search_in
from control_plane.plane import ControlPlane, open_plane
from control_plane.settings import Settings
from tests import postgres
from tests.server.audit_events import PEOPLE, START, STEP_S, digest, fill

EVENTS = int(os.environ.get("MENTORPLANE_BENCH_EVENTS", "1000000"))
ROUNDS = 60


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ControlPlane]]:
    """Control planes with the events, one on each database; without PostgreSQL only the other."""
    homes = tmp_path_factory.mktemp("search")
    with ExitStack() as stack:
        made = {"sqlite": open_plane(Settings(home=homes / "sqlite"))}
        with suppress(postgres.NoServer):
            server = stack.enter_context(postgres.running(durable=True))
            url = stack.enter_context(postgres.database(server))
            shutil.copytree(homes / "sqlite" / "keys", homes / "postgresql" / "keys")
            made["postgresql"] = open_plane(Settings(home=homes / "postgresql", database_url=url))
        started = time.perf_counter()
        fill(list(made.values()), EVENTS)
        sys.stderr.write(f"\n{EVENTS} events on {' and '.join(made)}: {time.perf_counter() - started:.0f} s\n")
        yield made
        for plane in made.values():
            plane.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def plane(request: pytest.FixtureRequest, planes: dict[str, ControlPlane]) -> ControlPlane:
    """The control plane on one of the databases."""
    if request.param not in planes:
        pytest.skip("no PostgreSQL")
    return planes[request.param]


def middle(part: float) -> datetime:
    """Return the time when that part of the log was written."""
    return START + timedelta(seconds=int(STEP_S * EVENTS * part))


BUSY, QUIET = f"p-{0:012x}", f"p-{PEOPLE - 1:012x}"
QUERIES: dict[str, Query] = {
    "newest, no filter": Query(),
    "one act that a quarter has": Query(act="approved"),
    "the oldest page of a common act": Query(act="approved", before=400),
    "one entry in a million": Query(act="withdrawn"),
    "rare and common": Query(act="withdrawn", channel="production", version="prompt-1@7"),
    "two that half has, together nowhere": Query(act="released", channel="pilot"),
    "busy person, act": Query(actor=BUSY, act="rejected"),
    "quiet person, prompt, act, channel": Query(actor=QUIET, name="prompt-999", act="approved", channel="pilot"),
    "prompt": Query(name="prompt-0"),
    "version by name and epoch": Query(version="prompt-3@11"),
    "version by digest": Query(version=digest("3@11")),
    "manifest": Query(manifest=digest(f"manifest {EVENTS // 80}")),
    "a month": Query(since=middle(0.5), until=middle(0.5) + timedelta(days=30)),
    "a minute, nothing in it": Query(
        since=middle(0.5) + timedelta(seconds=1), until=middle(0.5) + timedelta(seconds=2)
    ),
    "a common act over two years": Query(act="approved", since=middle(0.1), until=middle(0.8)),
    "one common word": Query(words="w0"),
    "three common words": Query(words="w0 w1 w2"),
    "words of half each, together nowhere": Query(words="even odd"),
    "needle": Query(words="heuhaufen nadel"),
    "a word that nobody wrote": Query(words="absent"),
    "everything at once": Query(
        act="approved",
        actor=BUSY,
        name="prompt-1",
        channel="pilot",
        words="w0 even",
        since=middle(0.2),
        until=middle(0.9),
    ),
    "a digest that nothing has": Query(version=digest("nothing")),
    "the policy that two thirds have, oldest": Query(name=digest("policy"), until=middle(0.001)),
}


@pytest.mark.benchmark(group="search at one million events")
@pytest.mark.parametrize("name", QUERIES)
def test_search(benchmark: BenchmarkFixture, plane: ControlPlane, name: str) -> None:
    """A page of 100 by the index, each entry read and parsed; without the entry that a reading leaves."""
    query = QUERIES[name]

    def search() -> int:
        with db.read(plane.engine) as session:
            return len(search_in(plane, session, query))

    benchmark.extra_info["found"] = search()
    benchmark.pedantic(search, rounds=ROUNDS, iterations=1, warmup_rounds=2)


@pytest.mark.benchmark(group="a reading at one million events")
@pytest.mark.parametrize("proof_files", [False, True])
def test_read(benchmark: BenchmarkFixture, plane: ControlPlane, proof_files: bool) -> None:
    """The whole use case: a durable entry of the reading, published, then 100 hits, each with its inclusion proof."""

    def read() -> None:
        found = evidence.read(plane, ledger.SYSTEM, Query(act="approved"), proof_files=proof_files)
        assert len(found) == 100
        assert all(hit.proof for hit in found)

    benchmark.pedantic(read, rounds=ROUNDS, iterations=1, warmup_rounds=2)
