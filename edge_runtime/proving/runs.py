"""What the watched process does: each text through each route, or through the host's own app.

    scenario   what the person allows, how fresh the release is, who answers      device, redacted, cloud, one consent,
                                     expired, with a model on the device, handed over, and through `serve` where it is
    run        one turn of one text with one approved prompt               `run`, `arun` and `stream` by turns

Promises: a run that raises is told as one; what a reply says of itself is told for the parent to compare with what
left. Does not: judge.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from audit.frozen import frozen, replace
from edge_runtime import CloudModel, EdgeRuntime, LocalModel, Reply
from edge_runtime.proving import served
from edge_runtime.proving.samples import fill_inputs, sample_output

if TYPE_CHECKING:
    from edge_runtime.core.prompt import Prompt
    from edge_runtime.proving.child import Line

__all__ = ["SCENARIOS", "run"]

EXPIRED, LOCAL, HANDED, SERVE = "expired release", "local model", "handed over", "serve"
SCENARIOS = ("device", "redacted", "cloud", "cloud consent alone", EXPIRED, LOCAL, HANDED, SERVE)
"""What a text is run under: a person's limit with every consent, one consent, an old release; with a model on this
device beside the cloud's; for a model that the app brings; and through `serve`."""
_DAY_S = 86_400
_MODEL = {"MENTORPLANE_CLOUD_MODEL": "proof", "MENTORPLANE_CLOUD_KEY": "none", "OPENAI_API_KEY": "none"}
"""With the recorder's address, what an app finds in its environment: whoever asks a model asks the recorder."""


def run(line: Line, job: Mapping[str, Any]) -> None:
    """Do what the parent asks for."""
    (_run_app if job["app"] else _run_prompts)(line, job)


@frozen
class _Turn:
    """What is said at one time: its number, the prompt and its inputs, and the input in which it stands."""

    number: int
    prompt: Prompt
    inputs: dict[str, Any]
    place: str
    go_on: bool = False


_Ask = Callable[[_Turn], dict[str, Any]]


@frozen
class _Device:
    """An open home, the prompts that take texts, and every consent that its policy knows."""

    edge: EdgeRuntime
    prompts: tuple[Prompt, ...]
    consents: frozenset[str]


def _run_prompts(line: Line, job: Mapping[str, Any]) -> None:
    models = {"cloud": CloudModel("proof", job["urls"][0]) if job["cloud"] else None}
    fresh = _open(job, models)
    others = {EXPIRED: _open(job, models, expired=True), LOCAL: _open(job, {**models, "local": _local(job)})}
    status = fresh.edge.status()
    line.tell(
        "device",
        release=status.release,
        channel=status.channel,
        organisation=status.organisation,
        manifest=status.manifest_sha256,
        reader=str(status.reader),
        prompts=[prompt.name for prompt in fresh.prompts],
    )
    client = served.Client(fresh.edge, line) if job["serve"] else None
    for number, text in enumerate(job["texts"]):
        for scenario in SCENARIOS:
            device = others.get(scenario, fresh)
            if scenario != SERVE or client:
                _Conversation(line, device, scenario, number=number, text=text, client=client).hold()


def _local(job: Mapping[str, Any]) -> LocalModel:
    return LocalModel("proof-here", job["urls"][1])


def _open(job: Mapping[str, Any], models: Mapping[str, Any], *, expired: bool = False) -> _Device:
    """Open the copy of the home, as long after it last heard from its source as makes it fresh, or expired."""
    home = job["expired" if expired else "home"]
    looked = EdgeRuntime.open(home, trust=job["trust"], channel=job["channel"], clock=lambda: 0.0)  # no time is noted
    heard, manifest = looked.status().as_of, looked.trusted().manifest
    now = heard + (manifest.valid_for_s + _DAY_S if expired else 1)
    edge = EdgeRuntime.open(home, trust=job["trust"], channel=job["channel"], clock=lambda: float(now), **models)
    attribute = edge.trusted().policy.vocabulary.find("consents")
    consents = frozenset(map(str, attribute.values)) if attribute else frozenset()
    return _Device(edge, tuple(edge.prompt(name) for name in edge.prompts()), consents)


