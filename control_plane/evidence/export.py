"""Export of the log to a SIEM: OCSF JSON lines, resumable, each entry at least once and none ever skipped.

Promises: entries leave in the order of their indexes, from the published log only; the cursor moves only after the sink
confirmed (a file: on the disk; a webhook: an answer of 2xx), and is on the disk before the next batch; a crash at any
instruction repeats at most one batch, whose lines are the same bytes and carry their index, by which a receiver tells a
repetition; what a sink refuses is tried again, ever more slowly; each run is an entry of the log before the first line
leaves.
Does not: judge who may have the lines, or know whether the SIEM kept them.

Modules: this one (the loop and its cursor), `export_sinks` (stdout, file, webhook).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlmodel import col, select

from audit.errors import AuditError
from audit.pack import ocsf, table
from audit.record import Act, Auth, LeafObject, parse_leaf
from control_plane import checkpoints, db, ledger
from control_plane.errors import Conflict, NotFound
from control_plane.evidence.acting import role_of
from control_plane.evidence.export_sinks import STDOUT, Batch, Sink, SinkRefused
from control_plane.files import write_atomic
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["Cursor", "Run", "cursor_path", "export", "registered", "switch_off"]

FORMAT = "mentorplane-export/1"
BATCH_LINES = 200
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
TRIES = 6
"""How often a batch is tried in a run that does not follow the log."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a target has confirmed: `next` is the first entry that it has not; `off` once it is switched off."""

    target: str
    next: int = 0
    off: bool = False

    def encode(self) -> bytes:
        """Return the bytes of the cursor file."""
        return canonical.encode({"format": FORMAT, **asdict(self)}) + b"\n"


@dataclass(frozen=True, slots=True)
class Run:
    """How a run goes: whether it follows the log for ever, how it waits, when it stops, how many lines go at once."""

    follow: bool = False
    wait: Callable[[float], object] = lambda _: None
    stopped: Callable[[], bool] = lambda: False
    batch_lines: int = BATCH_LINES


def cursor_path(plane: ControlPlane, target: str) -> Path:
    """Return where the cursor of a target is kept unless told otherwise; a terminal is no target that could lag."""
    if target == STDOUT:
        return plane.settings.home / "exports" / "stdout.cursor"
    return plane.settings.home / "exports" / f"{canonical.digest(target.encode())[7:23]}.json"


def registered(plane: ControlPlane) -> tuple[Cursor, ...]:
    """Return the cursor of every target that this home knows."""
    return tuple(_load(path) for path in sorted((plane.settings.home / "exports").glob("*.json")))


def export(
    plane: ControlPlane, sink: Sink, *, state: Path | None = None, run: Run | None = None, actor: str = ledger.SYSTEM
) -> int:
    """Send what a sink has not confirmed yet, and return how many entries it confirmed in this run.

    Raises:
        Conflict: another run exports to this target.
        Unavailable: the sink refuses, the log is not as it was logged, or the disk fails.
    """
    path, run = state or cursor_path(plane, sink.target), run or Run()
    with _alone(path):
        cursor = _load(path) if path.exists() else Cursor(sink.target)
        if cursor.target != sink.target:
            raise InvalidDocument("expected the cursor of this target, got that of another")
        _log_run(plane, sink, cursor, actor=actor)
        cursor = Cursor(cursor.target, cursor.next)
        write_atomic(path, cursor.encode(), private=True)
        sent = 0
        while not run.stopped():
            batch = _batch(plane, cursor.next, limit=run.batch_lines)
            if batch is None:
                if not run.follow:
                    break
                run.wait(FIRST_WAIT_S)
                continue
            if not _deliver(sink, batch, run):
                break
            cursor = Cursor(cursor.target, batch.last + 1)
            # Crash before this line: the batch is sent again, and nothing is lost.
            write_atomic(path, cursor.encode(), private=True)
            sent += batch.last + 1 - batch.first
        return sent


