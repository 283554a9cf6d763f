"""Spans of runs for an app that traces itself: OpenTelemetry, by its conventions for generative AI, without content.

    invoke_workflow weekly-summary      one run, by the name of its prompt
      chat small-model                  each attempt at a model

Only with `EdgeRuntime.open(..., trace=True)`, and the extra `[otel]`, which is the API alone: where spans go is for the
app to say. Promises: 1. attributes hold names, digests and numbers that were approved or set up, never a text, nor what
was found in one, nor which rule it met: an app's traces know whose they are. 2. There is no span of a hand-off, nor of
a run that the policy keeps out of telemetry. 3. No failure here reaches a run. 4. OpenTelemetry is imported when a run
is first traced, here and nowhere else. Does not: propagate anything to a model's server, know the person's preference.
Source: OpenTelemetry semantic conventions for generative client AI spans, schema 1.44.0 (later in a repository of
their own, semantic-conventions-genai).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from audit.frozen import frozen
from edge_runtime.core.census import NO_TELEMETRY
from edge_runtime.core.receipt import Receipt
from edge_runtime.installed import package_version

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

__all__ = ["Asked", "asking", "trace_run"]

SCHEMA = "https://opentelemetry.io/schemas/1.44.0"
SCOPE = "mentorplane"
HANDED_OFF = "hand-off"
FAILED = "fallback"


@frozen
class Asked:
    """One attempt at a model: which, between which moments, and the kind of error that ended it, if one did."""

    model: str
    started_ns: int
    ended_ns: int
    max_tokens: int
    error: str = ""


@contextmanager
def asking(attempts: list[Asked], model: str, *, max_tokens: int) -> Iterator[None]:
    """Add the attempt at a model that is made meanwhile; of an error its kind alone."""
    started_ns, error = time.time_ns(), ""
    try:
        yield
    except Exception as failed:
        error = type(failed).__name__
        raise
    finally:
        attempts.append(Asked(model, started_ns, time.time_ns(), max_tokens, error=error))


def trace_run(receipt: Receipt, asks: Iterable[Asked], *, started_ns: int) -> None:
    """Record one run that is over as spans, below the span that is current.

    Args:
        receipt: that of the run.
        asks: the attempts at models in it, in order.
        started_ns: when it began, in POSIX nanoseconds; it ended just now.
    """
    if receipt.route == HANDED_OFF or NO_TELEMETRY in receipt.obligations:
        return
    try:
        _record(_tracer(), receipt, asks, started_ns=started_ns)
    except Exception as error:  # noqa: BLE001 - whatever an app's exporter does, the person gets the reply
        import logging  # an app starts without it

        logging.getLogger(__name__).warning("a run was not traced: %s", type(error).__name__)


@cache
def _tracer() -> Tracer:
    from opentelemetry import trace

    return trace.get_tracer(SCOPE, package_version(), schema_url=SCHEMA)


def _record(tracer: Tracer, receipt: Receipt, asks: Iterable[Asked], *, started_ns: int) -> None:
    from opentelemetry import trace
    from opentelemetry.trace import SpanKind, Status, StatusCode

    run = tracer.start_span(
        f"invoke_workflow {receipt.prompt}",
        kind=SpanKind.INTERNAL,
        start_time=started_ns,
        attributes={
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": receipt.prompt,
            "gen_ai.prompt.name": receipt.prompt,
            "mentorplane.prompt.version": receipt.version,
            "mentorplane.manifest": receipt.manifest,
            "mentorplane.route": receipt.route,
            "mentorplane.outcome": receipt.outcome,
            "mentorplane.receipt": receipt.digest,
        },
    )
    for one in asks:
        span = tracer.start_span(
            f"chat {one.model}",
            context=trace.set_span_in_context(run),
            kind=SpanKind.CLIENT,
            start_time=one.started_ns,
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",  # whose form of request it is; who answers is not known
                "gen_ai.request.model": one.model,
                "gen_ai.request.max_tokens": one.max_tokens,
                "gen_ai.request.stream": True,  # whoever is asked is asked so
            },
        )
        if one.error:
            span.set_attribute("error.type", one.error)
            span.set_status(Status(StatusCode.ERROR))
        span.end(one.ended_ns)
    if receipt.outcome == FAILED:
        run.set_attribute("error.type", FAILED)
        run.set_status(Status(StatusCode.ERROR))
    run.end(max(time.time_ns(), started_ns))