class _Conversation:
    """One text, turn by turn, in one session under one scenario."""

    def __init__(
        self,
        line: Line,
        device: _Device,
        scenario: str,
        *,
        number: int,
        text: Mapping[str, Any],
        client: served.Client | None,
    ) -> None:
        self._client = client
        self._line = line
        self._device = device
        self._scenario = scenario
        self._number = number
        self._text = text

    def hold(self) -> None:
        """Say every turn; after a hand-off, the person goes on."""
        ask = self._through_serve() if self._scenario == SERVE else self._in_session()
        for number, said in enumerate(self._text["turns"]):
            turn = self._turn(number, said)
            if turn is None:
                self._line.tell("unfit", text=self._number, turn=number)
                return
            if self._say(turn, ask):
                self._say(replace(turn, go_on=True), ask)

    def _turn(self, number: int, said: str) -> _Turn | None:
        """Return a turn as the inputs of a prompt that takes it, none if none does."""
        prompts = self._device.prompts
        for step in range(len(prompts)):
            prompt = prompts[(self._number + number + step) % len(prompts)]
            filled = fill_inputs(prompt.inputs, said)
            if filled is not None:
                return _Turn(number, prompt, *filled)
        return None

    def _say(self, turn: _Turn, ask: _Ask) -> bool:
        """Run a turn, tell of it, and return whether a person was asked to help."""
        answer = sample_output(turn.prompt.output, good=self._number % 5 != 3)
        self._line.ask("begin", text=self._number, turn=turn.number, scenario=self._scenario, answer=answer)
        told, raised = _called(lambda: ask(turn))
        self._line.ask("end", replies=[told] if told else [], raised=raised)
        return told is not None and told["route"] == "hand-off"

    def _person(self) -> dict[str, Any]:
        """Return who asks, and what they allow."""
        scenario = self._scenario
        return {
            "learner": f"learner-{self._number} {scenario}",  # so that nobody is long with the assistant alone
            "names": self._text["names"],
            "terms": self._text["terms"],
            "consents": ["cloud"] if scenario == "cloud consent alone" else sorted(self._device.consents),
            "agreement": 999,
            "at_most": scenario if scenario in {"device", "redacted"} else "cloud",
        }

    def _in_session(self) -> _Ask:
        """Return what runs a turn: at once, in an event loop, or in a stream; all in one session."""
        session: Any = self._device.edge.session(**self._person())

        def ask(turn: _Turn) -> dict[str, Any]:
            name, inputs, way = turn.prompt.name, turn.inputs, (self._number + turn.number) % 3
            if self._scenario == HANDED:
                return _told(session.hand_over(name, inputs, go_on=turn.go_on), turn.place)
            if turn.go_on or way == 0:
                return _told(session.run(name, inputs, go_on=turn.go_on), turn.place)
            if way == 1:
                return _told(asyncio.run(session.arun(name, inputs)), turn.place)
            stream = session.stream(name, inputs)
            for _ in stream:
                pass
            return _told(stream.reply, turn.place)

        return ask

    def _through_serve(self) -> _Ask:
        """Return what asks the server; an answer tells what a reply tells."""
        client, name = self._client, f"session-{self._number}"
        assert client is not None

        def ask(turn: _Turn) -> dict[str, Any]:
            person = {**self._person(), "session": name, "go_on": turn.go_on}
            stream = (self._number + turn.number) % 2 == 1
            told = client.ask(turn.prompt.name, turn.inputs, person=person, stream=stream)
            sent = told["sent_bytes"]
            return {
                "route": told["route"],
                "outcome": told["outcome"],
                "disclosed": told["disclosure"],
                # Where something left and the reply was made here all the same, the stricter rule counts.
                "disclosed_route": ("cloud" if told["route"] == "cloud" else "redacted") if sent else "",
                "sent_bytes": sent,
                "found": [(one["start"], one["end"]) for one in told["findings"] if one["input"] == turn.place],
                "problems": told["problems"],
                "shown": "",
            }

        return ask


def _called(call: Callable[[], Any]) -> tuple[Any, str]:
    try:
        return call(), ""
    except Exception as error:  # noqa: BLE001 - that it raised is part of what is proved
        return None, "".join(traceback.format_exception(error))


def _told(reply: Reply, place: str = "") -> dict[str, Any]:
    """Return what a reply says of itself; `found`: the places in the text that the reader found, if that is known."""
    found = [(one.start, one.end) for one in reply.findings if one.input == place] if place else None
    disclosure = reply.disclosure
    return {
        "route": reply.route,
        "outcome": reply.outcome,
        "disclosed": str(disclosure) if disclosure else None,
        "disclosed_route": disclosure.route if disclosure else "",
        "sent_bytes": reply.sent_bytes,
        "found": found,
        "problems": list(reply.problems),
        "shown": repr(reply),
    }


def _run_app(line: Line, job: Mapping[str, Any]) -> None:
    sys.path.insert(0, job["folder"])
    os.environ.update(_MODEL, MENTORPLANE_CLOUD_URL=job["urls"][0], OPENAI_BASE_URL=job["urls"][0])
    module, _, name = job["app"].partition(":")
    loaded, raised = _called(lambda: getattr(importlib.import_module(module), name))
    if raised:
        line.tell("no-app", raised=raised)
        return
    takes_names = "names" in inspect.signature(loaded).parameters
    line.tell("app", names_told=takes_names)
    for number, text in enumerate(job["texts"]):
        for turn, said in enumerate(text["turns"]):
            more = {"names": [*text["names"], *text["terms"]]} if takes_names else {}
            line.ask("begin", text=number, turn=turn, scenario="app", answer=sample_output({}, good=True))
            given, raised = _called(lambda said=said, more=more: _settled(loaded(said, **more)))  # type: ignore[misc]
            replies = [_told(reply) for reply in _replies(given)]
            line.ask("end", replies=replies, raised=raised)


def _settled(given: Any) -> Any:
    return asyncio.run(_awaited(given)) if inspect.isawaitable(given) else given


async def _awaited(given: Any) -> Any:
    return await given


def _replies(given: Any) -> Iterator[Reply]:
    for one in given if isinstance(given, list | tuple) else [given]:
        if isinstance(one, Reply):
            yield one
