"""The records of `/v1/drafts`. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

__all__ = ["DraftInfo", "DraftProblem", "SavedDraft"]


@dataclass(frozen=True, slots=True)
class DraftInfo:
    """A draft in one row."""

    id: int
    channel: str
    title: str
    author: str
    revision: int
    base: str
    saved_at: datetime
    proposal: int | None


@dataclass(frozen=True, slots=True)
class DraftProblem:
    """Why a file of a draft could not be proposed as it is."""

    path: str
    line: int
    what: str


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """A version of a draft with its files by path, and what stands in the way of proposing it."""

    info: DraftInfo
    editor: str
    files: Mapping[str, str]
    removed: tuple[tuple[str, str], ...]
    guests: tuple[str, ...]
    problems: tuple[DraftProblem, ...]
