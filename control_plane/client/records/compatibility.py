"""The records of `/v1/compatibility`. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Break", "Verdict"]


@dataclass(frozen=True, slots=True)
class Break:
    """One way in which a contract breaks callers or parsers, as a sentence, with what shows it.

    `direction` is backward or forward, `side` is inputs or output. `example` is a call, or an output; None where
    the
    two schemas differ in what cannot be decided.
    """

    direction: str
    side: str
    place: str
    against: str
    sentence: str
    example: Mapping[str, Any] | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one script is compatible: the modes that were asked for, and each break of them."""

    kind: str
    name: str
    modes: tuple[str, ...]
    versions: int
    compatible: bool
    breaks: tuple[Break, ...]
