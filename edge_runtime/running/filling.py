"""The output without a language model: what the script fills, with sentences of the inputs (P5).

Promises: it is read as an answer is, by form, since what a model would find in it was found in the inputs; what
somebody said themselves may come back to them.
"""

from __future__ import annotations

from edge_runtime.core.pipeline import fill_out
from edge_runtime.running.checking import CRISIS, INJECTION, SCHEMA, VALIDATORS, VALUES, Given, Taken, misfits
from edge_runtime.running.records import Made, Run
from edge_runtime.running.talk import Talk

__all__ = ["fill"]


def fill(talk: Talk, run: Run) -> Made:
    """Return the filled output, or the fallback text where it does not fit or holds what it must not."""
    output, checked = fill_out(run.prompt, run.values, run.readings)
    problems, made = misfits(checked), [SCHEMA, VALIDATORS]
    if not problems and run.entry.kind == "prompt":  # what leads to a person is a fixed text
        problems = _faults(talk, run, checked.text)
        made += [CRISIS, VALUES, INJECTION]
    taken = Taken(checked.text, output, (), tuple(problems), made=tuple(made))
    if not taken.ok:
        return Made(run.prompt.fallback, "device", "fallback", checks=taken.checks, problems=taken.said)
    return Made(taken.text, "device", "filled", output, checks=taken.checks)


def _faults(talk: Talk, run: Run, text: str) -> list[tuple[str, str]]:
    """Return what nobody should be shown in a text, by check, but for what the person said."""
    said = {CRISIS: run.in_crisis, INJECTION: any(one.labels.injection for one in run.readings.values())}
    found = Given(talk, run).faults_of(text, read=talk.read_by_form)
    return [(name, fault) for name, fault in found if not said.get(name)]
