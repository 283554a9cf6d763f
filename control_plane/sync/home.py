"""A home on this machine as the registry of a folder: the use cases, called directly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from control_plane.plane import ControlPlane
from control_plane.registry import proposals
from control_plane.registry.lifecycle.windows import Window
from control_plane.registry.records import Proposal
from control_plane.registry.signing import Elsewhere
from control_plane.reviewing import drafts, own_keys
from control_plane.reviewing.material import Material
from control_plane.sync import snapshots
from control_plane.sync.records import Change, Proposed, Signing, Snapshot
from edge_runtime.core import dsse

__all__ = ["HomeRegistry"]


@dataclass(frozen=True, slots=True)
class HomeRegistry:
    """A home, and who acts on it; the passphrase is asked for when it is needed, and not kept.

    With `sign` their own key signs instead, where it is.
    """

    plane: ControlPlane
    person: str = ""
    passphrase: Callable[[], str] = str
    sign: Signing | None = None

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

        def act(proof: str | Elsewhere) -> Proposal:
            if change.edit:
                return proposals.edit(
                    self.plane, self.person, change.edit, files=files, passphrase=proof, remove=change.remove
                )
            return proposals.propose(
                self.plane,
                self.person,
                files=files,
                title=change.title,
                passphrase=proof,
                base=change.base or None,
                remove=change.remove,
                channel=change.channel,
                emergency=change.emergency,
                stages=change.stages,
                window=Window(change.until, change.then) if change.until else None,
            )

        return self._signed(act, files)

    def propose_draft(self, number: int) -> Proposed:
        """Propose a draft. Raises: see the use case."""
        return self._signed(
            lambda proof: drafts.propose_draft(self.plane, self.person, number, passphrase=proof), files={}
        )

    def _signed(self, act: Callable[[str | Elsewhere], Proposal], files: Mapping[str, str]) -> Proposed:
        if self.sign is None:
            made = act(self.passphrase())
        else:
            signed = self.sign(own_keys.unsigned(act, Material), files)
            made = act(own_keys.signed_elsewhere([(signed["envelope"], dsse.decode_base64(signed["salt"]))]))
        return Proposed(made.number, made.revision, made.state, made.manifest)
