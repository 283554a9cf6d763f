"""The records of `/v1/withdrawn`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands withdrawn on a channel: entries of its live release, and who withdrew all of that release.

    `stopped` is whether enough people withdrew all of it.
    """

    channel: str
    entries: tuple[tuple[str, str], ...]
    people: tuple[str, ...]
    stopped: bool
