"""The records of `/v1/retention`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SettingChanged"]


@dataclass(frozen=True, slots=True)
class SettingChanged:
    """A setting, its value now, and the entry that says so."""

    name: str
    value: str
    entry: int
