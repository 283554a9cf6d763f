"""Tools that an approved script may offer to a language model: what is declared, and what a model asks for.

Promises: a tool is part of the closure that people sign; a call is taken only if its tool was declared and offered and
its arguments fit; what a tool gives back returns as an untrusted input, so a script with tools has one for it.
Does not: carry a tool out. The app does, and decides whether to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from audit.frozen import frozen
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields

__all__ = ["RESULTS", "Tool", "choose_tools", "read_tools", "require_results"]

RESULTS = "tool_results"
"""The input by which what tools gave back comes in, as material that somebody else wrote."""
MAX_TOOLS = 20
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@frozen
class Tool:
    """One tool: its name, what it does in words for the model, and the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: JsonObject

    def as_json(self) -> JsonObject:
        """Return what a model or an app is told of it."""
        return {"name": self.name, "description": self.description, "parameters": self.parameters}


def read_tools(fields: Fields) -> tuple[Tool, ...]:
    """Return the tools of a script; none if it has no such member.

    Raises:
        InvalidDocument: malformed, or a name used twice.
    """
    if not fields.holds("tools"):
        return ()
    tools = fields.items("tools", _read_tool, at_most=MAX_TOOLS)
    if not tools or len({tool.name for tool in tools}) < len(tools):
        raise fields.refuse("tools", "at least one tool, each with a name of its own")
    return tools


def _read_tool(document: object) -> Tool:
    fields = Fields(document, "tool", tagged=False)
    name = fields.text("name", at_most=64)
    if not _NAME.fullmatch(name):
        raise fields.refuse("name", "lower-case letters, digits, _ and -, a letter first")
    tool = Tool(name, fields.text("description", at_most=1000), fields.json_object("parameters"))
    fields.close()
    if tool.parameters.get("type") != "object":
        raise InvalidDocument("tool: expected a JSON Schema of an object in member 'parameters'")
    return tool


def require_results(inputs: Mapping[str, Any]) -> None:
    """Require the input that brings back what tools gave: a text or a list of texts that somebody else wrote.

    Raises:
        InvalidDocument: there is none, it counts as trusted, or it must be given at the first turn.
    """
    declared = inputs.get(RESULTS)
    if declared is None or declared.type not in {"array", "string"} or not declared.untrusted or declared.required:
        raise InvalidDocument(f"tools: expected an untrusted text input {RESULTS!r} that may be left out")


def choose_tools(declared: Iterable[Tool], names: Iterable[str]) -> tuple[Tool, ...]:
    """Return the declared tools that the app offers.

    Raises:
        InvalidDocument: it offers one that was not approved with the script.
    """
    by_name = {tool.name: tool for tool in declared}
    wanted = tuple(dict.fromkeys(names))
    if any(name not in by_name for name in wanted):
        known = ", ".join(by_name) or "(none)"
        raise InvalidDocument(f"expected tools among those that the script declares, {known}, got another one")
    return tuple(by_name[name] for name in wanted)
