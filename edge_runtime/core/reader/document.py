"""A reading as a JSON object, for people's own programs: what `mentorplane edge read` prints.

Promises: types, labels and places in code points, never a person's text; members are added, not changed. What nobody
assessed is empty or false there and named in `not_assessed`. Format: docs/formats.md, *Reading*.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edge_runtime.core.reader.records import ACTS, Reading, Span

__all__ = ["as_json"]

_ASSESSABLE = (
    *("ADDRESS", "BANK", "CARD", "DATE_OF_BIRTH", "EMAIL", "HEALTH", "ID_NUMBER", "IP", "LOCATION", "ORG", "PERSON"),
    *("PHONE", "SALARY", "URL", *ACTS, "crisis", "injection", "topics"),
)


def as_json(reading: Reading) -> dict[str, Any]:
    """Return the findings as a JSON object; what was not assessed is empty there, or false: nothing was found."""
    places = {label: _pairs(reading.places(label) or ()) for label in ACTS}
    commitments = reading.commitments or ()
    return {
        "entities": [{"type": found.type, "start": found.start, "end": found.end} for found in reading.entities],
        "labels": {
            "topics": list(reading.labels.topics or ()),
            "crisis": reading.labels.crisis,
            "subject": reading.labels.subject,
            "injection": bool(reading.labels.injection),
            "language": reading.labels.language,
        },
        "affirmations": len(places["affirmation"]),
        "affirmation_places": places["affirmation"],
        "praise": {"generic": places["praise_generic"], "first_person": places["praise_first_person"]},
        "commitments": [[found.start, found.end] for found in commitments],
        "commitment_parts": [
            {"who": _pair(found.who), "what": _pair(found.what), "when": _pair(found.when)} for found in commitments
        ],
        "agreed_actions": places["agreed_action"],
        "open_questions": places["open_question"],
        "worries": places["worry"],
        "progress": places["progress"],
        "not_assessed": [name for name in _ASSESSABLE if name not in reading.assessed],
    }


def _pairs(places: Iterable[Span]) -> list[list[int]]:
    return [[place.start, place.end] for place in places]


def _pair(place: Span | None) -> list[int] | None:
    return None if place is None else [place.start, place.end]
