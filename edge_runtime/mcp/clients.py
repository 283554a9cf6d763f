"""The clients of one server: each has prompts and tools of a session of its own.

Promises: what one client typed has no placeholder in what another gets, nothing of it comes back to another one, and a
hand-off text that one was shown counts for no other; sessions are bounded, end with the client, and live in memory
alone. Whoever gives no name has a session for each question. Does not: know a protocol.
"""

from __future__ import annotations

from collections.abc import Callable

from edge_runtime.core.errors import InvalidDocument
from edge_runtime.mcp.prompts import Prompts
from edge_runtime.mcp.tools import Tools
from edge_runtime.runtime import EdgeRuntime
from edge_runtime.serving.asking import Person
from edge_runtime.serving.sessions import Sessions

__all__ = ["MAX_CLIENTS", "Clients"]

MAX_CLIENTS = 32


class Clients:
    """Who asks, for one person. `local`: the clients and whatever models they use stay on this machine.

    Raises:
        InvalidDocument: a name or a limit of the person is of another form.
    """

    def __init__(self, edge: EdgeRuntime, person: Person, *, local: bool, clock: Callable[[], float]) -> None:
        self._edge = edge
        self._person = person
        self._local = local
        self._sessions = Sessions(edge, clock, at_most=MAX_CLIENTS)
        try:
            self.prompts()
        except ValueError as error:
            raise InvalidDocument(str(error)) from error

    def prompts(self, client: str = "") -> Prompts:
        """Return the prompts of a client; "" is somebody whom nobody knows."""
        session = self._sessions.session(client, self._person)
        return Prompts(self._edge, session, local=self._local, locale=self._person.locale)

    def tools(self, client: str = "") -> Tools:
        """Return the tools of a client, with the placeholders of its prompts."""
        session = self._sessions.session(client, self._person)
        return Tools(self._edge, session, local=self._local, locale=self._person.locale)

    def forget(self, client: str) -> None:
        """End the session of a client."""
        self._sessions.end(client)
