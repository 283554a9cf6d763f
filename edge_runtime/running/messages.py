"""What a host's chat messages may be: material of people and of tools, never an instruction.

Promises: a `system` or `developer` message is refused, and so is any role that is not known: the approved prompt is the
only instruction there is. Does not: say which input the material goes to (see `serving`).
"""

from __future__ import annotations

from collections.abc import Iterable

from edge_runtime.core.errors import InvalidDocument

__all__ = ["INSTRUCTING", "MATERIAL", "refuse_instructions"]

INSTRUCTING = ("developer", "system")
"""The roles by which a host would tell the model what to do."""
MATERIAL = ("assistant", "tool", "user")
"""The roles whose messages are material."""


def refuse_instructions(roles: Iterable[object]) -> None:
    """Refuse roles that would instruct the model, or that nobody knows.

    Raises:
        InvalidDocument: there is one.
    """
    for role in roles:
        if role in INSTRUCTING:
            raise InvalidDocument(
                f"expected no message of role {role}: the approved prompt is the instruction, and all else is data"
            )
        if role not in MATERIAL:
            raise InvalidDocument(f"expected messages of role {', '.join(MATERIAL)}, got another role")
