"""The edge runtime: run approved coaching prompts on the device, and keep sensitive text there.

    from edge_runtime import EdgeRuntime
    edge = EdgeRuntime.open("coach-home", trust="trust/", source="https://coach.example/edge")

Public names are imported when they are first used, so that `import edge_runtime` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_runtime.core.errors import InvalidDocument, MentorplaneError, NotTrusted, Unavailable
    from edge_runtime.delivery.access import Pace
    from edge_runtime.generators.budgets import Budget
    from edge_runtime.generators.cloud import CloudModel
    from edge_runtime.generators.local import LocalModel
    from edge_runtime.reply import Check, Lineage, Preview, Refresh, Reply, Status, ToolCall
    from edge_runtime.running.streams import AsyncStream, Stream
    from edge_runtime.runtime import EdgeRuntime
    from edge_runtime.session import Session

__all__ = [
    "AsyncStream",
    "Budget",
    "Check",
    "CloudModel",
    "EdgeRuntime",
    "InvalidDocument",
    "Lineage",
    "LocalModel",
    "MentorplaneError",
    "NotTrusted",
    "Pace",
    "Preview",
    "Refresh",
    "Reply",
    "Session",
    "Status",
    "Stream",
    "ToolCall",
    "Unavailable",
]

_HOMES = {
    "AsyncStream": "running.streams",
    "Budget": "generators.budgets",
    "Check": "reply",
    "CloudModel": "generators.cloud",
    "EdgeRuntime": "runtime",
    "InvalidDocument": "core.errors",
    "Lineage": "reply",
    "LocalModel": "generators.local",
    "MentorplaneError": "core.errors",
    "NotTrusted": "core.errors",
    "Pace": "delivery.access",
    "Preview": "reply",
    "Refresh": "reply",
    "Reply": "reply",
    "Session": "session",
    "Status": "reply",
    "Stream": "running.streams",
    "ToolCall": "reply",
    "Unavailable": "core.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'edge_runtime' has no attribute {name!r}")
    return getattr(import_module(f"edge_runtime.{_HOMES[name]}"), name)
