"""What somebody shows for that they are here: the one sentence that a proof by their own key is good for.

Does not: make proofs or check them (see `accounts.presence`).
"""

from __future__ import annotations

__all__ = ["LINKING", "LOG_IN", "doing", "leaving", "taking_back"]

LINKING = "link my account at the identity provider"
"""What a proof is for with which somebody links their account."""
LOG_IN = "log in"
"""What a proof is for with which somebody gets a token without a passphrase."""


def leaving(person: str) -> str:
    """Return what a proof is for with which somebody signs that the person with this id leaves."""
    return f"sign that {person} leaves"


def taking_back(number: int) -> str:
    """Return what a proof is for with which somebody takes back what they object to in a proposal."""
    return f"take back what I object to in proposal {number}"


def doing(act: str, *what: object) -> str:
    """Return what a proof is for with which somebody does an act: its word in the log of refusals, and to what.

    >>> doing("end-grant", "g-0123456789ab")
    'end-grant: g-0123456789ab'
    """
    return f"{act}: {', '.join(map(str, what))}"
