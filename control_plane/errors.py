"""The errors that the server adds to those of the shared core.

    MentorplaneError
    ├── InvalidDocument
    │   └── SourceError   a file that people wrote does not read; it says file, line and column (`sources.strict_yaml`)
    ├── NotFound          there is nothing of that name or number
    ├── Conflict          what the caller saw is no longer so: look again, then decide again
    ├── Refused           the act is not allowed to this person, or not now
    ├── Unavailable
    │   └── Busy          as many ask at once as can be answered: come again in a moment
    ├── SinkRefused       the target of an export did not confirm what it was sent (`evidence.export_sinks`)
    ├── NotSignedIn       the request carries no valid token
    ├── TooMany           somebody asks more often than is allowed: come again later
    ├── Unguarded         a change of what is there must say what its author saw
    ├── Unsigned          an act waits for the signature of who acts, and says what to sign (`signing`)
    ├── Refusal           the demonstration's server answered no (`demo.parties`)
    └── Unexpected        the demonstration went otherwise than it must (`demo.journey`)

`InvalidDocument` and `Unavailable` of the core serve here as they are. Messages never hold a person's text.
"""

from __future__ import annotations

from edge_runtime.core.errors import MentorplaneError, Unavailable

__all__ = ["Busy", "Conflict", "NotFound", "NotSignedIn", "Refused", "TooMany", "Unguarded"]


class NotFound(MentorplaneError):
    """There is nothing of that name, number or digest."""


class Conflict(MentorplaneError):
    """The state moved on since the caller looked, or a name is taken."""


class Refused(MentorplaneError):
    """The act is not allowed: to this person, with this passphrase, or in this state."""


class NotSignedIn(MentorplaneError):
    """The request carries no valid token."""


class TooMany(MentorplaneError):
    """Somebody asks too often; `retry_after_s` says when to come again, `headers` how it is counted."""

    def __init__(self, message: str, *, retry_after_s: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.headers = headers or {}


class Unguarded(MentorplaneError):
    """A change of what is there says neither which revision nor which entity tag its author saw."""


class Busy(Unavailable):
    """As many ask at once as can be answered; `retry_after_s` says when to come again."""

    def __init__(self, message: str, *, hint: str = "", retry_after_s: int = 1) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s
