"""The records of `/v1/health`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Health"]


@dataclass(frozen=True, slots=True)
class Health:
    """That the server answers, the number of the live release (0 before the first), and what needs looking after."""

    status: str
    release: int
    warnings: tuple[str, ...] = ()
