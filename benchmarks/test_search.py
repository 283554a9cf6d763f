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
import random
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import islice
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from sqlalchemy import text
from sqlmodel import Session, SQLModel

from audit import merkle
from audit.record import (
    Act,
    Auth,
    LeafActor,
    LeafObject,
    LeafReason,
    LeafRecord,
    LeafSignature,
    Outcome,
    encode_leaf,
)
from control_plane import db, ledger
from control_plane.evidence import index, postings
from control_plane.evidence import search as evidence
from control_plane.evidence.tables import PostingRow, SpanRow
from control_plane.evidence.terms import word_key
from control_plane.ledger.head import head
from control_plane.ledger.search import Query, search_in
from control_plane.plane import ControlPlane, open_plane
from control_plane.registry.tables import LeafRow
from control_plane.settings import Settings
from edge_runtime.core.manifest import Entry
from tests import postgres

EVENTS = int(os.environ.get("MENTORPLANE_BENCH_EVENTS", "1000000"))
ROUNDS = 60
START = datetime(2024, 1, 1, tzinfo=UTC)
STEP_S = 94  # a million events in three years
PEOPLE, PROMPTS, WORDS = 400, 1000, 8000
COMMIT = "hmac-sha256:" + "5" * 64
SIGNED = {Act.PROPOSED: "authorship", Act.APPROVED: "approval", Act.REJECTED: "rejection", Act.WITHDRAWN: "withdrawal"}
ACTS = {
    Act.APPROVED: 24,
    Act.AUDIT_READ: 20,
    Act.CHECKED: 14,
    Act.PROPOSED: 12,
    Act.TOKEN_ISSUED: 12,
    Act.SIGNED_IN_FAILED: 6,
    Act.EDITED: 5,
    Act.RELEASED: 4,
    Act.REFUSED: 2,
    Act.REJECTED: 1,
}


