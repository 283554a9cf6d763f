"""The output without a language model: what the script fills, with sentences of the inputs (P5)."""

from __future__ import annotations

from edge_runtime.core.pipeline import fill_out
from edge_runtime.reply import Check
from edge_runtime.running.checking import SCHEMA, VALIDATORS
from edge_runtime.running.records import Made, Run

__all__ = ["fill"]


def fill(run: Run) -> Made:
    """Return the filled output, or the fallback text where it does not fit what the prompt says of it."""
    output, checked = fill_out(run.prompt, run.values, run.readings)
    checks = (Check(SCHEMA, not checked.schema), Check(VALIDATORS, not checked.validators))
    problems = (*checked.schema, *checked.validators)
    if problems:
        return Made(run.prompt.fallback, "device", "fallback", checks=checks, problems=problems)
    return Made(checked.text, "device", "filled", output, checks=checks)
