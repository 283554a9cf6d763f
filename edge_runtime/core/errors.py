"""The error tree of the edge runtime, split by who is at fault.

    MentorplaneError
    ├── InvalidDocument     what we were given is malformed: refuse it, tell its author
    │   └── NewerFormat     it is of a version that came after this program: keep what there is, ask for an update
    ├── NotTrusted          well formed, but not proven: refuse it, keep the last known good
    └── Unavailable         we could not obtain or do something just now: try again later
        └── NotAsked        of a model that was not asked: the scan refused, or a budget is used up

Misuse of the API by the host program is a plain `ValueError` or `TypeError`. Messages name what was
expected and what was got, on one line, and never hold a person's text or a secret.
"""

from __future__ import annotations

__all__ = ["InvalidDocument", "MentorplaneError", "NewerFormat", "NotTrusted", "Unavailable"]


class MentorplaneError(Exception):
    """Any error that Mentorplane raises on purpose; `hint` says what to do, `str()` what is wrong."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class InvalidDocument(MentorplaneError):
    """A document does not have the form that its format demands."""


class NewerFormat(InvalidDocument):
    """A document is of a later version of its format than this program knows: `format` says which."""

    def __init__(self, message: str, *, format: str, hint: str = "update the app") -> None:  # noqa: A002 - as documents say
        super().__init__(message, hint=hint)
        self.format = format


class NotTrusted(MentorplaneError):
    """A document is well formed but fails a numbered check (`V1` to `V9`)."""

    def __init__(self, message: str, *, check: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.check = check


class Unavailable(MentorplaneError):
    """Something needed is not there now: the network, a file, an optional package, a model."""
