"""Golden files of what is governed beside prompts, hand-offs, policy and approval rules: one closure of each kind.

Does not: stand in the example release; each closure is read by the function that a device would use.
"""

from __future__ import annotations

from typing import Any

from edge_runtime.core import canonical
from edge_runtime.core.policy import DEFAULT_VOCABULARY, vocabulary_document

__all__ = ["files"]

_FILED = {"owner": "learning-designer", "review_by": "2026-12-31", "tags": ["example"]}
_MEASURE = {
    "id": "sessions-held",
    "what": "How many sessions were held",
    "why": "To plan mentors' time",
    "seen_by": ["programme"],
    "from_people": 5,
    "keep_days": 365,
}


def include() -> dict[str, Any]:
    """Return the closure of an include."""
    return {
        **_FILED,
        "format": "mentorplane-include/1",
        "name": "json-only",
        "title": "Answer in one JSON object",
        "folder": "instructions",
        "tier": "R2",
        "locale": "en",
        "includes": [],
        "text": "Answer with one JSON object and nothing else.",
    }


def translated() -> dict[str, Any]:
    """Return the closure of its translation."""
    digest = canonical.digest(canonical.encode(include()))
    return {
        **include(),
        "name": "json-only.de",
        "title": "Mit einem JSON-Objekt antworten",
        "locale": "de",
        "translation_of": {"name": "json-only", "digest": digest},
        "text": "Antworte mit einem JSON-Objekt und sonst nichts.",
    }


def agreement() -> dict[str, Any]:
    """Return the closure of an agreement."""
    return {
        **_FILED,
        "format": "mentorplane-agreement/1",
        "name": "coaching-agreement",
        "title": "What we agree on",
        "purpose": "An example for tests.",
        "folder": "agreements",
        "tier": "R3",
        "locale": "en",
        "version": 1,
        "parties": [
            {"id": "learner", "title": "You", "promises": ["You may stop at any time."]},
            {"id": "programme", "title": "The programme", "promises": ["It never sees your words."]},
        ],
        "scope": ["Short sessions about your work."],
        "outside": ["Therapy."],
        "stored": [
            {"id": "notes", "what": "Your notes", "where": "device", "keep_days": 0, "seen_by": ["learner"]},
        ],
        "measures": [_MEASURE],
        "consents": [
            {
                "id": "cloud",
                "sentence": "A model in the cloud may work with my text, with personal details covered.",
                "without": "Every script still works on this device.",
            }
        ],
        "ending": "Either of us may end this at any time.",
    }


def session_type() -> dict[str, Any]:
    """Return the closure of a session type."""
    return {
        **_FILED,
        "format": "mentorplane-session-type/1",
        "name": "micro-session",
        "title": "Micro-session",
        "purpose": "An example for tests.",
        "folder": "sessions",
        "tier": "R2",
        "locale": "en",
        "agreement": "coaching-agreement",
        "lengths": [10, 20],
        "stages": [
            {
                "id": "open",
                "title": "Open",
                "goal": "Recall where we stopped.",
                "minutes": [2, 5],
                "prompts": ["summary-first-opener"],
            },
            {"id": "choose", "title": "Choose", "goal": "Settle on one action.", "minutes": [8, 15], "prompts": []},
        ],
        "boundaries": ["One topic."],
        "escalation": [{"when": "More comes up.", "to": "facilitator", "say": "This deserves more time."}],
        "handoff": "safety-hand-off",
        "measures": [_MEASURE],
    }


def model() -> dict[str, Any]:
    """Return the closure of a model."""
    return {
        **_FILED,
        "format": "mentorplane-model/1",
        "name": "topics",
        "title": "Sensitive topics",
        "purpose": "An example for tests.",
        "folder": "models",
        "tier": "R3",
        "file": {"digest": canonical.digest(b"UNSAFE example model"), "size_bytes": 20},
        "task": "topics",
        "licence": "Apache-2.0",
        "locales": ["en"],
        "labels": ["health"],
        "thresholds": {"health": 5000},
        "scores": [{"label": "health", "metric": "f1", "score_bp": 9120, "examples": 400, "data": "Made-up notes."}],
        "self_test": [{"text": "I start my treatment.", "label": "health", "at_least_bp": 8000, "at_most_bp": 10000}],
    }


def reader() -> dict[str, Any]:
    """Return the description of a model for the reader."""
    return {
        "format": "mentorplane-reader/1",
        "name": "reader",
        "licence": "Apache-2.0",
        "base": canonical.digest(b"UNSAFE example base weights"),
        "locales": ["en"],
        "graph": {"digest": canonical.digest(b"UNSAFE example graph"), "size_bytes": 20},
        "tokenizer": {"digest": canonical.digest(b"UNSAFE example words"), "size_bytes": 20},
        "gate": {
            "graph": {"digest": canonical.digest(b"UNSAFE example gate"), "size_bytes": 19},
            "threshold_bp": 20,
        },
        "max_tokens": 256,
        "overlap_tokens": 32,
        "entities": ["PERSON", "ORG", "EMAIL"],
        "parts": ["WHO", "WHAT", "WHEN"],
        "labels": ["topic.health", "crisis", "commitment"],
        "thresholds": {"PERSON": 4000, "ORG": 5000, "topic.health": 5000, "crisis": 1500, "commitment": 5500},
        "scores": [
            {"label": label, "metric": "f1", "score_bp": 9120, "examples": 400, "data": "Made-up notes."}
            for label in ("PERSON", "ORG", "topic.health", "crisis", "commitment")
        ],
        "data": [
            {
                "name": "written/train",
                "licence": "Apache-2.0",
                "digest": canonical.digest(b"UNSAFE example data"),
                "examples": 4000,
            }
        ],
        "self_test": [
            {
                "text": "I will call Priya by Friday.",
                "labels": {"commitment": [8000, 10000], "crisis": [0, 500]},
                "entities": [["PERSON", 12, 17]],
                "parts": [["WHO", 0, 1], ["WHAT", 7, 17], ["WHEN", 18, 27]],
            }
        ],
    }


def vocabulary() -> dict[str, Any]:
    """Return the closure of the product's own vocabulary, with short meanings."""
    return {
        **_FILED,
        **vocabulary_document(DEFAULT_VOCABULARY),
        "format": "mentorplane-vocabulary/1",
        "name": "standard",
        "title": "Standard words",
        "purpose": "An example for tests.",
        "folder": "policies",
        "meanings": {attribute.name: f"What {attribute.name} means." for attribute in DEFAULT_VOCABULARY.attributes},
    }


def files() -> dict[str, bytes]:
    """Return the golden files by name."""
    made = {
        "agreement": agreement(),
        "include": include(),
        "include.de": translated(),
        "model": model(),
        "reader": reader(),
        "session-type": session_type(),
        "vocabulary": vocabulary(),
    }
    return {f"{name}.json": canonical.encode(document) for name, document in made.items()}
