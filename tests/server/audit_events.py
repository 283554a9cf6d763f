"""A long log of synthetic events, always the same ones, written straight into the tables with the server's own index.

Real leaves of three years by some hundred people about a thousand prompts, with reasons of words as frequent as words
are. It holds what is hard for an index: two terms that half of the log has each and no entry both, one entry in the
whole log, words that are everywhere and together nowhere.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache, partial
from hashlib import sha256
from itertools import product
from multiprocessing import get_context
from typing import Any

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
from control_plane.index import keeping as index
from control_plane.index import postings
from control_plane.index.spans import spans_of
from control_plane.index.terms import word_key
from control_plane.ledger.head import head
from control_plane.plane import ControlPlane
from control_plane.tables.index import PostingRow, SpanRow
from control_plane.tables.registry import LeafRow
from edge_runtime.core.manifest import Entry

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


SPOKEN = [f"w{number}" for number in range(WORDS)]
FREQUENT = [1 / (1 + number) for number in range(WORDS)]
GOVERNED = {*SIGNED, Act.RELEASED, Act.CHECKED, Act.EDITED}
OUTCOMES = {Act.REFUSED: Outcome.REFUSED, Act.SIGNED_IN_FAILED: Outcome.FAILED}
UNSIGNED = LeafSignature()
LONG = 50_000


@cache
def digest(what: str) -> str:
    """Return a digest that stands for something."""
    return "sha256:" + sha256(what.encode()).hexdigest()


POLICY = digest("policy")


@dataclass(frozen=True, slots=True)
class Event:
    """A leaf with what it concerns and the reason behind it."""

    record: LeafRecord
    entries: tuple[Entry, ...]
    reason: str


def events(count: int) -> Iterator[Event]:
    """Yield the events of a log of that many, always the same ones."""
    for block in range(-(-count // postings.BLOCK_ENTRIES)):
        yield from block_of_events(block, count)


def block_of_events(block: int, count: int) -> list[Event]:
    """Return the events of one block of the log, the same whichever block was asked for before."""
    draw, width = random.Random(block), postings.BLOCK_ENTRIES
    first = block * width
    acts = draw.choices(list(ACTS), list(ACTS.values()), k=width)
    spoken = draw.choices(SPOKEN, FREQUENT, k=4 * width)
    return [
        _event(seq, count, act=act, draw=draw, spoken=spoken)
        for seq, act in zip(range(first, min(first + width, count)), acts, strict=False)
    ]


def _event(seq: int, count: int, *, act: Act, draw: random.Random, spoken: Sequence[str]) -> Event:
    if seq == count // 3:
        act = Act.WITHDRAWN  # the one in a million
    actor, prompt, epoch = (
        _actor(int(PEOPLE * draw.random() ** 2)),
        int(PROMPTS * draw.random() ** 2),
        seq * 20 // count,
    )
    governed, signed = act in GOVERNED, act in SIGNED
    word = (seq * 4) % (len(spoken) - 8)
    # No reason holds both "even" and "odd", which half of them hold each.
    reason = f"{' '.join(spoken[word : word + 8])} {'even' if seq % 2 else 'odd'}" if signed else ""
    if seq == count // 5:
        reason += " Nadel im Heuhaufen"
    record = LeafRecord(
        act=act,
        outcome=OUTCOMES.get(act, Outcome.DONE),
        actor=actor,
        object=_object(seq // 40) if governed else LeafObject("person", actor.id),
        # Now and then a clock goes back by an hour.
        at=START + timedelta(seconds=STEP_S * seq - (3600 if seq % 97 == 96 else 0)),
        seq=seq,
        id=f"{seq:08x}-0000-7000-8000-{seq:012x}",
        organisation="example-coaching",
        # Nothing is ever released to the pilot channel, which half of the log is about.
        channel="pilot" if seq % 2 and act is not Act.RELEASED else "production",
        manifest=digest(f"manifest {seq // 40}") if governed else "",
        policy=POLICY if governed else "",
        tier="R2" if governed else "",
        signature=_signature(seq, act, actor.id) if signed else UNSIGNED,
        reason=LeafReason("", COMMIT if reason else ""),
        subject="k-" + actor.id[2:10],
    )
    return Event(record, (_entry(prompt, 1 + epoch),) if signed or act is Act.RELEASED else (), reason)


@cache
def _actor(number: int) -> LeafActor:
    return LeafActor(f"p-{number:012x}", "facilitator", Auth.PASSPHRASE, "console", COMMIT)


@lru_cache(maxsize=4)
def _object(number: int) -> LeafObject:
    return LeafObject("proposal", f"proposal-{number}")


@cache
def _entry(prompt: int, epoch: int) -> Entry:
    return Entry("prompt", f"prompt-{prompt}", epoch, digest(f"{prompt}@{epoch}"), "R2", "p-author")


def _signature(seq: int, act: Act, person: str) -> LeafSignature:
    return LeafSignature(SIGNED[act], digest(person), "sha256:" + sha256(b"%d" % seq).hexdigest())


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


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the log, ready to be written: leaf hashes, and rows by table."""

    hashes: tuple[bytes, ...]
    leaves: list[tuple[Any, ...]]
    postings: list[tuple[Any, ...]]
    spans: list[tuple[Any, ...]]


