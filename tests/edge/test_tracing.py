"""Spans of runs, as the real SDK exports them: the names that the conventions know, and no content anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as conventions
from opentelemetry.semconv.attributes import error_attributes
from opentelemetry.trace import SpanKind, StatusCode

from edge_runtime import EdgeRuntime
from edge_runtime.core import canonical
from edge_runtime.tracing import SCHEMA, SCOPE
from tests.edge.conftest import POLICY_RULES, ruled
from tests.published import Published
from tests.recording_cloud import Cloud
from tests.simulator import prompt_document

NOTES = "Priya Nair called from Berlin. We agreed that I will write to mara@example.org by Thursday."
PLAIN = "We agreed that the plan is written down by Thursday."
WORDS = ("Priya", "Nair", "Berlin", "mara", "example.org", "Thursday", "write", "PERSON", "EMAIL", "u17-secret")
KNOWN = {value for name, value in vars(conventions).items() if name.startswith("GEN_AI_") and isinstance(value, str)}
CRISIS = "I want to kill myself tonight."


@pytest.fixture(scope="session")
def exporter() -> InMemorySpanExporter:
    """The app's own exporter: one for all tests, since a process has one provider."""
    made, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(made))
    trace.set_tracer_provider(provider)
    return made


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """A release whose policy keeps texts with an address of mail out of telemetry, and lets redacted text leave."""
    made = Published(tmp_path)
    consent, personal, _ = POLICY_RULES
    quiet = {**personal, "id": "quiet", "when": {"entities": {"any_of": ["EMAIL"]}}}
    traced = {name: value for name, value in personal.items() if name != "require"}
    documents = ruled(made.organisation.base_documents(), [consent, traced, quiet])
    documents["prompt", "private"] = canonical.encode(prompt_document("private", placement="device"))
    made.release(documents)
    return made


@pytest.fixture
def edge(published: Published, tmp_path: Path, cloud: Cloud, exporter: InMemorySpanExporter) -> EdgeRuntime:
    """A device whose app traces."""
    home, source = tmp_path / "home", str(published.folder)
    runtime = EdgeRuntime.open(home, trust=published.trust, source=source, cloud=cloud.model, model="none", trace=True)
    assert runtime.refresh().ok
    exporter.clear()
    return runtime


def run(edge: EdgeRuntime, prompt: str, notes: str, **options: object) -> str:
    """Run a prompt for somebody who consented, and return the outcome."""
    session = edge.session(learner="u17-secret", names=["Priya Nair"], consents={"cloud"})
    return session.run(prompt, {"notes": notes}, **options).outcome  # type: ignore[arg-type]


def seen(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """The spans by name."""
    return {span.name: span for span in exporter.get_finished_spans()}


def everything(exporter: InMemorySpanExporter) -> str:
    """All that an exporter could send, as text."""
    return "".join(json.dumps(json.loads(span.to_json())) for span in exporter.get_finished_spans())


def test_a_run_is_a_workflow_and_each_attempt_at_a_model_a_chat(
    edge: EdgeRuntime, exporter: InMemorySpanExporter
) -> None:
    """By the conventions' names, kinds and schema; the model's span lies within that of the run."""
    assert run(edge, "opener", PLAIN) == "answered"
    spans = seen(exporter)
    assert set(spans) == {"invoke_workflow opener", "chat m"}
    whole, chat = spans["invoke_workflow opener"], spans["chat m"]
    assert (whole.kind, chat.kind) == (SpanKind.INTERNAL, SpanKind.CLIENT)
    assert chat.parent is not None
    assert whole.context is not None
    assert chat.parent.span_id == whole.context.span_id
    assert whole.start_time <= chat.start_time <= chat.end_time <= whole.end_time  # type: ignore[operator]
    attributes = dict(whole.attributes or {}) | dict(chat.attributes or {})
    for span in spans.values():
        assert {name for name in span.attributes or {} if name.startswith("gen_ai.")} <= KNOWN
        assert span.instrumentation_scope is not None
        assert (span.instrumentation_scope.name, span.instrumentation_scope.schema_url) == (SCOPE, SCHEMA)
        assert (span.status.status_code, span.events) == (StatusCode.UNSET, ())
    (receipt,) = edge.receipts.all()
    assert (whole.attributes or {})["gen_ai.operation.name"] == "invoke_workflow"
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.provider.name"] == "openai"
    assert (attributes["gen_ai.request.model"], attributes["gen_ai.request.stream"]) == ("m", True)
    assert attributes["gen_ai.workflow.name"] == attributes["gen_ai.prompt.name"] == "opener"
    assert attributes["mentorplane.receipt"] == receipt.digest
    assert (attributes["mentorplane.route"], attributes["mentorplane.outcome"]) == (receipt.route, "answered")


def test_no_text_is_in_any_attribute_event_or_name(
    edge: EdgeRuntime, cloud: Cloud, exporter: InMemorySpanExporter, published: Published
) -> None:
    """Attack: to read an app's traces. Nothing of notes, answers and errors, nor what was found there, on any route."""
    cloud.answers = ["Priya Nair said: no json", '{"summary": 3}', "500", '{"summary": ["Write to Berlin."]}']
    outcomes = [run(edge, "opener", PLAIN), run(edge, "opener", PLAIN), run(edge, "private", PLAIN)]
    assert "fallback" in outcomes
    said = everything(exporter)
    assert said.count("invoke_workflow") >= 3
    assert [word for word in WORDS if word in said] == []


def test_an_attempt_that_failed_is_an_error_without_its_message(
    edge: EdgeRuntime, cloud: Cloud, exporter: InMemorySpanExporter
) -> None:
    """The kind of error and no word of it: neither the server's nor ours."""
    cloud.answers = ["500"]
    run(edge, "opener", PLAIN)
    failed = [span for span in exporter.get_finished_spans() if span.name == "chat m"]
    assert failed
    for span in failed:
        assert (span.attributes or {})[error_attributes.ERROR_TYPE] == "Unavailable"
        assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, None, ())


def test_what_is_never_traced(edge: EdgeRuntime, exporter: InMemorySpanExporter) -> None:
    """A hand-off, what the policy keeps out of telemetry, and what runs once the person turned being counted off."""
    assert run(edge, "opener", CRISIS) == "handed-off"
    run(edge, "opener", NOTES)
    (receipt,) = edge.receipts.all()
    assert receipt.obligations == ("no-telemetry",)
    edge.census.turn(on=False)
    run(edge, "private", PLAIN)
    assert exporter.get_finished_spans() == ()


def test_without_being_asked_nothing_is_traced(
    published: Published, tmp_path: Path, exporter: InMemorySpanExporter
) -> None:
    """An app that traces itself traces no run unless it says so."""
    runtime = EdgeRuntime.open(tmp_path / "quiet", trust=published.trust, source=str(published.folder), model="none")
    assert runtime.refresh().ok
    exporter.clear()
    run(runtime, "private", PLAIN)
    assert exporter.get_finished_spans() == ()


def test_a_failing_exporter_reaches_no_run(edge: EdgeRuntime, exporter: InMemorySpanExporter) -> None:
    """Whatever an app's exporter does, the person gets the reply."""

    class Failing(SimpleSpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise RuntimeError(span.name)

    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    before = provider._active_span_processor._span_processors
    provider.add_span_processor(Failing(exporter))
    try:
        assert run(edge, "private", PLAIN) == "filled"
    finally:
        provider._active_span_processor._span_processors = before
