"""A server as the registry of a folder, over the typed client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from control_plane.client import BadAnswer, Client
from control_plane.sync.records import Change, LiveSource, Proposed, Snapshot
from edge_runtime.core.fields import is_name

__all__ = ["ServerRegistry"]


@dataclass(frozen=True, slots=True)
class ServerRegistry:
    """A server, asked with somebody's token; the passphrase is asked for when it is needed, and not kept."""

    client: Client
    passphrase: Callable[[], str] = str

    @property
    def name(self) -> str:
        """How the lock file names it: by its address."""
        return self.client.url

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
        group = self.client.proposals
        if change.edit:
            made = group.edit(
                change.edit, files=change.files, passphrase=self.passphrase(), remove=tuple(change.remove)
            )
        else:
            made = group.propose(
                title=change.title,
                files=change.files,
                passphrase=self.passphrase(),
                base=change.base or None,
                remove=tuple(change.remove),
                channel=change.channel,
            )
        return Proposed(made.number, made.revision, made.state, made.manifest)
