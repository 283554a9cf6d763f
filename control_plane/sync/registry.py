"""A server, or a home on this machine, as the registry of a folder: over the typed client, which reaches both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.client import BadAnswer
from control_plane.client.api import Operations
from control_plane.client.records import Material, Stated, Window
from control_plane.sync.records import Change, LiveSource, Proposed, Signing, Snapshot
from edge_runtime.core.fields import is_name

__all__ = ["ClientRegistry"]


@dataclass(frozen=True, slots=True)
class ClientRegistry:
    """A server or a home, as whoever is behind the client; the passphrase is asked for when it is needed, and not kept.

    With `sign` their own key signs instead, on this machine. `name` is how the lock file names it.
    """

    client: Operations
    name: str
    passphrase: Callable[[], str] = str
    sign: Signing | None = None

    def snapshot(self, channel: str) -> Snapshot:
        """Return what is live on a channel.

        Raises:
            ApiError, NoAnswer: see the client.
            BadAnswer: kinds or names that could not be ours, which would name files.
        """
        live = self.client.sources.list(channel=channel or None)
        if not all(is_name(source.kind) and is_name(source.name) for source in live.sources):
            raise BadAnswer("expected kinds and names of lower-case words, got others")
        return Snapshot(
            live.channel,
            live.release,
            live.manifest,
            tuple(LiveSource(one.kind, one.name, one.path, one.text, one.epoch) for one in live.sources),
        )

    def propose(self, change: Change) -> Proposed:
        """Make one proposal of a change, or edit one, or save a draft, which nobody signs. Raises: see the client."""
        if change.draft:
            saved = self.client.drafts.save_draft(
                title=change.title, files=change.files, remove=tuple(change.remove), channel=change.channel
            )
            return Proposed(saved.id, saved.revision, "draft", "")
        what: dict[str, Any] = {"files": change.files, "remove": tuple(change.remove)}
        if change.edit:
            what |= {"revision": self.client.proposals.get(change.edit).proposal.revision}
            proof = self._proof(lambda: self.client.unsigned.edit(change.edit, **what), change.files)
            made = self.client.proposals.edit(change.edit, **what, **proof)
        else:
            window = Window(change.until, change.then) if change.until else None
            what |= {"title": change.title, "base": change.base or None, "channel": change.channel}
            what |= {"emergency": change.emergency, "stages": change.stages, "window": window}
            proof = self._proof(lambda: self.client.unsigned.proposal(**what), change.files)
            made = self.client.proposals.propose(**what, **proof)
        return Proposed(made.number, made.revision, made.state, made.manifest)

    def propose_draft(self, number: int) -> Proposed:
        """Propose a draft. Raises: see the client."""
        proof = self._proof(lambda: self.client.unsigned.draft(number), {})
        made = self.client.drafts.propose_draft(number, **proof)
        return Proposed(made.number, made.revision, made.state, made.manifest)

    def _proof(self, ask: Callable[[], Material], files: Mapping[str, str]) -> dict[str, Any]:
        """Return what signs an act: the passphrase, or what was signed here with the person's own key."""
        if self.sign is None:
            return {"passphrase": self.passphrase()}
        from control_plane.custody.deciding import material_of

        return {"signed": [Stated(**self.sign(material_of(ask()), files))]}
