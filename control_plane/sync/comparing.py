"""Comparing three ways: what was pulled, what is in the folder, what is live.

For each source there are three digests, each of which may be absent: base (the lock), ours (the folder), theirs (live).

    ours = theirs                 in step, whatever the base: also after a pull that was cut short
    ours = base, theirs is not    behind: to pull
    theirs = base, ours is not    added, changed or removed here: to push
    all three differ              conflicting: changed on both sides

Pure: nothing is read or written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from control_plane.sync.folder import Here
from control_plane.sync.lock import Lock
from control_plane.sync.paths import places
from control_plane.sync.records import Key, Snapshot

__all__ = ["STATES", "Difference", "State", "Status", "compare"]

State = Literal["added", "behind", "changed", "conflicting", "removed"]
STATES: tuple[State, ...] = ("added", "behind", "changed", "conflicting", "removed")


@dataclass(frozen=True, slots=True)
class Difference:
    """A source that is not in step; a digest is "" where there is none of it. `path` is where its file lies."""

    state: State
    kind: str
    name: str
    path: str
    base: str
    ours: str
    theirs: str

    @property
    def key(self) -> Key:
        """Kind and name."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Status:
    """How a folder stands to a channel: which release it was pulled from, which is live, and what differs."""

    channel: str
    pulled: int
    live: int
    differences: tuple[Difference, ...]

    def of(self, *states: State) -> tuple[Difference, ...]:
        """Return the differences in these states."""
        return tuple(one for one in self.differences if one.state in states)


def compare(lock: Lock | None, here: Here, live: Snapshot) -> Status:
    """Return how a folder stands to what is live; without a lock, nothing was pulled yet."""
    locked = {file.key: file for file in lock.files} if lock else {}
    theirs = {source.key: source for source in live.sources}
    at = places(live.sources)
    differences = []
    for key in sorted({*locked, *here.files, *theirs}):
        base = locked[key].digest if key in locked else ""
        ours = here.files[key].digest if key in here.files else ""
        other = theirs[key].digest if key in theirs else ""
        state = _state(base, ours, other)
        if state:
            # Where the author has it, had it, or would get it.
            mine = here.files[key].path if key in here.files else ""
            path = mine or (locked[key].path if key in locked else at[key])
            differences.append(Difference(state, *key, path, base, ours, other))
    return Status(live.channel, lock.release if lock else 0, live.release, tuple(differences))


def _state(base: str, ours: str, theirs: str) -> State | None:
    if ours == theirs:
        return None
    if ours == base:
        return "behind"
    if theirs != base:
        return "conflicting"
    return "changed" if ours and base else "added" if ours else "removed"
