"""Telling the census once a day, when the app looks for releases anyway; or not at all.

    home/census.json     the last day that was told of or passed over, what waits to be sent, what was sent last
    home/census.lock     held while that file changes
    home/census-off      there while the person does not want to be counted

A report is made at the first look of a day in UTC, and sent at a look up to a quarter of an hour later or after, on
that day or the next. Promises:
1. A day is told of at most once, whatever crashes, however many processes share a home, and wherever its clock is set:
   it counts as told before the report is made, days before it are over, and a report leaves the home before it is sent.
   What then fails stays uncounted.
2. A home without the file, or with a damaged one, is not counted that day: it may have been.
3. Nothing is told without an address from the app, against the person's preference, against the policy, or of drafts.
4. No failure reaches whoever looks for releases.
Does not: say what a report holds (see `core.census`), look by itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING

from audit.frozen import frozen, replace
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.census import (
    Report,
    allows_census,
    day_of,
    encode_report,
    is_open,
    package_of,
    read_report,
    report_document,
)
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, Unavailable
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import DRAFT
from edge_runtime.home import Home, write_file

if TYPE_CHECKING:
    from edge_runtime.delivery.access import Access
    from edge_runtime.reply import Refresh
    from edge_runtime.waiting import Standing

__all__ = ["Census", "Kept"]

FORMAT = "mentorplane-census-kept/1"
KEPT, LOCK, OFF = "census.json", "census.lock", "census-off"
SPREAD_S = 900
MOST_WAITING = 2
LOCK_TIMEOUT_S = 1
MAX_BYTES = 16_384
_DRAW = random.SystemRandom().random


@frozen
class Waiting:
    """A report, and from when on it may be sent, in POSIX seconds."""

    due: int
    report: Report


@frozen
class Kept:
    """What a home knows: the last day that was told of, what waits, what was sent last, how many reports are lost."""

    day: str
    waiting: tuple[Waiting, ...] = ()
    last: Report | None = None
    lost: int = 0

    def as_json(self) -> JsonObject:
        """Return it as a JSON object, as it lies in the home."""
        return {
            "format": FORMAT,
            "day": self.day,
            "waiting": [{"due": one.due, "report": report_document(one.report)} for one in self.waiting],
            "last": [report_document(self.last)] if self.last else [],
            "lost": self.lost,
        }


class Census:
    """What one home tells of itself, and the person's preference; several processes may share it."""

    def __init__(
        self, home: Home, address: str, access: Access | None = None, *, draw: Callable[[], float] = _DRAW
    ) -> None:
        self._home = home
        self._address = address
        self._access = access
        self._draw = draw

    @property
    def is_off(self) -> bool:
        """Whether the person does not want this device to be counted."""
        return (self._home.folder / OFF).exists()

    def turn(self, *, on: bool) -> None:
        """Keep the person's preference; what waits when it is turned off is never sent.

        Raises:
            Unavailable: another process held the census for too long.
            OSError: the home cannot be written.
        """
        mark = self._home.folder / OFF
        if on:
            mark.unlink(missing_ok=True)
            return
        write_file(mark, b"")
        with self._locked():
            self._drop_waiting()

    def kept(self) -> Kept | None:
        """Return what the home knows; None for nothing, or nothing that can be read."""
        try:
            return _parse((self._home.folder / KEPT).read_bytes())
        except (OSError, InvalidDocument):
            return None

    def look(self, standing: Standing, looked: Refresh, *, fresh: str, now: int) -> None:
        """Make the report of today if there is none, and send one that is due; whatever fails is passed over.

        Args:
            standing: what this device runs.
            looked: what came of the look that is just over.
            fresh: how stale what it runs is.
            now: the device's clock, in POSIX seconds.
        """
        if not self._address:
            return
        with suppress(MentorplaneError, OSError, ValueError, OverflowError):  # a clock may show no day at all
            report = _report(standing, looked, fresh=fresh, day=day_of(now))
            allowed = allows_census(standing.adoption.state.policy) and report.channel != DRAFT
            with self._locked():
                if self.is_off or not allowed:
                    self._drop_waiting()
                    return
                sending = self._taken(report, now=now)
            if sending is not None:
                self._send(sending, now=now)

    def _taken(self, report: Report, *, now: int) -> Report | None:
        """Return the report to send now, which the home has let go of; call while locked."""
        before = self.kept()
        kept = before or Kept(report.day)
        if kept.day < report.day:
            kept = replace(kept, day=report.day, waiting=(*kept.waiting, Waiting(self._later(now), report)))
        late = [one for one in kept.waiting if not is_open(one.report.day, today=report.day)]
        waiting = [one for one in kept.waiting if one not in late][-MOST_WAITING:]
        due = next((one for one in waiting if one.due <= now), None)
        if due is not None:
            waiting.remove(due)
        kept = replace(kept, waiting=tuple(waiting), lost=kept.lost + len(late))
        if kept != before:
            self._save(kept)  # crash after: the report is gone and the day is over
        return due.report if due else None

    def _send(self, report: Report, *, now: int) -> None:
        from edge_runtime.delivery.posting import Posted, post_once

        posted = post_once(self._address, encode_report(report), self._access)
        with self._locked():
            kept = self.kept()
            if kept is None:
                return
            if posted is Posted.KEPT and not self.is_off:
                again = (*kept.waiting, Waiting(self._later(now), report))
                self._save(replace(kept, waiting=tuple(sorted(again, key=lambda one: one.report.day))))
            elif posted is Posted.TAKEN:
                self._save(replace(kept, last=report))
            else:
                self._save(replace(kept, lost=kept.lost + 1))

    def _later(self, now: int) -> int:
        return now + int(SPREAD_S * self._draw())

    def _drop_waiting(self) -> None:
        kept = self.kept()
        if kept and kept.waiting:
            self._save(replace(kept, waiting=()))

    def _save(self, kept: Kept) -> None:
        write_file(self._home.folder / KEPT, canonical.encode(kept.as_json()))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout  # it brings asyncio: only for a look

        try:
            with FileLock(self._home.folder / LOCK, timeout=LOCK_TIMEOUT_S):
                yield
        except Timeout as error:
            raise Unavailable(f"expected the census to be free within {LOCK_TIMEOUT_S} s, got another") from error


def _parse(data: bytes) -> Kept:
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    last = fields.items("last", read_report, at_most=1)
    kept = Kept(
        day=fields.text("day", at_most=10),
        waiting=fields.items("waiting", _parse_waiting, at_most=2 * MOST_WAITING),
        last=last[0] if last else None,
        lost=fields.integer("lost"),
    )
    fields.close()
    return kept


def _parse_waiting(document: object) -> Waiting:
    fields = Fields(document, "waiting", tagged=False)
    one = Waiting(fields.integer("due"), read_report(fields.json_object("report")))
    fields.close()
    return one


def _report(standing: Standing, looked: Refresh, *, fresh: str, day: str) -> Report:
    state, rollout = standing.adoption.state, standing.rollout
    return Report(
        channel=state.manifest.channel,
        day=day,
        release=state.manifest.number,
        newest=max(rollout.release, state.manifest.number),
        stage=rollout.stage,
        withdrawals=state.withdrawals.count,
        fresh=fresh,
        refresh="ok" if looked.ok else "refused" if looked.check else "unavailable",
        package=_package(),
    )


@cache
def _package() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return package_of(version("mentorplane"))
    except PackageNotFoundError:  # built into an app
        return package_of("")
