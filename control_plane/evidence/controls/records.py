"""What a control is: data, with the names of the rules that recognise a gap."""

from __future__ import annotations

from dataclasses import dataclass

from audit.record import Act

__all__ = ["CHANGES", "DECISIONS", "ERASURE", "PEOPLE", "READING", "SAFEGUARDS", "Control", "Framework"]

CHANGES = (Act.PROPOSED, Act.EDITED, Act.CHECKED, Act.APPROVED, Act.REJECTED, Act.RELEASED)
DECISIONS = (Act.APPROVED, Act.REJECTED, Act.WITHDRAWN, Act.WITHDRAWAL_LIFTED)
SAFEGUARDS = (Act.CHECKED, Act.WITHDRAWN, Act.REJECTED)
PEOPLE = (
    Act.PERSON_ENROLLED,
    Act.PERSON_RETIRED,
    Act.ROLE_GRANTED,
    Act.ROLE_DELEGATED,
    Act.ROLE_ENDED,
    Act.KEY_SEALED,
    Act.KEY_ENROLLED,
    Act.KEY_REVOKED,
    Act.TOKEN_ISSUED,
    Act.TOKEN_REVOKED,
    Act.SIGNED_IN_FAILED,
    Act.REFUSED,
)
READING = (Act.AUDIT_READ, Act.EXPORTED, Act.REVEALED)
ERASURE = (Act.ERASED, Act.HOLD_PLACED, Act.HOLD_LIFTED)


@dataclass(frozen=True, slots=True)
class Control:
    """One control.

    reference   where the rule has it
    title, asks     what it is about, and what it asks for, in our own words
    acts        the acts whose entries evidence it
    filed       the kinds of filed documents that evidence it; each that is not on file, or has expired, is a gap
    rules       names of the rules by which further gaps are recognised (see `rules`)
    unseen      what the product cannot see
    """

    reference: str
    title: str
    asks: str
    acts: tuple[Act, ...] = ()
    filed: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Framework:
    """A rule book: its name for the command, its title, and its controls."""

    name: str
    title: str
    controls: tuple[Control, ...]
