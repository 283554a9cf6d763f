"""The census: what a device tells once a day, so that an organisation learns how many run which release.

    {"format": "mentorplane-census/1", "channel": "production", "day": "2026-11-27", "release": 12, "newest": 13,
     "stage": 2, "withdrawals": 3, "fresh": "fresh", "refresh": "ok", "package": "0.3.0"}

Promises: there is no member that could hold a text, a time, a name of somebody or a number of the device; each value is
one that many devices share. The server reads with the same function, and counts the four answers apart from each other.
Does not: send (see `edge_runtime.census`), count (see `control_plane.census`).
Source: DESIGN sections 2 (P2) and 8; docs/adr/0013, 0031. Format: docs/formats.md, `mentorplane-census/1`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from audit.frozen import frozen
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import DRAFT
from edge_runtime.core.policy import Policy, Route, decide, least_context

__all__ = [
    "FORMAT",
    "FRESH",
    "MAX_BYTES",
    "MOST",
    "NO_TELEMETRY",
    "REFRESH",
    "Report",
    "allows_census",
    "day_before",
    "day_in",
    "day_of",
    "is_day",
    "is_open",
    "package_of",
    "read_report",
    "report_document",
]

FORMAT = "mentorplane-census/1"
MAX_BYTES = 1_000
FRESH = ("fresh", "stale", "expired")
REFRESH = ("ok", "refused", "unavailable")
MOST = 2**31 - 1
NO_TELEMETRY = "no-telemetry"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PACKAGE = re.compile(r"(?:0|[1-9]\d{0,3})(?:\.(?:0|[1-9]\d{0,3})){2}")
_RELEASED = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,2}")


@frozen
class Report:
    """What one device tells of one day.

    `release` is in force; `newest` is the newest that it knows of, and `stage` how far that one is rolled out;
    `withdrawals` is how many entries of the channel's list of withdrawals it has; `fresh` how stale it is, `refresh`
    what came of the look that the report was made after; `package` the version of this software, numbers alone.
    """

    channel: str
    day: str
    release: int
    newest: int
    stage: int
    withdrawals: int
    fresh: str
    refresh: str
    package: str


def day_of(now: int) -> str:
    """Return the day in UTC of a moment in POSIX seconds.

    >>> day_of(1_700_000_000)
    '2023-11-14'
    """
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def is_open(day: str, *, today: str) -> bool:
    """Return whether a day may still be told of: today, and yesterday.

    >>> [is_open(day, today="2026-03-01") for day in ("2026-03-02", "2026-03-01", "2026-02-28", "2026-02-27")]
    [False, True, True, False]
    """
    return day in {today, day_before(today)}


def day_before(day: str) -> str:
    """Return the day before a day.

    >>> day_before("2026-03-01")
    '2026-02-28'
    """
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def package_of(version: str) -> str:
    """Return the three numbers of a version: what comes after them could be a build of one device's own.

    >>> package_of("0.3.1.dev5+g12ab"), package_of("2.0"), package_of("made here")
    ('0.3.1', '2.0.0', '0.0.0')
    """
    found = _RELEASED.match(version)
    numbers = [str(int(part)) for part in found[0].split(".")] if found else []
    return ".".join([*numbers, "0", "0", "0"][:3])


def allows_census(policy: Policy) -> bool:
    """Return whether the organisation's policy lets devices be counted: it asks for no telemetry of just some texts.

    A layer that asks for `no-telemetry` whatever the text, that lets nothing run, or that cannot be evaluated, says no.
    """
    decision = decide((policy.layer,), least_context(policy.vocabulary), policy.vocabulary)
    return not decision.errors and decision.route != Route.BLOCK and NO_TELEMETRY not in decision.obligations


def report_document(report: Report) -> JsonObject:
    """Return the JSON object that `read_report` reads back as `report`."""
    return {
        "format": FORMAT,
        "channel": report.channel,
        "day": report.day,
        "release": report.release,
        "newest": report.newest,
        "stage": report.stage,
        "withdrawals": report.withdrawals,
        "fresh": report.fresh,
        "refresh": report.refresh,
        "package": report.package,
    }


def read_report(document: object) -> Report:
    """Return the report that a JSON object holds.

    Raises:
        InvalidDocument: another format, a member more or less, or a value that no device of ours would tell.
    """
    fields = Fields(document, FORMAT)
    report = Report(
        channel=fields.name("channel"),
        day=day_in(fields),
        release=fields.integer("release", at_least=1, at_most=MOST),
        newest=fields.integer("newest", at_least=1, at_most=MOST),
        stage=fields.integer("stage", at_least=1, at_most=MOST),
        withdrawals=fields.integer("withdrawals", at_most=MOST),
        fresh=fields.choice("fresh", FRESH),
        refresh=fields.choice("refresh", REFRESH),
        package=_package(fields),
    )
    fields.close()
    if report.channel == DRAFT:
        raise fields.refuse("channel", "a channel with releases")
    if report.newest < report.release:
        raise fields.refuse("newest", "the release in force or a later one")
    return report


def day_in(fields: Fields) -> str:
    """Return the member `day` of a document that is being read.

    Raises:
        InvalidDocument: it is no day.
    """
    day = fields.text("day", at_most=10)
    if not is_day(day):
        raise fields.refuse("day", "a day such as 2026-01-31")
    return day


def is_day(text: str) -> bool:
    """Return whether a text is a day of the calendar.

    >>> [is_day(text) for text in ("2026-01-31", "2026-02-31", "20260131")]
    [True, False, False]
    """
    try:
        return _DAY.fullmatch(text) is not None and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _package(fields: Fields) -> str:
    package = fields.text("package", at_most=14)
    if not _PACKAGE.fullmatch(package):
        raise fields.refuse("package", "a version of three numbers such as 1.2.0")
    return package
