"""The records of `/v1/approvals`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ItemInput"]


@dataclass(frozen=True, slots=True)
class ItemInput:
    """One proposal of a batch."""

    number: int
    manifest: str
    role: str
    reason: str
