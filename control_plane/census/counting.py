"""Taking what devices tell and counting their answers, each question apart from the others.

A report says what a device runs, a row how often a version ran with which route and outcome, a root stands for its
receipts (see `rollups`); each comes by itself.

Promises:
1. What is not byte for byte as a device of ours writes it, of today or yesterday, about a channel, releases and
   versions that there are, changes nothing.
2. It is counted in one transaction, with others that came meanwhile, and is gone: of who sent it, when on its day, and
   what came together, nothing is kept. So however many devices tell, people who write wait for one transaction.
3. A day of a channel takes so many and so many different answers to a question, and no more; further answers count as
   `OTHER`. Days older than `KEPT_DAYS` are deleted.
4. A channel with tokens takes nothing without one.

Does not: know whether a report is true, or the second of one device. Anybody may send some.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Session, col, delete, func, select

from control_plane import db
from control_plane.errors import Refused, TooMany
from control_plane.plane import ControlPlane
from control_plane.tables.census import CensusRow, RollupRow
from control_plane.tables.registry import ReleaseRow, VersionRow
from edge_runtime.core.census import Report, is_open
from edge_runtime.core.counts import LEVELS, MOST_ROWS, Root, RunCount, Telling, parse
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, Unavailable

__all__ = ["ALL", "OTHER", "ROLLUPS", "RUNS", "answers_of", "take"]

ALL, OTHER = "all", "other"
RUNS, ROLLUPS = "runs", "rollups"
MOST_ANSWERS, MOST_OF_A_VERSION = 64, 512
KEPT_DAYS = 400
_DAY_S = 86_400


def take(plane: ControlPlane, data: bytes, *, token: str = "") -> None:
    """Count what a device tells.

    Args:
        data: the telling, as it came.
        token: the token that came with it; "" for none.

    Raises:
        InvalidDocument: it is no telling, or of another day, channel, release or version.
        Refused: the channel takes tellings with a token alone, and this came with none or another.
        TooMany: so many were counted of this day that no more are.
        Unavailable: the tokens of channels cannot be read.
    """
    telling = parse(data)
    today = plane.now().date()
    if not is_open(telling.day, today=today.isoformat()):
        raise InvalidDocument("expected a report of today or yesterday, got one of another day")
    if telling.channel not in plane.settings.channels:
        raise InvalidDocument("expected a report about one of the channels here, got another")
    _require_token(plane, telling.channel, token)
    plane.telling.do(telling, partial(_take_all, plane))


def _take_all(plane: ControlPlane, tellings: Sequence[Telling]) -> list[MentorplaneError | None]:
    """Count what several devices told in one transaction, and return what each is refused for."""
    outcomes: list[MentorplaneError | None] = []
    # Rows are written once at the end, not each time that something is looked up.
    with db.write(plane.engine) as session, session.no_autoflush:
        for telling in tellings:
            try:
                _take(plane, session, telling)
            except (InvalidDocument, TooMany) as error:
                # INVARIANT: nothing of a telling is counted before all that it can be refused for was looked at.
                outcomes.append(error)
            else:
                outcomes.append(None)
    return outcomes


def _take(plane: ControlPlane, session: Session, telling: Telling) -> None:
    most = plane.settings.census_most_per_day
    if isinstance(telling, Root):
        _take_root(session, telling, most)
    elif isinstance(telling, RunCount):
        _take_runs(session, telling, most * MOST_ROWS)
    elif _take_report(session, telling, most) == 1:
        _forget(session, (plane.now().date() - timedelta(days=KEPT_DAYS)).isoformat())


def _take_report(session: Session, report: Report, most: int) -> int:
    """Count a report, and return how many there are of its day."""
    _require_released(session, report.channel, report.newest)
    total = _one_more(session, report, (ALL, ALL), most=most)
    for said in answers_of(report):
        _count(session, report, said, most=MOST_ANSWERS)
    return total


def _take_runs(session: Session, row: RunCount, most: int) -> None:
    """Count a row with each level that it reached: whoever ran something ten times ran it once as well."""
    _require_released(session, row.channel, row.release)
    known = select(VersionRow.digest).where(
        VersionRow.kind == "prompt", VersionRow.name == row.prompt, VersionRow.digest == row.version
    )
    if session.exec(known).first() is None:
        raise InvalidDocument("expected a report about a version of a prompt here, got another")
    _one_more(session, row, (RUNS, ALL), most=most)
    about = f"{row.release}/{row.stage}/{row.route}/{row.outcome}"
    for level in LEVELS:
        if level <= row.runs:
            _count(session, row, (f"{RUNS}/{row.version}", f"{about}/{level}"), most=MOST_OF_A_VERSION)


def _take_root(session: Session, told: Root, most: int) -> None:
    value = told.root.removeprefix("sha256:")
    if session.get(RollupRow, (told.channel, told.day, value)) is None:
        _one_more(session, told, (ROLLUPS, ALL), most=most)
        session.add(RollupRow(channel=told.channel, day=told.day, value=value))
        session.flush()


def _forget(session: Session, oldest: str) -> None:
    session.exec(delete(CensusRow).where(col(CensusRow.day) < oldest))
    session.exec(delete(RollupRow).where(col(RollupRow.day) < oldest))


def answers_of(report: Report) -> tuple[tuple[str, str], ...]:
    """Return the questions that a report answers, with the answers.

    What depends on something else is asked together with it, so that no two questions are parts of one another.
    """
    return (
        ("package", report.package),
        ("release", f"{report.release}/{report.newest}/{report.stage}"),
        ("state", f"{report.fresh}/{report.refresh}"),
        ("withdrawals", str(report.withdrawals)),
    )


def _one_more(session: Session, telling: Telling, said: tuple[str, str], *, most: int) -> int:
    """Count a telling among all of its kind, and return how many there are.

    Raises:
        TooMany: there were so many that no more are taken.
    """
    total = _row(session, telling, said, most=MOST_ANSWERS) if most else None
    if total is None or total.devices >= most:
        raise TooMany("expected fewer reports of one day", retry_after_s=_DAY_S)
    total.devices += 1
    return total.devices


def _count(session: Session, telling: Telling, said: tuple[str, str], *, most: int) -> None:
    _row(session, telling, said, most=most).devices += 1


def _row(session: Session, telling: Telling, said: tuple[str, str], *, most: int) -> CensusRow:
    """Return the row of an answer, a new one if there is none; that of `OTHER` if there are too many others."""
    question, answer = said
    key = {"day": telling.day, "channel": telling.channel, "question": question}
    row = session.get(CensusRow, {**key, "answer": answer})
    if row is not None:
        return row
    known = select(func.count()).select_from(CensusRow).filter_by(**key)
    if answer != OTHER and session.exec(known).one() >= most:
        return _row(session, telling, (question, OTHER), most=most)
    row = CensusRow(**key, answer=answer, devices=0)
    session.add(row)
    session.flush()  # the next look finds it
    return row


def _require_released(session: Session, channel: str, release: int) -> None:
    live = session.exec(select(func.max(ReleaseRow.number)).where(ReleaseRow.channel == channel)).one()
    if release > (live or 0):
        raise InvalidDocument("expected a report about a release of this channel, got another")


def _require_token(plane: ControlPlane, channel: str, token: str) -> None:
    file = plane.settings.census_tokens
    good = [] if file is None else [one for name, one in _tokens(file) if name == channel]
    # Every one is compared, whichever it is, and none of them ends early.
    if good and not sum(hmac.compare_digest(one.encode(), token.encode()) for one in good):
        raise Refused("expected the app's token for this channel, got none or another")


def _tokens(file: Path) -> list[tuple[str, str]]:
    """Return channels and tokens, one of each in a line."""
    try:
        lines = [line.split() for line in file.read_text("ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable("expected a file with the tokens of channels that can be read, got another") from error
    if not all(len(line) == 2 for line in lines):
        raise Unavailable("expected a channel and a token in each line of the tokens of channels, got another")
    return [(name, token) for name, token in lines]
