"""Strategies for records of both versions of the leaf."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC

from hypothesis import strategies as st

from audit.commitment import commit
from audit.record import (
    FORMAT_1,
    MAX_INTEGER,
    Act,
    Auth,
    Client,
    LeafActor,
    LeafObject,
    LeafReason,
    LeafRecord,
    LeafSignature,
    Outcome,
    Retention,
)

DIGESTS = st.one_of(st.just(""), st.binary(min_size=32, max_size=32).map(lambda b: "sha256:" + b.hex()))
COMMITMENTS = st.just("") | st.text().map(lambda text: commit(text, b"s" * 16))
WORDS = st.from_regex(re.compile(r"[a-z][a-z0-9-]{0,63}"), fullmatch=True)
NAMES = st.from_regex(re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#@+=~-]{0,127}"), fullmatch=True)
OPTIONAL = NAMES | st.just("")
INDEXES = st.integers(0, MAX_INTEGER)
IDS = st.builds(
    "{:08x}-{:04x}-7{:03x}-{}{:03x}-{:012x}".format,
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**12 - 1),
    st.sampled_from("89ab"),
    st.integers(0, 2**12 - 1),
    st.integers(0, 2**48 - 1),
)
IMPLIED = {Act.REFUSED: Outcome.REFUSED, Act.SIGNED_IN_FAILED: Outcome.FAILED}
RECORDS = st.builds(
    LeafRecord,
    act=st.sampled_from(Act),
    outcome=st.sampled_from(Outcome),
    actor=st.builds(
        LeafActor,
        id=NAMES,
        role=WORDS,
        auth=st.sampled_from(Auth),
        client=st.sampled_from(Client),
        name=COMMITMENTS,
        session=DIGESTS,
        behalf=OPTIONAL,
    ),
    object=st.builds(LeafObject, kind=WORDS, name=OPTIONAL, digest=DIGESTS, version=st.just("") | INDEXES.map(str)),
    at=st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    seq=INDEXES,
    id=IDS,
    organisation=NAMES,
    channel=OPTIONAL,
    tier=st.sampled_from(("", "R0", "R1", "R2", "R3", "R4")),
    ticket=OPTIONAL,
    signature=st.builds(LeafSignature, meaning=WORDS | st.just(""), key=DIGESTS, statement=DIGESTS),
    reason=st.builds(LeafReason, code=WORDS | st.just(""), text=COMMITMENTS),
    retention=st.sampled_from(Retention),
    holds=st.sets(NAMES, max_size=4).map(lambda holds: tuple(sorted(holds))),
    subject=OPTIONAL,
    prev=st.integers(-1, MAX_INTEGER),
    **dict.fromkeys(("before", "after", "diff", "manifest", "policy", "checks", "models"), DIGESTS),  # type: ignore[arg-type]
).map(lambda leaf: replace(leaf, prev=min(leaf.prev, leaf.seq - 1), outcome=IMPLIED.get(leaf.act, leaf.outcome)))
RECORDS_1 = st.builds(
    LeafRecord,
    act=st.sampled_from([act for act in Act if act not in {"audit-read", "evidence-filed"}]),
    outcome=st.just(Outcome.DONE),
    actor=st.builds(LeafActor, id=NAMES, role=WORDS, auth=st.sampled_from(Auth)),
    object=st.builds(LeafObject, kind=WORDS, name=OPTIONAL, digest=DIGESTS),
    at=st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    seq=INDEXES,
    signature=st.builds(LeafSignature, meaning=WORDS | st.just(""), statement=DIGESTS),
    reason=st.builds(LeafReason, text=COMMITMENTS),
    retention=st.just(""),
    clock=st.just(""),
    format=st.just(FORMAT_1),
    **dict.fromkeys(("before", "after", "manifest"), DIGESTS),  # type: ignore[arg-type]
).map(lambda leaf: replace(leaf, outcome=IMPLIED.get(leaf.act, leaf.outcome)))
