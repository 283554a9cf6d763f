"""Modes of compatibility: which versions of a contract are held against which, and what is told of a break.

    none                 nothing is asked
    backward             what worked with the version before works with the new one
    forward              what works with the new version worked with the one before
    full                 both
    ...-transitive       the same, against every earlier version

Source: the compatibility types of schema registries, with inputs and outputs each on the side that breaks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from control_plane.policy.compatibility.inputs import refused_calls
from control_plane.policy.compatibility.outputs import unexpected_outputs
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.prompt import COMPATIBILITY, DEFAULT_COMPATIBILITY, Prompt

__all__ = ["DEFAULT_MODE", "MODES", "Break", "Version", "find_breaks"]

MODES = COMPATIBILITY
DEFAULT_MODE = DEFAULT_COMPATIBILITY
MAX_SHOWN = 240


@dataclass(frozen=True, slots=True)
class Version:
    """An earlier version of a script: what sentences call it, and the script itself."""

    called: str
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Break:
    """One way in which a contract breaks callers or parsers, as a sentence, with what shows it.

    `direction` is backward or forward, `side` is inputs or output. `example` is a call, or an output; None where the
    two schemas differ in what cannot be decided.
    """

    direction: str
    side: str
    place: str
    against: str
    sentence: str
    example: JsonObject | None = field(default=None)


def find_breaks(
    new: Prompt, earlier: Sequence[Version], mode: str, *, samples: Sequence[JsonObject] = ()
) -> tuple[Break, ...]:
    """Return how `new` breaks what `mode` asks for; empty if it does not.

    Args:
        new: the script as it is to be.
        earlier: its versions, newest first.
        mode: one of `MODES`.
        samples: outputs of golden cases or recordings, of whichever version.
    """
    if mode not in MODES:
        raise ValueError(f"expected one of {', '.join(MODES)}, got another mode")
    direction, _, transitive = mode.partition("-")
    found: list[Break] = []
    for version in earlier if transitive else earlier[:1]:
        if direction in {"backward", "full"}:
            found += _breaks((version.prompt, new), ("backward", version.called), samples)
        if direction in {"forward", "full"}:
            found += _breaks((new, version.prompt), ("forward", version.called), samples)
    return tuple(found)


def _breaks(versions: tuple[Prompt, Prompt], how: tuple[str, str], samples: Sequence[JsonObject]) -> Iterator[Break]:
    """Yield what breaks when callers and parsers written for the first of two versions meet the second."""
    (written_for, runs), (direction, called) = versions, how
    theirs, ours = (called, "the new version") if direction == "backward" else ("the new version", called)
    for refused in refused_calls(written_for.inputs, runs.inputs):
        example = dict(refused.call)
        sentence = f"{ours} refuses a call that {theirs} takes: {refused.because}, as in {_short(example)}"
        yield Break(direction, "inputs", refused.place, called, sentence, example)
    for one in unexpected_outputs(written_for.output, runs.output, samples):
        where = f"{one.place!r} of the output" if one.place else "the output"
        shows = f", as in {_short(one.output)}" if one.output is not None else "; no example can be made, so look"
        sentence = f"{ours} may give what a reader of {theirs} does not expect: in {where}, {one.because}{shows}"
        yield Break(direction, "output", one.place, called, sentence, one.output)


def _short(value: object) -> str:
    """Return a value with its long texts and lists cut to what people read."""
    text = json.dumps(_cut(value), ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _cut(value: object) -> object:
    if isinstance(value, dict):
        return {name: _cut(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_cut(member) for member in value[:3]] + ([f"… ({len(value)} members)"] if len(value) > 3 else [])
    return f"{value[:20]}… ({len(value)} characters)" if isinstance(value, str) and len(value) > 40 else value
