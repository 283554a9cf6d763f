"""What the steps of a run hand to one another. No repr shows a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audit.frozen import frozen, member
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.manifest import Entry
from edge_runtime.core.policy import Decision
from edge_runtime.core.prompt import Prompt
from edge_runtime.core.reader import Reading
from edge_runtime.core.tools import Tool
from edge_runtime.core.trust import TrustState
from edge_runtime.reply import Check, ToolCall

__all__ = ["Made", "Run", "Stopped", "Wish"]


class Stopped(BaseException):  # no error: nothing is to be done instead
    """The app wants no more of this run."""


@frozen
class Wish:
    """What an app asks of a session.

    `go_on`: the person saw the hand-off text and goes on. `own`: the instruction comes from the person, as data.
    `capabilities`: what is there beside what this device has.
    """

    prompt: str
    inputs: Mapping[str, Any] = member(repr=False)
    go_on: bool = False
    tools: tuple[str, ...] = ()
    own: bool = False
    capabilities: frozenset[str] = frozenset()


@frozen
class Run:
    """What one run works with: the release of its start, the prompt, the inputs, what was found and decided.

    `read` gives the reading of a text, and of one that was read before in this run the same one again. `instead_of` is
    the withdrawn prompt that was asked for. `in_crisis`: the person goes on after a hand-off.
    """

    state: TrustState
    entry: Entry
    prompt: Prompt
    values: Mapping[str, Any] = member(repr=False)
    readings: Mapping[str, Reading]
    decision: Decision
    read: Callable[[str], Reading]
    tools: tuple[Tool, ...] = ()
    instead_of: str = ""
    in_crisis: bool = False


@frozen
class Made:
    """What one way of answering made. `model` is who answered, "" for no model."""

    text: str = member(repr=False)
    route: str
    outcome: str
    output: JsonObject | None = member(default=None, repr=False)
    calls: tuple[ToolCall, ...] = ()
    checks: tuple[Check, ...] = ()
    problems: tuple[str, ...] = ()
    model: str = ""
