"""From the body of a request to a run, and what models there are: all that is not HTTP.

Promises: whatever is wrong with a request, a crisis in it is answered with the hand-off text (P6); a run uses the very
session that `EdgeRuntime.session` makes, and nothing beside it.
Does not: check who asks (see `gate`).
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.entries import Entry
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.trust import TrustState, find_prompt, running
from edge_runtime.handover import crisis_in
from edge_runtime.reply import Reply
from edge_runtime.running.streams import Stream
from edge_runtime.runtime import EdgeRuntime
from edge_runtime.serving.answers import model_card, model_details
from edge_runtime.serving.asking import Question, parse_question, texts_of
from edge_runtime.serving.errors import Refusal
from edge_runtime.serving.filling import inputs_of, tools_of
from edge_runtime.serving.jobs import Job
from edge_runtime.serving.sessions import Sessions

__all__ = ["Answering"]


class Answering:
    """Answers questions with the prompts of one runtime. Thread-safe."""

    def __init__(self, edge: EdgeRuntime, clock: Callable[[], float]) -> None:
        self._edge = edge
        self._sessions = Sessions(edge, clock)

    def run(self, body: JsonObject, job: Job) -> Reply:
        """Run what a body asks for, handing over what is said as it comes.

        Raises:
            Refusal, MentorplaneError: it cannot be run, and there is no crisis in it.
        """
        try:
            stream = self._begin(parse_question(body))
        except Exception:  # whatever is wrong, a crisis is answered first (P6)
            handed = self._hand_off(body)
            if handed is None:
                raise
            stream = handed
        job.closes(stream.close)
        for text in stream:
            job.put(text)
        return stream.reply

    def _begin(self, question: Question) -> Stream:
        try:
            session = self._sessions.session(question.session, question.person)
        except InvalidDocument as error:
            raise Refusal(str(error), code="invalid_value", param="mentorplane") from error
        inputs, tools = self._wanted(question)
        return session.stream(question.model, inputs, go_on=question.go_on, tools=tools, settled=not question.early)

    def _wanted(self, question: Question) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return inputs and tools for the prompt that is asked for."""
        state = self._edge.state
        if state is None:  # nothing was adopted: the session says so, and hears a crisis first
            return {**(question.inputs or {}), "messages": [turn.text for turn in question.turns]}, ()
        try:
            entry = find_prompt(state, question.model)
        except NotTrusted as error:
            raise _unknown(str(error)) from error
        prompt = self._edge.opened(entry, state)
        return inputs_of(question, prompt), tools_of(question, prompt)

    def _hand_off(self, body: JsonObject) -> Stream | None:
        """Return the hand-off text if there is a crisis in a request that cannot be run."""
        heard = {"heard": list(texts_of(body))}
        model, ours = body.get("model"), body.get("mentorplane")
        locale = ours.get("locale") if isinstance(ours, dict) else None
        session = self._edge.session(learner="local", locale=locale if isinstance(locale, str) else "en")
        if not crisis_in(heard, session.read):
            return None
        return session.stream(model if isinstance(model, str) else "", heard)

    def models(self) -> list[JsonObject]:
        """Return the approved prompts that may run now."""
        state = self._edge.state
        return [model_card(name, entry, state) for name, entry in _running(state).items()] if state else []

    def model(self, name: str) -> JsonObject:
        """Return one approved prompt, with what it needs and gives.

        Raises:
            Refusal: there is none that may run under this name.
        """
        state = self._edge.state
        if state is None or (entry := _running(state).get(name)) is None:
            raise _unknown("expected the name of an approved prompt that may run now")
        card = model_card(name, entry, state)
        return {**card, "mentorplane": {**card["mentorplane"], **model_details(self._edge.opened(entry, state))}}


def _running(state: TrustState) -> dict[str, Entry]:
    """Return what runs now under the name of each approved prompt."""
    names = (entry.name for entry in state.manifest.entries if entry.kind == "prompt")
    return {name: entry for name in names if (entry := running(state, name)) is not None}


def _unknown(message: str) -> Refusal:
    return Refusal(message, code="model_not_found", param="model", status=HTTPStatus.NOT_FOUND)