def switch_off(plane: ControlPlane, target: str, *, actor: str = ledger.SYSTEM, auth: Auth = Auth.SYSTEM) -> int:
    """Switch an export target off and return the entry that says so, which is logged first.

    Raises:
        NotFound: nothing was exported to this target.
    """
    path = cursor_path(plane, target)
    if not path.exists():
        raise NotFound("expected a target that was exported to, got another")
    with _alone(path):
        cursor = _load(path)
        # INVARIANT: the entry is in the log before anything stops.
        entry = _log_setting(plane, target, "switched-off", actor=actor, auth=auth)
        write_atomic(path, Cursor(target, cursor.next, off=True).encode(), private=True)
        return entry


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    from filelock import FileLock, Timeout  # it brings asyncio: only where something is exported

    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise Conflict("expected no other export to this target, got one under way") from error
    try:
        yield
    finally:
        lock.release()


def _load(path: Path) -> Cursor:
    try:
        document = json.loads(path.read_bytes())
        if document.pop("format") != FORMAT:
            raise ValueError("another format")
        cursor = Cursor(**document)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unavailable(f"expected a cursor of format {FORMAT} in {path.name}, got something else") from error
    if type(cursor.next) is not int or cursor.next < 0:
        raise Unavailable(f"expected an index in {path.name}, got something else")
    return cursor


def _log_run(plane: ControlPlane, sink: Sink, cursor: Cursor, *, actor: str) -> None:
    auth = Auth.SYSTEM if actor == ledger.SYSTEM else Auth.NONE
    if cursor.off:
        _log_setting(plane, sink.target, "switched-on", actor=actor, auth=auth)
    with ledger.act(plane) as session:
        target = LeafObject("export", sink.kind, canonical.digest(sink.target.encode()))
        event = ledger.Event(Act.EXPORTED, actor, role_of(session, actor), auth, target, code="siem")
        ledger.append(plane, session, event)


def _log_setting(plane: ControlPlane, target: str, code: str, *, actor: str, auth: Auth) -> int:
    digest = canonical.digest(target.encode())
    with ledger.act(plane) as session:
        named = LeafObject("setting", f"export-{digest[7:23]}", digest)
        event = ledger.Event(Act.SETTINGS_CHANGED, actor, role_of(session, actor), auth, named, code=code)
        return ledger.append(plane, session, event)


def _batch(plane: ControlPlane, start: int, *, limit: int) -> Batch | None:
    """Return the next published entries from `start` on; None if there are none yet.

    Raises:
        Unavailable: an entry is missing, or is not a record of its index: none is skipped.
    """
    published = checkpoints.published(plane)
    if published is None or published.size <= start:
        return None
    query = select(LeafRow.seq, LeafRow.data).where(LeafRow.seq >= start, LeafRow.seq < published.size)
    with db.read(plane.engine) as session:
        rows = session.exec(query.order_by(col(LeafRow.seq)).limit(limit)).all()
    lines = []
    for index, (_, data) in enumerate(rows, start):
        try:
            leaf = parse_leaf(data)
        except AuditError as error:
            raise Unavailable(f"expected entry {index} as it was logged, got other bytes") from error
        if leaf.seq != index:
            raise Unavailable(f"expected entry {index} next, got entry {leaf.seq}", hint="see `audit verify`")
        lines.append(ocsf.event_line(table.row_of(leaf, data), origin=plane.keys.log.name))
    if not lines:
        raise Unavailable(f"expected entry {start} in the database, got none", hint="see `audit verify`")
    return Batch(plane.keys.log.name, start, b"".join(lines), count=len(lines))


def _deliver(sink: Sink, batch: Batch, run: Run) -> bool:
    """Send a batch until the sink confirms it; return False if the run was stopped meanwhile."""
    wait_s, tries = FIRST_WAIT_S, 0
    while not run.stopped():
        try:
            sink.send(batch)
        except SinkRefused as error:
            tries += 1
            if error.final or (not run.follow and tries >= TRIES):
                raise Unavailable(f"expected the target to take entry {batch.first}, got: {error}") from error
            run.wait(max(wait_s, error.after_s))
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        else:
            return True
    return False
