"""Gaps in the evidence: where the log, its witnesses, its exports or what was filed leave something uncovered.

Promises: one pass over the entries; each gap says since when, until when and which entries; nothing is repaired and
nothing is hidden. Kinds of gap are `Kind`.
Does not: verify hashes and signatures (see `verifying.verify`), or know what was never logged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, col, select

from audit.checkpoint import parse_checkpoint
from audit.errors import AuditError
from audit.note import parse_note
from audit.policy import evaluate
from audit.record import FORMAT, Act, LeafRecord, parse_leaf
from control_plane import checkpoints, db, ledger
from control_plane.evidence.export import registered
from control_plane.evidence.filed import Filed, filed_of
from control_plane.lifecycle.emergency import pending
from control_plane.lifecycle.windows import unreturned
from control_plane.plane import ControlPlane
from control_plane.registry.live import live_release
from control_plane.tables.registry import ClosureRow, LeafRow, ReleaseRow
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.manifest import parse_manifest

__all__ = ["Gap", "Kind", "find_gaps"]

TOLERANCE = timedelta(seconds=2)
UNWITNESSED_AFTER = timedelta(hours=1)
LAGGING_AFTER = timedelta(hours=1)
READING = "reading-log"
OFF, ON = "switched-off", "switched-on"


class Kind(StrEnum):
    """What is uncovered."""

    INDEX = "index"  # an entry is not there, or stands elsewhere
    LINK = "link"  # an entry does not name the one before it about the same object
    TIME = "time"  # an entry is older than the one before it
    WITNESS = "witness"  # entries that no quorum of witnesses cosigned in time
    SETTING = "setting"  # something of the record is or was switched off
    READING = "reading"  # reading the log was not logged
    EXPORT = "export"  # a target is behind, or switched off
    EVIDENCE = "evidence"  # what was filed has expired
    REVIEW = "review"  # a prompt, or a break-glass release, is past its date for review
    TRIAL = "trial"  # a trial ended, and its channel did not return


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap: entries `first` to `last`, times `since` to `until`; None where there is none, or it goes on."""

    kind: Kind
    message: str
    first: int | None = None
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        where = "" if self.first is None else f" entries {self.first} to {self.last}:"
        where = where if self.first != self.last or self.first is None else f" entry {self.first}:"
        times = [f"{at:%Y-%m-%d %H:%M}" if at else "now" for at in (self.since, self.until)]
        when = f" ({times[0]} to {times[1]})" if self.since else ""
        return f"{self.kind}:{where} {self.message}{when}"


@dataclass(slots=True)
class _Seen:
    """What the pass over the entries keeps."""

    times: list[datetime] = field(default_factory=list)
    newest: dict[tuple[str, str], int] = field(default_factory=dict)
    off: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    filed: list[Filed] = field(default_factory=list)
    found: list[Gap] = field(default_factory=list)


def find_gaps(plane: ControlPlane) -> tuple[Gap, ...]:
    """Return every gap, in the order of the log; changes nothing."""
    seen, now = _Seen(), plane.now()
    with db.read(plane.engine) as session:
        for row in session.exec(select(LeafRow.seq, LeafRow.data).order_by(col(LeafRow.seq))):
            _visit(seen, *row)
        reviews = (*_reviews(plane, session), *_unreviewed(plane, session), *_trials(plane, session))
    for name, (index, since) in seen.off.items():
        seen.found.append(_switched(name, index, len(seen.times) - 1, since=since, until=None))
    seen.found += _witnesses(plane, seen.times)
    seen.found += _exports(plane, seen.times)
    seen.found += _expired(seen.filed, now)
    seen.found += reviews
    return tuple(sorted(seen.found, key=lambda gap: (-1 if gap.first is None else gap.first, gap.kind)))


def _visit(seen: _Seen, seq: int, data: bytes) -> None:
    index = len(seen.times)
    before = seen.times[-1] if seen.times else None
    if seq != index:
        missing = Gap(Kind.INDEX, "the database has no such entry", index, seq - 1, since=before)
        seen.found.append(missing)
        # What is not there has no time of its own; the pass goes on where the database does.
        seen.times += [before or datetime(1970, 1, 1, tzinfo=UTC)] * (seq - index)
    try:
        leaf = parse_leaf(data)
    except AuditError:
        seen.found.append(Gap(Kind.INDEX, "not a record of the log", seq, seq))
        seen.times.append(before or datetime(1970, 1, 1, tzinfo=UTC))
        return
    if leaf.seq != seq:
        seen.found.append(Gap(Kind.INDEX, f"the record says it is entry {leaf.seq}", seq, seq, since=leaf.at))
    if before is not None and leaf.at < before - TOLERANCE:
        seen.found.append(Gap(Kind.TIME, "older than the entry before it", seq, seq, since=before, until=leaf.at))
    _link(seen, leaf, seq)
    _setting(seen, leaf, seq)
    if leaf.act is Act.EVIDENCE_FILED:
        seen.filed.append(filed_of(leaf))
    seen.times.append(max(leaf.at, before or leaf.at))


def _link(seen: _Seen, leaf: LeafRecord, seq: int) -> None:
    about = (leaf.object.kind, leaf.object.name)
    wanted = seen.newest.get(about, -1)
    if leaf.format == FORMAT and leaf.prev != wanted:
        message = f"names entry {leaf.prev} as the one before about its object, which is entry {wanted}"
        seen.found.append(Gap(Kind.LINK, message, seq, seq, since=leaf.at))
    seen.newest[about] = seq


