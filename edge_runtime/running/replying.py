"""The end of a run: its receipt and the reply, which comes also where the receipt cannot be kept, and says so."""

from __future__ import annotations

import datetime as dt

from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.manifest import Entry
from edge_runtime.core.pipeline import count_types
from edge_runtime.core.policy import Decision, Reason
from edge_runtime.core.trust import TrustState
from edge_runtime.generators.protocol import Wire
from edge_runtime.receipts import Receipt
from edge_runtime.reply import Finding, Reply
from edge_runtime.running.records import Made, Run
from edge_runtime.running.talk import Talk

__all__ = ["keep", "reply_to"]


def reply_to(talk: Talk, run: Run, made: Made, *, wire: Wire) -> Reply:
    """Keep the receipt of a run, and return the reply."""
    receipt, problems = keep(
        talk, run.state, run.entry, route=made.route, outcome=made.outcome, run=run, sent_bytes=wire.sent_bytes
    )
    return Reply(
        text=made.text,
        route=made.route,
        outcome=made.outcome,
        prompt=run.prompt.name,
        version=run.entry.digest,
        manifest=run.state.manifest_digest,
        release=run.state.manifest.number,
        output=made.output,
        calls=made.calls,
        findings=tuple(
            Finding(name, e.type, e.start, e.end) for name, found in run.readings.items() for e in found.entities
        ),
        reasons=_reasons(run.decision),
        obligations=run.decision.obligations,
        notice=run.prompt.disclosure,
        disclosure=wire.disclosure if wire.sent_bytes else None,
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
    run: Run | None = None,
    sent_bytes: int = 0,
) -> tuple[Receipt | None, tuple[str, ...]]:
    """Write the receipt of a run, and return it, or why it could not be kept."""
    receipt = Receipt(
        number=1,
        previous="",
        at=dt.datetime.fromtimestamp(talk.runtime.now(), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        prompt=entry.name,
        version=entry.digest,
        manifest=state.manifest_digest,
        route=route,
        rules=tuple(f"{reason.layer}/{reason.rule}" for reason in _reasons(run.decision)) if run else (),
        findings=count_types(run.readings.values()) if run else {},
        sent_bytes=sent_bytes,
        outcome=outcome,
    )
    try:
        return talk.runtime.receipts.append(receipt), ()
    except (MentorplaneError, OSError) as error:
        return None, (f"the receipt could not be kept: {type(error).__name__}",)


def _reasons(decision: Decision) -> tuple[Reason, ...]:
    return tuple(sorted({*decision.rules, *decision.obliged_by}))
