"""Attacks on the log by whoever can write to the database, named for what is attempted: each is found, none is signed.

The attacker changes rows behind the use cases and may delete published files; the log's key stays with the server.
"""

from __future__ import annotations

import base64
import dataclasses
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import col, select, text

from audit import merkle
from control_plane import checkpoints, db, ledger, verifying
from control_plane.accounts import people, tokens
from control_plane.errors import NotFound
from control_plane.lifecycle import releases
from control_plane.plane import ControlPlane, open_plane
from control_plane.publish import publish
from control_plane.tables.registry import LeafRow, LogHeadRow
from edge_runtime.core.errors import Unavailable
from tests.server.acts import Acts
from tests.server.conftest import Clock, Stage


def attacked(acts: Acts, _clock: Clock) -> None:
    """Two releases and a withdrawal; everything verifies."""
    acts.approve_fully()
    acts.release()
    acts.withdraw("sam", "closing")
    report = verifying.verify(acts.plane)
    assert report.ok, report.problems


@pytest.fixture
def busy(after: Callable[[Stage], Acts]) -> Acts:
    """The demo people after two releases and a withdrawal."""
    return after(attacked)


def remembered(plane: ControlPlane) -> Path:
    """Return the file of all checkpoints."""
    return plane.settings.home / "checkpoints.log"


def published(plane: ControlPlane) -> Path:
    """Return the published checkpoint."""
    return plane.site / "log" / "checkpoint"


def rewrite(acts: Acts) -> None:
    """Put Maya in Tom's place in every approval, with a log head that fits."""
    maya, tom = acts.id("maya"), acts.id("tom")
    with db.write(acts.plane.engine) as session:
        rows = session.exec(select(LeafRow).order_by(col(LeafRow.seq))).all()
        for row in rows:
            if row.act == "approved" and row.actor == tom:
                row.data, row.actor = row.data.replace(tom.encode(), maya.encode()), maya
        _set_head(session.get(LogHeadRow, 1), [row.data for row in rows])


def truncate(acts: Acts) -> None:
    """Drop the last entry, the withdrawal, and its statement, with a log head that fits."""
    with db.write(acts.plane.engine) as session:
        rows = session.exec(select(LeafRow).order_by(col(LeafRow.seq))).all()
        _set_head(session.get(LogHeadRow, 1), [row.data for row in rows[:-1]])
        session.connection().execute(text(f"DELETE FROM leaf WHERE seq = {rows[-1].seq}"))
        session.connection().execute(text("DELETE FROM statement WHERE act = 'withdraw'"))


def _set_head(head: LogHeadRow | None, leaves: list[bytes]) -> None:
    assert head is not None
    head.frontier = merkle.Frontier().extend(merkle.leaf_hash(data) for data in leaves).encode()


def refuses_to_sign(plane: ControlPlane, match: str) -> None:
    """Expect that no way of publishing signs anything, and that the check says no."""
    before = [path.read_bytes() if path.is_file() else b"" for path in (published(plane), remembered(plane))]
    for attempt in (ledger.publish_log, lambda plane: ledger.publish_log(plane, afresh=True), releases.recover):
        with pytest.raises(Unavailable, match=match):
            attempt(plane)
    assert [path.read_bytes() if path.is_file() else b"" for path in (published(plane), remembered(plane))] == before
    assert not verifying.verify(plane).ok


@pytest.mark.databases
def test_a_history_rewritten_in_the_database_is_never_signed(busy: Acts) -> None:
    """Entries of the same number but other content are refused: the published checkpoint is not their root."""
    rewrite(busy)
    refuses_to_sign(busy.plane, "expected a log that extends the published checkpoint of")


@pytest.mark.databases
def test_a_rewrite_with_the_site_gone_is_never_signed(busy: Acts) -> None:
    """When everything is written anew, what was published before is known from the remembered checkpoints."""
    rewrite(busy)
    shutil.rmtree(busy.plane.site)
    refuses_to_sign(busy.plane, "another history")


