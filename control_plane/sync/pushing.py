"""Pushing: one proposal of what changed in a folder since it was pulled.

Promises: the proposal stands on the release that the lock names, and only on that: if another one is live, or something
changed on both sides, nothing is proposed; only what changed is in it. Nothing in the folder changes: the lock goes on
naming the release that was pulled, until one with the change is live and pulled.
Does not: sign by itself (the author's passphrase opens their key for it), approve, release.
"""

from __future__ import annotations

from pathlib import Path

from control_plane.errors import Conflict
from control_plane.sync.pulling import Compared, compared, conflict
from control_plane.sync.records import Change, Proposed, Registry
from edge_runtime.core.errors import InvalidDocument

__all__ = ["change_of", "push"]


def push(
    registry: Registry, folder: Path, *, title: str, channel: str = "", draft: bool = False, edit: int = 0
) -> tuple[Proposed, Change]:
    """Make one proposal of what changed in a folder, and return it with the change.

    Args:
        registry: a server or a home.
        folder: that was pulled from it.
        title: what the change is, in a line.
        channel: "" for that of the lock.
        draft: whether the proposal stays a draft.
        edit: number of the proposal to edit, 0 for a new one.

    Raises:
        SyncConflict: something changed on both sides.
        Conflict: the folder was pulled from an earlier release.
        SourceError: a file does not read, or is no source.
        InvalidDocument: nothing changed, or nothing was pulled yet.
        Refused: see the use case `propose`.
    """
    found = compared(registry, folder, channel)
    change = change_of(folder, found, title=title, draft=draft, edit=edit)
    return registry.propose(change), change


def change_of(folder: Path, found: Compared, *, title: str, draft: bool = False, edit: int = 0) -> Change:
    """Return what a folder changes. Raises: see `push`."""
    if found.lock is None:
        raise InvalidDocument("expected a folder that was pulled, got one without a lock", hint="pull first")
    found.here.require_sound()
    clashes = found.status.of("conflicting")
    if clashes:
        raise conflict(folder, found, clashes)
    if (found.lock.release, found.lock.manifest) != (found.live.release, found.live.manifest):
        raise Conflict(
            f"expected a folder pulled from release {found.live.release}, got one of release {found.lock.release}",
            hint="mentorplane sync pull keeps what you changed",
        )
    changed = found.status.of("added", "changed")
    removed = found.status.of("removed")
    if not changed and not removed:
        raise InvalidDocument("expected a change in the folder, got what is live already")
    return Change(
        channel=found.live.channel,
        base=found.live.manifest,
        files={one.path: found.here.files[one.key].data.decode() for one in changed},
        remove=tuple(one.key for one in removed),
        title=title,
        draft=draft,
        edit=edit,
    )
