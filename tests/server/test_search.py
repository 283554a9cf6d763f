"""Searching the log: the index against reading every entry, each filter, proofs, and that a reading is an entry."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select, text

from audit.checkpoint import open_checkpoint
from audit.errors import NotProven
from audit.merkle import leaf_hash, verify_inclusion
from audit.proof import parse_proof, verify_entry_by_keys
from audit.record import parse_leaf
from control_plane import db, ledger
from control_plane.accounts import tokens
from control_plane.errors import NotFound
from control_plane.evidence import search
from control_plane.evidence.search import Hit, Query, read
from control_plane.index import keeping as index
from control_plane.index import postings
from control_plane.index.tables import PostingRow
from control_plane.index.terms import term, word_key, word_terms
from control_plane.ledger.search import search_in
from control_plane.plane import ControlPlane, open_plane
from control_plane.settings import Settings
from edge_runtime.core.errors import InvalidDocument, Unavailable
from tests.conftest import examples
from tests.server import audit_events
from tests.server.acts import Acts, refused
from tests.server.audit_events import Event, digest
from tests.server.conftest import CHEAP, database

COUNT = 9000  # three blocks of the index, the last one not full
EVENTS = tuple(audit_events.events(COUNT))


@pytest.fixture(scope="module")
def filled_on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ControlPlane]]:
    """Give a control plane with the synthetic events on a server, made once for each."""
    with ExitStack() as stack:

        @cache
        def made(server: str) -> ControlPlane:
            url = stack.enter_context(database(server))
            home = tmp_path_factory.mktemp("filled") / "home"
            plane = open_plane(Settings(home=home, argon2=CHEAP, database_url=url))
            stack.callback(plane.close)
            audit_events.fill([plane], COUNT)
            return plane

        yield made


@pytest.fixture
def filled(filled_on: Callable[[str], ControlPlane], server: str) -> ControlPlane:
    """A control plane with the synthetic events; nothing changes it."""
    return filled_on(server)


def looked_up(plane: ControlPlane, query: Query) -> list[int]:
    """Return the indexes that a query finds."""
    with db.read(plane.engine) as session:
        return [leaf.index for leaf in search_in(plane, session, query)]


def brute(query: Query) -> list[int]:
    """Return what a query must find, by reading every event."""
    found = [event.record.seq for event, facts in reversed(FACTS) if _is_match(event, query, **facts)]
    return found[: query.limit]


def _facts(event: Event) -> dict[str, set[str]]:
    record, entries = event.record, event.entries
    digests = {record.manifest, record.policy, record.signature.statement, *(entry.digest for entry in entries)}
    return {
        "names": {record.object.name, *(entry.name for entry in entries)},
        "versions": digests | {f"{entry.name}@{entry.epoch}" for entry in entries},
        "words": set(event.reason.lower().split()),
    }


FACTS = tuple((event, _facts(event)) for event in EVENTS)


def _is_match(event: Event, query: Query, *, names: set[str], versions: set[str], words: set[str]) -> bool:
    record = event.record
    wanted = (
        query.act in {"", record.act},
        query.actor in {"", record.actor.id},
        query.channel in {"", record.channel},
        not query.name or query.name in names,
        not query.version or query.version in versions,
        query.manifest in {"", record.manifest},
        words.issuperset(query.words.split()),
        query.since is None or record.at >= query.since,
        query.until is None or record.at < query.until,
        query.before is None or record.seq < query.before,
    )
    return all(wanted)


TIMES = st.integers(-5, COUNT + 5).map(
    lambda n: audit_events.START + timedelta(seconds=audit_events.STEP_S * n + n % 2)
)
QUERIES = st.builds(
    Query,
    act=st.sampled_from(["", "", "approved", "released", "withdrawn", "proposed", "erased"]),
    actor=st.sampled_from(["", "", f"p-{0:012x}", f"p-{7:012x}", f"p-{399:012x}", "p-nobody"]),
    channel=st.sampled_from(["", "", "production", "pilot", "draft"]),
    name=st.sampled_from(["", "", "", "prompt-0", "prompt-1", "prompt-400", "proposal-3", "prompt-none"]),
    version=st.sampled_from(
        ["", "", "", "prompt-0@1", "prompt-0@19", digest("0@7"), digest("nothing"), digest("policy")]
    ),
    manifest=st.sampled_from(["", "", "", digest("manifest 100"), digest("manifest 0")]),
    words=st.sampled_from(["", "", "w0", "w0 w1", "even", "odd w0", "even odd", "heuhaufen nadel", "w1 nadel"]),
    since=st.none() | TIMES,
    until=st.none() | TIMES,
    before=st.none() | st.integers(0, COUNT + 1),
    limit=st.sampled_from([1, 3, 100, 1000]),
)


@pytest.mark.databases
@settings(examples(80), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES)
def test_the_index_finds_what_reading_every_entry_finds(filled: ControlPlane, query: Query) -> None:
    """Whatever is combined, the entries found are those that match, newest first, no more and no fewer."""
    assert looked_up(filled, query) == brute(query)


@pytest.mark.databases
@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(act="withdrawn"),
        Query(act="released", channel="pilot"),
        Query(words="even odd"),
        Query(words="heuhaufen nadel"),
        Query(before=0),
        Query(before=postings.BLOCK_ENTRIES),
        Query(since=EVENTS[4095].record.at, until=EVENTS[4097].record.at),
        Query(since=EVENTS[8000].record.at, until=EVENTS[8000].record.at + timedelta(seconds=1)),
    ],
)
def test_the_cases_that_an_index_gets_wrong(filled: ControlPlane, query: Query) -> None:
    """One in all, none at all, the edges of blocks, one second."""
    assert looked_up(filled, query) == brute(query)


@pytest.mark.databases
def test_pages_follow_one_another(filled: ControlPlane) -> None:
    """Page by page below the last index, every entry comes once."""
    query, found = Query(act="rejected", channel="production", limit=7), list[int]()
    while page := looked_up(filled, query):
        found += page
        query = Query(act="rejected", channel="production", limit=7, before=page[-1])
    assert found == brute(Query(act="rejected", channel="production", limit=COUNT))
    assert len(found) > 20


@pytest.fixture
def busy(acts: Acts) -> Acts:
    """The demo people after two releases and a withdrawal."""
    acts.check()
    acts.approve("tom", reason="Clearer for Müller's TEAM, and naïve readers")
    acts.approve("ines", reason="clearer: I asked the team")
    acts.release()
    acts.withdraw("sam", "closing")
    return acts


def found_by(acts: Acts, **query: Any) -> list[tuple[str, str]]:
    """Return act and object of what a query finds."""
    with db.read(acts.plane.engine) as session:
        return [(leaf.act, leaf.name) for leaf in search_in(acts.plane, session, Query(**query))]


@pytest.mark.databases
def test_each_filter_on_the_real_workflow(busy: Acts) -> None:
    """Prompt, version by epoch and digest, release, manifest, channel, words: each finds what people did."""
    opener = [
        ("released", "release-production-2"),
        ("approved", "proposal-2"),
        ("approved", "proposal-2"),
        ("proposed", "proposal-2"),
    ]
    assert found_by(busy, version="opener@2") == opener
    with pytest.raises(InvalidDocument, match="expected a version such as"):
        found_by(busy, version="1")
    assert found_by(busy, name="opener")[:4] == opener
    with db.read(busy.plane.engine) as session:
        [released] = search_in(busy.plane, session, Query(act="released", release=2))
    digests = {entry.digest for entry in index_entries(busy, released.index) if entry.name == "opener"}
    assert found_by(busy, version=digests.pop()) == opener
    of_release = [act for act, _ in found_by(busy, release=2)]
    assert of_release == [act for act, _ in found_by(busy, manifest=released.manifest)]
    assert {"released", "approved", "proposed", "checked", "withdrawn"} == set(of_release)
    assert found_by(busy, release=3) == []
    named = len(found_by(busy, channel=busy.plane.channel))
    without = [act for act, _ in found_by(busy) if act in {"person-enrolled", "token-issued", "trust-changed"}]
    assert named == len(found_by(busy)) - len(without)
    assert found_by(busy, channel="pilot") == []
    assert [act for act, _ in found_by(busy, words="it hurt")] == ["withdrawn"]


def index_entries(acts: Acts, seq: int) -> Sequence[Any]:
    """Return what an entry concerns."""
    from control_plane.index.concerned import concerned
    from control_plane.ledger.search import records_of

    with db.read(acts.plane.engine) as session:
        [(record, _)] = records_of(session, [seq])
        return concerned(session, [record])[seq]


def test_words_are_compared_without_case_and_accents(busy: Acts) -> None:
    """All words must be there; case, accents and signs do not count; half a word is not a word."""
    assert len(found_by(busy, words="clearer TEAM", act="approved")) == 2
    for words in ("muller", "MÜLLER", "Naive", "naïve müller clearer", "s team"):
        assert len(found_by(busy, words=words)) == 1, words
    for words in ("clear", "clearer absent", "teams"):
        assert found_by(busy, words=words) == [], words
    with pytest.raises(InvalidDocument, match="letters or digits"):
        found_by(busy, words="?! _")


@pytest.mark.databases
def test_purged_words_stand_in_no_file(busy: Acts, server: str) -> None:
    """A purge takes the words of some entries out, of no other, and SQLite's files hold their terms no longer."""
    plane, key = busy.plane, word_key(busy.plane)
    [of_tom] = [leaf.index for leaf in ledger.search(plane, act="approved", actor=busy.id("tom"), limit=1)]
    [unique], [shared] = word_terms("muller", key), word_terms("clearer", key)
    with db.write(plane.engine) as session:
        index.purge(session, [of_tom])
    assert found_by(busy, words="muller") == []
    assert len(found_by(busy, words="clearer", act="approved")) == 1
    assert f"entry {of_tom}: the search index" in "\n".join(ledger.verify(plane).problems)
    db.scrub(plane.engine)
    if not server:
        files = [path.read_bytes() for path in plane.settings.home.glob("registry.db*")]
        assert not any(unique in data for data in files)
        assert any(shared in data for data in files)
        for data in files:
            assert b"ller's TEAM" not in data


