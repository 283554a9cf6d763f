"""Reading the log: that a reading is an entry, who may read, and the proof that every hit carries."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from audit.checkpoint import open_checkpoint
from audit.errors import NotProven
from audit.merkle import leaf_hash, verify_inclusion
from audit.proof import parse_proof, verify_entry_by_keys
from audit.record import parse_leaf
from control_plane import db, ledger, verifying
from control_plane.accounts import tokens
from control_plane.errors import NotFound
from control_plane.evidence import search
from control_plane.evidence.search import Hit, Query, read
from control_plane.index import postings
from control_plane.index.terms import term
from control_plane.plane import ControlPlane
from control_plane.tables.index import PostingRow
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, refused
from tests.server.conftest import Stage, worded


@pytest.fixture
def busy(after: Callable[[Stage], Acts]) -> Acts:
    """The demo people after two releases and a withdrawal."""
    return after(worded)


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
    assert verifying.verify(plane).ok


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
    assert verifying.verify(busy.plane).ok


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
