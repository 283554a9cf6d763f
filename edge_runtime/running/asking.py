"""Who answers: each generator that may be asked, in turn; each answer is checked, and asked for once more if refused.

Promises: a generator is told what its place allows; one that cannot answer is passed over for the next, and where none
is left the prompt is filled on this device (P5). So it is with a model on this device that is refused twice; instead of
any other answer that was comes the approved fallback text.
Does not: choose who may be asked (see `generators.routing`).
"""

from __future__ import annotations

from collections.abc import Generator as Yielding
from collections.abc import Iterator

from audit.frozen import replace
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.policy import Route
from edge_runtime.generators.protocol import Ask, Generator, Piece, Wire
from edge_runtime.reply import Usage
from edge_runtime.running.checking import Given, Taken, check
from edge_runtime.running.filling import fill
from edge_runtime.running.listening import listen
from edge_runtime.running.records import Made, Run, Stopped
from edge_runtime.running.rendering import Told, tell
from edge_runtime.running.showing import Showing
from edge_runtime.running.talk import Talk
from edge_runtime.tracing import asking

__all__ = ["answer", "wire_for"]

ATTEMPTS = 2
"""How often a model is asked before the fallback: once, and once more."""
NO_CLOUD = "expected a cloud model to be configured, got none"


def wire_for(talk: Talk) -> Wire:
    """Return what counts and scans what leaves in one run.

    What the policy lets go as it is holds raw values of the types that it knew of, and may hold no others: a name that
    the host knows and no reading found, as one spelt in single letters, is nothing that anybody decided on.
    """

    def scan(outgoing: bytes) -> tuple[str, ...]:
        allowed = wire.disclosure.raw if wire.disclosure else frozenset()
        return tuple(kind for kind in talk.scan(outgoing) if kind not in allowed)

    wire = Wire(scan)
    return wire


def answer(talk: Talk, run: Run, wire: Wire, *, showing: Showing) -> Yielding[str, None, Made]:
    """Yield what may be shown as it comes, and return what was made.

    Raises:
        Stopped: the app wants no more.
    """
    problems: list[str] = []
    generators = talk.runtime.routing.order(run.decision.route) if _may_ask(run) else ()
    for generator in generators:
        try:
            made = yield from _ask(talk, run, wire, generator=generator, showing=showing)
        except Unavailable as error:
            if wire.stopped:
                raise Stopped from None
            problems.append(str(error))
        else:
            if made.outcome != "fallback" or generator.place > Route.DEVICE:
                return replace(made, problems=(*problems, *made.problems))
            problems += made.problems  # whoever has a small model of their own is no worse off than without
    if not generators and _may_ask(run) and run.decision.route > Route.DEVICE:
        problems.append(NO_CLOUD)
    made = fill(talk, run)
    return replace(made, problems=(*problems, *made.problems))


def _may_ask(run: Run) -> bool:
    """Return whether a model may say anything: what leads to a person is a fixed text, as are others without tokens."""
    return run.entry.kind == "prompt" and run.prompt.max_tokens > 0


def _ask(talk: Talk, run: Run, wire: Wire, *, generator: Generator, showing: Showing) -> Yielding[str, None, Made]:
    told = tell(talk, run, generator.place)
    given = Given(talk, run)
    ask = Ask(
        told.instruction,
        max_tokens=run.prompt.max_tokens,
        schema=run.prompt.output,
        tools=tuple(tool.as_json() for tool in run.tools),
    )
    for _ in range(ATTEMPTS):
        showing.begin(given)
        pieces = _counted(talk, generator.answer(ask, wire), ask, wire=wire)
        try:
            with asking(wire.asked, generator.name, max_tokens=ask.max_tokens):
                whole = yield from listen(pieces, told.table, showing, wire=wire)
        finally:  # where it breaks off, the connection is closed
            pieces.close()
        taken = check(run, whole, given, marker=told.marker)
        if taken.ok:
            break
    return _made(run, taken, told, model=generator.name)


def _counted(talk: Talk, pieces: Iterator[Piece], ask: Ask, *, wire: Wire) -> Yielding[Piece, None, None]:
    """Yield the pieces of one try, and count its tokens: as the model's server says, or else as this device does."""
    told: Usage | None = None
    said: list[str] = []
    before = wire.sent_bytes
    try:
        for piece in pieces:
            told = piece.usage or told
            said.append(piece.text if piece.call is None else f"{piece.call.name}{piece.call.arguments}")
            yield piece
    finally:
        getattr(pieces, "close", lambda: None)()
        if told is None and (said or wire.sent_bytes > before):
            told = Usage(talk.tokens(ask.instruction.text), talk.tokens("".join(said)))
        wire.usage = wire.usage.plus(told or Usage())


def _made(run: Run, taken: Taken, told: Told, *, model: str) -> Made:
    route = str(getattr(told.instruction, "route", Route.DEVICE))
    made = Made(run.prompt.fallback, route, "fallback", checks=taken.checks, problems=taken.said, model=model)
    if not taken.ok:
        return made
    if taken.calls:
        return replace(made, text="", outcome="calls", calls=taken.calls)
    return replace(made, text=taken.text, outcome="answered", output=taken.output)
