"""The records of `/v1/prompts`. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.client.records.shared import VersionInfo

__all__ = ["PromptDetail", "PromptInfo"]


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
