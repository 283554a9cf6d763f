"""Reports by rule book: evidence and gaps by entry, and no judgement anywhere."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import timedelta

import pytest

from audit.record import Act, Outcome, encode_leaf, parse_leaf
from control_plane import db
from control_plane.errors import NotFound
from control_plane.evidence.controls import FRAMEWORKS, ControlsReport, Found, report_controls
from control_plane.evidence.controls.report import controls_html
from control_plane.evidence.controls.rules import RULES
from control_plane.evidence.filed import KINDS, file_evidence
from control_plane.keeping.keepers import Asking
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from tests.server.acts import Acts
from tests.server.conftest import Clock

JUDGEMENT = re.compile(
    r"\b(compliant|complies|comply|conform\w*|certified|lawful|satisfied by|fulfils)\b", re.IGNORECASE
)


def control(report: ControlsReport, reference: str) -> Found:
    """One control of a report."""
    return next(one for one in report.controls if one.reference == reference)


def messages(found: Found) -> list[str]:
    """The gaps of a control."""
    return [gap.message for gap in found.gaps]


def asking(acts: Acts) -> Asking:
    """Somebody of compliance asking."""
    return Asking(acts.id("ruth"), "for the audit", acts.passphrase("ruth"))


def rewrite(plane: ControlPlane, index: int, **changes: object) -> None:
    """Change members of an entry in the database, to see what a rule makes of it."""
    with db.write(plane.engine) as session:
        row = session.get(LeafRow, index)
        assert row is not None
        row.data = encode_leaf(dataclasses.replace(parse_leaf(row.data), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(FRAMEWORKS))
def test_no_report_passes_a_judgement(acts: Acts, name: str) -> None:
    """Whatever is on file: page, JSON and texts list evidence and gaps, and never say that a rule is satisfied."""
    for kind in KINDS:
        file_evidence(acts.plane, kind, b"document " + kind.encode(), asking=asking(acts))
    made = report_controls(acts.plane, name)
    page = controls_html(made).decode()
    for output in (page, json.dumps(dataclasses.asdict(made))):
        assert not JUDGEMENT.search(output)
    assert "no legal advice" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize("name", sorted(FRAMEWORKS))
def test_every_control_is_tied_to_something_and_says_what_is_not_seen(name: str) -> None:
    """No control is empty; rules and kinds of documents exist; references are distinct."""
    controls = FRAMEWORKS[name].controls
    assert len({one.reference for one in controls}) == len(controls) >= 8
    for one in controls:
        assert one.acts or one.filed
        assert one.unseen
        assert set(one.rules) <= set(RULES)
        assert set(one.filed) <= set(KINDS)


def test_evidence_is_counted_with_entries_and_within_the_period(acts: Acts, clock: Clock) -> None:
    """Approvals are listed by entry; a period that begins later has none of them."""
    acts.approve_fully()
    acts.release()
    found = control(report_controls(acts.plane, "soc2"), "CC8.1")
    approved = next(one for one in found.evidence if one.what == "approved")
    assert approved.count == len({*approved.entries}) + max(0, approved.count - 5) > 0
    assert messages(found) == []
    later = report_controls(acts.plane, "soc2", since=clock.now + timedelta(days=1))
    assert all(one.count == 0 for one in control(later, "CC8.1").evidence)


def test_documents_that_are_missing_or_expired_are_gaps(acts: Acts, clock: Clock) -> None:
    """Worker notice, assessment, training: not on file, on file, expired."""
    before = control(report_controls(acts.plane, "works-council"), "GDPR Art. 35")
    assert messages(before) == ["no data protection impact assessment is on file"]
    until = clock.now.date() + timedelta(days=10)
    entry = file_evidence(acts.plane, "dpia", b"x", asking=asking(acts), valid_until=until)
    during = control(report_controls(acts.plane, "works-council"), "GDPR Art. 35")
    assert (messages(during), during.state) == ([], "seen")
    clock.advance(days=12)
    [gap] = control(report_controls(acts.plane, "works-council"), "GDPR Art. 35").gaps
    assert "expired" in gap.message
    assert gap.entries == (entry,)


def test_a_release_before_the_notice_to_workers_is_a_gap(acts: Acts) -> None:
    """The notice comes first: releases before it are named."""
    file_evidence(acts.plane, "worker-notice", b"x", asking=asking(acts))
    acts.approve_fully()
    released = acts.release()
    [gap] = control(report_controls(acts.plane, "eu-ai-act"), "Art. 26(7), 50").gaps
    assert "before a notice" in gap.message
    assert released.leaf not in gap.entries
    assert gap.entries


def test_a_release_without_approval_or_by_its_author_is_a_gap(acts: Acts) -> None:
    """If the log said so: approvals that are refusals, or by the author, or checks that are none."""
    acts.approve_fully()
    released = acts.release()
    plane = acts.plane
    with db.read(plane.engine) as session:
        row = session.get(LeafRow, released.leaf)
        assert row is not None
        manifest = parse_leaf(row.data).manifest
    leaves = _about(plane, manifest)
    for seq, act in leaves:
        if act is Act.APPROVED:
            rewrite(plane, seq, actor=dataclasses.replace(_leaf(plane, seq).actor, id=acts.id("maya")))
    found = control(report_controls(plane, "soc2"), "CC8.1")
    assert any("by one of its authors" in gap.message and released.leaf in gap.entries for gap in found.gaps)
    for seq, act in leaves:
        if act in {Act.APPROVED, Act.CHECKED}:
            rewrite(plane, seq, act=Act.REFUSED, outcome=Outcome.REFUSED)
    said = messages(control(report_controls(plane, "soc2"), "CC8.1"))
    assert any("no approval of it stands before" in one for one in said)
    assert any("no run of the checks stands before" in one for one in said)


def _leaf(plane: ControlPlane, seq: int):  # type: ignore[no-untyped-def]
    with db.read(plane.engine) as session:
        row = session.get(LeafRow, seq)
        assert row is not None
        return parse_leaf(row.data)


def _about(plane: ControlPlane, manifest: str) -> list[tuple[int, Act]]:
    from sqlmodel import select

    with db.read(plane.engine) as session:
        rows = session.exec(select(LeafRow).where(LeafRow.manifest == manifest)).all()
        return [(row.seq, parse_leaf(row.data).act) for row in rows]


def test_an_unknown_rule_book_is_refused(acts: Acts) -> None:
    """Only the rule books that are there."""
    with pytest.raises(NotFound):
        report_controls(acts.plane, "everything")