def _setting(seen: _Seen, leaf: LeafRecord, seq: int) -> None:
    if leaf.act is not Act.SETTINGS_CHANGED:
        return
    name = leaf.object.name
    if leaf.reason.code == OFF:
        seen.off.setdefault(name, (seq, leaf.at))
    elif name in seen.off:
        index, since = seen.off.pop(name)
        seen.found.append(_switched(name, index, seq, since=since, until=leaf.at))


def _switched(name: str, first: int, last: int, *, since: datetime, until: datetime | None) -> Gap:
    if name == READING:
        return Gap(Kind.READING, "reading the log was not logged", first, last, since=since, until=until)
    return Gap(Kind.SETTING, f"{name} was switched off", first, last, since=since, until=until)


def _witnesses(plane: ControlPlane, times: list[datetime]) -> Iterator[Gap]:
    """Yield the runs of entries that no quorum cosigned within an hour."""
    if not times:
        return
    try:
        policy = ledger.witness_policy(plane)
    except InvalidDocument as error:
        yield Gap(Kind.WITNESS, str(error), 0, len(times) - 1, since=times[0])
        return
    if policy is None:
        message = "no witness policy: the log is self-contained, nobody outside has seen it"
        yield Gap(Kind.WITNESS, message, 0, len(times) - 1, since=times[0])
        return
    covered = 0
    for line in checkpoints.lines(plane) or ():
        try:
            note = checkpoints.note_of(line)
            size = min(parse_checkpoint(parse_note(note).text).size, len(times))
        except AuditError:
            continue  # `audit verify` names it
        verdict = evaluate(policy, note) if size > covered else None
        if verdict is not None and verdict.ok:
            signed = datetime.fromtimestamp(max(one.time_s for one in verdict.witnesses), UTC)
            yield from _uncovered(times, covered, size, until=signed)
            covered = size
    if covered < len(times) and plane.now() - times[covered] > UNWITNESSED_AFTER:
        message = "not cosigned by a quorum of witnesses"
        yield Gap(Kind.WITNESS, message, covered, len(times) - 1, since=times[covered])


def _uncovered(times: list[datetime], start: int, end: int, *, until: datetime) -> Iterator[Gap]:
    if until - times[start] > UNWITNESSED_AFTER:
        late = sum(1 for at in times[start:end] if until - at > UNWITNESSED_AFTER)
        message = "cosigned by a quorum of witnesses more than an hour later"
        yield Gap(Kind.WITNESS, message, start, start + late - 1, since=times[start], until=until)


def _exports(plane: ControlPlane, times: list[datetime]) -> Iterator[Gap]:
    for cursor in registered(plane):
        name = canonical.digest(cursor.target.encode())[7:23]
        behind = cursor.next < len(times)
        if cursor.off:
            continue  # its setting says so already
        if behind and plane.now() - times[cursor.next] > LAGGING_AFTER:
            message = f"the target {name} has not confirmed these entries"
            yield Gap(Kind.EXPORT, message, cursor.next, len(times) - 1, since=times[cursor.next])


def _expired(filed: Iterable[Filed], now: datetime) -> Iterator[Gap]:
    newest = {one.kind: one for one in filed}
    for one in newest.values():
        if one.expired(now):
            message = f"the {one.kind} on file has expired"
            yield Gap(Kind.EVIDENCE, message, one.index, one.index, since=one.ends)


def _reviews(plane: ControlPlane, session: Session) -> Iterator[Gap]:
    """Yield the live prompts that are past their date for review."""
    live = [live_release(session, channel) for channel in plane.settings.channels]
    for release in live:
        yield from _past_reviews(plane, session, release) if release else ()


def _unreviewed(plane: ControlPlane, session: Session) -> Iterator[Gap]:
    """Yield the break-glass releases whose review is overdue: they block every further release on their channel."""
    for one in pending(plane, session):
        if one.overdue:
            message = f"the review of break-glass release {one.release} on {one.channel} is overdue"
            yield Gap(Kind.REVIEW, message, one.leaf, one.leaf, since=one.due)


def _trials(plane: ControlPlane, session: Session) -> Iterator[Gap]:
    """Yield the trials that ended, and whose channel did not return to what the usual one has."""
    for one in unreturned(plane, session):
        message = f"the trial of proposal {one.proposal} on {one.channel} ended and was not returned"
        yield Gap(Kind.TRIAL, message, one.leaf, one.leaf, since=one.ends_at)


def _past_reviews(plane: ControlPlane, session: Session, live: ReleaseRow) -> Iterator[Gap]:
    for entry in parse_manifest(live.manifest).entries:
        row = session.get(ClosureRow, entry.digest)
        if row is None:
            raise Unavailable("expected the closures of the live release in the database, got one less")
        due = canonical.parse(row.data, max_bytes=len(row.data)).get("review_by")
        if isinstance(due, str) and due and due < f"{plane.now():%Y-%m-%d}":
            since = datetime.fromisoformat(due).replace(tzinfo=UTC)
            message = f"{entry.kind} {entry.name} on {live.channel} was to be reviewed by {due}"
            yield Gap(Kind.REVIEW, message, live.leaf, live.leaf, since=since)