def rows(plane: ControlPlane) -> list[tuple[Any, ...]]:
    """Return the whole index."""
    with db.read(plane.engine) as session:
        return sorted(tuple(row) for row in session.exec(select(PostingRow.term, PostingRow.block, PostingRow.bits)))


@pytest.mark.databases
def test_the_index_is_made_anew_just_as_it_was(busy: Acts) -> None:
    """Built from entries and texts, the index is the one that the acts had kept; a broken one is mended."""
    before, told = rows(busy.plane), list[int]()
    with db.write(busy.plane.engine) as session:
        session.connection().execute(text("DELETE FROM audit_posting WHERE block = 0"))
        session.connection().execute(text("DELETE FROM audit_span"))
    assert found_by(busy, act="approved") == []
    assert not ledger.verify(busy.plane).ok
    size = ledger.verify(busy.plane).size
    assert index.rebuild(busy.plane, progress=told.append) == size == told[-1]
    assert rows(busy.plane) == before
    assert ledger.verify(busy.plane).problems == ()


def test_a_forged_index_puts_no_name_on_an_entry(busy: Acts) -> None:
    """An index that claims every entry for somebody hides nothing and shows nothing that the bytes do not say."""
    sam, everything = busy.id("sam"), (1 << 30) - 1
    with db.write(busy.plane.engine) as session:
        postings.merge(session, 0, {term("actor", sam): everything, term("act", "withdrawn"): everything})
    assert found_by(busy, actor=sam, act="withdrawn") == [("withdrawn", "closing")]


