"""The question that a device asks of one entry: whether it says that a manifest was released.

Promises: the entry is canonical JSON of a version of the leaf that is known here, its act is *released*, it was done,
and it names the manifest. Does not: look at any other member; whoever verifies the log parses every entry whole (see
`record`), which a device that reads a single one need not import.
"""

from __future__ import annotations

from audit.canonical import parse_canonical
from audit.errors import NotProven

__all__ = ["verify_released"]

_DONE = {"mentorplane-leaf/1": {}, "mentorplane-leaf/2": {"outcome": "done"}}
"""What an entry of each version says, beside its act, of an act that was carried out."""


def verify_released(entry: bytes, manifest: str) -> None:
    """Verify that an entry records the release of the manifest with this digest.

    Raises:
        InvalidFormat: it is not canonical JSON.
        NotProven: it is of an unknown version, or records something else.
    """
    document = parse_canonical(entry)
    done = _DONE.get(str(document.get("format"))) if isinstance(document, dict) else None
    if done is None:
        raise NotProven("expected an entry of a version known here, got another")
    for name, said in {**done, "act": "released", "manifest": manifest}.items():
        if document.get(name) != said:
            raise NotProven("expected the log to hold this very release, got another entry")
