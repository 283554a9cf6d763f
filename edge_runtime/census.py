"""Telling the census once a day, when the app looks for releases anyway; or not at all.

    home/census.json     the last day that was told of or passed over, what waits to be sent, what was sent last
    home/census.lock     held while that file changes
    home/census-off      there while the person does not want to be counted

What is told is made at the first look of a day in UTC: a report of what the device runs, and of the receipts of the day
before how often what ran, and their roll-up. Each is a request of its own, sent at a look up to a quarter of an hour
later or after, on that day or the next. Promises:
1. A day is told of at most once, whatever crashes, however many processes share a home, and wherever its clock is set:
   it counts as told before the report is made, days before it are over, and what is told leaves the home before it is
   sent. What then fails stays uncounted. A receipt, too, is counted once or passed over.
2. A home without the file, or with a damaged one, is not counted that day: it may have been.
3. Nothing is told without an address from the app, against the person's preference, against the policy, or of drafts;
   nor later of what ran meanwhile.
4. What waits is bounded; what finds no room in it, or comes too late, is counted as lost.
5. No failure reaches whoever looks for releases.
Does not: say what is told (see `core.census` and `core.counts`), look by itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from time import monotonic
from typing import TYPE_CHECKING

from audit.frozen import frozen, replace
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.census import Report, allows_census, day_before, day_of, is_open, package_of
from edge_runtime.core.counts import MOST_ROWS, Root, Telling, counts_of, encode, read, written
from edge_runtime.core.errors import InvalidDocument, MentorplaneError
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import DRAFT
from edge_runtime.home import Home, holding, write_file
from edge_runtime.installed import package_version
from edge_runtime.receipts import Receipt, Receipts

if TYPE_CHECKING:
    from edge_runtime.delivery.access import Access
    from edge_runtime.reply import Refresh
    from edge_runtime.waiting import Standing

__all__ = ["Census", "Kept"]

FORMAT = "mentorplane-census-kept/2"
KEPT, LOCK, OFF = "census.json", "census.lock", "census-off"
SPREAD_S = 900
MOST_WAITING = 2 * (MOST_ROWS + 2)
"""Two days' worth: a report, a roll-up and rows of counts of each."""
MOST_LAST = MOST_ROWS + 2
LOCK_TIMEOUT_S = 1
MAX_BYTES = 32_768
_DRAW = random.SystemRandom().random


@frozen
class Waiting:
    """What is to be told, and from when on it may be sent, in POSIX seconds."""

    due: int
    telling: Telling


