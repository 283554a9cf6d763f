"""What the report of a pack tells its reader: taken from the pack's own files and from what the verifier said of them.

Promises: nothing is in the report that is not in the pack; a name or reason that was erased is told as erased by which
entry, one that was withheld as withheld.
Does not: lay anything out (see `report`, `report_pdf`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.errors import InvalidFormat
from audit.openings import parse_openings
from audit.pack.check import PackReport
from audit.pack.make import OPENINGS, bundles_between
from audit.record import Act, LeafRecord, parse_leaf
from audit.tiles import parse_bundle

__all__ = ["Line", "ReleaseStory", "ReportData", "report_data"]

MOST_RELEASES = 100
_TOLD = {Act.APPROVED, Act.REJECTED, Act.RELEASED, Act.WITHDRAWN, Act.WITHDRAWAL_LIFTED, Act.PROPOSED}
_LIMITS = (
    "It does not prove that an entry was true when it was written, only that it was not changed since.",
    "It does not prove that everybody was shown the same log, unless a witness outside the operator's reach signed.",
    "Times are those of the server's clock; a witness's time is that witness's claim.",
    "This report was written by the server. What counts is the entries in the pack, which the verifier checks.",
    "It is no statement about compliance with any law or standard: that is for people to judge.",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One act, as people read it."""

    index: int
    at: str
    act: str
    what: str
    person: str
    name: str
    role: str
    meaning: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseStory:
    """A release: who released it, who proposed, approved or rejected it, and what was withdrawn from it."""

    title: str
    manifest: str
    tier: str
    released: Line
    decisions: tuple[Line, ...]
    withdrawals: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that a report says, in the order in which it says it."""

    title: str
    log: str
    about: str
    made_at: str
    integrity: bool
    completeness: bool
    contents_ok: bool
    facts: tuple[tuple[str, str], ...]
    checked: tuple[str, ...]
    releases: tuple[ReleaseStory, ...]
    more_releases: int
    counts: tuple[tuple[str, int], ...]
    sample: tuple[Line, ...]
    nonce: str
    population: int
    erased: tuple[tuple[int, int], ...]
    remarks: tuple[str, ...]
    limits: tuple[str, ...] = _LIMITS


def report_data(files: Mapping[str, bytes], report: PackReport, *, made_at: datetime) -> ReportData:
    """Return what to report of a pack that was checked."""
    scope, newer = report.scope, report.newer
    assert scope is not None
    assert newer is not None
    size_a = report.older.size if report.older else 0
    texts = _Texts(files, report)
    counts: Counter[str] = Counter()
    leaves: list[LeafRecord] = []
    drawn = set(report.drawn)
    for index, entry in _entries(files, size_a, newer.size):
        if scope.first <= index <= scope.last:
            act = _act_of(entry)
            counts[act] += 1
            if act in _TOLD or index in drawn:
                leaves.append(parse_leaf(entry))
    stories = _stories(leaves, texts)
    by_index = {leaf.seq: leaf for leaf in leaves}
    return ReportData(
        title="Evidence pack",
        log=scope.origin,
        about=_about(report),
        made_at=_time(made_at),
        integrity=report.integrity,
        completeness=report.completeness,
        contents_ok=report.contents.ok,
        facts=_facts(report, size_a),
        checked=_checked(report),
        releases=tuple(stories[-MOST_RELEASES:]),
        more_releases=max(0, len(stories) - MOST_RELEASES),
        counts=tuple(sorted(counts.items())),
        sample=tuple(texts.line(by_index[index]) for index in sorted(report.drawn) if index in by_index),
        nonce=report.nonce,
        population=report.population,
        erased=report.contents.erased,
        remarks=report.remarks,
    )


def _entries(files: Mapping[str, bytes], size_a: int, size_b: int) -> Iterable[tuple[int, bytes]]:
    for bundle in bundles_between(size_a, size_b):
        start, _ = bundle.entry_range
        yield from enumerate(parse_bundle(files[bundle.path], bundle.width), start)


def _act_of(entry: bytes) -> str:
    """Return the act of an entry, which is its first member in every version."""
    return entry[8 : entry.index(b'"', 8)].decode()


class _Texts:
    """Names and reasons by entry, as people read them."""

    def __init__(self, files: Mapping[str, bytes], report: PackReport) -> None:
        data = files[OPENINGS]
        try:
            openings = parse_openings(data) if data else ()
        except InvalidFormat:
            openings = ()
        self._open = {(one.seq, one.field): one.text for one in openings}
        self._erased = dict(report.contents.erased)

    def text(self, leaf: LeafRecord, field: str, commitment: str) -> str:
        if not commitment:
            return ""
        found = self._open.get((leaf.seq, field))
        if found is not None:
            return found
        event = self._erased.get(leaf.seq)
        return "withheld from this pack" if event is None else f"erased by entry {event}"

    def line(self, leaf: LeafRecord) -> Line:
        target = leaf.object
        return Line(
            index=leaf.seq,
            at=_time(leaf.at),
            act=leaf.act.replace("-", " "),
            what=(target.name if target.name.startswith(target.kind) else f"{target.kind} {target.name}").strip(),
            person=leaf.actor.id,
            name=self.text(leaf, "actor.name", leaf.actor.name) or leaf.actor.id,
            role=leaf.actor.role.replace("-", " "),
            meaning=leaf.signature.meaning,
            reason=self.text(leaf, "reason.text", leaf.reason.text) or leaf.reason.code.replace("-", " "),
        )


def _stories(leaves: Iterable[LeafRecord], texts: _Texts) -> list[ReleaseStory]:
    decided: dict[str, list[LeafRecord]] = {}
    ends: dict[str, list[LeafRecord]] = {}
    released = []
    for leaf in leaves:
        if leaf.act in {Act.PROPOSED, Act.APPROVED, Act.REJECTED}:
            decided.setdefault(leaf.manifest, []).append(leaf)
        elif leaf.act in {Act.WITHDRAWN, Act.WITHDRAWAL_LIFTED}:
            ends.setdefault(leaf.manifest, []).append(leaf)
        elif leaf.act is Act.RELEASED:
            released.append(leaf)
    return [
        ReleaseStory(
            title=f"{leaf.object.name.replace('-', ' ').capitalize()}"
            + (f" on {leaf.channel}" if leaf.channel else ""),
            manifest=leaf.manifest,
            tier=leaf.tier,
            released=texts.line(leaf),
            decisions=tuple(map(texts.line, decided.get(leaf.manifest, ()))),
            withdrawals=tuple(map(texts.line, ends.get(leaf.manifest, ()))),
        )
        for leaf in released
    ]


def _about(report: PackReport) -> str:
    scope = report.scope
    assert scope is not None
    if scope.kind == "release":
        return (
            f"Release {scope.release} on {scope.channel}, from its proposal on: entries {scope.first} to {scope.last}"
        )
    since, until = (text.replace("T", " ").removesuffix(":00Z") for text in (scope.since, scope.until))
    period = f"from {since or 'the beginning'} to {until or 'now'} (UTC)"
    return f"The period {period}: entries {scope.first} to {scope.last}"


def _facts(report: PackReport, size_a: int) -> tuple[tuple[str, str], ...]:
    assert report.newer is not None
    witnesses = ", ".join(f"{one.name} at {_time(datetime.fromtimestamp(one.time_s, UTC))}" for one in report.witnesses)
    contents = report.contents
    texts = f"{contents.verified} verified, {len(contents.erased)} erased"
    texts += f", {contents.withheld} withheld" if contents.withheld else ""
    return (
        ("Entries checked", f"{report.verified:,}"),
        ("Log before", f"{size_a:,} entries" if size_a else "empty: the pack begins with the first entry"),
        ("Log after", f"{report.newer.size:,} entries"),
        ("Root", report.newer.root.hex()),
        ("Names and reasons", texts),
        ("Outside witnesses", witnesses or "none: the log is self-contained, only its operator vouches for it"),
    )


def _checked(report: PackReport) -> tuple[str, ...]:
    return (
        "The log's key signed the list of all files in this pack, with their digests.",
        "Every entry hashes to the leaf hash that was published when it was logged.",
        "Grown by these entries, the older checkpoint has the newer one's root: none was left out, put in or moved.",
        "The table and the events are, byte for byte, what the entries give.",
        "Every name and reason in the pack is the one that its entry committed to.",
        f"The sample of {len(report.drawn)} follows from the newer checkpoint and the nonce.",
    )


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
