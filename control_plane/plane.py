"""The control plane: everything long-lived, built in one place and handed to each use case.

Does not: read the environment or start anything. Tests replace parts here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from audit.record import Client, event_id
from control_plane import db
from control_plane.keys import ServerKeys, load_keys
from control_plane.scopes import Acting
from control_plane.settings import Settings
from control_plane.turns import Asking, Line, Together
from edge_runtime.core.counts import Telling
from edge_runtime.core.errors import InvalidDocument

__all__ = ["Clock", "ControlPlane", "Random", "open_plane", "utc_now"]

Clock = Callable[[], datetime]
Random = Callable[[int], bytes]


def utc_now() -> datetime:
    """Return the time now in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Settings, database, clock, the server's own keys, where randomness comes from, and the door people come through.

    Each door (console, API, CLI) works with a copy that says which it is, the digest of the token that was used, and
    for whom and what that token is good. Threads wait in `line` for their turn to open a key, and count together, in
    `telling`, what devices tell.
    """

    settings: Settings
    engine: Engine
    clock: Clock
    keys: ServerKeys
    random: Random = os.urandom
    client: Client = Client.SYSTEM
    asking: Asking = field(default_factory=Asking, repr=False, compare=False)
    token: str = ""
    acting: Acting | None = None
    line: Line = field(default_factory=Line, repr=False, compare=False)
    telling: Together[Telling] = field(default_factory=Together, repr=False, compare=False)

    @property
    def site(self) -> Path:
        """The folder of static files that devices read."""
        return self.settings.site

    @property
    def organisation(self) -> str:
        """The organisation named in every manifest and statement."""
        return self.settings.organisation

    @property
    def channel(self) -> str:
        """The channel that is meant where nobody names one."""
        return self.settings.channel

    def on(self, channel: str) -> str:
        """Return the channel of that name, the usual one for "".

        Raises:
            InvalidDocument: there is no such channel.
        """
        if channel and channel not in self.settings.channels:
            raise InvalidDocument(f"expected one of the channels {', '.join(self.settings.channels)}, got another")
        return channel or self.channel

    def now(self) -> datetime:
        """Return the time now in UTC, in whole seconds: what statements and audit leaves hold."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def event_id(self) -> str:
        """Return the id of a new entry of the log."""
        return event_id(self.clock(), self.random(10))

    def close(self) -> None:
        """Give back the database connections."""
        self.engine.dispose()


def open_plane(settings: Settings, *, clock: Clock = utc_now) -> ControlPlane:
    """Return the control plane of `settings.home`, made on first use.

    Raises:
        Unavailable: keys are missing, or the database cannot be opened.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    return ControlPlane(
        settings,
        db.open_engine(settings),
        clock,
        load_keys(settings.home / "keys", settings.organisation),
        line=Line(at_once=settings.argon2_at_once, waiting=settings.argon2_waiting),
    )
