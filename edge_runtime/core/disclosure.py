"""The one gate out: text that the policy disclosed, as a type of its own.

Promises: only `disclose` makes a `Disclosure`, and only for a decision whose route leaves the device; a model off the
device is given nothing else. Does not: send (see `edge_runtime.generators`).
"""

from __future__ import annotations

from audit.frozen import frozen, member
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.policy import Decision, Route

__all__ = ["Disclosure", "disclose"]

_GATE = object()


@frozen
class Disclosure:
    """The exact text that may leave, and the route that allows it.

    `raw` are the types of values that may stand in it uncovered: those that the policy knew of when it let them go.
    """

    text: str = member(repr=False)
    route: str
    prompt: str
    _key: object = member(repr=False, compare=False)
    raw: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self._key is not _GATE:
            raise InvalidDocument("expected a disclosure made by the policy, got one made by hand")

    def __str__(self) -> str:
        return self.text


def disclose(decision: Decision, text: str, *, prompt: str, raw: frozenset[str] = frozenset()) -> Disclosure:
    """Return `text` as a disclosure; for the route `redacted` it must be redacted already, and nothing in it is raw.

    Raises:
        InvalidDocument: the decision keeps it on the device, blocks it, or was an error.
    """
    if decision.errors or decision.route < Route.REDACTED:
        raise InvalidDocument("expected a decision that lets text leave, got one that does not")
    return Disclosure(text, str(decision.route), prompt, _GATE, raw)
