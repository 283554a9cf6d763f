"""The records of `/v1/prompts`. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["PromptDetail", "PromptInfo", "VersionInfo"]


@dataclass(frozen=True, slots=True)
class PromptDetail:
    """A governed entry with its frozen content, the YAML that people wrote, and its versions, newest first."""

    info: PromptInfo
    document: Mapping[str, Any]
    source: str
    path: str
    history: tuple[VersionInfo, ...]


@dataclass(frozen=True, slots=True)
class PromptInfo:
    """A governed entry of the live release in one row."""

    kind: str
    name: str
    title: str
    tier: str
    placement: str
    locale: str
    epoch: int
    digest: str
    author: str
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One released version of an entry."""

    epoch: int
    digest: str
    author: str
    channel: str
    release: int
    at: datetime
