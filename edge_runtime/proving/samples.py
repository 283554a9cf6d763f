"""Inputs that fit a prompt's contract with a text in them, and an answer that fits its output, as a model gives one.

Promises: the same contract and text give the same. Does not: cover all of JSON Schema; where an answer does not fit,
the run asks again and falls back, which is a way through it too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from edge_runtime.core.contract import InputContract, check_inputs
from edge_runtime.core.errors import InvalidDocument

__all__ = ["fill_inputs", "sample_output"]

_SAID = (
    "Write to [PERSON_1] about [EMAIL_1] and [PERSON_99] today.",
    "What do you want to write to [PERSON_1] today?",
    "You wrote to [PERSON_1].",
    "5 min \u2013 write to [PERSON_1]",
    "5 Min. \u2013 an [PERSON_1] schreiben",
    "2031-05-06",
)
"""What the model says, in the forms that scripts ask for: placeholders for somebody, and one that it made up."""


def fill_inputs(contract: InputContract, text: str) -> tuple[dict[str, Any], str] | None:
    """Return inputs with `text` in the roomiest free input, and its name; none if it fits nowhere."""
    free = [one for one in contract.inputs.values() if one.type in {"string", "array"} and not one.choices]
    values: dict[str, Any] = {}
    for one in contract.inputs.values():
        if one.required:
            values[one.name] = one.choices[0] if one.choices else _least(one.type, one.low)
    # A list comes last among equals: it takes a text by its lines.
    for place in sorted(free, key=lambda one: (one.high if one.type == "string" else 1, one.name), reverse=True):
        value = text.split("\n") if place.type == "array" else text
        try:
            check_inputs(contract, {**values, place.name: value})
        except InvalidDocument:
            continue
        return {**values, place.name: value}, place.name
    return None


def _least(kind: str, low: int) -> Any:
    return {"string": "a good talk"[: max(low, 11)], "integer": low, "boolean": False, "array": ["a good talk"] * low}[
        kind
    ]


def sample_output(schema: Mapping[str, Any], *, good: bool) -> str:
    """Return an answer that mostly fits a JSON Schema; a bad one is half of it and no JSON."""
    answer = json.dumps(_sample(schema), ensure_ascii=False)
    return answer if good else f"Certainly! {answer[: len(answer) // 2]} [PERSON_1]"


def _sample(schema: Mapping[str, Any]) -> Any:
    if "const" in schema or schema.get("enum"):
        return schema.get("const", schema.get("enum", [None])[0])
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _sample(properties[name]) for name in schema.get("required", properties) if name in properties}
    if kind == "array":
        wanted = min(max(schema.get("minItems", 0), 1), schema.get("maxItems", 1))
        return [_sample(schema.get("items", {"type": "string"}))] * wanted
    if kind in {"integer", "number"}:
        return schema.get("minimum", 1)
    if kind == "null":
        return None
    return True if kind == "boolean" else _text(schema)


def _text(schema: Mapping[str, Any]) -> str:
    fitting = (said for said in _SAID if re.search(schema.get("pattern", ""), said))
    return next(fitting, _SAID[0])[: schema.get("maxLength")]
