"""Searching the log: the index against reading every entry, each filter, and an index that somebody changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select, text

from control_plane import db, ledger, verifying
from control_plane.evidence.search import Query, read
from control_plane.index import keeping as index
from control_plane.index import postings
from control_plane.index.terms import term, word_key, word_terms
from control_plane.ledger.search import search_in
from control_plane.plane import ControlPlane, open_plane
from control_plane.settings import Settings
from control_plane.tables.index import PostingRow
from edge_runtime.core.errors import InvalidDocument, Unavailable
from tests.conftest import examples
from tests.server import audit_events
from tests.server.acts import Acts
from tests.server.audit_events import Event, digest
from tests.server.conftest import CHEAP, Stage, database, worded

COUNT = 9000  # three blocks of the index, the last one not full


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


@cache
def brute(query: Query) -> list[int]:
    """Return what a query must find, by reading every event; on both databases the same."""
    found = [event.record.seq for event, said in reversed(facts()) if _is_match(event, query, **said)]
    return found[: query.limit]


def _facts(event: Event) -> dict[str, set[str]]:
    record, entries = event.record, event.entries
    digests = {record.manifest, record.policy, record.signature.statement, *(entry.digest for entry in entries)}
    return {
        "names": {record.object.name, *(entry.name for entry in entries)},
        "versions": digests | {f"{entry.name}@{entry.epoch}" for entry in entries},
        "words": set(event.reason.lower().split()),
    }


@cache
def facts() -> tuple[tuple[Event, dict[str, set[str]]], ...]:
    """Return every event with what a query may ask of it."""
    return tuple((event, _facts(event)) for event in audit_events.events(COUNT))


def _at(index: int) -> datetime:
    """Return when an event happened, if no clock went back."""
    return audit_events.START + timedelta(seconds=audit_events.STEP_S * index)


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
        Query(since=_at(4095), until=_at(4097)),
        Query(since=_at(8000), until=_at(8000) + timedelta(seconds=1)),
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
def busy(after: Callable[[Stage], Acts]) -> Acts:
    """The demo people after two releases and a withdrawal."""
    return after(worded)


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
    assert f"entry {of_tom}: the search index" in "\n".join(verifying.verify(plane).problems)
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
    assert not verifying.verify(busy.plane).ok
    size = verifying.verify(busy.plane).size
    assert index.rebuild(busy.plane, progress=told.append) == size == told[-1]
    assert rows(busy.plane) == before
    assert verifying.verify(busy.plane).problems == ()


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
