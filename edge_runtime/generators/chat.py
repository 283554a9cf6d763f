"""What is asked of a chat completion, and how long its answer may be: alike for a model here and one in the cloud.

Does not: name the model, or send anything. Source: the OpenAI API, chat completions.
"""

from __future__ import annotations

from typing import Any

from edge_runtime.generators.protocol import Ask

__all__ = ["most_bytes", "question"]

MAX_BYTES, MAX_BYTES_PER_TOKEN = 200_000, 2_000


def question(ask: Ask, *, keeps_schema: bool, tells_usage: bool) -> dict[str, Any]:
    """Return the members of a body that say what is asked."""
    asked: dict[str, Any] = {
        "messages": [{"role": "user", "content": ask.instruction.text}],
        "stream": True,
        "max_tokens": ask.max_tokens,
    }
    if tells_usage:
        asked["stream_options"] = {"include_usage": True}
    if ask.tools:
        asked["tools"] = [{"type": "function", "function": tool} for tool in ask.tools]
    if ask.schema is not None and keeps_schema:
        asked["response_format"] = {"type": "json_schema", "json_schema": {"name": "output", "schema": ask.schema}}
    return asked


def most_bytes(ask: Ask) -> int:
    """Return how long an answer may be, events and all."""
    return MAX_BYTES + MAX_BYTES_PER_TOKEN * ask.max_tokens
