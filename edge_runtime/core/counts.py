"""What a device tells of yesterday's runs, beside the census: how often, in classes, and one root for its receipts.

    {"format": "mentorplane-runs/1", "channel": "production", "day": "2026-11-27", "release": 12, "stage": 2,
     "prompt": "weekly-summary", "version": "sha256:…", "route": "device", "outcome": "filled", "runs": 3}
    {"format": "mentorplane-rollup/1", "channel": "production", "day": "2026-11-27", "root": "sha256:…"}

Promises: 1. each row is told by itself, so that nothing says which rows one device told; no row has a member that could
hold a text, a time, a name of somebody or a number of the device. 2. A hand-off is told in no row, nor a run that the
policy keeps out of telemetry. 3. How often is one of `LEVELS`, and a day has `MOST_ROWS` at most. 4. A root is the one
value that only one device has: it is of one day, and says nothing about any other, nor about what it stands for.
Does not: send (see `edge_runtime.census`), count (see `control_plane.census`).
Source: docs/adr/0039. Format: docs/formats.md, `mentorplane-runs/1` and `mentorplane-rollup/1`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from audit.frozen import frozen, replace
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.census import MAX_BYTES, MOST, NO_TELEMETRY, Report, day_in, read_report, report_document
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import DRAFT
from edge_runtime.core.receipt import Receipt

__all__ = ["LEVELS", "MOST_ROWS", "Root", "RunCount", "Telling", "counts_of", "encode", "parse", "read", "written"]

RUNS, ROLLUP = "mentorplane-runs/1", "mentorplane-rollup/1"
LEVELS = (1, 3, 10, 30)
"""How often something ran is told as the largest of these that it reached."""
MOST_ROWS = 8
ROUTES = ("block", "device", "redacted", "cloud")
OUTCOMES = (
    "answered",
    "blocked",
    "calls",
    "fallback",
    "filled",
    "handed-over",
    "kept",
    "stopped",
    "withdrawn",
)


@frozen
class RunCount:
    """On one device, on one day, a version ran at least `runs` times with this route and outcome.

    `release` was in force, and `stage` how far it was rolled out, 0 if a newer one was.
    """

    channel: str
    day: str
    release: int
    stage: int
    prompt: str
    version: str
    route: str
    outcome: str
    runs: int


@frozen
class Root:
    """The root of the tree over one device's receipts of one day."""

    channel: str
    day: str
    root: str


Telling = Report | RunCount | Root


def counts_of(receipts: Iterable[Receipt], channel: str) -> tuple[RunCount, ...]:
    """Return the rows that some receipts make, those of the most runs first; there may be more than `MOST_ROWS`."""
    counted = Counter(
        RunCount(
            channel=channel,
            day=one.day,
            release=one.release,
            stage=one.stage,
            prompt=one.prompt,
            version=one.version,
            route=one.route,
            outcome=one.outcome,
            runs=1,
        )
        for one in receipts
        if one.release and one.route in ROUTES and one.outcome in OUTCOMES and NO_TELEMETRY not in one.obligations
    )
    rows = sorted(counted, key=lambda row: (-counted[row], row.prompt, row.version, row.route, row.outcome, row.stage))
    return tuple(replace(row, runs=max(level for level in LEVELS if level <= counted[row])) for row in rows)


def written(telling: Telling) -> JsonObject:
    """Return the JSON object that `read` reads back as `telling`."""
    if isinstance(telling, Report):
        return report_document(telling)
    about: JsonObject = {"channel": telling.channel, "day": telling.day}
    if isinstance(telling, Root):
        return {"format": ROLLUP, **about, "root": telling.root}
    return {
        "format": RUNS,
        **about,
        "release": telling.release,
        "stage": telling.stage,
        "prompt": telling.prompt,
        "version": telling.version,
        "route": telling.route,
        "outcome": telling.outcome,
        "runs": telling.runs,
    }


def encode(telling: Telling) -> bytes:
    """Return the canonical bytes of a telling: two devices that tell the same send the same bytes."""
    return canonical.encode(written(telling))


def parse(data: bytes) -> Telling:
    """Return the telling that canonical bytes hold.

    Raises:
        InvalidDocument: longer than `MAX_BYTES`, not canonical, or refused by `read`.
    """
    return read(canonical.parse(data, max_bytes=MAX_BYTES))


def read(document: object) -> Telling:
    """Return the telling that a JSON object holds.

    Raises:
        InvalidDocument: another format, a member more or less, or a value that no device of ours would tell.
    """
    form = document.get("format") if isinstance(document, dict) else None
    if form not in {RUNS, ROLLUP}:
        return read_report(document)
    fields = Fields(document, str(form))
    channel, day = fields.name("channel"), day_in(fields)
    if channel == DRAFT:
        raise fields.refuse("channel", "a channel with releases")
    telling = Root(channel, day, fields.digest("root")) if form == ROLLUP else _row(fields, channel, day)
    fields.close()
    return telling


def _row(fields: Fields, channel: str, day: str) -> RunCount:
    row = RunCount(
        channel=channel,
        day=day,
        release=fields.integer("release", at_least=1, at_most=MOST),
        stage=fields.integer("stage", at_most=MOST),
        prompt=fields.name("prompt"),
        version=fields.digest("version"),
        route=fields.choice("route", ROUTES),
        outcome=fields.choice("outcome", OUTCOMES),
        runs=fields.integer("runs", at_least=1),
    )
    if row.runs not in LEVELS:
        raise fields.refuse("runs", f"one of {', '.join(map(str, LEVELS))}")
    return row
