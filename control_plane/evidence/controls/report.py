"""One pass over the log, and what it says about each control of a rule book: entries, gaps, and what cannot be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import col, select

from audit.errors import AuditError
from audit.record import Act, parse_leaf
from control_plane import db
from control_plane.errors import NotFound
from control_plane.evidence.controls.eu_ai_act import EU_AI_ACT
from control_plane.evidence.controls.iso_42001 import ISO_42001
from control_plane.evidence.controls.records import Control, Framework
from control_plane.evidence.controls.rules import RULES, Facts, Lack
from control_plane.evidence.controls.soc2 import SOC2
from control_plane.evidence.controls.works_council import WORKS_COUNCIL
from control_plane.evidence.filed import KINDS, filed_of
from control_plane.evidence.gaps import find_gaps
from control_plane.evidence.report import page, style
from control_plane.keeping.retention import settings
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from edge_runtime.core.errors import Unavailable

__all__ = ["FRAMEWORKS", "ControlsReport", "Found", "controls_html", "report_controls"]

FRAMEWORKS = {one.name: one for one in (EU_AI_ACT, ISO_42001, SOC2, WORKS_COUNCIL)}
EXAMPLES = 5
PREFACE = (
    "This report lists what the log holds and what it lacks. It passes no judgement and is no legal advice: whether a "
    "rule is satisfied is for people to decide, with what lies outside of this product in view."
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Entries of one kind that evidence a control: how many in the period, and some of them."""

    what: str
    count: int
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found about one control."""

    reference: str
    title: str
    asks: str
    evidence: tuple[Evidence, ...]
    gaps: tuple[Lack, ...]
    unseen: tuple[str, ...]

    @property
    def state(self) -> str:
        """One word: whether a gap shows, entries are there, or nothing is seen at all."""
        if self.gaps:
            return "gap"
        return "seen" if any(one.count for one in self.evidence) else "unseen"


@dataclass(frozen=True, slots=True)
class ControlsReport:
    """The report for a rule book; `entries` is the number of entries in the period."""

    name: str
    title: str
    organisation: str
    log: str
    since: str
    until: str
    made_at: str
    entries: int
    controls: tuple[Found, ...]
    preface: str = PREFACE


def report_controls(
    plane: ControlPlane, name: str, *, since: datetime | None = None, until: datetime | None = None
) -> ControlsReport:
    """Return what the log holds and lacks for a rule book, in a period or from the beginning until now.

    Raises:
        NotFound: there is no such rule book.
        Unavailable: an entry is not a record.
    """
    if name not in FRAMEWORKS:
        raise NotFound(f"expected one of {', '.join(sorted(FRAMEWORKS))}")
    framework, facts = FRAMEWORKS[name], Facts(plane.now(), find_gaps(plane), settings(plane))
    counted: dict[Act, list[int]] = {}
    papers: dict[str, list[int]] = {}
    total = 0
    for seq, data in _entries(plane):
        try:
            leaf = parse_leaf(data)
        except AuditError as error:
            raise Unavailable(f"expected entry {seq} as it was logged, got other bytes") from error
        inside = (since is None or leaf.at >= since) and (until is None or leaf.at < until)
        facts.visit(leaf, inside=inside)
        if leaf.act is Act.EVIDENCE_FILED and (until is None or leaf.at < until):
            facts.filed[leaf.object.kind] = filed_of(leaf)
            facts.first_filed.setdefault(leaf.object.kind, seq)
            papers.setdefault(leaf.object.kind, []).append(seq)
        if inside:
            total += 1
            counted.setdefault(leaf.act, []).append(seq)
    return ControlsReport(
        framework.name,
        framework.title,
        plane.organisation,
        plane.keys.log.name,
        since=_text(since),
        until=_text(until),
        made_at=_text(plane.now()),
        entries=total,
        controls=tuple(_found(framework, facts, counted=counted, papers=papers)),
    )


def _entries(plane: ControlPlane) -> Iterator[tuple[int, bytes]]:
    with db.read(plane.engine) as session:
        query = select(LeafRow.seq, LeafRow.data).order_by(col(LeafRow.seq))
        yield from session.exec(query.execution_options(yield_per=1000))


def _found(
    framework: Framework, facts: Facts, *, counted: dict[Act, list[int]], papers: dict[str, list[int]]
) -> Iterator[Found]:
    for control in framework.controls:
        acts = [_evidence(act.replace("-", " "), counted.get(act, [])) for act in control.acts]
        documents = [_evidence(KINDS[kind], papers.get(kind, [])) for kind in control.filed]
        lacks = (*_filed(control, facts), *(lack for rule in control.rules for lack in RULES[rule](facts)))
        yield Found(
            control.reference, control.title, control.asks, (*acts, *documents), tuple(lacks), unseen=control.unseen
        )


def _evidence(what: str, entries: list[int]) -> Evidence:
    return Evidence(what, len(entries), tuple(entries[-EXAMPLES:]))


def _filed(control: Control, facts: Facts) -> Iterator[Lack]:
    for kind in control.filed:
        found = facts.filed.get(kind)
        if found is None:
            yield Lack(f"no {KINDS[kind]} is on file")
        elif found.expired(facts.now):
            yield Lack(f"the {KINDS[kind]} on file has expired", (found.index,))


def _text(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""


def controls_html(report: ControlsReport) -> bytes:
    """Return the report as a page that needs nothing else."""
    return page("controls.html").render(report=report, style=style()).encode("utf-8", "replace")
