"""A session: one person's conversation with approved prompts. What a host calls; the steps of a run are in `running`.

Promises: `run` never raises for what a text contains; a crisis disclosure is answered with the approved hand-off
text first, with no model call and nothing sent, whatever policy, release, contract or preference says (P6), and never
leaves the device afterwards either; what leaves passes `core.disclosure` and a last scan, and is counted also when no
answer comes (P2); any unexpected failure gives the prompt's fallback text and sends nothing more. Thread-safe.
Does not: keep texts (the placeholder table lives and ends with the session).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from edge_runtime.core.contract import check_inputs
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.policy import Decision, Route
from edge_runtime.core.reader import Reading
from edge_runtime.core.redaction import Redacted, Restored
from edge_runtime.reply import Preview, Reply
from edge_runtime.running.beginning import assess
from edge_runtime.running.course import Course
from edge_runtime.running.own import CARRIER, OWN_INPUT
from edge_runtime.running.records import Wish
from edge_runtime.running.rendering import preview_of, render_for
from edge_runtime.running.streams import AsyncStream, Stream
from edge_runtime.running.talk import Memory, Talk

if TYPE_CHECKING:
    from edge_runtime.runtime import EdgeRuntime

__all__ = ["Session"]


class Session:
    """One person's session. Make it with `EdgeRuntime.session`."""

    def __init__(
        self,
        runtime: EdgeRuntime,
        *,
        learner: str,
        role: str,
        names: Iterable[str],
        terms: Iterable[str],
        consents: Iterable[str],
        agreement: int,
        at_most: str,
        locale: str,
        continues: Session | None = None,
    ) -> None:
        if any(isinstance(given, str) for given in (names, terms, consents)):
            raise ValueError("expected lists of texts for names, terms and consents, got one text")
        if role not in {"learner", "mentor"}:
            raise ValueError("expected the role learner or mentor")
        self._memory: Memory = continues._memory if continues else Memory()  # noqa: SLF001 - of another of its kind
        self._talk = Talk(
            runtime,
            learner=learner if role == "learner" else None,
            names=tuple(names),
            terms=tuple(terms),
            consents=frozenset(consents),
            agreement=agreement,
            at_most=_limit_of(at_most),
            locale=locale,
            memory=self._memory,
        )

    def read(self, text: str) -> Reading:
        """Return what is found in `text`: types and places, no values.

        Raises:
            Unavailable, InvalidDocument, NotTrusted: the reader's model that the host named cannot be used.
        """
        return self._talk.read(text)

    def redact(self, text: str, reading: Reading | None = None) -> Redacted:
        """Return `text` with findings replaced by placeholders; the same value gets the same one all session long.

        `reading` is what `read` gave for this very text, where it was read before.
        """
        return self._memory.placeholders.redact(text, reading or self.read(text))

    def restore(self, text: str) -> Restored:
        """Return `text` with the session's placeholders replaced by their values; unknown ones stay and are named."""
        return self._memory.placeholders.restore(text)

    def check_in(self) -> None:
        """Note that the person talked with somebody: exchanges with the assistant alone are counted anew.

        Raises:
            OSError, Unavailable: the home cannot be written.
        """
        self._talk.checked_in()

    def decide(self, prompt: str, inputs: Mapping[str, Any]) -> Decision:
        """Return where the prompt may run for these inputs, and the rules that decided.

        Raises:
            InvalidDocument: an input is missing, undeclared or mistyped.
            NotTrusted: there is no such approved prompt.
        """
        return assess(self._talk, Wish(prompt, inputs), self._talk.runtime.trusted()).decision

    def render(self, prompt: str, inputs: Mapping[str, Any]) -> str:
        """Return the instruction of the approved prompt with these inputs delimited as data."""
        runtime = self._talk.runtime
        approved = runtime.prompt(runtime.localised(prompt, self._talk.locale))
        return render_for(approved, check_inputs(approved.inputs, inputs))

    def preview(self, prompt: str, inputs: Mapping[str, Any]) -> Preview:
        """Return what a run would find and decide, and the text that would leave; nothing runs, nothing is sent."""
        run = assess(self._talk, Wish(prompt, inputs), self._talk.runtime.trusted())
        return Preview(dict(run.readings), run.decision, preview_of(self._talk, run))

    def run(self, prompt: str, inputs: Mapping[str, Any], *, go_on: bool = False, tools: Iterable[str] = ()) -> Reply:
        """Run an approved prompt and return a typed reply.

        Args:
            prompt: its name.
            inputs: its declared inputs.
            go_on: the person has seen the hand-off text in this session and chooses to go on.
            tools: those of the prompt's tools that the app can carry out, by name. What a model asks for is in
                `Reply.calls`; what comes of it goes into the input `tool_results` of the next run.

        Raises:
            InvalidDocument: an input is missing, undeclared or mistyped, or a tool is undeclared: the host's mistake,
                not the text's.
            NotTrusted: the release has no such prompt.
        """
        return self._run(Wish(prompt, inputs, go_on, _names(tools)))

    def run_own(
        self, words: str, inputs: Mapping[str, Any] | None = None, *, carrier: str = CARRIER, go_on: bool = False
    ) -> Reply:
        """Run a prompt of the person's own: as data inside an approved carrier prompt, on this device alone.

        Args:
            words: what the person asks for, in their own words.
            inputs: other inputs of the carrier, such as the material.
            carrier: the approved prompt that carries it; it is placed on the device and has an input `own_prompt`.
            go_on: as for `run`.

        Raises:
            InvalidDocument: the carrier may leave the device or takes no such words, or an input does not fit.
            NotTrusted: the release has no such carrier.
        """
        return self._run(Wish(carrier, {**(inputs or {}), OWN_INPUT: words}, go_on, own=True))

    def hand_over(self, prompt: str, inputs: Mapping[str, Any], *, go_on: bool = False) -> Reply:
        """Return in `disclosure` what a host may give to a model of its own: the steps of a run, up to the model.

        `outcome` is `handed-over`, or `kept` where the policy keeps it on this device and there is no disclosure.

        Raises:
            InvalidDocument, NotTrusted: as `run`.
        """
        from edge_runtime.running.handing import hand_over

        return hand_over(self._talk, Wish(prompt, inputs, go_on))

    async def arun(
        self, prompt: str, inputs: Mapping[str, Any], *, go_on: bool = False, tools: Iterable[str] = ()
    ) -> Reply:
        """Run as `run` does, in a thread: the event loop goes on meanwhile. Cancelled, the run ends and is counted."""
        import asyncio

        wish = Wish(prompt, inputs, go_on, _names(tools))
        course = await asyncio.to_thread(Course, self._talk, wish, early=False)
        try:
            return await asyncio.to_thread(course.finished)
        except asyncio.CancelledError:
            course.stop()
            raise

    def stream(
        self,
        prompt: str,
        inputs: Mapping[str, Any],
        *,
        go_on: bool = False,
        tools: Iterable[str] = (),
        settled: bool = False,
    ) -> Stream:
        """Run as `run` does, and give the text sentence by sentence, each checked by the reader before it is given.

        What holds for an answer as a whole (its schema, the prompt's validators) is only known at its end: if it is
        refused then, `Stream.reply.text` is another text than what came, and counts. With `settled` nothing is given
        before every check was passed, for a place where a text cannot be taken back.

        Raises:
            InvalidDocument, NotTrusted: as `run`, at once.
        """
        return Stream(Course(self._talk, Wish(prompt, inputs, go_on, _names(tools)), early=not settled))

    async def astream(
        self,
        prompt: str,
        inputs: Mapping[str, Any],
        *,
        go_on: bool = False,
        tools: Iterable[str] = (),
        settled: bool = False,
    ) -> AsyncStream:
        """Stream as `stream` does, for `async for`: the event loop goes on meanwhile."""
        import asyncio

        return AsyncStream(
            await asyncio.to_thread(
                lambda: self.stream(prompt, inputs, go_on=go_on, tools=_names(tools), settled=settled)
            )
        )

    def _run(self, wish: Wish) -> Reply:
        return Course(self._talk, wish, early=False).finished()


def _limit_of(at_most: str) -> Route:
    if at_most not in {"device", "redacted", "cloud"}:
        raise ValueError("expected at_most to be device, redacted or cloud")
    return Route[at_most.upper()]


def _names(tools: Iterable[str]) -> tuple[str, ...]:
    if isinstance(tools, str):
        raise InvalidDocument("expected a list of tool names, got one text")
    return tuple(tools)
