"""How much may leave in a day, in all and for one prompt: kept in the home, without content.

Promises: 1. what a request may cost is taken off before it is sent, and what it did not cost is given back after, so
that a crash, a full disk or another process never makes room for more. 2. All processes of a home share one budget.
3. A clock that is put back gives nothing back: the latest day that was seen counts. 4. What cannot be read or written
down is refused. 5. What the app allows and what the person allows in this home hold both. Tokens are counted as four
bytes each, since no two models count alike, and a server that counts too few makes room for nothing.
Does not: know texts: a day, names of prompts, and numbers are all that it keeps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.fields import Fields
from edge_runtime.generators.protocol import NotAsked
from edge_runtime.home import holding, write_file

__all__ = ["NOTHING", "Budget", "Budgets", "Spent", "cost_of", "load_limits", "save_limits", "tokens_of"]

FORMAT, LIMITS_FORMAT = "mentorplane-budget/1", "mentorplane-budget-limits/1"
FILE, LOCK, LIMITS = "budget.json", "budget.lock", "budget-limits.json"
MAX_FILE_BYTES = 1_000_000
LOCK_TIMEOUT_S = 10
BYTES_PER_TOKEN = 4
NO_LIMIT = 2**53 - 1


def tokens_of(size_bytes: int) -> int:
    """Return about how many tokens a text of this size is.

    >>> tokens_of(0), tokens_of(1), tokens_of(400)
    (0, 1, 100)
    """
    return -(-size_bytes // BYTES_PER_TOKEN)


@frozen
class Budget:
    """What may leave for the cloud in a day (UTC): requests, tokens both ways, and cost in millionths of a currency.

    The last three are for each prompt. What is not given has no limit.
    """

    requests: int = NO_LIMIT
    tokens: int = NO_LIMIT
    cost_micros: int = NO_LIMIT
    prompt_requests: int = NO_LIMIT
    prompt_tokens: int = NO_LIMIT
    prompt_cost_micros: int = NO_LIMIT

    def within(self, other: Budget) -> Budget:
        """Return what both allow."""
        return Budget(*(min(own, its) for own, its in zip(self.limits(), other.limits(), strict=True)))

    def limits(self) -> tuple[int, ...]:
        """Return the limits in their order."""
        return tuple(getattr(self, name) for name in _NAMES)

    def as_json(self) -> JsonObject:
        """Return those that there are as a JSON object."""
        return {name: limit for name, limit in zip(_NAMES, self.limits(), strict=True) if limit != NO_LIMIT}


_NAMES = ("requests", "tokens", "cost_micros", "prompt_requests", "prompt_tokens", "prompt_cost_micros")


@frozen
class Spent:
    """What was spent, or is about to be."""

    requests: int = 0
    tokens: int = 0
    cost_micros: int = 0

    def plus(self, other: Spent) -> Spent:
        """Return both together."""
        return Spent(self.requests + other.requests, self.tokens + other.tokens, self.cost_micros + other.cost_micros)

    def minus(self, other: Spent) -> Spent:
        """Return this without the other, nothing below zero."""
        return Spent(
            max(0, self.requests - other.requests),
            max(0, self.tokens - other.tokens),
            max(0, self.cost_micros - other.cost_micros),
        )

    def within(self, limits: tuple[int, ...]) -> bool:
        """Tell whether this is no more than the limits, one by one."""
        return all(spent <= limit for spent, limit in zip(self._numbers(), limits, strict=True))

    def _numbers(self) -> tuple[int, int, int]:
        return self.requests, self.tokens, self.cost_micros

    def as_json(self) -> JsonObject:
        """Return it as a JSON object."""
        return {"requests": self.requests, "tokens": self.tokens, "cost_micros": self.cost_micros}


NOTHING = Spent()


def cost_of(tokens: int, micros: int) -> Spent:
    """Return what one request of so many tokens costs, at `micros` for a thousand.

    >>> cost_of(1500, 400)
    Spent(requests=1, tokens=1500, cost_micros=600)
    """
    return Spent(1, tokens, -(-tokens * micros // 1000))


def load_limits(home: Path) -> Budget | None:
    """Return what the person allows in a home, none if they never said.

    Raises:
        InvalidDocument: it is of another form.
        OSError: it cannot be read.
    """
    try:
        data = (home / LIMITS).read_bytes()
    except FileNotFoundError:
        return None
    fields = Fields(canonical.parse(data, max_bytes=MAX_FILE_BYTES), LIMITS_FORMAT)
    limits = Budget(**{name: fields.integer(name) for name in _NAMES if fields.holds(name)})
    fields.close()
    return limits


def save_limits(home: Path, limits: Budget) -> None:
    """Keep what the person allows; nothing but `Budget()` takes every limit away. Raises `OSError`."""
    write_file(home / LIMITS, canonical.encode({"format": LIMITS_FORMAT, **limits.as_json()}))


class Budgets:
    """The budget of one home; `budget` is what the app allows, none if it does not say."""

    def __init__(self, folder: Path, budget: Budget | None, now: Callable[[], int]) -> None:
        self._folder = folder
        self._path, self._lock = folder / FILE, folder / LOCK
        self._budget = budget
        self._now = now

    def take(self, prompt: str, wanted: Spent) -> None:
        """Take off what a request of `prompt` may cost.

        Raises:
            NotAsked: that is more than is left, or it cannot be written down.
        """
        allowed = self._allowed()
        if allowed is None:
            return
        day_limits, prompt_limits = allowed.limits()[:3], allowed.limits()[3:]
        with self._held():
            day, spent = self._load()
            mine, total = spent.get(prompt, NOTHING).plus(wanted), wanted
            for one in spent.values():
                total = total.plus(one)
            if not total.within(day_limits):
                raise NotAsked("expected something left of the budget of this day, it is used up")
            if not mine.within(prompt_limits):
                raise NotAsked(f"expected something left of the budget of {prompt!r} for this day, it is used up")
            self._save(day, {**spent, prompt: mine})

    def give_back(self, prompt: str, unspent: Spent) -> None:
        """Give back what a request did not cost after all; if that cannot be written down, it stays taken."""
        if not self._path.exists():
            return
        with suppress(NotAsked), self._held():
            day, spent = self._load()
            if prompt in spent:
                self._save(day, {**spent, prompt: spent[prompt].minus(unspent)})

    def spent(self) -> Mapping[str, Spent]:
        """Return what was spent this day, by prompt.

        Raises:
            NotAsked: what is written down cannot be read.
        """
        with self._held():
            return self._load()[1]

    def _allowed(self) -> Budget | None:
        """Return what app and person allow; none where neither says."""
        try:
            limits = load_limits(self._folder)
        except OSError as error:
            raise NotAsked(f"expected a budget that can be read and written, got {type(error).__name__}") from error
        except InvalidDocument as error:
            raise NotAsked(
                "expected the limits of this home in their form, got others", hint="mentorplane edge budget --no-limits"
            ) from error
        if self._budget is None or limits is None:
            return self._budget or limits
        return self._budget.within(limits)

    @contextmanager
    def _held(self) -> Iterator[None]:
        try:
            with holding(self._lock, "budget", timeout_s=LOCK_TIMEOUT_S):
                yield
        except NotAsked:
            raise
        except (OSError, Unavailable) as error:
            raise NotAsked(f"expected a budget that can be read and written, got {type(error).__name__}") from error

    def _load(self) -> tuple[str, dict[str, Spent]]:
        today = dt.datetime.fromtimestamp(self._now(), dt.UTC).date().isoformat()
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return today, {}
        try:
            day, spent = _parse(data)
        except InvalidDocument as error:
            raise NotAsked(
                "expected the budget of this home in its form, got another", hint=f"delete {FILE} in the home"
            ) from error
        return (day, spent) if day >= today else (today, {})

    def _save(self, day: str, spent: Mapping[str, Spent]) -> None:
        document = {
            "format": FORMAT,
            "day": day,
            "spent": {prompt: one.as_json() for prompt, one in sorted(spent.items())},
        }
        write_file(self._path, canonical.encode(document))


def _parse(data: bytes) -> tuple[str, dict[str, Spent]]:
    fields = Fields(canonical.parse(data, max_bytes=MAX_FILE_BYTES), FORMAT)
    day, spent = fields.text("day", at_most=10), fields.json_object("spent")
    fields.close()
    try:
        dt.date.fromisoformat(day)
    except ValueError as error:
        raise InvalidDocument("expected a date for the day of a budget") from error
    return day, {prompt: _read(one) for prompt, one in spent.items()}


def _read(document: object) -> Spent:
    if not isinstance(document, dict):
        raise InvalidDocument("expected an object for what was spent")
    fields = Fields(document, "what was spent", tagged=False)
    spent = Spent(fields.integer("requests"), fields.integer("tokens"), fields.integer("cost_micros"))
    fields.close()
    return spent
