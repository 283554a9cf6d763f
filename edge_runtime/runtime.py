"""`EdgeRuntime`: open a home, refresh it from a source, start sessions.

Promises: opened without `trust` it refuses; `open` verifies what is on disk again; a refused or failed refresh leaves
the last known good active. Thread-safe: the state is replaced as a whole. Nothing is asked for unless the app says so.
Does not: run prompts (see `session`), fetch (see `refreshing`), judge (see `core.trust`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from audit.frozen import replace
from edge_runtime.adoption import Adopter, Held
from edge_runtime.core.errors import MentorplaneError, NotTrusted, Unavailable
from edge_runtime.core.manifest import DRAFT
from edge_runtime.core.pipeline import compile_for
from edge_runtime.core.policy import CompiledPolicy, Context, Decision, Layer, Route
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.trust import TrustState, open_prompt, running
from edge_runtime.hearing import Hearing
from edge_runtime.home import Home
from edge_runtime.installed import require_extra
from edge_runtime.reader_model import DeviceReader
from edge_runtime.shipped import Sources, shipped_trust, sources_of

if TYPE_CHECKING:
    from edge_runtime.census import Census
    from edge_runtime.core.manifest import Entry
    from edge_runtime.core.reader import Encoder, Reading
    from edge_runtime.delivery.access import Pace
    from edge_runtime.following import Following
    from edge_runtime.generators.budgets import Budget
    from edge_runtime.generators.cloud import CloudModel
    from edge_runtime.generators.local import LocalModel
    from edge_runtime.generators.routing import Routing
    from edge_runtime.receipts import Receipts
    from edge_runtime.reply import Refresh, Stage, Status
    from edge_runtime.session import Session
    from edge_runtime.tallies import Tallies

__all__ = ["EdgeRuntime"]

POLL_S = 300  # how often an open app looks, unless it says otherwise
LAST_S = 253_402_300_799  # the last second that calendars know


class EdgeRuntime:
    """One device's runtime. Make it with `open`; `close` it, or use it in a `with` statement."""

    def __init__(
        self,
        home: Home,
        root: bytes,
        *,
        channel: str,
        sources: Sources,
        clock: Callable[[], float],
        model: str,
    ) -> None:
        self._reader = DeviceReader(model)
        self._home = home
        self._adopter = Adopter(home, root, channel, self._reader.digest)
        self._channel = channel
        self._sources = sources
        self._clock = clock
        self._prompts: dict[str, Prompt] = {}
        self._policies: dict[tuple[str, str, Route], CompiledPolicy] = {}
        self._held: Held | None = None
        self._hearing = Hearing(home)
        self._followings: list[Following] = []
        self.traced = False
        self.state: TrustState | None = None

    @classmethod
    def open(
        cls,
        home: str | Path,
        *,
        trust: str | Path | None = None,
        source: str | None = None,
        channel: str = "production",
        cloud: CloudModel | Sequence[CloudModel] | None = None,
        local: LocalModel | None = None,
        budget: Budget | None = None,
        clock: Callable[[], float] = time.time,
        model: str | Path | None = None,
        token: str = "",
        token_header: str = "Authorization",  # noqa: S107 - the name of a header
        pace: Pace | None = None,
        trace: bool = False,
    ) -> EdgeRuntime:
        """Return the runtime of the device whose files lie in `home`; no network is used.

        Args:
            home: a folder of this device; made if it is not there.
            trust: the folder that the app ships, with `root.json`: whom to trust. There is no default. A file
                `second-source` in it names a second source of withdrawals, `census` who is told once a day.
            source: an http(s) address or a folder to refresh from.
            channel: which channel to follow.
            cloud: the models to ask where the policy lets redacted text leave; none: nothing ever leaves.
            local: a model that a server on this device runs; the first to be asked, whatever the policy lets leave.
            budget: how much may leave in a day; none: no limit but what the person set in this home.
            clock: POSIX seconds; replaced in tests.
            model: the folder of the reader's model, or `"none"`; not given: what `MENTORPLANE_READER` says, or else the
                one in the package. It is loaded when a text is first read.
            token: the app's token for a private channel, the same on all its devices; sent to `source` alone.
            token_header: the header that carries it.
            pace: how slow a source may be before it is given up, if otherwise than by default.
            trace: record runs as spans of OpenTelemetry, without content; the app says where they go.

        Raises:
            NotTrusted: no `trust` was given, or what is in the home does not verify.
            InvalidDocument: the home is damaged, or an address or the token is of another form.
            Unavailable: `trust` cannot be read, the home not written, an extra is missing, or the token not secret.
        """
        root = shipped_trust(trust)
        sources = sources_of(trust or "", source, token=token, header=token_header, pace=pace)
        folder = Home(Path(home))
        reader = str(model) if model is not None else os.environ.get("MENTORPLANE_READER", "")
        runtime = cls(folder, root, channel=channel, sources=sources, clock=clock, model=reader)
        if cloud is not None or local is not None:
            from edge_runtime.generators.routing import budgets_of, routing_of

            runtime.routing = routing_of(cloud, local, budgets=budgets_of(budget, folder.folder, clock))
        if trace:
            require_extra("otel")
        runtime.traced = trace
        runtime._take(runtime._adopter.load())
        return runtime

    def close(self) -> None:
        """Stop what looks for releases by itself; what is open can still be used."""
        while self._followings:
            self._followings.pop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def routing(self) -> Routing:
        """Which models are asked, in which order; none, unless the app named some."""
        from edge_runtime.generators.routing import Routing

        return Routing(())

    @cached_property
    def receipts(self) -> Receipts:
        """The receipts of this home."""
        from edge_runtime.receipts import Receipts

        return Receipts(self._home.folder)

    @cached_property
    def tallies(self) -> Tallies:
        """What is only counted in this home: hand-offs, and exchanges of people with the assistant alone."""
        from edge_runtime.tallies import Tallies

        return Tallies(self._home.folder)

    @cached_property
    def census(self) -> Census:
        """What this device tells once a day, and whether."""
        from edge_runtime.census import Census

        return Census(self._home, self._sources.census, self._sources.access)

    @property
    def encoder(self) -> Encoder | None:
        """The reader's model, loaded when first used; none: names and topics are not assessed, and counted as present.

        Raises:
            Unavailable, InvalidDocument, NotTrusted: the model that the host named cannot be used. Without the packaged
                one, or with one that the release does not name, the runtime goes on (P5); `status` says why.
        """
        return self._reader.encoder(self.state.manifest if self.state else None)

    @encoder.setter
    def encoder(self, encoder: Encoder | None) -> None:
        self._reader.given = encoder

    def refresh(self, source: str | None = None) -> Refresh:
        """Fetch, verify and adopt what a source publishes; on any failure keep the last known good and say why.

        Args:
            source: another source than the one given to `open`, for this time.
        """
        looked = self._look(source or self._sources.first)
        if self._held and self._sources.census:
            self.census.look(self._held.standing, looked, fresh=self.staleness(), now=self.now())
        return looked

    def _look(self, address: str | None) -> Refresh:
        from edge_runtime.refreshing import Refresher
        from edge_runtime.reply import refreshed, unchanged

        before = self._held
        try:
            if address is None:
                raise Unavailable("expected a source to refresh from, got none")
            looked = Refresher(self._adopter, self._sources).look(address, before, now=self.now())
        except (MentorplaneError, OSError) as error:
            return unchanged(self.state, error)
        self._take(looked.held)
        if looked.problem or looked.held is None:
            return unchanged(self.state, looked.problem, notes=looked.notes)
        self._hearing.hear(now=self.now(), good_until=looked.held.cached.good_until, witnessed=looked.witnessed)
        return refreshed(before.standing if before else None, looked.held.standing, notes=looked.notes)

    def poll(self, *, every_s: float = POLL_S) -> Following:
        """Refresh now and about every `every_s` seconds, in a thread, until `close`, or `stop` of what is returned.

        Raises:
            ValueError: there is no source, or less than a second between looks.
        """
        from edge_runtime.following import Following

        if self._sources.first is None or every_s < 1:
            raise ValueError("expected a source to poll, and a second or more between looks")
        self._followings.append(Following(lambda: self.refresh().ok, every_s=every_s))
        return self._followings[-1]

    @property
    def stage(self) -> Stage | None:
        """How far the newest release that this device knows of is rolled out, and whether it waits for it."""
        from edge_runtime.reply import Stage

        return Stage.of_standing(self._held.standing) if self._held else None

    def follow(self, *, every_s: float = 0.2) -> Following:
        """Adopt each new draft by itself, in a thread, while an app is developed; see `mentorplane dev`.

        Raises:
            ValueError: another channel than `draft`, or no source to follow.
        """
        from edge_runtime.following import Drafts, Following

        if self._channel != DRAFT or self._sources.first is None:
            raise ValueError(f"expected a source and the channel {DRAFT!r} to follow: poll looks for releases")
        self._followings.append(Following(Drafts(self._sources.first, self.refresh).look, every_s=every_s))
        return self._followings[-1]

    def _take(self, held: Held | None) -> None:
        self._held, self.state = held, held.standing.adoption.state if held else None

    def status(self) -> Status:
        """Return what this device runs, how fresh it is, how far its claims go, and which model its reader has."""
        from edge_runtime.reply import Status

        reader = self._reader.installed(self.state.manifest if self.state else None)
        newer, forks = self._home.load_newer_format(), len(self.evidence())
        if self.state is None:
            return Status("", self._channel, None, "", "expired", True, (), reader, 0, "", newer, forks=forks)
        status = Status.of_state(self.state, reader, fresh=self.staleness(), prompts=self.prompts())
        as_of, clock_behind = self._hearing.at, self._hearing.is_ahead_of(self.now())
        told = replace(status, newer_format=newer, stage=self.stage, forks=forks)
        return replace(told, as_of=as_of, clock_behind=clock_behind)

    def evidence(self) -> tuple[bytes, ...]:
        """Return the evidence of forks of the log that this device kept, oldest first; each is a file to hand on."""
        return self._home.load_evidence()

    def prompts(self) -> tuple[str, ...]:
        """Return the names of the prompts that may run now."""
        if (state := self.state) is None:
            return ()
        names = [entry.name for entry in state.manifest.entries if entry.kind == "prompt"]
        return tuple(name for name in names if running(state, name) is not None)

    def prompt(self, name: str, state: TrustState | None = None) -> Prompt:
        """Return the approved prompt that runs under `name`, for a withdrawn one what replaces it; verified (V5).

        Raises:
            NotTrusted: nothing was adopted yet, there is no such prompt, it was withdrawn or was altered on disk.
            Unavailable: its content is not on this device.
        """
        state = state or self.trusted()
        entry = running(state, name)
        if entry is None:
            raise NotTrusted(f"prompt {name!r} was withdrawn: stop using it", check="V6")
        return self.opened(entry, state)

    def opened(self, entry: Entry, state: TrustState) -> Prompt:
        """Return the prompt of an entry of the release, verified (V5) when it is first used.

        Raises:
            NotTrusted: it was altered on disk.
            Unavailable: its content is not on this device.
        """
        prompt = self._prompts.get(entry.digest)
        if prompt is None or prompt.name != entry.name:
            prompt = open_prompt(state, entry.name, self._home.load_closure(entry.digest))
            self._prompts[entry.digest] = prompt
        return prompt

    def localised(self, name: str, locale: str, state: TrustState | None = None) -> str:
        """Return the name of a prompt's approved translation, or `name`; raises `NotTrusted` if there is no prompt."""
        from edge_runtime.translations import translation_of

        return translation_of(name, locale, state=state or self.trusted(), opened=self.opened)

    def decide(self, prompt: str, context: Context, *, at_most: Route = Route.CLOUD) -> Decision:
        """Return where an approved prompt may run in `context`; raises `NotTrusted` if there is no such prompt."""
        return self.policy_for(prompt, at_most).decide(context)

    def read(self, text: str, *, names: Iterable[str] = (), terms: Iterable[str] = ()) -> Reading:
        """Return what is found in `text`: types and places, no values."""
        from edge_runtime.core.reader import TextReader

        return self.within(lambda: TextReader(names=names, terms=terms, encoder=self.encoder).read(text), text)

    def within(self, read: Callable[[], Reading], text: str) -> Reading:
        """Return what `read` gives for a text; raises `Unavailable` where that takes too long."""
        return self._reader.within(read, len(text))

    def policy_for(self, name: str, at_most: Route, state: TrustState | None = None) -> CompiledPolicy:
        """Return the compiled layers that decide about a prompt: organisation, prompt, the learner's own limit."""
        state = state or self.trusted()
        key = (state.manifest_digest, name, at_most)
        known = self._policies.get(key)
        if known is None:
            known = self._policies[key] = compile_for(state.policy, self.prompt(name, state), Layer("learner", at_most))
        return known

    def trusted(self) -> TrustState:
        """Return the adopted state.

        Raises:
            NotTrusted: nothing was adopted yet.
        """
        if self.state is None:
            raise NotTrusted("expected an adopted release, got none yet", check="V2", hint="call refresh()")
        return self.state

    def staleness(self) -> str:
        """Return `fresh`, `stale` or `expired`."""
        return self._hearing.staleness(self.trusted().manifest, now=self.now())

    def capabilities(self) -> frozenset[str]:
        """Return what this device can do, in the words of the policy's vocabulary."""
        return frozenset("cloud-model" for one in self.routing.order(Route.CLOUD) if one.place > Route.DEVICE)

    def session(
        self,
        *,
        learner: str,
        role: str = "learner",
        names: Iterable[str] = (),
        terms: Iterable[str] = (),
        consents: Iterable[str] = (),
        agreement: int = 0,
        at_most: str = "cloud",
        locale: str = "en",
        continues: Session | None = None,
    ) -> Session:
        """Return a session: one person's conversation, with one table of placeholders.

        Args:
            learner: the host's id of the learner, by whom exchanges with the assistant alone are counted; stays here.
            role: who is using it: `learner`, or `mentor`, who is a person and so never alone with the assistant.
            names: people's names the host knows (the learner, mentors, colleagues): covered wherever they occur.
            terms: other words to cover, such as project code names.
            consents: what the person agreed to, in the words of the policy's vocabulary (`cloud`, …).
            agreement: the version of the agreement the person accepted.
            at_most: the learner's own limit: `device`, `redacted` or `cloud`; can only restrict.
            locale: for the hand-off text, and for the translation of a prompt, if there is one.
            continues: a session of the same conversation: its placeholders go on, and a hand-off text was shown once.

        Raises:
            ValueError: one text where a list of texts is meant, or another limit.
        """
        from edge_runtime.session import Session

        return Session(
            self,
            learner=learner,
            role=role,
            names=names,
            terms=terms,
            consents=consents,
            agreement=agreement,
            at_most=at_most,
            locale=locale,
            continues=continues,
        )

    def now(self) -> int:
        """Return the device's clock in POSIX seconds; 0, so the stalest, for one that shows no time."""
        try:
            return min(max(int(self._clock()), 0), LAST_S)
        except (ValueError, OverflowError):
            return 0
