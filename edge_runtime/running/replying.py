"""The end of a run: its receipt and the reply, which comes also where the receipt cannot be kept, and says so."""

from __future__ import annotations

import datetime as dt

from audit.frozen import replace
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.manifest import Entry
from edge_runtime.core.pipeline import count_types
from edge_runtime.core.policy import Decision, Reason, Route
from edge_runtime.core.receipt import CALLS, INPUT, OUTPUT, SENT, Receipt
from edge_runtime.core.trust import TrustState
from edge_runtime.generators.protocol import Wire
from edge_runtime.reply import Finding, Reply
from edge_runtime.running.records import Made, Run
from edge_runtime.running.talk import Talk
from edge_runtime.tracing import trace_run

__all__ = ["keep", "reply_to"]

EXCHANGES = frozenset({"answered", "filled", "handed-over", "stopped"})
"""The outcomes by which a person had an exchange with the assistant alone; one with tools is counted at its end."""


def reply_to(talk: Talk, run: Run, made: Made, *, wire: Wire) -> Reply:
    """Keep the receipt of a run, and return the reply."""
    # Where an answer was made here after something left, how far that went is what counts.
    route = str(max(wire.went, Route[made.route.upper()])) if wire.disclosures else made.route
    receipt, problems = keep(talk, run.state, run.entry, route=route, outcome=made.outcome, of=(run, made, wire))
    problems += _counted(talk) if made.outcome in EXCHANGES else ()
    if talk.runtime.traced and receipt is not None and not talk.runtime.census.is_off:
        trace_run(receipt, wire.asked, started_ns=wire.began_ns)
    return Reply(
        text=made.text,
        route=route,
        outcome=made.outcome,
        prompt=run.prompt.name,
        version=run.entry.digest,
        manifest=run.state.manifest_digest,
        release=run.state.manifest.number,
        output=made.output,
        calls=made.calls,
        usage=wire.usage,
        findings=tuple(
            Finding(name, e.type, e.start, e.end) for name, found in run.readings.items() for e in found.entities
        ),
        reasons=_reasons(run.decision),
        obligations=run.decision.obligations,
        notice=run.prompt.disclosure,
        disclosures=wire.disclosures,
        sent_bytes=wire.sent_bytes,
        model=made.model,
        checks=made.checks,
        receipt=receipt,
        problems=made.problems + problems,
        instead_of=run.instead_of,
    )


def keep(
    talk: Talk,
    state: TrustState,
    entry: Entry,
    *,
    route: str,
    outcome: str,
    of: tuple[Run, Made, Wire] | None = None,
) -> tuple[Receipt | None, tuple[str, ...]]:
    """Write the receipt of a run, and return it, or why it could not be kept; `of` is what ran, if anything did."""
    try:
        receipt = _receipt(talk, state, entry, route=route, outcome=outcome)
        if of is None:
            return talk.runtime.receipts.append(receipt), ()
        run, made, wire = of
        return talk.runtime.receipts.append(_with_run(receipt, run, made, wire=wire), _texts(run, made, wire)), ()
    except (MentorplaneError, OSError, ValueError, OverflowError) as error:  # a clock may show no time at all
        return None, (f"the receipt could not be kept: {type(error).__name__}",)


def _counted(talk: Talk) -> tuple[str, ...]:
    try:
        talk.exchanged()
    except (MentorplaneError, OSError) as error:  # from now on it counts as the most there can be
        return (f"the exchange could not be counted: {type(error).__name__}",)
    return ()


def _receipt(talk: Talk, state: TrustState, entry: Entry, *, route: str, outcome: str) -> Receipt:
    stage = talk.runtime.stage
    return Receipt(
        number=1,
        previous="",
        at=dt.datetime.fromtimestamp(talk.runtime.now(), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        prompt=entry.name,
        version=entry.digest,
        manifest=state.manifest_digest,
        route=route,
        rules=(),
        findings={},
        sent_bytes=0,
        outcome=outcome,
        release=state.manifest.number,
        stage=stage.number if stage is not None and stage.release == state.manifest.number else 0,
    )


def _with_run(receipt: Receipt, run: Run, made: Made, *, wire: Wire) -> Receipt:
    return replace(
        receipt,
        rules=tuple(reason.name for reason in _reasons(run.decision)),
        findings=count_types(run.readings.values()),
        sent_bytes=wire.sent_bytes,
        obligations=tuple(sorted(run.decision.obligations)),
        model=made.model,
        checks={check.name: check.passed for check in made.checks},
    )


def _texts(run: Run, made: Made, wire: Wire) -> dict[str, object] | None:
    """Return what the owner may prove of a run; None after a crisis, of which nothing is left behind."""
    if run.in_crisis:
        return None
    texts: dict[str, object] = {f"{INPUT}{name}": value for name, value in run.values.items()}
    for number, sent in enumerate(wire.disclosures, 1):
        texts[SENT if number == 1 else f"{SENT}/{number}"] = str(sent)
    if made.calls:
        texts[CALLS] = [{"name": call.name, "arguments": call.arguments} for call in made.calls]
    return texts | {OUTPUT: made.text}


def _reasons(decision: Decision) -> tuple[Reason, ...]:
    return tuple(sorted({*decision.rules, *decision.obliged_by}))
