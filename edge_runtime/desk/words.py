"""What the desk says on screen: plain words for checks, routes, findings and consents.

Promises: every check, route and consent of the product has words here; what is unknown is shown by its own name.
Does not: decide anything. Source: docs/glossary.md, column *on screen*.
"""

from __future__ import annotations

__all__ = ["CHECKS", "REFUSALS", "ROUTES", "consent_words", "type_words"]

CHECKS = {
    "V1": "Who may sign is traced back to the keys that came with this device",
    "V2": "Nothing is out of date, and nothing older was slipped back in",
    "V3": "Every file arrived complete and unaltered",
    "V4": "Every document has exactly the expected form",
    "V5": "What came matches the fingerprints stated for it",
    "V6": "Enough people approved it, and none of them is its author",
    "V7": "It stands in the audit log, and its past was not rewritten",
    "V8": "The models on this device are the approved ones",
    "V9": "The rules still refuse what must always be refused",
}
"""The numbered checks of the design, in order, as a newcomer reads them."""

REFUSALS = {
    "V1": "It is not signed by anyone this device was told to trust.",
    "V2": "It is out of date, incomplete, or older than what this device has seen.",
    "V3": "A file is not the one that was announced.",
    "V4": "A document does not have the form it must have.",
    "V5": "Something that came does not match the fingerprint stated for it.",
    "V6": "The people who must approve this change did not.",
    "V7": "The audit log does not show it, or its past was rewritten.",
    "V8": "A model is not the approved one, or fails its own test.",
    "V9": "The rules would no longer refuse what must always be refused.",
}

ROUTES = {
    "block": "Nowhere. No script may use this note as it stands.",
    "device": "On this device only. Nothing leaves it.",
    "redacted": "A model in the cloud may help, and gets the covered text only.",
    "cloud": "A model in the cloud may help, and gets the note as it is.",
    "hand-off": "Coaching stops here. A person comes first.",
}

_CONSENTS = {
    "analytics": "Counts without any text, to improve the scripts",
    "cloud": "The covered text may go to a model in the cloud",
    "experiment": "Taking part in trials of new scripts",
    "recognition": "Thanks and praise may be shown to others",
    "special-categories": "It may touch on health and other special topics",
    "unchecked-text": "It may go although this device cannot find every name, place or date",
}

_TYPES = {
    "ADDRESS": "address",
    "BANK": "bank account",
    "CARD": "card number",
    "DATE_OF_BIRTH": "date of birth",
    "EMAIL": "e-mail",
    "HEALTH": "health",
    "ID_NUMBER": "identity number",
    "IP": "network address",
    "LOCATION": "place",
    "ORG": "organisation",
    "PERSON": "person",
    "PHONE": "phone",
    "SALARY": "pay",
    "TERM": "private word",
    "URL": "web address",
}


def consent_words(name: str) -> str:
    """Return how the page asks for the consent called `name`."""
    return _CONSENTS.get(name, name)


def type_words(name: str) -> str:
    """Return how the page names a type of finding."""
    return _TYPES.get(name, name.replace("_", " ").lower())
