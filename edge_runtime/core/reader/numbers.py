"""What a number is that an app gives as a number: long ones may be somebody's, by what it would be as a text.

Promises: a number of `LONG` digits or more is a finding, of the type that its form has: a card, a telephone with its
country code, or else a number of somebody; as a whole, so that it is covered as a whole. Does not: read texts.
"""

from __future__ import annotations

from edge_runtime.core.policy import DEFAULT_VOCABULARY
from edge_runtime.core.reader.patterns import find_patterns
from edge_runtime.core.reader.phones import REGIONS
from edge_runtime.core.reader.records import Entity, Labels, Reading

__all__ = ["LONG", "reading_of_number"]

LONG = 7
_TYPES = ("CARD", "BANK", "PHONE")
_ASSESSED = frozenset(
    str(kind) for one in DEFAULT_VOCABULARY.attributes if one.name == "entities" for kind in one.values
)


def reading_of_number(value: int) -> Reading:
    """Return what is found in a number; a bare one has no topic, no names and no orders in it.

    >>> [found.type for found in reading_of_number(442079460018).entities]
    ['PHONE']
    >>> reading_of_number(45).entities
    ()
    """
    text, digits = str(value), str(abs(value))
    entities: tuple[Entity, ...] = ()
    if len(digits) >= LONG:
        forms = {kind for form in (digits, f"+{digits}") for kind, _, _ in find_patterns(form, REGIONS)}
        kind = next((kind for kind in _TYPES if kind in forms), "ID_NUMBER")
        entities = (Entity(kind, 0, len(text), "pattern"),)
    labels = Labels(topics=(), crisis="none", subject="", injection=False)
    return Reading(len(text), entities, labels, sentences=(), commitments=None, assessed=_ASSESSED)
