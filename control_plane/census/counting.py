"""Taking reports of devices and counting their answers, each question apart from the others.

Promises:
1. What is not a report byte for byte as a device of ours writes it, of today or yesterday, about a channel and releases
   that there are, changes nothing.
2. A report is counted in one transaction and is gone: of who sent it, when on its day, and which answers came together,
   nothing is kept.
3. A day of a channel takes so many reports and so many different answers to a question, and no more; further answers
   count as `OTHER`. Days older than `KEPT_DAYS` are deleted.
4. A channel with tokens takes no report without one.

Does not: know whether a report is true, or the second of one device. Anybody may send some.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, col, delete, func, select

from control_plane import db
from control_plane.census.tables import CensusRow
from control_plane.errors import Refused, TooMany
from control_plane.plane import ControlPlane
from control_plane.registry.tables import ReleaseRow
from edge_runtime.core.census import Report, is_open, parse_report
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["ALL", "OTHER", "answers_of", "take"]

ALL, OTHER = "all", "other"
MOST_ANSWERS = 64
KEPT_DAYS = 400
_DAY_S = 86_400


def take(plane: ControlPlane, data: bytes, *, token: str = "") -> None:
    """Count a report.

    Args:
        data: the report, as it came.
        token: the token that came with it; "" for none.

    Raises:
        InvalidDocument: it is no report, or of another day, channel or release.
        Refused: the channel takes reports with a token alone, and this came with none or another.
        TooMany: so many were counted of this day that no more are.
        Unavailable: the tokens of channels cannot be read.
    """
    report = parse_report(data)
    today = plane.now().date()
    if not is_open(report.day, today=today.isoformat()):
        raise InvalidDocument("expected a report of today or yesterday, got one of another day")
    if report.channel not in plane.settings.channels:
        raise InvalidDocument("expected a report about one of the channels here, got another")
    _require_token(plane, report.channel, token)
    with db.write(plane.engine) as session:
        _require_released(session, report)
        total = _row(session, report, (ALL, ALL))
        if total.devices >= plane.settings.census_most_per_day:
            raise TooMany("expected fewer reports of one day", retry_after_s=_DAY_S)
        if not total.devices:
            oldest = (today - timedelta(days=KEPT_DAYS)).isoformat()
            session.exec(delete(CensusRow).where(col(CensusRow.day) < oldest))
        for row in (total, *(_row(session, report, said) for said in answers_of(report))):
            row.devices += 1
            session.add(row)


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


def _row(session: Session, report: Report, said: tuple[str, str]) -> CensusRow:
    """Return the row of an answer, a new one if there is none; that of `OTHER` if there are too many others."""
    question, answer = said
    key = {"day": report.day, "channel": report.channel, "question": question}
    row = session.get(CensusRow, {**key, "answer": answer})
    if row is not None:
        return row
    known = select(func.count()).select_from(CensusRow).filter_by(**key)
    if answer != OTHER and session.exec(known).one() >= MOST_ANSWERS:
        return _row(session, report, (question, OTHER))
    return CensusRow(**key, answer=answer, devices=0)


def _require_released(session: Session, report: Report) -> None:
    live = session.exec(select(func.max(ReleaseRow.number)).where(ReleaseRow.channel == report.channel)).one()
    if report.newest > (live or 0):
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
