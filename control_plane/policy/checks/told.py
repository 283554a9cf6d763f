"""Checks of what a language model is told: people's words stand apart as data, and all of it can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import ceil

from control_plane.policy.checks.records import Candidate, Found
from edge_runtime.core.contract import Input
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.pipeline import answer_of
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.template import uses_of

__all__ = ["CHARACTERS_A_TOKEN", "CONTEXT_TOKENS", "check_budget", "check_delimited", "estimated_tokens"]

CHARACTERS_A_TOKEN = 3
"""A cautious estimate for English, German, French and Spanish, whose texts take 3.5 to 4.7 characters a token in common
vocabularies. The bound that always holds is one token for each byte of UTF-8: no byte-level vocabulary needs more."""
CONTEXT_TOKENS = 32_768
"""Most tokens, told and answered together, that a script may need: what mid-sized models read."""
SMALL_CONTEXT_TOKENS = 8_192
"""What small models on a device often read; more is a notice."""
_MEMBER_LENGTH = 400
"""How long a member of a list is taken to be: an input contract bounds their number only."""
_MARKS = 60
"""Characters of the two lines that stand around an untrusted text."""
_DELIMITED_FROM = "R2"


def estimated_tokens(characters: int) -> int:
    """Return about how many tokens so many characters take."""
    return ceil(characters / CHARACTERS_A_TOKEN)


def check_budget(candidate: Candidate) -> Found:
    """Find scripts whose instruction, longest inputs and answer are more than a model reads, or answers cut short."""
    problems: list[str] = []
    notices: list[str] = []
    evidence: list[str] = []
    for entry, prompt in candidate.scripts():
        if not prompt.max_tokens:
            continue
        told, most = _told(prompt)
        needed = estimated_tokens(told) + prompt.max_tokens
        line = f"{entry.name}: about {needed} tokens at its longest, {most + prompt.max_tokens} at most"
        if needed > CONTEXT_TOKENS:
            problems.append(f"{line}; expected about {CONTEXT_TOKENS} or fewer: lower maxLength of its inputs")
        elif needed > SMALL_CONTEXT_TOKENS:
            notices.append(f"{line}; a small model on a device reads {SMALL_CONTEXT_TOKENS}")
        else:
            evidence.append(line)
        problems += [f"{entry.name}: {cut}" for cut in _cut_short(prompt, candidate.recordings.get(entry.name, {}))]
    return Found(tuple(problems), tuple(notices), tuple(evidence) or ("no script that tells a model anything",))


def _told(prompt: Prompt) -> tuple[int, int]:
    """Return the most characters a model is told, and the most bytes those may take."""
    printed = [use.name for use in uses_of(prompt.instruction) if use.how == "printed"]
    inputs = [prompt.inputs.inputs[name] for name in printed if name in prompt.inputs.inputs]
    characters = sum(map(_longest, inputs))
    tools = "".join(f"{tool.name} {tool.description} {json.dumps(tool.parameters)}" for tool in prompt.tools)
    fixed = prompt.instruction + tools
    return len(fixed) + characters, len(fixed.encode()) + 4 * characters


def _longest(declared: Input) -> int:
    if declared.choices:
        return max(len(str(choice)) for choice in declared.choices)
    length = {"integer": 16, "boolean": 5, "array": declared.high * _MEMBER_LENGTH}.get(declared.type, declared.high)
    return length + (_MARKS if declared.untrusted else 0)


def _cut_short(prompt: Prompt, recordings: dict[str, object]) -> Iterator[str]:
    for recording in recordings.get("recordings", ()):  # type: ignore[attr-defined]
        try:
            output = recording["output"] if "output" in recording else answer_of(recording["answer"])
        except InvalidDocument:
            continue
        least = len(json.dumps(output, ensure_ascii=False)) // 6  # hardly any vocabulary has longer tokens on average
        if least > prompt.max_tokens:
            yield f"recording {recording['id']} takes at least {least} tokens, max_tokens allows {prompt.max_tokens}"


def check_delimited(candidate: Candidate) -> Found:
    """Find texts of people that a model would read outside the lines that mark them as data.

    A device wraps each untrusted input as a whole (see `core.template.delimit`); so it must be declared untrusted, and
    the instruction must print it as it is: a loop, a filter or a member would take it out of its wrapping.
    """
    problems, count = [], 0
    for entry, prompt in candidate.scripts():
        try:
            uses = uses_of(prompt.instruction)
        except InvalidDocument:
            continue
        for use in uses:
            declared = prompt.inputs.inputs.get(use.name)
            if declared is None or declared.choices or declared.type not in {"string", "array"} or use.how == "tested":
                continue
            count += 1
            where = f"{entry.name}: input {use.name!r} in line {use.line} of the instruction"
            if not declared.untrusted and declared.data_class >= _DELIMITED_FROM:
                problems.append(
                    f"{where} is {declared.data_class} and x-untrusted is false: it would stand among the orders"
                )
            elif declared.untrusted and use.how != "printed":
                problems.append(
                    f"{where}: expected it to be printed as it is, got {use.how}, which undoes its marking as data"
                )
    return Found(tuple(problems), evidence=(f"{count} places where people's words are told to a model",))
