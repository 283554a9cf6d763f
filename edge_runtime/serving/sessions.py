"""The conversations that clients go on with, so that a person keeps one placeholder and sees a hand-off text once.

Promises: at most so many are held, each as long as it is used (`KEPT_S`), in memory alone; a session belongs to the one
learner that it began with; what a person agreed to counts as it was last said. A request that names no session has one
of its own, which is not held.
Does not: ask the clock.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from audit.frozen import frozen
from edge_runtime.runtime import EdgeRuntime
from edge_runtime.serving.asking import Person
from edge_runtime.serving.errors import Refusal
from edge_runtime.session import Session

__all__ = ["Sessions"]

KEPT = 256
KEPT_S = 3600


@frozen
class _Held:
    session: Session
    person: Person
    until: float


class Sessions:
    """The sessions of one server. Thread-safe."""

    def __init__(self, edge: EdgeRuntime, clock: Callable[[], float], *, at_most: int = KEPT) -> None:
        self._edge = edge
        self._clock = clock
        self._at_most = at_most
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._lock = threading.Lock()

    def session(self, name: str, person: Person) -> Session:
        """Return the session of that name, begun if there is none; a new one for "".

        Raises:
            Refusal: it is somebody else's.
            InvalidDocument: a name or a term has no letter.
        """
        if not name:
            return self._begun(person, None)
        with self._lock:
            now = self._clock()
            while self._held and next(iter(self._held.values())).until <= now:
                self._held.popitem(last=False)
            held = self._held.get(name)
            if held and held.person.learner != person.learner:
                raise Refusal("expected a session of this learner", code="invalid_value", param="mentorplane.session")
            same = held is not None and held.person == person
            session = held.session if held and same else self._begun(person, held.session if held else None)
            self._held[name] = _Held(session, person, now + KEPT_S)
            self._held.move_to_end(name)
            if len(self._held) > self._at_most:
                self._held.popitem(last=False)
            return session

    def end(self, name: str) -> None:
        """Let go of a session, if there is one of that name."""
        with self._lock:
            self._held.pop(name, None)

    def _begun(self, person: Person, before: Session | None) -> Session:
        return self._edge.session(
            learner=person.learner,
            role=person.role,
            names=person.names,
            terms=person.terms,
            consents=person.consents,
            agreement=person.agreement,
            at_most=person.at_most,
            locale=person.locale,
            continues=before,
        )