@frozen
class Kept:
    """What a home knows of what it told.

    `day` is the last one that was told of, `waiting` what is not sent yet, `last` what was sent last; `lost` says how
    much was not told, `after` is the number of the last receipt that was counted or passed over.
    """

    day: str
    waiting: tuple[Waiting, ...] = ()
    last: tuple[Telling, ...] = ()
    lost: int = 0
    after: int = 0

    def as_json(self) -> JsonObject:
        """Return it as a JSON object, as it lies in the home."""
        return {
            "format": FORMAT,
            "day": self.day,
            "waiting": [{"due": one.due, "telling": written(one.telling)} for one in self.waiting],
            "last": [written(one) for one in self.last],
            "lost": self.lost,
            "after": self.after,
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
        self._receipts = Receipts(home.folder)

    @property
    def is_off(self) -> bool:
        """Whether the person does not want this device to be counted."""
        return (self._home.folder / OFF).exists()

    def turn(self, *, on: bool) -> None:
        """Keep the person's preference; what waits when it is turned off is never sent, nor what ran so far counted.

        Raises:
            Unavailable: another process held the census for too long.
            OSError: the home cannot be written.
        """
        mark = self._home.folder / OFF
        if not on:
            write_file(mark, b"")
        with self._locked():
            self._pass_over()
        if on:
            mark.unlink(missing_ok=True)

    def kept(self) -> Kept | None:
        """Return what the home knows; None for nothing, or nothing that can be read."""
        try:
            return _parse((self._home.folder / KEPT).read_bytes())
        except (OSError, InvalidDocument):
            return None

    def look(self, standing: Standing, looked: Refresh, *, fresh: str, now: int) -> None:
        """Make what is to be told today if it was not, and send what is due; whatever fails is passed over.

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
                    self._pass_over()
                    return
                sending = self._taken(report, now=now)
            if sending:
                self._send(sending, now=now)

    def _taken(self, report: Report, *, now: int) -> tuple[Telling, ...]:
        """Return what to send now, which the home has let go of; call while locked."""
        before = self.kept()
        kept = before or Kept(report.day, after=self._newest())
        if kept.day < report.day:
            kept = self._with_day(kept, report, now=now)
        late = [one for one in kept.waiting if not is_open(one.telling.day, today=report.day)]
        waiting = [one for one in kept.waiting if one not in late][-MOST_WAITING:]
        due = tuple(one.telling for one in sorted(waiting, key=lambda one: one.due) if one.due <= now)
        lost = len(kept.waiting) - len(waiting)
        kept = replace(kept, waiting=tuple(one for one in waiting if one.due > now), lost=kept.lost + lost)
        if kept != before:
            self._save(kept)  # crash after: what was due is gone and the day is over
        return due

    def _with_day(self, kept: Kept, report: Report, *, now: int) -> Kept:
        """Return what a home knows once the day of a report has begun: what there is to tell waits."""
        start = min(kept.after, self._newest() or kept.after)  # a chain that began anew goes on from where it is
        seen: list[Receipt] = []
        with suppress(MentorplaneError, OSError):  # of damaged receipts nothing is counted
            seen = self._receipts.since(start)
        over = max((place for place, one in enumerate(seen, 1) if one.day < report.day), default=0)
        rows = counts_of(seen[:over], report.channel)
        yesterday = day_before(report.day)
        telling: list[Telling] = [*[row for row in rows if row.day == yesterday][:MOST_ROWS]]
        with suppress(MentorplaneError, OSError):  # without a roll-up the counts are told all the same
            rolled = self._receipts.gather(report.channel, yesterday, seen[:over])
            telling += [Root(rolled.channel, rolled.day, rolled.root)] if rolled else []
        made = tuple(Waiting(self._later(now), one) for one in [report, *telling])
        return replace(
            kept,
            day=report.day,
            waiting=(*kept.waiting, *made),
            lost=kept.lost + sum(row not in telling for row in rows),
            after=seen[over - 1].number if over else start,
        )

    def _send(self, sending: Sequence[Telling], *, now: int) -> None:
        """Send one after the other, each by a request of its own, until one is not taken or it has lasted enough."""
        from edge_runtime.delivery.posting import TIMEOUT_S, Posted, post_once

        taken, posted, until = 0, Posted.TAKEN, monotonic() + TIMEOUT_S
        for one in sending:
            left_s = until - monotonic()
            posted = post_once(self._address, encode(one), self._access, within_s=left_s) if left_s > 0 else Posted.KEPT
            if posted is not Posted.TAKEN:
                break
            taken += 1
        lost = int(posted is Posted.LOST)
        with self._locked():
            kept = self.kept()
            if kept is None:
                return
            again = () if self.is_off else tuple(Waiting(self._later(now), one) for one in sending[taken + lost :])
            waiting = sorted((*kept.waiting, *again), key=lambda one: one.telling.day)
            last = (*kept.last, *sending[:taken])[-MOST_LAST:]
            self._save(replace(kept, waiting=tuple(waiting), last=last, lost=kept.lost + lost))

    def _later(self, now: int) -> int:
        return now + int(SPREAD_S * self._draw())

    def _pass_over(self) -> None:
        """Drop what waits, and count nothing that ran so far; call while locked."""
        kept = self.kept()
        if kept is None:
            return
        after = self._newest()
        if kept.waiting or kept.after < after:
            self._save(replace(kept, waiting=(), after=max(kept.after, after)))

    def _newest(self) -> int:
        """Return the number of the last receipt, 0 if it is damaged."""
        try:
            return self._receipts.count()
        except (MentorplaneError, OSError):
            return 0

    def _save(self, kept: Kept) -> None:
        write_file(self._home.folder / KEPT, canonical.encode(kept.as_json()))

    def _locked(self) -> AbstractContextManager[None]:
        return holding(self._home.folder / LOCK, "census", timeout_s=LOCK_TIMEOUT_S)


def _parse(data: bytes) -> Kept:
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    kept = Kept(
        day=fields.text("day", at_most=10),
        waiting=fields.items("waiting", _parse_waiting, at_most=2 * MOST_WAITING),
        last=fields.items("last", read, at_most=MOST_LAST),
        lost=fields.integer("lost"),
        after=fields.integer("after"),
    )
    fields.close()
    return kept


def _parse_waiting(document: object) -> Waiting:
    fields = Fields(document, "waiting", tagged=False)
    one = Waiting(fields.integer("due"), read(fields.json_object("telling")))
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
        package=package_of(package_version()),
    )