def test_an_entry_that_became_a_text_is_named(acts: Acts) -> None:
    """SQLite lets a text stand where bytes were; the search names the entry, and does not end in a surprise."""
    if acts.plane.engine.dialect.name != "sqlite":
        pytest.skip("another database keeps bytes as bytes")
    with db.write(acts.plane.engine) as session:
        session.connection().execute(text("UPDATE leaf SET data = CAST(data AS TEXT) WHERE seq = 0"))
    with pytest.raises(Unavailable, match="expected entry 0 as it was logged"):
        read(acts.plane, ledger.SYSTEM, Query(before=1))


def test_a_reading_is_an_entry_before_it_is_answered(busy: Acts) -> None:
    """Who reads, in which role, and a digest of what for; never the words; the answer does not hold that entry."""
    plane, ruth = busy.plane, busy.id("ruth")
    query = Query(words="müller")
    [hit] = read(plane, ruth, query)
    [own] = ledger.search(plane, limit=1)
    assert (own.act, own.actor, own.role, own.kind) == ("audit-read", ruth, "compliance", "audit-log")
    assert own.digest == search.query_digest(plane, query) == search.query_digest(plane, Query(words="MULLER"))
    assert own.digest != search.query_digest(plane, Query(words="maier"))
    assert hit.act == "approved"
    first, *_ = read(plane, busy.id("tom"), Query(limit=3))
    assert (first.index, first.act) == (own.index, "audit-read")
    assert ledger.search(plane, limit=1)[0].role == "facilitator"
    assert ledger.verify(plane).ok


def test_the_installation_reads_in_its_own_name(busy: Acts) -> None:
    """Whoever works on the server without a name reads too, and the log says so."""
    read(busy.plane, ledger.SYSTEM, Query())
    [own] = ledger.search(busy.plane, limit=1)
    assert (own.act, own.actor, own.role) == ("audit-read", "system", "system")


