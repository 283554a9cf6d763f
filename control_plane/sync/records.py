"""What sync speaks of: the live sources of a channel, and where they stand in the folder.

Does not: touch the disk or the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from control_plane.reviewing.material import Material
    from edge_runtime.core.canonical import JsonObject

__all__ = ["Key", "LiveSource", "Proposed", "Registry", "Signing", "Snapshot", "digest_of"]

Key = tuple[str, str]
"""Kind and name: what a source is, wherever its file lies."""


@dataclass(frozen=True, slots=True)
class LiveSource:
    """A source as its author wrote it; `epoch` is 0 for what no release governs, such as cases."""

    kind: str
    name: str
    path: str
    text: str
    epoch: int

    @property
    def key(self) -> Key:
        """Kind and name."""
        return self.kind, self.name

    @property
    def digest(self) -> str:
        """The digest of the text."""
        return digest_of(self.text.encode())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is live on a channel at one moment; `release` is 0 and `manifest` "" before the first release."""

    channel: str
    release: int
    manifest: str
    sources: tuple[LiveSource, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal that was made of a folder, or a draft: then `state` is draft, and there is no manifest yet."""

    number: int
    revision: int
    state: str
    manifest: str


class Registry(Protocol):
    """A registry that a folder can be kept in step with."""

    @property
    def name(self) -> str:
        """How the lock file names it: by the address of a server, or the organisation of a home on this machine.

        The same on every machine: it says nothing about where a home lies.
        """
        ...

    def snapshot(self, channel: str) -> Snapshot:
        """Return what is live on a channel, "" for the usual one."""
        ...

    def propose(self, change: Change) -> Proposed:
        """Make one proposal of a change, or edit one."""
        ...

    def propose_draft(self, number: int) -> Proposed:
        """Propose a draft."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What a folder changes: files by path, what goes, the manifest that it stands on; `edit` is 0 for a new one.

    `until` is when a trial ends, and `then` what happens then; `stages` are those of the rollout, none as before.
    """

    channel: str
    base: str
    files: Mapping[str, str]
    remove: Sequence[Key]
    title: str
    draft: bool = False
    edit: int = 0
    emergency: bool = False
    until: datetime | None = None
    then: str = "keep"
    stages: tuple[int, ...] = ()


Signing: TypeAlias = "Callable[[Material, Mapping[str, str]], JsonObject]"
"""Signs authorship with a person's own key, given what there is to sign and the files that they wrote."""


def digest_of(data: bytes) -> str:
    """Return the tagged SHA-256 of a file's bytes."""
    return f"sha256:{sha256(data).hexdigest()}"
