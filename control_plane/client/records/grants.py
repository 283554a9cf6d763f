"""The records of `/v1/grants`. Written by `tests.client_api`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Checklist", "Open"]


@dataclass(frozen=True, slots=True)
class Checklist:
    """What is open for the role of a grant, whether that is all, and the digest by which it is taken note of."""

    grant: str
    role: str
    items: tuple[Open, ...]
    complete: bool
    digest: str


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that waits for a role, or for who held it: its kind, its name, and since or until when.

    proposal     waits for an approval in this role
    request      somebody asked for a look at a proposal
    objection    one that stands, which only who held the role before takes back
    schedule     a proposal that goes out at a time, or was held back
    release      a break-glass release that is to be reviewed
    delegation   of this role, by or to who held it before

    Else it is the kind of a live entry that is due for a review.
    """

    kind: str
    name: str
    due: str = ""
