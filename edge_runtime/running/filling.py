"""The output without a language model: what the script fills, with sentences of the inputs (P5).

Promises: it is read as an answer is, by form, since what a model would find in it was found in the inputs; what
somebody said themselves may come back to them.
"""

from __future__ import annotations

from edge_runtime.core.pipeline import fill_out
from edge_runtime.reply import Check
from edge_runtime.running.checking import CRISIS, INJECTION, SCHEMA, VALIDATORS, VALUES, Given
from edge_runtime.running.records import Made, Run
from edge_runtime.running.talk import Talk

__all__ = ["fill"]


def fill(talk: Talk, run: Run) -> Made:
    """Return the filled output, or the fallback text where it does not fit or holds what it must not."""
    output, checked = fill_out(run.prompt, run.values, run.readings)
    problems = {SCHEMA: "; ".join(checked.schema), VALIDATORS: "; ".join(checked.validators)}
    if not any(problems.values()) and run.entry.kind == "prompt":  # what leads to a person is a fixed text
        problems |= dict.fromkeys((CRISIS, VALUES, INJECTION), "") | _faults(talk, run, checked.text)
    checks = tuple(Check(name, not problem) for name, problem in problems.items())
    if said := tuple(problem for problem in problems.values() if problem):
        return Made(run.prompt.fallback, "device", "fallback", checks=checks, problems=said)
    return Made(checked.text, "device", "filled", output, checks=checks)


def _faults(talk: Talk, run: Run, text: str) -> dict[str, str]:
    """Return what nobody should be shown in a text, by check, but for what the person said."""
    faults = dict(Given(talk, run).faults_of(text, read=talk.read_by_form))
    if run.in_crisis:
        faults.pop(CRISIS, None)
    if any(reading.labels.injection for reading in run.readings.values()):
        faults.pop(INJECTION, None)
    return faults
