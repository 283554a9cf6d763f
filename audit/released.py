"""The questions that a device asks of single entries: whether an act was carried out, and on what.

Promises: the entry is canonical JSON of a version of the leaf that is known here, and what it records was done. Does
not: look at any member that it is not asked for; whoever verifies the log parses every entry whole (see `record`),
which a device that reads a few need not import.
"""

from __future__ import annotations

from typing import Any

from audit.canonical import parse_canonical
from audit.errors import NotProven

__all__ = ["read_done", "verify_released"]

_DONE = {"mentorplane-leaf/1": {}, "mentorplane-leaf/2": {"outcome": "done"}}
"""What an entry of each version says, beside its act, of an act that was carried out."""


def read_done(entry: bytes) -> dict[str, Any]:
    """Return the members of an entry that records something that was done.

    Raises:
        InvalidFormat: it is not canonical JSON.
        NotProven: it is of an unknown version, or records what was refused or failed.
    """
    document = parse_canonical(entry)
    done = _DONE.get(str(document.get("format"))) if isinstance(document, dict) else None
    if not isinstance(document, dict) or done is None:
        raise NotProven("expected an entry of a version known here, got another")
    if any(document.get(name) != said for name, said in done.items()):
        raise NotProven("expected an entry of something that was done, got another")
    return document


def verify_released(entry: bytes, manifest: str) -> None:
    """Verify that an entry records the release of the manifest with this digest.

    Raises:
        InvalidFormat: it is not canonical JSON.
        NotProven: it is of an unknown version, or records something else.
    """
    document = read_done(entry)
    if (document.get("act"), document.get("manifest")) != ("released", manifest):
        raise NotProven("expected the log to hold this very release, got another entry")
