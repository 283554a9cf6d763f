"""Private prompts of the learner: data inside an approved carrier, on this device alone.

A carrier is an approved prompt that is placed on the device and takes the person's own words as an untrusted input, so
that they ask for something and never instruct. Promises: nothing else can carry them.
"""

from __future__ import annotations

from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.prompt import Prompt

__all__ = ["CARRIER", "OWN_INPUT", "require_carrier"]

CARRIER = "own-prompt"
"""The approved prompt that carries private ones, if an app names no other."""
OWN_INPUT = "own_prompt"
"""The input of a carrier that holds the person's own words."""


def require_carrier(prompt: Prompt) -> None:
    """Require that a prompt may carry private ones.

    Raises:
        InvalidDocument: it may leave the device, or would take the person's words for its own.
    """
    declared = prompt.inputs.inputs.get(OWN_INPUT)
    if prompt.placement != "device" or declared is None or declared.type != "string" or not declared.untrusted:
        raise InvalidDocument(
            f"expected a prompt that stays on the device and has an untrusted text input {OWN_INPUT!r}, got another"
        )
