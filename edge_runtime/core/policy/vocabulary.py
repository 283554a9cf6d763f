"""The words a policy may use: which attributes a context has, and which values each may take.

An attribute is a *sensitivity* (more of it can only tighten) or a *permission* (more of it can only loosen),
and it is a *set* of values or *ordered* from lowest to highest. Its kind fixes the tests that a rule may make:

    sensitivity, set        {"labels": {"any_of": ["health", "legal"]}}      at least one is present
                            {"labels": {"all_of": ["health", "legal"]}}      every one is present
    sensitivity, ordered    {"tier": {"at_least": "R3"}}                     R3 or higher
    permission, set         {"consents": {"missing_any_of": ["cloud"]}}      at least one is missing
                            {"consents": {"missing_all_of": ["cloud"]}}      every one is missing
    permission, ordered     {"agreement": {"below": 3}}                      lower than 3

There is no test in the other direction, so no rule can loosen a decision for a more sensitive text.

Promises: the vocabulary is part of the signed organisation policy, so people approve its changes.
Does not: assess a text; know rules. Source: DESIGN section 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields

__all__ = [
    "ALL_OF",
    "ANY_OF",
    "AT_LEAST",
    "BELOW",
    "DEFAULT_VOCABULARY",
    "MAX_LEVEL",
    "MAX_VALUES",
    "MISSING_ALL_OF",
    "MISSING_ANY_OF",
    "Attribute",
    "Vocabulary",
    "describe_changes",
    "read_vocabulary",
    "shown",
    "vocabulary_digest",
    "vocabulary_document",
]

ANY_OF, ALL_OF, AT_LEAST = "any_of", "all_of", "at_least"
MISSING_ANY_OF, MISSING_ALL_OF, BELOW = "missing_any_of", "missing_all_of", "below"

MAX_VALUES = 64
"""Most values of a set, and most named levels."""
MAX_LEVEL = 1000
"""Highest maximum of a counted attribute."""

MAX_NAME_LENGTH = 40
"""Most characters of an attribute's name, or of a value."""


@frozen
class Attribute:
    """One attribute of a context; `values` is a tuple of names, ordered from lowest to highest, or a `range` from 0."""

    name: str
    permission: bool
    ordered: bool
    values: Sequence[str | int]

    @property
    def operators(self) -> tuple[str, ...]:
        """The tests that a rule may make on this attribute."""
        if self.permission:
            return (BELOW,) if self.ordered else (MISSING_ALL_OF, MISSING_ANY_OF)
        return (AT_LEAST,) if self.ordered else (ALL_OF, ANY_OF)

    @property
    def bottom(self) -> frozenset[str] | str | int:
        """The value that tightens nothing: no sensitivity, or the permission at its fullest."""
        if self.ordered:
            return self.values[-1] if self.permission else self.values[0]
        return frozenset(map(str, self.values)) if self.permission else frozenset()

    def knows(self, value: object) -> bool:
        """Return whether `value` is one of the values, of exactly the right type (`True` is not 1)."""
        wanted = int if isinstance(self.values, range) else str
        return type(value) is wanted and value in self.values


@frozen
class Vocabulary:
    """The attributes of every context, sorted by name."""

    attributes: tuple[Attribute, ...]

    def find(self, name: object) -> Attribute | None:
        """Return the attribute called `name`, if there is one."""
        return next((attribute for attribute in self.attributes if attribute.name == name), None)


def read_vocabulary(document: object) -> Vocabulary:
    """Return the vocabulary that a policy document holds.

    Raises:
        InvalidDocument: another shape, a name or a value not of the allowed form, given twice or in excess.
    """
    fields = Fields(document, "vocabulary", tagged=False)
    attributes = [
        _read_attribute(name, member, permission=kind == "permissions")
        for kind in ("permissions", "sensitivities")
        for name, member in fields.json_object(kind).items()
    ]
    fields.close()
    names = {attribute.name for attribute in attributes}
    if len(names) != len(attributes):
        raise InvalidDocument("vocabulary: expected a name that is either a sensitivity or a permission, got both")
    return Vocabulary(tuple(sorted(attributes, key=lambda attribute: attribute.name)))


