"""Every name that the model is taught, in the order of its outputs; the manifest carries them to the device.

Does not: say what a label means (`data/LABELS.md`).
"""

from __future__ import annotations

__all__ = ["ENTITY_TAGS", "ENTITY_TYPES", "LABELS", "PARTS", "PART_TAGS", "PATTERN_TYPES", "TOPICS", "tags_of"]

ENTITY_TYPES = ("PERSON", "ORG", "LOCATION", "ADDRESS", "HEALTH", "SALARY", "DATE_OF_BIRTH", "ID_NUMBER")
PATTERN_TYPES = ("EMAIL", "PHONE", "BANK", "CARD", "URL", "IP")
"""Taught so that they are not taken for names; on the device patterns and checksums find them."""
PARTS = ("WHO", "WHAT", "WHEN")
TOPICS = tuple(
    f"topic.{name}"
    for name in ("health", "finance", "legal", "hr_conflict", "harassment", "performance", "career_intent", "family")
)
LABELS = (
    *TOPICS,
    *("crisis", "low_mood", "about_other", "injection"),
    *("affirmation", "praise_generic", "praise_first_person", "open_question"),
    *("commitment", "agreed_action", "worry", "progress"),
)


def tags_of(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tags of tokens: outside, then begin and inside of each kind."""
    return ("O", *(f"{place}-{kind}" for kind in kinds for place in "BI"))


ENTITY_TAGS = tags_of(ENTITY_TYPES + PATTERN_TYPES)
PART_TAGS = tags_of(PARTS)
