"""What a device tells of its runs: rows that many devices share, and one root; nothing else fits in."""

from __future__ import annotations

import json

import pytest

from audit.frozen import replace
from edge_runtime.core import canonical
from edge_runtime.core.canonical import digest
from edge_runtime.core.counts import LEVELS, Root, RunCount, counts_of, encode, parse, read, written
from edge_runtime.core.errors import InvalidDocument
from tests.core.test_receipt import receipt

ROW = RunCount(
    channel="production",
    day="2026-11-27",
    release=3,
    stage=2,
    prompt="opener",
    version=digest(b"version"),
    route="device",
    outcome="filled",
    runs=3,
)
ROOT = Root("production", "2026-11-27", digest(b"root"))
TOLD = {"route": "device", "outcome": "filled", "obligations": ()}


@pytest.mark.parametrize("telling", [ROW, ROOT])
def test_a_telling_reads_back_and_no_flipped_byte_does_harm(telling: RunCount | Root) -> None:
    """Encode and parse are inverse; a changed byte is refused, or is another telling that a device could send."""
    data = encode(telling)
    assert parse(data) == telling
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            told = parse(flipped)
        except InvalidDocument:
            continue
        assert encode(told) == flipped
        assert set(written(told)) == set(written(telling))


@pytest.mark.parametrize("telling", [ROW, ROOT])
@pytest.mark.parametrize("member", ["device", "user", "at", "text"])
def test_a_telling_with_room_for_an_identity(telling: RunCount | Root, member: str) -> None:
    """Attack: a member more, blanks or another order, by which a device could be told from others."""
    document = written(telling)
    for data in (
        canonical.encode({**document, member: "x"}),
        canonical.encode(document) + b"\n",
        json.dumps(document).encode(),
        json.dumps(dict(reversed(document.items())), separators=(",", ":")).encode(),
    ):
        with pytest.raises(InvalidDocument):
            parse(data)


@pytest.mark.parametrize(
    "other",
    [
        {"runs": 2},
        {"runs": 0},
        {"outcome": "handed-off"},
        {"outcome": "We agreed that Priya calls"},
        {"route": "hand-off"},
        {"channel": "draft"},
        {"day": "2026-02-30"},
        {"release": 0},
        {"version": "sha256:1"},
    ],
)
def test_what_no_device_of_ours_would_tell(other: dict[str, object]) -> None:
    """Another class of how often, another word, a draft: refused, without a word of it in the error."""
    with pytest.raises(InvalidDocument) as caught:
        read({**written(ROW), **other})
    assert "Priya" not in str(caught.value)


def test_how_often_is_told_in_classes() -> None:
    """A row says the largest level that was reached, so that a habit does not give somebody away."""
    for runs, level in ((1, 1), (2, 1), (3, 3), (9, 3), (10, 10), (500, 30)):
        (row,) = counts_of([receipt(**TOLD) for _ in range(runs)], "production")
        assert (row.runs, row.release, row.stage, row.day) == (level, 3, 2, "2026-11-27")
        assert row.runs in LEVELS


def test_what_is_never_told() -> None:
    """A hand-off, a run that the policy keeps out of telemetry, and one before receipts knew their release."""
    never = (
        receipt(**{**TOLD, "route": "hand-off", "outcome": "handed-off"}),
        receipt(**{**TOLD, "obligations": ("no-telemetry",)}),
        receipt(**{**TOLD, "release": 0}),
        receipt(**{**TOLD, "outcome": "of a later version"}),
    )
    assert counts_of(never, "production") == ()


def test_rows_are_apart_by_version_stage_route_and_outcome() -> None:
    """Each combination is a row of its own, those of the most runs first."""
    many = [receipt(**TOLD)] * 4
    other = [
        replace(many[0], **change)
        for change in ({"version": digest(b"v2")}, {"stage": 0}, {"route": "cloud"}, {"outcome": "fallback"})
    ]
    rows = counts_of([*other, *many], "production")
    assert len(rows) == 5
    assert (rows[0].runs, {row.runs for row in rows[1:]}) == (3, {1})
