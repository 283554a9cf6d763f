"""The gap detector: each kind of gap is found where it is, and none where there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import text

from audit.checkpoint import cosign
from audit.note import Algorithm, Signer, add_signatures
from audit.record import encode_leaf, parse_leaf
from control_plane import checkpoints, db, ledger, verifying
from control_plane.errors import Refused
from control_plane.evidence.export import Run, export, switch_off
from control_plane.evidence.export_sinks import FileSink
from control_plane.evidence.filed import file_evidence
from control_plane.evidence.gaps import Gap, Kind, find_gaps
from control_plane.keeping.keepers import Asking
from control_plane.keeping.retention import change_setting
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, refused
from tests.server.conftest import Clock

WITNESS = Signer("witness.example", b"\x05" * 32, Algorithm.COSIGNATURE)


def gaps(plane: ControlPlane, kind: Kind) -> list[Gap]:
    """The gaps of a kind."""
    return [gap for gap in find_gaps(plane) if gap.kind is kind]


def rewrite(plane: ControlPlane, index: int, **changes: object) -> None:
    """Change members of an entry in the database."""
    with db.write(plane.engine) as session:
        row = session.get(LeafRow, index)
        assert row is not None
        row.data = encode_leaf(replace(parse_leaf(row.data), **changes))  # type: ignore[arg-type]


def asking(acts: Acts, login: str = "ruth") -> Asking:
    """Somebody of compliance asking."""
    return Asking(acts.id(login), "for the audit", acts.passphrase(login))


def test_a_fresh_home_has_one_gap_it_is_self_contained(acts: Acts) -> None:
    """No gap is invented; that nobody outside has seen the log is said, with all entries."""
    [gap] = find_gaps(acts.plane)
    assert (gap.kind, gap.first, gap.last) == (Kind.WITNESS, 0, verifying.verify(acts.plane).size - 1)
    assert "self-contained" in gap.message


def test_a_broken_link_names_the_entry(acts: Acts) -> None:
    """An entry that does not name the one before about its object: something was taken out or put in."""
    rewrite(acts.plane, 15, prev=3)
    assert [(gap.first, gap.last) for gap in gaps(acts.plane, Kind.LINK)] == [(15, 15)]


def test_an_index_that_jumps_names_what_is_missing(acts: Acts) -> None:
    """A row that is gone, and one that says another index."""
    with db.write(acts.plane.engine) as session:
        row = session.get(LeafRow, 5)
        assert row is not None
        row.data = row.data.replace(b'"seq":5', b'"seq":6')
    assert [(gap.first, gap.message) for gap in gaps(acts.plane, Kind.INDEX)] == [(5, "the record says it is entry 6")]
    if acts.plane.engine.dialect.name == "sqlite":
        with acts.plane.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("PRAGMA foreign_keys=OFF")
            raw.execute("DELETE FROM leaf WHERE seq IN (5, 6)")
            raw.execute("PRAGMA foreign_keys=ON")
        assert (5, 6) in {(gap.first, gap.last) for gap in gaps(acts.plane, Kind.INDEX)}


def test_time_that_runs_backwards_is_found(acts: Acts, clock: Clock) -> None:
    """A server clock that was set back leaves its mark."""
    clock.advance(hours=-5)
    acts.check()
    [gap] = gaps(acts.plane, Kind.TIME)
    assert gap.first == verifying.verify(acts.plane).size - 1


def test_periods_without_a_cosignature_are_found(acts: Acts, clock: Clock) -> None:
    """Cosigned in time: no gap. Later than an hour: a gap from the first entry that waited. Never: until now."""
    plane = acts.plane
    policy = f"log {plane.keys.log.verifier.vkey}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n"
    plane.settings.witness_policy.write_text(policy)
    _cosign(plane)
    assert gaps(plane, Kind.WITNESS) == []
    size = verifying.verify(plane).size
    acts.check()
    clock.advance(hours=3)
    [open_gap] = gaps(plane, Kind.WITNESS)
    assert (open_gap.first, open_gap.until) == (size, None)
    _cosign(plane)
    [closed] = gaps(plane, Kind.WITNESS)
    assert (closed.first, closed.last) == (size, size)
    assert closed.until is not None
    assert closed.since is not None
    assert closed.until - closed.since >= timedelta(hours=2)


def _cosign(plane: ControlPlane) -> None:
    note = ledger.checkpoint(plane)
    checkpoints.remember(plane, add_signatures(note, cosign(note, WITNESS, time_s=int(plane.clock().timestamp()))))


def test_switching_off_what_is_recorded_is_a_gap_from_when_to_when(acts: Acts, clock: Clock) -> None:
    """Reading that was not logged, from the entry that switched it off to the one that switched it on."""
    given = {"by": acts.id("ruth"), "reason": "a test", "passphrase": acts.passphrase("ruth")}
    off = change_setting(acts.plane, "reading-log", "off", asking=Asking(**given))
    clock.advance(days=2)
    [gap] = gaps(acts.plane, Kind.READING)
    assert (gap.first, gap.until) == (off, None)
    on = change_setting(acts.plane, "reading-log", "on", asking=Asking(**given))
    [gap] = gaps(acts.plane, Kind.READING)
    assert (gap.first, gap.last) == (off, on)
    assert gap.until is not None
    assert gap.since is not None
    assert gap.until - gap.since == timedelta(days=2)


def test_an_export_that_lags_or_was_switched_off_is_found(acts: Acts, clock: Clock, tmp_path: Path) -> None:
    """Entries that a target has not confirmed for more than an hour; a target that is off."""
    sink = FileSink(tmp_path / "siem.jsonl")
    export(acts.plane, sink, run=Run())
    acts.check()
    assert gaps(acts.plane, Kind.EXPORT) == []
    clock.advance(hours=2)
    [gap] = gaps(acts.plane, Kind.EXPORT)
    assert gap.first == verifying.verify(acts.plane).size - 1
    export(acts.plane, sink)
    assert gaps(acts.plane, Kind.EXPORT) == []
    entry = switch_off(acts.plane, sink.target)
    assert [one.first for one in gaps(acts.plane, Kind.SETTING)] == [entry]


def test_evidence_that_expired_is_found_and_a_newer_one_mends_it(acts: Acts, clock: Clock) -> None:
    """A document on file counts until its last day; the log holds its digest only."""
    entry = file_evidence(
        acts.plane, "dpia", b"the assessment", asking=asking(acts), valid_until=clock.now.date() + timedelta(days=30)
    )
    assert gaps(acts.plane, Kind.EVIDENCE) == []
    clock.advance(days=32)
    assert [gap.first for gap in gaps(acts.plane, Kind.EVIDENCE)] == [entry]
    file_evidence(acts.plane, "dpia", b"the next assessment", asking=asking(acts))
    assert gaps(acts.plane, Kind.EVIDENCE) == []
    with db.read(acts.plane.engine) as session:
        rows = session.connection().execute(text("SELECT data FROM leaf")).all()
    assert not any(b"assessment" in bytes(data) for (data,) in rows)


def test_only_the_right_people_file_evidence(acts: Acts) -> None:
    """Others are refused, and the log says so; nonsense is refused and changes nothing."""
    with pytest.raises(Refused):
        file_evidence(acts.plane, "dpia", b"x", asking=asking(acts, "maya"))
    assert ledger.search(acts.plane, limit=1)[0].act == "refused"
    for kind, data, until in (("letter", b"x", None), ("dpia", b"", None), ("dpia", b"x", date(2020, 1, 1))):
        with refused(acts.plane, InvalidDocument):
            file_evidence(acts.plane, kind, data, asking=asking(acts), valid_until=until)


def test_an_overdue_review_is_found(acts: Acts, clock: Clock) -> None:
    """A live prompt past its date names the release that brought it."""
    clock.advance(days=4000)
    overdue = gaps(acts.plane, Kind.REVIEW)
    assert overdue
    assert all("was to be reviewed by" in gap.message and gap.first is not None for gap in overdue)
