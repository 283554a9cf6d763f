"""Recordings: outputs that language models gave, held against what the script promises now.

Promises: an output is taken the way a device takes a model's answer; it must fit the output schema, the script's own
validators and what the recording expects of it, or, where it says so, must be refused. A line about a problem names the
recording and the part that differs.
Does not: call a model; a recording is made elsewhere and kept beside the cases.
"""

from __future__ import annotations

from collections.abc import Iterator

from control_plane.policy.cases import output_differs, reply_differs
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_inputs
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.pipeline import Checked, answer_of, check_answer
from edge_runtime.core.prompt import Prompt

__all__ = ["run_recordings"]


def run_recordings(prompt: Prompt, recordings: JsonObject) -> tuple[str, ...]:
    """Return what differs, one line a problem; empty if every recorded output is taken, or refused, as it must be."""
    return tuple(
        f"recording {one['id']}: {problem}" for one in recordings["recordings"] for problem in _differs(prompt, one)
    )


def _differs(prompt: Prompt, recording: JsonObject) -> Iterator[str]:
    must_be_refused = recording.get("refused", False)
    try:
        values = check_inputs(prompt.inputs, recording["inputs"])
    except InvalidDocument as error:
        yield f"its inputs do not fit any longer: {error}"
        return
    try:
        output = recording["output"] if "output" in recording else answer_of(recording["answer"])
        checked = check_answer(prompt, values, output)
    except InvalidDocument as error:
        output, checked = {}, Checked("", schema=(str(error),))
    if checked.schema or checked.validators:
        if not must_be_refused:
            by = "output schema refuses" if checked.schema else "validators refuse"
            yield f"the {by} it: {'; '.join((*checked.schema, *checked.validators))}"
        return
    if must_be_refused:
        yield "expected the output schema to refuse it, and it does not"
        return
    expect = recording.get("expect", {})
    yield from output_differs(expect, output, values)
    yield from reply_differs(expect, checked.text)