def test_a_truncated_history_is_never_signed(busy: Acts) -> None:
    """A log that lost its last entry is refused with both sizes."""
    size = verifying.verify(busy.plane).size
    truncate(busy)
    refuses_to_sign(busy.plane, f"at least the {size} entries that are published, got {size - 1}")


@pytest.mark.parametrize("attack", [rewrite, truncate])
def test_deleting_the_site_as_well_hides_no_rewrite(busy: Acts, attack: Callable[[Acts], None]) -> None:
    """With every published file gone, the checkpoints remembered beside it still refuse another history."""
    attack(busy)
    shutil.rmtree(busy.plane.site)
    refuses_to_sign(busy.plane, "expected a log")


@pytest.mark.parametrize("attack", [rewrite, truncate])
def test_deleting_the_remembered_checkpoints_as_well_hides_no_rewrite(
    busy: Acts, attack: Callable[[Acts], None]
) -> None:
    """With the remembered checkpoints gone, the published one still refuses another history."""
    attack(busy)
    remembered(busy.plane).unlink()
    refuses_to_sign(busy.plane, "expected a log")
    assert "checkpoints.log is gone" in " ".join(verifying.verify(busy.plane).problems)


def test_every_growth_is_remembered_once(busy: Acts) -> None:
    """The file ends with the published checkpoint, and publishing again adds nothing."""
    lines = remembered(busy.plane).read_bytes().splitlines()
    assert base64.b64decode(lines[-1]) == published(busy.plane).read_bytes()
    assert len(set(lines)) == len(lines)
    publish(busy.plane)
    ledger.publish_log(busy.plane, afresh=True)
    assert remembered(busy.plane).read_bytes().splitlines() == lines


def test_half_a_remembered_line_is_replaced(busy: Acts) -> None:
    """A crash while a checkpoint is remembered costs nothing: its half line goes, and the next one is whole."""
    with remembered(busy.plane).open("ab") as stream:
        stream.write(b"bWVudG9y")
    tokens.issue_token(busy.plane, "tom")
    assert verifying.verify(busy.plane).ok
    assert b"bWVudG9y\n" not in remembered(busy.plane).read_bytes()


@pytest.mark.parametrize("line", [0, 3])
def test_a_changed_remembered_checkpoint_is_found(busy: Acts, line: int) -> None:
    """Each line is a checkpoint that the log signed and that the log extends; another one is named."""
    lines = remembered(busy.plane).read_bytes().splitlines()
    lines[line] = base64.b64encode(b"another\n")
    remembered(busy.plane).write_bytes(b"\n".join([*lines, b""]))
    assert f"checkpoints.log, line {line + 1}: not a checkpoint" in " ".join(verifying.verify(busy.plane).problems)


def test_a_garbled_last_line_stops_the_log(busy: Acts) -> None:
    """What cannot be compared is not signed over."""
    with remembered(busy.plane).open("ab") as stream:
        stream.write(b"garbage\n")
    with pytest.raises(Unavailable, match=r"end of checkpoints\.log"):
        tokens.issue_token(busy.plane, "tom")


@pytest.mark.databases
def test_a_check_beside_acts_raises_no_false_alarm(busy: Acts) -> None:
    """While others act, a check may find an entry that is still to be published, and never another history."""
    with ThreadPoolExecutor(2) as pool:
        acting = pool.submit(lambda: [tokens.issue_token(busy.plane, "tom") for _ in range(20)])
        while not acting.done():
            problems = verifying.verify(busy.plane).problems
            assert not any("extend" in problem or "differs" in problem for problem in problems), problems
    assert verifying.verify(busy.plane).ok


@pytest.mark.databases
def test_a_home_restored_without_published_files_goes_on(busy: Acts) -> None:
    """Database and keys in an empty home are enough to publish again, as the operator's guide says."""
    remembered(busy.plane).unlink()
    shutil.rmtree(busy.plane.site)
    assert releases.recover(busy.plane)
    assert verifying.verify(busy.plane).ok
    assert checkpoints.newest(busy.plane) == checkpoints.published(busy.plane)


