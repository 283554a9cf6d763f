"""A run whose model is the host's own: what the policy discloses is handed over, and nothing is asked or sent.

Promises: the steps of a run up to the model, a crisis first; what is handed over is covered, also where the policy
would let it go as it is, has passed the last scan, and is counted in a receipt as if it had been sent: nobody knows
what a host does with it. Where the policy says `device`, nothing is. Does not: see what the host's model answers.
"""

from __future__ import annotations

from audit.frozen import replace
from edge_runtime.core.disclosure import Disclosure
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.policy import Route
from edge_runtime.generators.protocol import Wire
from edge_runtime.reply import Reply
from edge_runtime.running.asking import wire_for
from edge_runtime.running.beginning import begin
from edge_runtime.running.course import refused
from edge_runtime.running.records import Made, Run, Wish
from edge_runtime.running.rendering import tell
from edge_runtime.running.replying import reply_to
from edge_runtime.running.talk import Talk

__all__ = ["hand_over"]

HOSTS_MODEL = frozenset({"cloud-model"})
"""The host brings the model that the policy's vocabulary calls so."""


def hand_over(talk: Talk, wish: Wish) -> Reply:
    """Return what a host may give to its own model, as the reply's `disclosure`.

    Raises:
        InvalidDocument, NotTrusted: as a run.
    """
    run = begin(talk, replace(wish, capabilities=HOSTS_MODEL))
    if isinstance(run, Reply):
        return run
    wire = wire_for(talk)
    try:
        made = refused(run) or _hand_over(talk, run, wire)
    except Exception as error:  # noqa: BLE001 - whatever a text makes fail, it stays here
        made = Made(run.prompt.fallback, "device", "fallback", problems=(type(error).__name__,))
    return reply_to(talk, run, made, wire=wire)


def _hand_over(talk: Talk, run: Run, wire: Wire) -> Made:
    if run.decision.route is Route.DEVICE:
        return Made("", "device", "kept")
    told = tell(talk, run, Route.REDACTED).instruction
    assert isinstance(told, Disclosure)
    outgoing = told.text.encode()
    try:
        wire.begin(told)
        wire.check(outgoing)
    except Unavailable as error:
        return Made("", "device", "kept", problems=(str(error),))
    wire.sent(len(outgoing))
    return Made("", told.route, "handed-over")
