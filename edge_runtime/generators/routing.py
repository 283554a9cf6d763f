"""Who is asked: the models that a host configured, in an order, each within the budget, and measured.

    for generator in routing.order(decision.route): ...     # at most one answer from each entry

Promises: 1. privacy first: of all that the decision's route allows, the model whose place is nearest comes first.
2. Among models of one place, the cheapest of those that are fast enough, then the faster; how fast they are is
measured, and until then what the host declared. 3. Whoever failed is asked last of its place for a while. 4. Off the
device there is an entry for the one retry: another model where there is one, or else the same again. 5. What leaves is
taken off the budget before it does.
Does not: decide (see `core.policy`), or keep measurements when the process ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import GeneratorType
from typing import TYPE_CHECKING

from audit.frozen import frozen
from edge_runtime.core.disclosure import Disclosure
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.policy import Route
from edge_runtime.generators.protocol import MAX_REQUESTS, Ask, Generator, NotAsked, Piece, Wire
from edge_runtime.installed import require_extra

if TYPE_CHECKING:
    from edge_runtime.generators.budgets import Budget, Budgets
    from edge_runtime.generators.cloud import CloudModel
    from edge_runtime.generators.local import LocalModel

__all__ = ["Candidate", "Routing", "budgets_of", "routing_of"]

FAST_ENOUGH_MS = 5_000
PATIENCE_S = 5.0
"""Whoever fails only after so long is not asked again in the same run: a person is waiting."""
ASIDE_S = 60.0
"""How long somebody who failed is asked last of those of the same place."""
NEWEST_PERCENT = 30
"""How much the newest measurement counts."""


@frozen
class Candidate:
    """A model that may be asked, and what its host declared of it; 0 for what was not declared."""

    generator: Generator
    cost_micros: int = 0
    answer_ms: int = 0


class Routing:
    """Puts models in an order, and asks them within a budget."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        *,
        budgets: Budgets | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asked = tuple(_Asked(candidate, budgets, clock) for candidate in candidates)

    def order(self, route: Route) -> tuple[Generator, ...]:
        """Return whom to ask where the policy decided `route`, each entry for one try; none for `block`."""
        known = route >= Route.DEVICE
        allowed = [one for one in self._asked if known and (one.place <= Route.DEVICE or route >= Route.REDACTED)]
        ranked = sorted(allowed, key=_Asked.rank)
        alone = len(ranked) == 1 and ranked[0].place > Route.DEVICE
        return (ranked[0],) * MAX_REQUESTS if alone else tuple(ranked)


class _Asked:
    """A generator that is measured, and asked within the budget."""

    def __init__(self, candidate: Candidate, budgets: Budgets | None, clock: Callable[[], float]) -> None:
        self._generator = candidate.generator
        self._cost_micros = candidate.cost_micros
        self._expected_ms = candidate.answer_ms
        self._budgets = budgets
        self._clock = clock
        self._aside_until = float("-inf")
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """What replies call it."""
        return self._generator.name

    @property
    def place(self) -> Route:
        """How far a text goes that is given to it."""
        return self._generator.place

    def rank(self) -> tuple[Route, bool, bool, int, int]:
        """Return what it is sorted by, the first to ask first."""
        slow = self._expected_ms > FAST_ENOUGH_MS
        cost, wait = self._cost_micros, self._expected_ms
        first, second = (wait, cost) if slow else (cost, wait)
        return self.place, self._clock() < self._aside_until, slow, first, second

    def answer(self, ask: Ask, wire: Wire) -> Iterator[Piece]:
        """Yield its answer; how long it took, or that there was none, is remembered for the next time."""
        pieces = self._generator.answer(ask, wire)
        return self._measured(pieces if self.place <= Route.DEVICE else self._within_budget(pieces, ask, wire), wire)

    def _measured(self, pieces: Iterator[Piece], wire: Wire) -> Iterator[Piece]:
        if self in wire.given_up:
            raise NotAsked(f"{self.name} was too slow to be asked twice")
        waited_s = 0.0
        try:
            while True:
                began = self._clock()  # whoever reads slowly does not make the model slow
                piece = next(pieces, None)
                waited_s += self._clock() - began
                if piece is None:
                    break
                yield piece
        except NotAsked:
            raise
        except Unavailable:
            waited_s += self._clock() - began
            if not wire.stopped:
                self._aside_until = self._clock() + ASIDE_S
            if waited_s > PATIENCE_S:
                wire.given_up.add(self)
            raise
        finally:
            _close(pieces)
        took_ms = int(waited_s * 1000)
        with self._lock:
            known = self._expected_ms or took_ms
            self._expected_ms = (known * (100 - NEWEST_PERCENT) + took_ms * NEWEST_PERCENT) // 100
            self._aside_until = float("-inf")

    def _within_budget(self, pieces: Iterator[Piece], ask: Ask, wire: Wire) -> Iterator[Piece]:
        if self._budgets is None or not isinstance(ask.instruction, Disclosure):
            yield from pieces
            return
        from edge_runtime.generators.budgets import NOTHING, cost_of, tokens_of

        prompt, before = ask.instruction.prompt, wire.sent_bytes
        most_tokens = tokens_of(len(ask.instruction.text.encode())) + ask.max_tokens
        most = cost_of(most_tokens, self._cost_micros)
        self._budgets.take(prompt, most)
        came = 0
        try:
            for piece in pieces:
                came += _size_bytes(piece)
                yield piece
        finally:
            _close(pieces)
            sent = wire.sent_bytes - before
            spent = cost_of(tokens_of(sent) + tokens_of(came), self._cost_micros) if sent else NOTHING
            self._budgets.give_back(prompt, most.minus(spent))


def _close(pieces: Iterator[Piece]) -> None:
    """End the request: whoever stops listening hangs up."""
    if isinstance(pieces, GeneratorType):
        pieces.close()


def _size_bytes(piece: Piece) -> int:
    said = piece.text if piece.call is None else piece.call.name + piece.call.arguments
    return len(said.encode("utf-8", "replace"))


def routing_of(
    cloud: CloudModel | Iterable[CloudModel] | None = None,
    local: LocalModel | None = None,
    *,
    budgets: Budgets | None = None,
) -> Routing:
    """Return the routing between the models that a host configured.

    Raises:
        Unavailable: the extra `[cloud]` is missing for a cloud model.
    """
    candidates: list[Candidate] = []
    if local is not None:
        from edge_runtime.generators.local import LocalGenerator

        candidates.append(Candidate(LocalGenerator(local)))
    if cloud is not None:
        from edge_runtime.generators.cloud import CloudGenerator, CloudModel

        require_extra("cloud")
        models = (cloud,) if isinstance(cloud, CloudModel) else tuple(cloud)
        candidates += [Candidate(CloudGenerator(one), one.cost_micros, one.answer_ms) for one in models]
    return Routing(candidates, budgets=budgets)


def budgets_of(budget: Budget | None, home: Path, clock: Callable[[], float]) -> Budgets:
    """Return the budget of a home, by the clock of its device in POSIX seconds; `budget` is what the app allows."""
    from edge_runtime.generators.budgets import Budgets

    return Budgets(home, budget, lambda: int(clock()))