@pytest.mark.databases
def test_reading_the_checkpoint_waits_for_no_writer(busy: Acts) -> None:
    """The published checkpoint is served while a writer holds the log, and is not found before the first."""
    with db.write(busy.plane.engine):
        assert ledger.checkpoint(busy.plane) == published(busy.plane).read_bytes()
    shutil.rmtree(busy.plane.site)
    with pytest.raises(NotFound):
        ledger.checkpoint(busy.plane)


# Bytes are random: the greatest of them may be the entry's own, so another row is chosen by whose it is.
OTHER_TEXT = "SELECT data FROM text WHERE leaf <> 18 LIMIT 1"
OTHER_KEY = "SELECT {} FROM text_key WHERE id <> (SELECT subject FROM leaf WHERE seq = 20) LIMIT 1"
TAMPERINGS = [
    ("UPDATE leaf SET actor = '{sam}' WHERE seq = 20", "entry 20: the row {differs} actor"),
    ("UPDATE leaf SET act = 'rejected', name = 'x' WHERE seq = 20", "entry 20: the row {differs} act, n"),
    ("UPDATE leaf SET at = '{then}' WHERE seq = 20", "entry 20: the row {differs} at"),
    ("DELETE FROM audit_posting WHERE block = 0", "entry 20: the search index finds it otherwise"),
    ("UPDATE audit_posting SET bits = 'text'", "a row of the entries from 0 on holds what nobody writes"),
    ("UPDATE audit_posting SET block = 7 WHERE block = 0", "entries from 28672 on that are not in the log"),
    ("UPDATE audit_span SET earliest = 1", "the search index holds another period"),
    ("UPDATE statement SET person = '{sam}' WHERE id = 8", "statement 8: the row {differs} person"),
    ("UPDATE statement SET role = 'x', act = 'author' WHERE id = 8", "statement 8: the row {differs} act, role"),
    ("UPDATE statement SET leaf = 1 WHERE id = 8", "statement 8: the row {differs} leaf"),
    (f"UPDATE text SET data = ({OTHER_TEXT})", "entry 18: what is behind its reason.text is altered"),
    ("DELETE FROM text WHERE leaf = 18", "entry 18: what is behind its reason.text is missing"),
    (f"UPDATE text_key SET wrapped = ({OTHER_KEY.format('wrapped')})", "entry 20: what is behind its actor.name"),
    (f"UPDATE text_key SET name_data = ({OTHER_KEY.format('name_data')})", "entry 20: what is behind its actor.n"),
    ("UPDATE text_key SET person = '{sam}'", "entry 20: what is behind its actor.name is missing"),
    ("UPDATE text_key SET erased_by = 20", "not destroyed by the entry that the log says"),
    ("UPDATE leaf SET subject = 'k-1' WHERE seq = 20", "entry 20: the row {differs} subject"),
    ("UPDATE statement SET digest = 'x' WHERE id = 8", "statement 8: the row {differs} digest"),
    ("UPDATE statement SET at = '{then}' WHERE id = 8", "statement 8: the row {differs} at"),
    ("UPDATE statement SET proposal = 1 WHERE id = 8", "statement 8: its entry"),
    ("UPDATE statement SET envelope = '{{}}' WHERE id = 8", "statement 8: not a signed statement"),
    ("DELETE FROM statement WHERE act = 'withdraw'", "its statement is gone"),
    ("UPDATE revision SET editor = '{sam}' WHERE proposal = 2", "proposal 2, revision 1: the editor did not sign it"),
    ("UPDATE revision SET base = '' WHERE proposal = 2", "proposal 2, revision 1: the row {differs} base"),
    ("UPDATE revision SET digest = 'x' WHERE proposal = 2", "proposal 2, revision 1: the row {differs} d"),
    ("UPDATE release SET digest = 'x' WHERE number = 2", "release 2 on production: the row {differs} digest"),
    (
        "UPDATE release SET person = '{sam}' WHERE number = 2",
        "release 2 on production: its entry of the log says something else",
    ),
    ("UPDATE proposal SET leaf = 20 WHERE number = 2", "proposal 2: author, title or channel"),
    ("UPDATE proposal SET author = '{sam}' WHERE number = 2", "proposal 2: author, title or channel"),
    ("UPDATE version SET author = '{sam}' WHERE name = 'opener' AND epoch = 2", "version 2 of prompt 'opener': not in"),
    ("UPDATE check_result SET status = 'passed' WHERE status = 'notice'", "not the results that were logged"),
    ("UPDATE person SET public_key = (SELECT max(public_key) FROM person)", "the key is not the one that was enrolled"),
]


