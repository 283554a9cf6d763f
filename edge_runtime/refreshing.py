"""One look at a source: what is asked for, in which order, and what stays of it whatever comes of it.

1. the withdrawals of a second source, if the app or the trust file names one
2. the timestamp; if it is the one that this device has, and in date, nothing else was published
3. else the TUF repository, and V1 to V9 (see `adoption`)
4. the log's newest checkpoint, which must be of the history that this device knows

Promises:
1. With nothing new a look is two conditional requests, and no file is written.
2. A look that fails leaves nothing behind but what can only tighten: a newer root that the keys before and after it
   signed, withdrawals, and the evidence of a fork. What runs goes on.
3. Whatever time the device's clock says, metadata that ended before the newest signed time is not accepted.

Does not: judge a release (see `core.trust`), say when to look (see `following`). Source: DESIGN section 6.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from audit.errors import AuditError
from audit.fork import find_fork, stated, verify_fork
from audit.frozen import frozen, replace
from audit.note import parse_vkey
from audit.tiles import MAX_BUNDLE_BYTES
from edge_runtime.adoption import GATHERED, HEAD, PARTS, Adopter, Held, released_checkpoint
from edge_runtime.core.checkpoints import read_checkpoint, read_cosigned
from edge_runtime.core.errors import MentorplaneError, NewerFormat, NotTrusted, Unavailable
from edge_runtime.core.freshness import signed_at
from edge_runtime.core.release import (
    CHECKPOINT_PATH,
    TIMESTAMP_PATH,
    encode_withdrawals,
    offered_path,
    parse_withdrawals,
)
from edge_runtime.core.trustfile import parse_trust
from edge_runtime.core.withdrawals import gather
from edge_runtime.delivery import TRUST_PATH
from edge_runtime.delivery.cached import Cached, load_cached
from edge_runtime.delivery.online import Source, update
from edge_runtime.home import write_file
from edge_runtime.shipped import Sources

if TYPE_CHECKING:
    from edge_runtime.core.trustfile import TrustFile
    from edge_runtime.delivery.access import Pace

__all__ = ["Looked", "Refresher"]

MAX_TIMESTAMP_BYTES = 16_384
MAX_HEAD_BYTES = 65_536
MAX_OFFERED_BYTES = 4_000_000


@frozen
class Looked:
    """What a look left in use, why it failed if it did, and what went wrong that did not stop it.

    `witnessed` is when a quorum of witnesses cosigned the newest checkpoint that they did, None if none is asked.
    """

    held: Held | None
    problem: MentorplaneError | None
    notes: tuple[str, ...]
    witnessed: int | None = None


@frozen
class Refresher:
    """What does not change from one look to the next."""

    adopter: Adopter
    sources: Sources

    def look(self, address: str, held: Held | None, *, now: int) -> Looked:
        """Adopt what is published at `address`, or say why not.

        Args:
            address: an address of the web, or a folder.
            held: what the caller has in use, verified.
            now: the device's clock, in POSIX seconds.

        Raises:
            NotTrusted, InvalidDocument: what the home holds does not verify, or the address is of another form.
            Unavailable: another process holds the home.
            OSError: the home cannot be written.
        """
        home = self.adopter.home
        with home.locked():
            source = Source(address, self.sources.access, self.sources.pace)
            generation = home.current()
            if generation is None:
                before = None
            elif held and held.generation == generation:
                before = held
            else:
                before = self.adopter.held(generation, source)
            one = _Look(self.adopter, source, before, now=now, pace=self.sources.pace)
            one.ask(self.sources.second)
            if before:
                one.ask(before.standing.adoption.state.trust.second_source)
            try:
                after = one.brought_up()
                home.save_newer_format("")
                return Looked(after, None, tuple(one.notes), _witnessed_at(after, self.adopter.channel))
            except MentorplaneError as error:
                if isinstance(error, NewerFormat):
                    home.save_newer_format(error.format)
                return Looked(one.tightened(), error, tuple(one.notes))
            finally:
                shutil.rmtree(one.staging, ignore_errors=True)


class _Look:
    """One look: the source, what was in use before it, the device's clock."""

    def __init__(self, adopter: Adopter, source: Source, before: Held | None, *, now: int, pace: Pace) -> None:
        self._adopter = adopter
        self._home = adopter.home
        self._source = source
        self._before = before
        self._now = now
        self._pace = pace
        self._offers: dict[str, bytes] = {}
        self.notes: list[str] = []
        self.staging = self._home.generations / ".staging"

    def ask(self, second: str) -> None:
        """Ask a second source, unless it was asked, for what it offers; note what went wrong."""
        if not second or second in self._offers:
            return
        self._offers[second] = b""
        channel = self._adopter.channel
        try:
            source, path = Source(second, pace=self._pace), offered_path(channel)
            if self._before:
                source.hold(path, self._before.gathered)
            offered = source.fetch(path, max_bytes=MAX_OFFERED_BYTES)
            parse_withdrawals(offered, channel)
            self._offers[second] = offered
        except FileNotFoundError:
            self.notes.append("second source: expected a withdrawal list, got no such file")
        except MentorplaneError as error:
            self.notes.append(f"second source: {error}")

    def brought_up(self) -> Held:
        """Return what is in use after the source was asked.

        Raises:
            NotTrusted, InvalidDocument, Unavailable: as `Adopter.adopt`.
        """
        before = self._before
        if before is None or not self._is_unchanged(before):
            return self._adopted()
        self._adopter.mend(before.standing.adoption.state.manifest, self._source, {})
        files = {HEAD: self._witnessed(before.cached), GATHERED: self._gathered(before.cached.files)}
        parts = self._adopter.mended_parts(before, self._source)
        if not parts and files == {HEAD: before.head, GATHERED: before.gathered}:
            return before
        if parts:
            files[PARTS] = parts
        return self._kept(files)

    def tightened(self) -> Held | None:
        """Return what is in use after a look that failed: what was, with what it may keep of this one."""
        before = self._before
        if before is None:
            self._home.save_roots(self._newer_roots(None))
            return None
        files = {f"metadata/root_history/{name}": data for name, data in self._newer_roots(before).items()}
        gathered = self._gathered(before.cached.files)
        if gathered != before.gathered:
            files[GATHERED] = gathered
        if not files:
            return before
        try:
            return self._kept(files)
        except MentorplaneError:  # a root that only `tuf` can read, say: then it is asked for again
            return before

    def _is_unchanged(self, before: Held) -> bool:
        """Return whether the source has the timestamp that this device has, in date, under the newest root known."""
        self._source.hold(TIMESTAMP_PATH, before.cached.timestamp)
        try:
            timestamp = self._source.fetch(TIMESTAMP_PATH, max_bytes=MAX_TIMESTAMP_BYTES)
        except FileNotFoundError as error:
            raise Unavailable("expected a published timestamp at the source, got no such file") from error
        self._source.hold(TIMESTAMP_PATH, timestamp)
        cached = before.cached
        return timestamp == cached.timestamp and cached.is_newest and self._is_in_date(cached)

    def _is_in_date(self, cached: Cached) -> bool:
        return max(self._now, signed_at(cached.good_until)) < cached.expires_at

    def _adopted(self) -> Held:
        adopter, staging = self._adopter, self._home.stage()
        update(staging, adopter.root, self._source, channel=adopter.channel)
        cached = load_cached(staging, adopter.root, channel=adopter.channel)
        if not self._is_in_date(cached):
            raise NotTrusted("expected metadata in date by this device's clock, got some that ended", check="V2")
        self.ask(parse_trust(cached.files[TRUST_PATH]).second_source)
        head, gathered = self._witnessed(cached), self._gathered(cached.files)
        standing = adopter.adopt(staging, cached, self._source, before=self._before, gathered=gathered)
        _write(staging, {HEAD: head, GATHERED: gathered})
        return Held(self._home.commit(staging), cached, standing, head, gathered)

    def _kept(self, files: Mapping[str, bytes]) -> Held:
        """Put files beside what is in use, in a generation of their own; verified before it counts."""
        staging = self._home.stage()
        _write(staging, files)
        held = self._adopter.held(staging)
        return replace(held, generation=self._home.commit(staging))

    def _newer_roots(self, before: Held | None) -> dict[str, bytes]:
        """Return the roots that `tuf` verified and kept in the staged folder, and that are not in use."""
        known = set()
        if before:
            known = {path.name for path in (before.generation / "metadata" / "root_history").glob("*.root.json")}
        staged = (self.staging / "metadata" / "root_history").glob("*.root.json")
        return {path.name: path.read_bytes() for path in staged if path.name not in known}

    def _gathered(self, files: Mapping[str, bytes]) -> bytes:
        """Return the withdrawals to keep of second sources, by the keyring of a trust file."""
        channel = self._adopter.channel
        kept = self._before.gathered if self._before else encode_withdrawals(channel, ())
        for offered in self._offers.values():
            if offered and offered != kept:
                kept = self._with(kept, offered, parse_trust(files[TRUST_PATH]))
        return kept

    def _with(self, kept: bytes, offered: bytes, trust: TrustFile) -> bytes:
        channel = self._adopter.channel
        try:
            found = gather(
                parse_withdrawals(kept, channel),
                parse_withdrawals(offered, channel),
                keyring=trust.people,
                organisation=trust.organisation,
                channel=channel,
            )
        except MentorplaneError as error:  # not sound: what was kept stays
            self.notes = [*dict.fromkeys((*self.notes, f"second source: {error}"))]
            return kept
        return encode_withdrawals(channel, found)

    def _witnessed(self, cached: Cached) -> bytes:
        """Return the newest checkpoint known, after the source's was found to be of the history that was seen before.

        Raises:
            NotTrusted: V7, it is not signed by the log, or there are two histories, of which the evidence is kept.
            Unavailable: the source has none, or did not answer.
        """
        vkey = parse_trust(cached.files[TRUST_PATH]).log_vkey
        released = released_checkpoint(cached, self._adopter.channel)
        seen = self._before.head if self._before else released
        self._source.hold(CHECKPOINT_PATH, seen)
        try:
            offered = self._source.fetch(CHECKPOINT_PATH, max_bytes=MAX_HEAD_BYTES)
        except FileNotFoundError as error:
            raise Unavailable("expected the checkpoint of the log at the source, got no such file") from error
        for note in (offered, released):
            read_checkpoint(note, vkey)
        self._require_one_history(seen, offered, vkey)
        newest = max(offered, seen, key=lambda note: stated(note).size)
        self._require_one_history(released, newest, vkey)
        return newest

    def _require_one_history(self, one: bytes, other: bytes, vkey: str) -> None:
        if one == other:
            return
        try:
            fork = find_fork(one, other, lambda path: self._source.fetch(f"log/{path}", max_bytes=MAX_BUNDLE_BYTES))
        except AuditError as error:
            raise NotTrusted(f"expected the log to have grown from the one seen before: {error}", check="V7") from error
        if fork is None:
            return
        before = self._before.standing.adoption.state.trust.log_vkey if self._before else vkey
        try:
            verify_fork(fork, [parse_vkey(key) for key in dict.fromkeys((vkey, before))])
            self._home.save_evidence(fork.encode())
        except AuditError:  # not by the key of the log: it accuses nobody, and is refused all the same
            pass
        raise NotTrusted(
            "expected the log seen before, grown, got another history under its name",
            check="V7",
            hint="hand the evidence to somebody outside: `mentorplane edge evidence FILE`",
        )


def _witnessed_at(held: Held, channel: str) -> int | None:
    trust = held.standing.adoption.state.trust
    if trust.witnesses is None:
        return None
    times = [0]
    for note in (held.head, released_checkpoint(held.cached, channel)):
        with suppress(NotTrusted):  # the newest need not be cosigned yet
            times.append(read_cosigned(note, trust)[1])
    return max(times)


def _write(staging: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        write_file(staging / name, data)
