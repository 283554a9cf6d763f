"""Scripts for the tests of checks: one that is sound, and parts of it made otherwise."""

from __future__ import annotations

from typing import Any

from edge_runtime.core.canonical import JsonObject, encode
from edge_runtime.core.prompt import FORMAT, Prompt, parse_prompt

TEXT: dict[str, Any] = {"type": "string", "maxLength": 200, "x-data-class": "R1"}


def document(**changed: Any) -> JsonObject:
    """Return the document of a closure, with members changed."""
    inputs = changed.pop("inputs", {"work": TEXT})
    required = changed.pop("required", sorted(inputs))
    return {
        **_SOUND,
        "inputs": {"type": "object", "additionalProperties": False, "required": required, "properties": inputs},
        **changed,
    }


def closure(**changed: Any) -> bytes:
    """Return the bytes of a closure, with members changed."""
    return encode(document(**changed))


def prompt(**changed: Any) -> Prompt:
    """Return a script, with members changed."""
    return parse_prompt(closure(**changed))


_SOUND: JsonObject = {
    "format": FORMAT,
    "name": "opener",
    "title": "Open a session",
    "purpose": "Open a session with one piece of work.",
    "target_behaviour": "The learner says what they did.",
    "tier": "R2",
    "placement": "redacted",
    "locale": "en",
    "owner": "learning-designer",
    "review_by": "2027-05-31",
    "audience": ["learner"],
    "competencies": [],
    "session_types": [],
    "disclosure": "You are using an assistant. Names are covered before anything leaves this device.",
    "output": {
        "type": "object",
        "additionalProperties": False,
        "required": ["message"],
        "properties": {"message": {"type": "string", "minLength": 1}},
    },
    "instruction": "Ask about {{ work }}.",
    "fill": {"message": "What did you learn from {{ work }}?"},
    "reply": "{{ message }}",
    "fallback": "What did you do since we last met?",
    "max_tokens": 100,
    "rules": [],
    "includes": [],
    "folder": "",
    "tags": [],
}
