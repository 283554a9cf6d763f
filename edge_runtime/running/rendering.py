"""What a model is told: the approved instruction with the inputs, covered where it leaves, delimited as data.

Promises: untrusted inputs stand between lines with a marker that is drawn for each run and that no input holds, so no
text can close its own wrapping; what may leave is covered first and becomes a `Disclosure`, by the decision; what is
asked on this device is an `OnDevice` text, made here alone. Does not: ask.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from audit.frozen import frozen, member, replace
from edge_runtime.core.disclosure import Disclosure, disclose
from edge_runtime.core.pipeline import instruct
from edge_runtime.core.policy import Route
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.raw_values import PlaceholderTable
from edge_runtime.generators.protocol import OnDevice
from edge_runtime.running.records import Run
from edge_runtime.running.talk import Talk

__all__ = ["Told", "draw_marker", "preview_of", "render_for", "tell"]


@frozen
class Told:
    """What a model is told, the marker in it, and the placeholders that may come back; none: nothing is covered."""

    instruction: Disclosure | OnDevice
    marker: str = member(repr=False)
    table: PlaceholderTable | None


def tell(talk: Talk, run: Run, place: Route) -> Told:
    """Return what a generator is told whose texts go as far as `place`."""
    name = run.prompt.name
    marker = draw_marker(run.values)
    if place is Route.DEVICE:
        return Told(OnDevice(instruct(run.prompt, run.values, marker), name), marker, None)
    decision = replace(run.decision, route=min(run.decision.route, place))
    if decision.route is Route.CLOUD:
        raw = frozenset(entity.type for reading in run.readings.values() for entity in reading.entities)
        return Told(disclose(decision, instruct(run.prompt, run.values, marker), prompt=name, raw=raw), marker, None)
    covered = _covered(talk, run)
    disclosure = disclose(decision, instruct(run.prompt, covered, marker), prompt=name)
    return Told(disclosure, marker, talk.memory.placeholders.table)


def preview_of(talk: Talk, run: Run) -> str:
    """Return the text that would leave if it left, covered."""
    return render_for(run.prompt, _covered(talk, run))


def _covered(talk: Talk, run: Run) -> dict[str, Any]:
    """Return the inputs with what is personal covered; of a choice, which people approved, only what has a form."""
    chosen = {str(run.values[name]) for name, declared in run.prompt.inputs.inputs.items() if declared.choices}
    return talk.memory.placeholders.cover(
        run.values, lambda text: talk.read_by_form(text) if text in chosen else run.read(text)
    )


def render_for(prompt: Prompt, values: Mapping[str, Any]) -> str:
    """Return the instruction of an approved prompt with these inputs."""
    return instruct(prompt, values, draw_marker(values))


def draw_marker(values: Mapping[str, Any]) -> str:
    """Return a marker that nobody can know and that no value holds."""
    texts = ["\n".join(value) if isinstance(value, list) else str(value) for value in values.values()]
    while any((marker := secrets.token_hex(8)) in text for text in texts):
        pass
    return marker
