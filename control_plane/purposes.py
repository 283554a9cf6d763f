"""What somebody shows for that they are here: the one sentence that a proof by their own key is good for.

Does not: make proofs or check them (see `accounts.presence`).
"""

from __future__ import annotations

__all__ = ["LINKING", "LOG_IN", "doing", "leaving", "taking_back", "word_of"]

LINKING = "link my account at the identity provider"
"""What a proof is for with which somebody links their account."""
LOG_IN = "log in"
"""What a proof is for with which somebody gets a token without a passphrase."""


_WORDS = {LINKING: "link-identity", LOG_IN: "log-in"}
_LEAVING, _TAKING_BACK = "sign that ", "take back "


def leaving(person: str) -> str:
    """Return what a proof is for with which somebody signs that the person with this id leaves."""
    return f"{_LEAVING}{person} leaves"


def taking_back(number: int) -> str:
    """Return what a proof is for with which somebody takes back what they object to in a proposal."""
    return f"{_TAKING_BACK}what I object to in proposal {number}"


def doing(act: str, *what: object) -> str:
    """Return what a proof is for with which somebody does an act: its word in the log of refusals, and to what.

    >>> doing("end-grant", "g-0123456789ab")
    'end-grant: g-0123456789ab'
    """
    return f"{act}: {', '.join(map(str, what))}"


def word_of(purpose: str) -> str:
    """Return the act alone of a purpose: what a message without content may say.

    >>> word_of(doing("set-address", "p-1", "ines@example.org")), word_of(taking_back(3)), word_of(LOG_IN)
    ('set-address', 'take-back', 'log-in')
    """
    if purpose.startswith(_LEAVING):
        return "leave"
    return "take-back" if purpose.startswith(_TAKING_BACK) else _WORDS.get(purpose, purpose.partition(":")[0])
