"""Inputs of which only texts are known, as on a command line or in MCP, with the types that their prompt declares.

Promises: what cannot be typed stays a text: the session says what that means, a crisis first (P6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_runtime.core.contract import typed_inputs
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.runtime import EdgeRuntime

__all__ = ["typed_for"]


def typed_for(edge: EdgeRuntime, prompt: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return inputs for a prompt with their types; as texts, if there is no such prompt."""
    try:
        return typed_inputs(edge.prompt(prompt).inputs, texts)
    except MentorplaneError:
        return dict(texts)