def make_block(block: int, count: int, key: bytes) -> Block:
    """Return one block of a log of `count` events; `key` is the one of words."""
    part, encode = block_of_events(block, count), Bytes()
    data = [encode.of(event.record) for event in part]
    sets = index.sets_of(
        [event.record for event in part],
        {event.record.seq: event.entries for event in part},
        {event.record.seq: (event.reason,) for event in part if event.reason},
        key=key,
    )
    return Block(
        tuple(map(merkle.leaf_hash, data)),
        [_row(event.record, one) for event, one in zip(part, data, strict=True)],
        [(term, block, postings.encode_bits(bits)) for term, bits in sets.items()],
        list(spans_of((event.record.seq, event.record.at) for event in part)),
    )


def fill(planes: Sequence[ControlPlane], count: int) -> None:
    """Write the same events into the tables of some control planes, and publish their logs.

    A long log is made in another process while this one writes.
    """
    keys = {word_key(plane) for plane in planes}
    assert len(keys) == 1, "they share their keys, so that one index serves all"
    numbers = range(-(-count // postings.BLOCK_ENTRIES))
    make = partial(make_block, count=count, key=next(iter(keys)))
    grown, found = merkle.Frontier(), list[tuple[Any, ...]]()
    with ExitStack() as stack:
        sessions = [stack.enter_context(db.write(plane.engine)) for plane in planes]
        indexes = SQLModel.metadata.tables["leaf"].indexes
        for session, one in product(sessions, indexes):
            one.drop(session.connection())
        blocks: Iterable[Block] = map(make, numbers)
        if count > LONG:
            blocks = stack.enter_context(get_context("spawn").Pool(1, gc.disable)).imap(make, numbers)
        for block in blocks:
            grown = grown.extend(block.hashes)
            found += block.postings
            for session in sessions:
                _write(session, LeafRow, block.leaves)
                _write(session, SpanRow, block.spans)
        found.sort()
        for session in sessions:
            _write(session, PostingRow, found)
            head(session).frontier = grown.encode()
        for session, one in product(sessions, indexes):
            one.create(session.connection())
    for plane in planes:
        ledger.publish_log(plane)
        with plane.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("ANALYZE"))


def _row(record: LeafRecord, data: bytes) -> tuple[Any, ...]:
    """Return the row of a leaf, in the order of the table; columns that it says nothing for stay empty."""
    target = record.object
    said = {"seq": record.seq, "data": data, "act": str(record.act), "actor": record.actor.id}
    said |= {"role": record.actor.role, "kind": target.kind, "name": target.name}
    said |= {"manifest": record.manifest, "channel": record.channel, "at": f"{record.at:%Y-%m-%d %H:%M:%S}.000000"}
    return tuple(said.get(name, "") for name in LeafRow.model_fields)


def _write(session: Session, table: type[SQLModel], rows: list[tuple[Any, ...]]) -> None:
    connection, names = session.connection(), list(table.model_fields)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({marks})", rows)
        return
    connection.execute(text("SET LOCAL TIME ZONE 'UTC'"))
    into = f"COPY {table.__tablename__} ({', '.join(names)}) FROM STDIN"
    with connection.connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)
