"""The records of `/v1/sources`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LiveSource", "Snapshot"]


@dataclass(frozen=True, slots=True)
class LiveSource:
    """A source as its author wrote it; `epoch` is 0 for what no release governs, such as cases."""

    kind: str
    name: str
    path: str
    text: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is live on a channel at one moment; `release` is 0 and `manifest` "" before the first release."""

    channel: str
    release: int
    manifest: str
    sources: tuple[LiveSource, ...]