@cache
def digest(what: str) -> str:
    """Return a digest that stands for something."""
    return "sha256:" + sha256(what.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Event:
    """A leaf with what it concerns and the reason behind it."""

    record: LeafRecord
    entries: tuple[Entry, ...]
    reason: str


def events(count: int) -> Iterator[Event]:
    """Yield events, always the same ones."""
    draw = random.Random(7)
    acts, weights = list(ACTS), list(ACTS.values())
    words = [f"w{number}" for number in range(WORDS)]
    frequent = [1 / (1 + number) for number in range(WORDS)]
    chosen = draw.choices(acts, weights, k=count)
    spoken = draw.choices(words, frequent, k=8 * count // 2)
    for seq, act in enumerate(chosen):
        if seq == count // 3:
            act = Act.WITHDRAWN  # noqa: PLW2901 - the one in a million
        person = f"p-{int(PEOPLE * draw.random() ** 2):012x}"
        prompt = int(PROMPTS * draw.random() ** 2)
        epoch = 1 + seq * 20 // count
        governed = act in SIGNED or act in {Act.RELEASED, Act.CHECKED, Act.EDITED}
        manifest = digest(f"manifest {seq // 40}") if governed else ""
        signed = act in SIGNED
        entry = Entry("prompt", f"prompt-{prompt}", epoch, digest(f"{prompt}@{epoch}"), "R2", person)
        word = (seq * 4) % (len(spoken) - 8)
        # No reason holds both "even" and "odd", which half of them hold each.
        reason = f"{' '.join(spoken[word : word + 8])} {'even' if seq % 2 else 'odd'}" if signed else ""
        if seq == count // 5:
            reason += " Nadel im Heuhaufen"
        record = LeafRecord(
            act=act,
            outcome={Act.REFUSED: Outcome.REFUSED, Act.SIGNED_IN_FAILED: Outcome.FAILED}.get(act, Outcome.DONE),
            actor=LeafActor(person, "facilitator", Auth.PASSPHRASE, "console", COMMIT),
            object=LeafObject("proposal" if governed else "person", f"proposal-{seq // 40}" if governed else person),
            at=START + timedelta(seconds=STEP_S * seq),
            seq=seq,
            id=f"{seq:08x}-0000-7000-8000-{seq:012x}",
            organisation="example-coaching",
            # Nothing is ever released to the pilot channel, which half of the log is about.
            channel="pilot" if seq % 2 and act is not Act.RELEASED else "production",
            manifest=manifest,
            policy=digest("policy") if governed else "",
            tier="R2" if governed else "",
            signature=LeafSignature(SIGNED[act], digest(person), "sha256:" + sha256(b"%d" % seq).hexdigest())
            if signed
            else LeafSignature(),
            reason=LeafReason("", COMMIT if reason else ""),
            subject="k-" + person[2:10],
        )
        yield Event(record, (entry,) if signed or act is Act.RELEASED else (), reason)


class Bytes:
    """The bytes of leaves, quicker than `encode_leaf` one by one: what one act makes differs in a few members only."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, ...], bytes] = {}

    def of(self, record: LeafRecord) -> bytes:
        """Return the bytes of a leaf; those of every thousandth are compared with what `encode_leaf` says."""
        shape = (record.act, record.channel, record.reason.text, record.object.kind)
        if shape not in self._shapes:
            signature = record.signature
            blank = replace(
                record,
                id=BLANK_ID,
                seq=BLANK_SEQ,
                actor=replace(record.actor, id=BLANK_PERSON),
                object=replace(record.object, name=BLANK_NAME),
                at=BLANK_AT,
                manifest=record.manifest and digest(BLANK_NAME),
                signature=replace(
                    signature, key=signature.key and digest("k"), statement=signature.key and digest("s")
                ),
                subject=BLANK_SUBJECT,
            )
            self._shapes[shape] = encode_leaf(blank)
        data = self._shapes[shape]
        for blank_value, value in (
            (f'"seq":{BLANK_SEQ}', f'"seq":{record.seq}'),
            (BLANK_ID, record.id),
            (BLANK_PERSON, record.actor.id),
            (BLANK_NAME, record.object.name),
            (f"{BLANK_AT:%Y-%m-%dT%H:%M:%S}", record.at.isoformat()[:19]),
            (digest(BLANK_NAME), record.manifest),
            (digest("k"), record.signature.key),
            (digest("s"), record.signature.statement),
            (BLANK_SUBJECT, record.subject),
        ):
            data = data.replace(blank_value.encode(), value.encode())
        assert record.seq % 1000 or data == encode_leaf(record)
        return data


BLANK_ID, BLANK_SEQ, BLANK_AT = "ffffffff-ffff-7fff-8fff-ffffffffffff", 999_999_999, datetime(1999, 9, 9, tzinfo=UTC)
BLANK_PERSON, BLANK_NAME, BLANK_SUBJECT = "p-blank", "the-blank-name", "k-blank"


def fill(planes: Sequence[ControlPlane], count: int) -> None:
    """Write the same events into the tables of some control planes, and publish their logs."""
    keys = {word_key(plane) for plane in planes}
    assert len(keys) == 1, "they share their keys, so that one index serves all"
    stream, encode, grown, block = events(count), Bytes(), merkle.Frontier(), 0
    with ExitStack() as stack:
        sessions = [stack.enter_context(db.write(plane.engine)) for plane in planes]
        while part := list(islice(stream, postings.BLOCK_ENTRIES)):
            data = [encode.of(event.record) for event in part]
            grown = grown.extend(map(merkle.leaf_hash, data))
            sets = index.sets_of(
                [event.record for event in part],
                {event.record.seq: event.entries for event in part},
                {event.record.seq: (event.reason,) for event in part if event.reason},
                key=next(iter(keys)),
            )
            times = [int(event.record.at.timestamp()) for event in part]
            rows: dict[type[SQLModel], list[tuple[Any, ...]]] = {
                LeafRow: [_row(event.record, one) for event, one in zip(part, data, strict=True)],
                PostingRow: [(term, block, postings.encode_bits(bits)) for term, bits in sorted(sets.items())],
                SpanRow: [(block, min(times), max(times))],
            }
            for session in sessions:
                for table, given in rows.items():
                    _write(session, table, given)
            block += 1
        for session in sessions:
            head(session).frontier = grown.encode()
    for plane in planes:
        ledger.publish_log(plane)
        with plane.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("ANALYZE"))


def _row(record: LeafRecord, data: bytes) -> tuple[Any, ...]:
    """Return the row of a leaf, in the order of the table; columns that it says nothing for stay empty."""
    target = record.object
    said = {"seq": record.seq, "data": data, "act": str(record.act), "actor": record.actor.id, "at": record.at}
    said |= {"role": record.actor.role, "kind": target.kind, "name": target.name}
    said |= {"manifest": record.manifest, "channel": record.channel}
    return tuple(said.get(name, "") for name in LeafRow.model_fields)


def _write(session: Session, table: type[SQLModel], rows: list[tuple[Any, ...]]) -> None:
    connection, names = session.connection(), list(table.model_fields)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        plain = [tuple(f"{v:%Y-%m-%d %H:%M:%S.%f}" if isinstance(v, datetime) else v for v in row) for row in rows]
        connection.exec_driver_sql(f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({marks})", plain)
        return
    into = f"COPY {table.__tablename__} ({', '.join(names)}) FROM STDIN"
    with connection.connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)


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