def vocabulary_document(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the plain JSON object that `read_vocabulary` reads back as `vocabulary`."""
    document: dict[str, Any] = {"permissions": {}, "sensitivities": {}}
    for attribute in vocabulary.attributes:
        kind = "permissions" if attribute.permission else "sensitivities"
        if isinstance(attribute.values, range):
            form: dict[str, Any] = {"maximum": attribute.values[-1]}
        else:
            form = {"levels" if attribute.ordered else "set": list(attribute.values)}
        document[kind][attribute.name] = form
    return document


def vocabulary_digest(vocabulary: Vocabulary) -> str:
    """Return the digest of the words alone, whatever they are filed under."""
    return canonical.digest(canonical.encode(vocabulary_document(vocabulary)))


def describe_changes(before: Vocabulary, after: Vocabulary) -> tuple[str, ...]:
    """Return what differs, one phrase per attribute; empty if both mean the same.

    The order of a set's values means nothing, that of levels everything.
    """
    old = {attribute.name: _meaning(attribute) for attribute in before.attributes}
    new = {attribute.name: _meaning(attribute) for attribute in after.attributes}
    phrases = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            phrases.append(f"{name} is removed")
        elif name not in old:
            phrases.append(f"{name} is added")
        elif old[name] != new[name]:
            phrases.append(f"{name} takes other values")
    return tuple(phrases)


def shown(value: object) -> str:
    """Return how an error may name `value`: a short name or number as it is, anything else by its type."""
    if isinstance(value, str) and _is_word(value.replace("-", "_")):
        return value
    return str(value) if type(value) is int and abs(value) <= 10**6 else type(value).__name__


def _read_attribute(name: object, document: object, *, permission: bool) -> Attribute:
    if not isinstance(name, str) or not (name.islower() and _is_word(name)):
        raise InvalidDocument(f"vocabulary: expected a lower-case attribute name, got {shown(name)}")
    where = f"vocabulary: {name}"
    if not isinstance(document, dict) or len(document) != 1 or not document.keys() <= {"levels", "maximum", "set"}:
        raise InvalidDocument(f"{where}: expected an object of one of levels, maximum, set")
    ((form, given),) = document.items()
    if form == "maximum":
        return Attribute(name, permission=permission, ordered=True, values=_read_maximum(given, where))
    ordered = form == "levels"
    return Attribute(name, permission=permission, ordered=ordered, values=_read_values(given, where, 1 + ordered))


def _read_maximum(given: object, where: str) -> range:
    if type(given) is not int or not 1 <= given <= MAX_LEVEL:
        raise InvalidDocument(f"{where}: expected a maximum of 1 to {MAX_LEVEL}, got {shown(given)}")
    return range(given + 1)


def _read_values(given: object, where: str, least: int) -> tuple[str, ...]:
    if not isinstance(given, list) or not least <= len(given) <= MAX_VALUES:
        raise InvalidDocument(f"{where}: expected a list of {least} to {MAX_VALUES} values")
    for value in given:
        if not isinstance(value, str) or not _is_word(value.replace("-", "_")):
            raise InvalidDocument(f"{where}: expected a value of letters, digits, _ and -, got {shown(value)}")
    if len(set(given)) != len(given):
        raise InvalidDocument(f"{where}: expected each value once, got one twice")
    return tuple(given)


def _is_word(name: str) -> bool:
    return len(name) <= MAX_NAME_LENGTH and name.isascii() and name.isidentifier() and name[0] != "_"


def _meaning(attribute: Attribute) -> tuple[bool, bool, object]:
    values = attribute.values if attribute.ordered else frozenset(attribute.values)
    return attribute.permission, attribute.ordered, values


_DEFAULT: Mapping[str, Any] = {
    "permissions": {
        "agreement": {"maximum": 999},
        "capabilities": {"set": ["cloud-model", "local-model"]},
        "consents": {
            "set": ["analytics", "cloud", "experiment", "recognition", "special-categories", "unchecked-text"]
        },
    },
    "sensitivities": {
        "ai_streak": {"maximum": 99},
        "crisis": {"levels": ["none", "low_mood", "crisis"]},
        "entities": {
            "set": [
                *("ADDRESS", "BANK", "CARD", "DATE_OF_BIRTH", "EMAIL", "HEALTH", "ID_NUMBER", "IP"),
                *("LOCATION", "ORG", "PERSON", "PHONE", "SALARY", "TERM", "URL"),
            ]
        },
        "injection": {"levels": ["none", "suspected"]},
        "labels": {
            "set": [
                *("career_intent", "family", "finance", "harassment"),
                *("health", "hr_conflict", "legal", "performance"),
            ]
        },
        "staleness": {"levels": ["fresh", "stale", "expired"]},
        "tier": {"levels": ["R0", "R1", "R2", "R3", "R4"]},
    },
}

DEFAULT_VOCABULARY = read_vocabulary(_DEFAULT)
"""What the reader on the device assesses; an organisation's policy states its own, usually this one."""
