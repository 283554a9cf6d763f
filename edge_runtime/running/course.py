"""The course of one run, from its beginning to its reply: the steps in their order.

    begin → hand-off | blocked | fill | tell, ask, listen, show, check, once more → fall back → receipt → reply

Promises: whatever a text or a model makes fail, the person gets the approved fallback text; what left is counted also
where no answer came, and where the app wants no more of it. Does not: run in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Generator

from edge_runtime.core.pipeline import OBLIGATIONS
from edge_runtime.core.policy import Route
from edge_runtime.reply import Reply
from edge_runtime.running.asking import answer, wire_for
from edge_runtime.running.beginning import begin
from edge_runtime.running.records import Made, Run, Stopped, Wish
from edge_runtime.running.replying import reply_to
from edge_runtime.running.showing import Showing
from edge_runtime.running.talk import Talk

__all__ = ["Course", "refused"]


class Course:
    """One run under way: go through `pieces`; `reply` is there after the last.

    Raises:
        InvalidDocument: an input is missing, undeclared or mistyped, or a tool is not declared: the host's mistake.
        NotTrusted: the release has no such prompt.
    """

    def __init__(self, talk: Talk, wish: Wish, *, early: bool) -> None:
        self._talk = talk
        self._early = early
        self._wire = wire_for(talk)
        self._begun = begin(talk, wish)
        self.reply: Reply | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether the app wants no more."""
        return self._wire.stopped

    def stop(self) -> None:
        """Want no more; from any thread. What waits for a model ends within a moment."""
        self._wire.stop()

    def pieces(self) -> Generator[str, None, None]:
        """Yield what a person may read, as it comes; all of it is in the reply's text, unless that is another one."""
        if isinstance(self._begun, Reply):
            self.reply = self._begun
            yield self.reply.text  # what leads to a person comes whole and first (P6)
            return
        run, wire = self._begun, self._wire
        showing = Showing(run, wanted=self._early)
        made: Made | None = None
        try:
            made = yield from self._make(run, showing)
        except Stopped:
            pass
        except Exception as error:  # noqa: BLE001 - whatever a text makes fail, the person gets the approved fallback
            made = Made(run.prompt.fallback, "device", "fallback", problems=(type(error).__name__,))
        finally:  # also where the app closes it in the middle: what left is counted
            self.reply = reply_to(self._talk, run, made or Made("", "device", "stopped"), wire=wire)
        yield from showing.rest(self.reply.text)

    def finished(self) -> Reply:
        """Go to the end, and return the reply."""
        for _ in self.pieces():
            pass
        assert self.reply is not None
        return self.reply

    def end(self) -> None:
        """See to it that there is a reply, where nobody went through the pieces."""
        if self.reply is not None:
            return
        if isinstance(self._begun, Reply):
            self.reply = self._begun
        else:
            self.reply = reply_to(self._talk, self._begun, Made("", "device", "stopped"), wire=self._wire)

    def _make(self, run: Run, showing: Showing) -> Generator[str, None, Made]:
        return refused(run) or (yield from answer(self._talk, run, self._wire, showing=showing))


def refused(run: Run) -> Made | None:
    """Return the fallback text where the policy lets nothing run, or asks for what this runtime does not know."""
    prompt, decision = run.prompt, run.decision
    if decision.errors or decision.route is Route.BLOCK:
        return Made(prompt.fallback, "block", "blocked")
    if unknown := set(decision.obligations) - OBLIGATIONS:
        return Made(prompt.fallback, "block", "blocked", problems=(f"unknown obligation {min(unknown)!r}",))
    return None