def test_strangers_read_nothing_and_leave_nothing(busy: Acts) -> None:
    """Somebody who is not enrolled is not answered; a query without sense is no reading."""
    with refused(busy.plane, NotFound):
        read(busy.plane, "p-000000000000", Query())
    with refused(busy.plane, InvalidDocument):
        read(busy.plane, busy.id("ruth"), Query(words="..."))
    for index_ in (10_000, -1):
        with refused(busy.plane, NotFound):
            search.prove(busy.plane, busy.id("ruth"), index_)


def checked(plane: ControlPlane, hit: Hit) -> None:
    """Verify a hit's proof as an outsider would, both forms of it, and that it fails for other bytes."""
    log = plane.keys.log.verifier
    proof = parse_proof(hit.tlog_proof.encode())
    verify_entry_by_keys(proof, hit.data, [log], origin=log.name)
    opened = open_checkpoint(proof.checkpoint, [log], log.name).checkpoint
    hashes = tuple(base64.b64decode(line) for line in hit.proof)
    given = {"index": hit.index, "size": hit.size, "proof": hashes, "root": opened.root}
    verify_inclusion(leaf=leaf_hash(hit.data), **given)  # type: ignore[arg-type]
    with pytest.raises(NotProven):
        verify_inclusion(leaf=leaf_hash(hit.data + b" "), **given)  # type: ignore[arg-type]
    assert parse_leaf(hit.data).seq == hit.index


@pytest.mark.databases
def test_every_hit_carries_its_proof(busy: Acts) -> None:
    """Index, exact bytes and proof lead to the signed checkpoint, with nothing of the server asked."""
    hits = read(busy.plane, busy.id("ruth"), Query(), proof_files=True)
    assert len(hits) > 20
    for hit in hits:
        checked(busy.plane, hit)
    checked(busy.plane, search.prove(busy.plane, busy.id("ruth"), 3))
    assert not read(busy.plane, busy.id("ruth"), Query(limit=1))[0].tlog_proof


@pytest.mark.databases
def test_proofs_hold_while_others_act(busy: Acts) -> None:
    """Readings beside acts get proofs that lead to one checkpoint each."""
    with ThreadPoolExecutor(3) as pool:
        acting = pool.submit(lambda: [tokens.issue_token(busy.plane, "tom") for _ in range(10)])
        reading = [pool.submit(read, busy.plane, busy.id("ruth"), Query(limit=20), proof_files=True) for _ in range(8)]
        for one in reading:
            for hit in one.result():
                checked(busy.plane, hit)
        acting.result()
    assert ledger.verify(busy.plane).ok


@pytest.mark.databases
def test_an_entry_of_thousands_of_terms(empty: ControlPlane) -> None:
    """An entry with more terms than one statement of either database can name is found by each."""
    terms = {term("name", f"name-{n}"): 1 for n in range(2000)}
    with db.write(empty.engine) as session:
        postings.merge(session, 0, terms)
        postings.merge(session, 0, dict.fromkeys(terms, 2))
        assert _bits(session, term("name", "name-1999")) == 3


def _bits(session: Session, wanted: bytes) -> int:
    return postings.decode_bits(session.exec(select(PostingRow.bits).where(PostingRow.term == wanted)).one())


@pytest.mark.databases
def test_times_may_come_with_fractions_and_zones(busy: Acts) -> None:
    """A period is compared in whole seconds of UTC, whatever zone it is said in."""
    plane = busy.plane
    [last] = ledger.search(plane, limit=1)
    zoned = datetime.fromisoformat(f"{last.at + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00")
    assert ledger.search(plane, since=zoned, limit=1)[0].index == last.index
    assert ledger.search(plane, since=zoned + timedelta(microseconds=1)) == ()
    assert ledger.search(plane, until=zoned + timedelta(microseconds=1), limit=1)[0].index == last.index
    assert last.index not in {leaf.index for leaf in ledger.search(plane, until=zoned)}


def test_files_beside_entries(busy: Acts, tmp_path: Path) -> None:
    """`audit search --proof` writes each entry's bytes and its proof file."""
    from tests.server.test_cli import run

    result = run(busy, "search", "--act", "released", "--proof", str(tmp_path / "out"), "--json", audit=True)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        name for one in found for name in (f"{one['index']}.json", f"{one['index']}.tlog-proof")
    )
    for one in found:
        proof = parse_proof((tmp_path / "out" / f"{one['index']}.tlog-proof").read_bytes())
        log = busy.plane.keys.log.verifier
        verify_entry_by_keys(proof, (tmp_path / "out" / f"{one['index']}.json").read_bytes(), [log], origin=log.name)
