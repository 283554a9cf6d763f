"""The records of `/v1/releases`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Reviewed"]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Whether the normal quorum has reviewed the release now."""

    reviewed: bool
