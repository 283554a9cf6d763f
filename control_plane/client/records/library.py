"""The records of `/v1/library`. Written by `tests.client_api`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.client.records.shared import VersionInfo

__all__ = ["Count", "Detail", "Item", "Page", "Reference"]


@dataclass(frozen=True, slots=True)
class Count:
    """A folder or a tag, and how many live entries it has."""

    name: str
    entries: int


@dataclass(frozen=True, slots=True)
class Detail:
    """A live entry with its content, its source, its versions, and what it relies on, what relies on it."""

    item: Item
    document: Mapping[str, Any]
    source: str
    path: str
    history: tuple[VersionInfo, ...]
    relies_on: tuple[Reference, ...]
    used_by: tuple[Reference, ...]
    translations: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A live entry; `stale` names what changed in `original` since it was translated, () if nothing did."""

    kind: str
    name: str
    title: str
    purpose: str
    folder: str
    tags: tuple[str, ...]
    owner: str
    review_by: str
    locale: str
    tier: str
    placement: str
    epoch: int
    digest: str
    author: str
    original: str
    stale: tuple[str, ...]
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page of entries; `total` counts all that were found, `next` is "" on the last page."""

    items: tuple[Item, ...]
    total: int
    next: str
    channel: str
    release: int


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry that another one relies on, or that relies on it."""

    kind: str
    name: str
