"""`EdgeRuntime`: open a home, refresh it from a source, start sessions.

Promises: opened without `trust` it refuses; `open` verifies what is on disk again; a refused or failed refresh leaves
the last known good active, byte for byte. Thread-safe: the state is replaced as a whole.
Does not: run prompts (see `session`), fetch (see `delivery`), judge (see `core.trust`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.adoption import Adopter
from edge_runtime.core.errors import MentorplaneError, NewerFormat, NotTrusted, Unavailable
from edge_runtime.core.freshness import staleness_of
from edge_runtime.core.locales import localised
from edge_runtime.core.manifest import DRAFT
from edge_runtime.core.pipeline import compile_for
from edge_runtime.core.policy import CompiledPolicy, Context, Decision, Layer, Route
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.trust import Step, TrustState, find_prompt, open_prompt, running
from edge_runtime.home import Home

if TYPE_CHECKING:
    from edge_runtime.cloud import CloudModel
    from edge_runtime.core.manifest import Entry
    from edge_runtime.core.reader import Encoder, Reading
    from edge_runtime.following import Following
    from edge_runtime.receipts import Receipts
    from edge_runtime.reply import Refresh, Stage, Status
    from edge_runtime.session import Session
    from edge_runtime.waiting import Standing

__all__ = ["EdgeRuntime"]

_FETCHED = (
    Step("V1", "the chain of root keys begins with the one that came with the app"),
    Step("V2", "the list of what is published is signed, in date and no older than the last one"),
    Step("V3", "each file has the length and fingerprint that the list states"),
)


class EdgeRuntime:
    """One device's runtime. Make it with `open`."""

    def __init__(
        self,
        home: Home,
        root: bytes,
        *,
        channel: str,
        source: str | None,
        cloud: CloudModel | None,
        clock: Callable[[], float],
        model: str,
    ) -> None:
        self._model = model
        self._home = home
        self._adopter = Adopter(home, root, channel)
        self._channel = channel
        self._source = source
        self._clock = clock
        self._prompts: dict[str, Prompt] = {}
        self._policies: dict[tuple[str, str, Route], CompiledPolicy] = {}
        self._checked_at = home.load_checked_at()
        self.cloud = cloud
        self.reader_problem = ""
        """Why the packaged model of the reader is not used, if that was refused."""
        self.state: TrustState | None = None
        self._standing: Standing | None = None

    @classmethod
    def open(
        cls,
        home: str | Path,
        *,
        trust: str | Path | None = None,
        source: str | None = None,
        channel: str = "production",
        cloud: CloudModel | None = None,
        clock: Callable[[], float] = time.time,
        model: str | Path | None = None,
    ) -> EdgeRuntime:
        """Return the runtime of the device whose files lie in `home`; no network is used.

        Args:
            home: a folder of this device; made if it is not there.
            trust: the folder that the app ships, with `root.json`: whom to trust. There is no default.
            source: an http(s) address or a folder to refresh from.
            channel: which channel to follow.
            cloud: the model to use where the policy lets redacted text leave; none: nothing ever leaves.
            clock: POSIX seconds; replaced in tests.
            model: the folder of the reader's model, or `"none"`; not given: what `MENTORPLANE_READER` says, or else the
                one in the package. It is loaded when a text is first read.

        Raises:
            NotTrusted: no `trust` was given, or what is in the home does not verify.
            InvalidDocument: the home is damaged.
            Unavailable: `trust` cannot be read, the home cannot be written, or the cloud extra is missing.
        """
        if trust is None:
            raise NotTrusted(
                "expected the folder with the organisation's root.json, got none",
                check="V1",
                hint="ship the server's trust/ folder with your app; trust on first use does not exist here",
            )
        try:
            root = (Path(trust) / "root.json").read_bytes()
        except OSError as error:
            raise Unavailable(f"expected root.json in the trust folder, got {error.strerror}") from error
        if cloud is not None:
            from edge_runtime.cloud import is_installed

            if not is_installed():
                raise Unavailable(
                    "expected the cloud extra for a cloud model, got none", hint="pip install 'mentorplane[cloud]'"
                )
        folder = Home(Path(home))
        wanted = str(model) if model is not None else os.environ.get("MENTORPLANE_READER", "")
        runtime = cls(folder, root, channel=channel, source=source, cloud=cloud, clock=clock, model=wanted)
        runtime._stand(runtime._adopter.load())
        return runtime

    @cached_property
    def receipts(self) -> Receipts:
        """The receipts of this home."""
        from edge_runtime.receipts import Receipts

        return Receipts(self._home.folder)

    @cached_property
    def encoder(self) -> Encoder | None:
        """The reader's model, loaded when first used; none: names and topics are not assessed, and counted as present.

        Raises:
            Unavailable, InvalidDocument, NotTrusted: the model that the host named cannot be used. If the packaged one
                cannot, the runtime goes on without it (P5) and says why in `reader_problem`.
        """
        from edge_runtime.encoder import find_encoder

        try:
            return find_encoder(self._model)
        except MentorplaneError as error:
            if self._model:
                raise
            self.reader_problem = str(error)
            return None

    def refresh(self, source: str | None = None) -> Refresh:
        """Fetch, verify and adopt what a source publishes; on any failure keep the last known good and say why.

        Args:
            source: another source than the one given to `open`, for this time.
        """
        from edge_runtime.reply import Refresh

        address = source or self._source
        try:
            if address is None:
                raise Unavailable("expected a source to refresh from, got none")
            standing, changed = self._adopter.refresh(address)
        except NotTrusted as error:
            return self._unchanged(error.check, str(error))
        except MentorplaneError as error:
            if isinstance(error, NewerFormat):
                with suppress(OSError):
                    self._home.save_newer_format(error.format)
            return self._unchanged("" if isinstance(error, Unavailable) else "V4", str(error))
        except OSError as error:
            return self._unchanged(
                "", f"expected a home that can be written, got {error.strerror or type(error).__name__}"
            )
        self._stand(standing)
        self._home.save_newer_format("")
        self._checked_at = self.now()
        self._home.save_checked_at(self._checked_at)
        number, steps = standing.adoption.state.manifest.number, _FETCHED + standing.adoption.steps
        return Refresh(True, changed, number, "", "", steps=steps, stage=self.stage)

    def _stand(self, standing: Standing | None) -> None:
        self._standing = standing
        self.state = standing.adoption.state if standing else None

    @property
    def stage(self) -> Stage | None:
        """How far the newest release that this device knows of is rolled out, and whether it waits for it."""
        from edge_runtime.reply import Stage

        return Stage.of_standing(self._standing) if self._standing else None

    def follow(self, *, every_s: float = 0.2) -> Following:
        """Adopt each new draft by itself, in a thread, while an app is developed; see `mentorplane dev`.

        Raises:
            ValueError: another channel than `draft`, or no source to follow.
        """
        from edge_runtime.following import Following

        if self._channel != DRAFT or self._source is None:
            raise ValueError(
                f"expected a source and the channel {DRAFT!r} to follow: releases are looked for by refresh"
            )
        return Following(self._source, self.refresh, every_s=every_s)

    def status(self) -> Status:
        """Return what this device runs, how fresh it is, how far its claims go, and which model its reader has."""
        from edge_runtime.encoder import find_installed
        from edge_runtime.reply import Status

        reader = find_installed(self._model, self.reader_problem)
        state, newer = self.state, self._home.load_newer_format()
        if state is None:
            none = ("", self._channel, None, "", "expired", True, ())
            return Status(*none, reader=reader, log_size=0, log_root="", newer_format=newer)
        return Status(
            organisation=state.manifest.organisation,
            channel=state.manifest.channel,
            release=state.manifest.number,
            manifest_sha256=state.manifest_digest.removeprefix("sha256:"),
            fresh=self.staleness(),
            self_contained=state.trust.self_contained or state.checkpoint.witnesses == 0,
            prompts=self.prompts(),
            reader=reader,
            log_size=state.checkpoint.size,
            log_root=state.checkpoint.root.hex(),
            newer_format=newer,
            stage=self.stage,
        )

    def prompts(self) -> tuple[str, ...]:
        """Return the names of the prompts that may run now."""
        state = self.state
        if state is None:
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
        """Return the name of the approved translation of a prompt for a locale, or `name` if there is none to use.

        A translation counts if its closure says that it is one of `name`. One that is withdrawn, whose wording was
        translated from a withdrawn one, or that is not on this device, is passed over; a withdrawn prompt has none.

        Raises:
            NotTrusted: there is no such approved prompt.
        """
        state = state or self.trusted()
        if running(state, name) != find_prompt(state, name):
            return name
        return localised(name, locale, lambda found: self._is_translation(found, name, state))

    def _is_translation(self, name: str, original: str, state: TrustState) -> bool:
        entry = state.entries.get(("prompt", name))
        if entry is None or running(state, name) != entry:
            return False
        try:
            source = self.opened(entry, state).translation_of
        except MentorplaneError:  # not fetched, or altered on disk: the original is as good as approved
            return False
        return source is not None and source.name == original and source.digest not in state.stopped

    def decide(self, prompt: str, context: Context, *, at_most: Route = Route.CLOUD) -> Decision:
        """Return where the approved `prompt` may run in `context`; `Session.decide` assesses the inputs itself.

        Raises:
            NotTrusted: there is no such approved prompt.
        """
        return self.policy_for(prompt, at_most).decide(context)

    def read(self, text: str, *, names: Iterable[str] = (), terms: Iterable[str] = ()) -> Reading:
        """Return what is found in `text`: types and places, no values."""
        from edge_runtime.core.reader import TextReader

        return TextReader(names=names, terms=terms, encoder=self.encoder).read(text)

    def policy_for(self, name: str, at_most: Route, state: TrustState | None = None) -> CompiledPolicy:
        """Return the compiled layers that decide about a prompt: organisation, prompt, the learner's own limit."""
        state = state or self.trusted()
        key = (state.manifest_digest, name, at_most)
        compiled = self._policies.get(key)
        if compiled is None:
            compiled = self._policies[key] = compile_for(
                state.policy, self.prompt(name, state), Layer("learner", at_most)
            )
        return compiled

    def trusted(self) -> TrustState:
        """Return the adopted state.

        Raises:
            NotTrusted: nothing was adopted yet.
        """
        if self.state is None:
            raise NotTrusted(
                "expected an adopted release, got none yet", check="V2", hint="call refresh() with a source"
            )
        return self.state

    def staleness(self) -> str:
        """Return `fresh`, `stale` or `expired`."""
        manifest = self.trusted().manifest
        return staleness_of(manifest, checked_at=self._checked_at, now=self.now())

    def capabilities(self) -> frozenset[str]:
        """Return what this device can do, in the words of the policy's vocabulary."""
        return frozenset({"cloud-model"}) if self.cloud else frozenset()

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
    ) -> Session:
        """Return a session: one person's conversation, with one table of placeholders.

        Args:
            learner: the host's id of the learner; stays on the device.
            role: who is using it: `learner` or `mentor`.
            names: people's names the host knows (the learner, mentors, colleagues): covered wherever they occur.
            terms: other words to cover, such as project code names.
            consents: what the person agreed to, in the words of the policy's vocabulary (`cloud`, …).
            agreement: the version of the agreement the person accepted.
            at_most: the learner's own limit: `device`, `redacted` or `cloud`; can only restrict.
            locale: for the hand-off text, and for the translation of a prompt, if there is one.

        Raises:
            ValueError: one text where a list of texts is meant, or another limit.
        """
        from edge_runtime.session import Session

        if any(isinstance(given, str) for given in (names, terms, consents)):
            raise ValueError("expected lists of texts for names, terms and consents, got one text")

        return Session(
            self,
            learner=learner,
            role=role,
            names=tuple(names),
            terms=tuple(terms),
            consents=frozenset(consents),
            agreement=agreement,
            at_most=_limit(at_most),
            locale=locale,
        )

    def now(self) -> int:
        """Return the device's clock in POSIX seconds."""
        return int(self._clock())

    def _unchanged(self, check: str, message: str) -> Refresh:
        from edge_runtime.reply import Refresh

        release = self.state.manifest.number if self.state else None
        return Refresh(False, False, release, check, message, steps=())


def _limit(at_most: str) -> Route:
    if at_most not in {"device", "redacted", "cloud"}:
        raise ValueError("expected at_most to be device, redacted or cloud")
    return Route[at_most.upper()]
