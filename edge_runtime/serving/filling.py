"""From a chat to the inputs of an approved prompt: messages are data for one input, never an instruction.

Promises: no message is dropped: where there is no single input for them to go to, the request is refused; what tools
gave back goes to the input that the prompt declares for it; a tool that the prompt does not declare is refused.
Does not: check typed inputs (see `core.contract`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_runtime.core.contract import Input
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.tools import RESULTS
from edge_runtime.serving.asking import Question, Turn
from edge_runtime.serving.errors import Refusal

__all__ = ["inputs_of", "tools_of"]


def inputs_of(question: Question, prompt: Prompt) -> dict[str, Any]:
    """Return the inputs that a request gives a prompt.

    Raises:
        Refusal: there are messages, and no one input for them to go to, or they are longer than it may be; or there
            are neither messages nor inputs.
    """
    values = dict(question.inputs or {})
    results = tuple(turn.text for turn in question.turns if turn.role == "tool") if prompt.tools else ()
    if results:
        values[RESULTS] = list(results) if prompt.inputs.inputs[RESULTS].type == "array" else "\n\n".join(results)
    text = _joined([turn for turn in question.turns if turn.role != "tool" or not prompt.tools])
    if text:
        declared = _open_input(prompt, values)
        if len(text) > declared.high:
            raise Refusal(
                f"expected messages of at most {declared.high} characters together: shorten the conversation",
                code="context_length_exceeded",
                param="messages",
            )
        values[declared.name] = text
    elif question.inputs is None and not results:
        raise Refusal("expected a message with text, or inputs", code="invalid_value", param="messages")
    return values


def tools_of(question: Question, prompt: Prompt) -> tuple[str, ...]:
    """Return the names of the tools that may be called.

    Raises:
        Refusal: one is not declared by the prompt, or takes other arguments than people approved.
    """
    declared = {tool.name: tool for tool in prompt.tools}
    for number, function in enumerate(question.tools):
        tool = declared.get(function["name"])
        if tool is None or function.get("parameters", tool.parameters) != tool.parameters:
            names = ", ".join(declared) or "none"
            raise Refusal(
                f"expected a tool as it was approved with this prompt (approved: {names})",
                code="undeclared_tool",
                param=f"tools[{number}]",
            )
    return tuple(function["name"] for function in question.tools)


def _joined(turns: Sequence[Turn]) -> str:
    """Return messages as one text: one of the person as it is, several with who said each."""
    if len(turns) == 1 and turns[0].role == "user":
        return turns[0].text
    return "\n\n".join(f"{turn.role.capitalize()}: {turn.text}" for turn in turns)


def _open_input(prompt: Prompt, given: dict[str, Any]) -> Input:
    """Return the input that messages go to: the only free text that is not given, or the only one that must be."""
    free = [one for one in prompt.inputs.inputs.values() if _is_free(one) and one.name not in given]
    required = [one for one in free if one.required]
    if len(free) != 1 and len(required) != 1:
        names = ", ".join(one.name for one in free) or "none"
        raise Refusal(
            f"expected typed inputs: there is no one free text for messages to go to (open: {names})",
            code="inputs_required",
            param="inputs",
        )
    return (free if len(free) == 1 else required)[0]


def _is_free(declared: Input) -> bool:
    return declared.type == "string" and declared.untrusted and not declared.choices and declared.name != RESULTS
