"""A home on this machine as the registry of a folder: the use cases, called directly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from control_plane.plane import ControlPlane
from control_plane.registry import proposals
from control_plane.reviewing import drafts
from control_plane.sync import snapshots
from control_plane.sync.records import Change, Proposed, Snapshot

__all__ = ["HomeRegistry"]


@dataclass(frozen=True, slots=True)
class HomeRegistry:
    """A home, and who acts on it; the passphrase is asked for when it is needed, and not kept."""

    plane: ControlPlane
    person: str = ""
    passphrase: Callable[[], str] = str

    @property
    def name(self) -> str:
        """How the lock file names it: the same on every machine, for it says nothing about where the home lies."""
        return f"home:{self.plane.organisation}"

    def snapshot(self, channel: str) -> Snapshot:
        """Return what is live on a channel."""
        return snapshots.snapshot(self.plane, channel)

    def propose(self, change: Change) -> Proposed:
        """Make one proposal of a change, edit one, or save a draft, which nobody signs. Raises: see the use cases."""
        files = dict(change.files)
        if change.draft:
            saved = drafts.save_draft(
                self.plane, self.person, files=files, title=change.title, remove=change.remove, channel=change.channel
            )
            return Proposed(saved.id, saved.revision, "draft", "")
        secret = self.passphrase()
        if change.edit:
            made = proposals.edit(
                self.plane, self.person, change.edit, files=files, passphrase=secret, remove=change.remove
            )
        else:
            made = proposals.propose(
                self.plane,
                self.person,
                files=files,
                title=change.title,
                passphrase=secret,
                base=change.base or None,
                remove=change.remove,
                channel=change.channel,
            )
        return Proposed(made.number, made.revision, made.state, made.manifest)