@pytest.mark.parametrize(("sql", "wanted"), TAMPERINGS)
def test_a_changed_row_is_named(busy: Acts, sql: str, wanted: str) -> None:
    """What people read from the database is compared with the bytes that were logged, signed or digested."""
    names = {"sam": busy.id("sam"), "then": "2020-01-01 00:00:00.000000", "differs": "differs from its bytes in"}
    with db.write(busy.plane.engine) as session:
        assert session.connection().execute(text(sql.format(**names))).rowcount, "the row is there"
    problems = verifying.verify(busy.plane).problems
    assert wanted.format(**names) in "\n".join(problems)
    assert "forged" not in "\n".join(problems)


@pytest.mark.databases
def test_a_changed_closure_is_named(busy: Acts) -> None:
    """The bytes of a closure must have its digest."""
    sql = "UPDATE closure SET data = (SELECT max(manifest) FROM release) WHERE kind = 'policy'"
    with db.write(busy.plane.engine) as session:
        assert session.connection().execute(text(sql)).rowcount
    assert "the bytes have another digest" in "\n".join(verifying.verify(busy.plane).problems)


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize(
    "change",
    [
        "leaf SET data = 'text'",
        "leaf SET at = 'never'",
        "closure SET data = 'text'",
        "statement SET envelope = 'no JSON'",
        "release SET manifest = 'text'",
        "text SET data = 'text'",
        "text_key SET wrapped = 'text'",
        "text_key SET erased_by = 'never'",
        "revision SET manifest = 'text', files = 'no JSON'",
        "person SET public_key = 'text'",
        "check_result SET evidence = 'no JSON'",
        "log_head SET frontier = 'text'",
    ],
)
def test_rows_of_a_wrong_type_are_a_problem_and_no_crash(busy: Acts, change: str) -> None:
    """Whatever SQLite lets a row hold, the check ends with a list of problems."""
    with db.write(busy.plane.engine) as session:
        session.connection().execute(text(f"UPDATE {change}"))
    assert not verifying.verify(busy.plane).ok


@pytest.mark.databases
def test_search_answers_from_the_bytes(busy: Acts) -> None:
    """A changed index column may hide an entry from a search but cannot put another name on it."""
    with db.write(busy.plane.engine) as session:
        session.connection().execute(text(f"UPDATE leaf SET actor = '{busy.id('sam')}' WHERE act = 'approved'"))
    found = ledger.search(busy.plane, act="approved", limit=2)
    assert {leaf.actor for leaf in found} == {busy.id("tom"), busy.id("ines")}


@pytest.mark.databases
def test_a_lowered_floor_is_logged(busy: Acts) -> None:
    """A trust file with another floor or with more people is an entry of the log, once, before devices see it."""

    def changes() -> tuple[ledger.LedgerLeaf, ...]:
        return ledger.search(busy.plane, act="trust-changed")

    [first] = changes()
    lowered = dataclasses.replace(busy.plane.settings, floor=tuple((f"R{tier}", 1) for tier in range(5)))
    other = open_plane(lowered)
    assert "trust.json" in publish(other)
    assert publish(other) == ()
    assert len(changes()) == 2
    people.enrol_all(other, [(people.NewPerson("kim", "Kim", ("facilitator",)), "long enough")])
    assert "trust.json" in publish(other)
    third, second, same = changes()
    assert (same, second.digest != first.digest, third.digest != second.digest) == (first, True, True)
    assert verifying.verify(other).ok
    other.close()
