"""The audit log: every act has its leaf, and no change goes unseen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from audit.record import parse_leaf
from audit.tiles import tiles_for
from control_plane import db, ledger, verifying
from control_plane.accounts import tokens
from control_plane.errors import NotFound
from control_plane.tables.registry import LeafRow
from edge_runtime.core.errors import Unavailable
from tests.server.acts import Acts

pytestmark = pytest.mark.databases


def test_every_act_of_the_workflow_has_its_leaf(acts: Acts) -> None:
    """From proposal to withdrawal, the log tells who did what to which manifest, and the signature's meaning."""
    acts.approve_fully()
    acts.release()
    acts.withdraw("tom", "closing")
    found = [(leaf.act, leaf.actor) for leaf in reversed(ledger.search(acts.plane, limit=6))]
    wanted = [("proposed", "maya"), ("checked", "maya"), ("approved", "tom"), ("approved", "ines")]
    wanted += [("released", "remy"), ("withdrawn", "tom")]
    assert found == [(act, acts.id(login)) for act, login in wanted]
    [approved, *_] = ledger.search(acts.plane, act="approved")
    record = parse_leaf(approved.data)
    signed = record.signature
    assert (signed.meaning, record.seq, signed.statement[:7]) == ("approval", approved.index, "sha256:")
    assert "clearer" not in approved.data.decode(), "reasons are commitments"


def test_search_narrows_by_act_actor_name_and_period(acts: Acts) -> None:
    """Each filter narrows; together they meet; `before` goes on where a page ended."""
    plane = acts.plane
    assert {leaf.actor for leaf in ledger.search(plane, actor=acts.id("tom"))} == {acts.id("tom")}
    assert [leaf.act for leaf in ledger.search(plane, name="closing")] == ["released", *["approved"] * 5, "proposed"]
    [released] = ledger.search(plane, act="released", name="opener")
    assert ledger.search(plane, since=released.at + timedelta(days=1)) == ()
    assert ledger.search(plane, until=released.at - timedelta(days=1)) == ()
    first = ledger.search(plane, limit=3)
    assert ledger.search(plane, limit=1, before=first[-1].index)[0].index == first[-1].index - 1


def test_a_fresh_home_verifies_and_says_that_it_is_self_contained(acts: Acts) -> None:
    """Files and database agree; without an outside witness the report claims less."""
    report = verifying.verify(acts.plane)
    assert (report.ok, report.self_contained, report.problems) == (True, True, ())


def test_an_entry_changed_in_the_database_is_found(acts: Acts) -> None:
    """Rewriting one stored entry breaks the log head and differs from the files."""
    with db.write(acts.plane.engine) as session:
        row = session.get(LeafRow, 3)
        assert row is not None
        row.data = row.data.replace(b'"seq":3', b'"seq":4')
    problems = verifying.verify(acts.plane).problems
    assert "entry 3 differs between files and database" in problems
    assert "the database's entries do not lead to its log head" in problems


def test_an_entry_changed_in_the_files_is_found(acts: Acts) -> None:
    """Any byte of a published bundle that changes is found from the files alone."""
    size = verifying.verify(acts.plane).size
    path = acts.plane.site / "log" / "tile" / "entries" / "000.p" / str(size)
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    assert not verifying.verify(acts.plane).ok


def test_a_shortened_database_is_not_published(acts: Acts) -> None:
    """If the last entry is deleted, nothing is published over the longer log."""
    with db.write(acts.plane.engine) as session:
        last = session.get(LeafRow, verifying.verify(acts.plane).size - 1)
        assert last is not None
        last.data = last.data.replace(b"proposed", b"approved")
    before = (acts.plane.site / "log" / "checkpoint").read_bytes()
    with pytest.raises(Unavailable):
        ledger.publish_log(acts.plane, afresh=True)
    assert (acts.plane.site / "log" / "checkpoint").read_bytes() == before


def test_inclusion_proofs_are_for_entries_that_are_there(acts: Acts) -> None:
    """Every entry has a proof that leads to the root (the reader verifies it); others are not found."""
    size = verifying.verify(acts.plane).size
    assert all(ledger.inclusion_proof(acts.plane, index) for index in range(size))
    with pytest.raises(NotFound):
        ledger.inclusion_proof(acts.plane, size)


def test_acts_at_once_follow_one_another(acts: Acts) -> None:
    """Many threads acting at once leave a log in which every act has a place of its own, and which verifies."""
    size = verifying.verify(acts.plane).size
    with ThreadPoolExecutor(8) as pool:
        issued = list(pool.map(lambda _: tokens.issue_token(acts.plane, "tom"), range(16)))
    report = verifying.verify(acts.plane)
    assert (len(set(issued)), report.size, report.ok) == (16, size + 16, True)


def test_a_start_hashes_all_that_is_served_and_mends_it(acts: Acts) -> None:
    """A changed byte in any file that the checkpoint implies, entries included, is found at the start and made good."""
    folder = acts.plane.site / "log"
    assert not ledger.recover_log(acts.plane)
    size = verifying.verify(acts.plane).size
    files = [folder / tile.path for tile in tiles_for(size)]
    assert any("entries" in str(file) for file in files)
    for file in files:
        good = file.read_bytes()
        file.write_bytes(bytes([good[0] ^ 1]) + good[1:])
        assert ledger.recover_log(acts.plane)
        assert file.read_bytes() == good
    assert verifying.verify(acts.plane).ok
