"""The documents that the golden vectors are made of: approval rules, a policy, a prompt and a hand-off."""

from __future__ import annotations

from typing import Any

from edge_runtime.core.filing import Filing
from edge_runtime.core.policy import DEFAULT_VOCABULARY, policy_document, read_layer
from edge_runtime.core.policy import Policy as PolicyRecord


def approval_rules() -> dict[str, Any]:
    """Return a set of approval rules."""
    two = {"at_least": 2, "of": ["learning-designer", "safety-owner"]}
    return {
        "format": "mentorplane-approval-rules/2",
        "name": "approval-rules",
        "rules": [
            {
                "id": "low",
                "because": "a colleague reads it",
                "when": {"tiers": ["R0", "R1", "R2"]},
                "need": "safety-owner",
            },
            {"id": "high", "because": "two read it", "when": {"tiers": ["R3", "R4"]}, "need": two},
            {
                "id": "measured",
                "because": "those who are measured have a say",
                "when": {
                    "changes": ["measured"],
                    "kinds": ["agreement", "model", "session-type"],
                    "paths": ["**"],
                    "at_least_changed": 1,
                },
                "need": {"all_of": ["employee-representative", {"any_of": ["compliance", two]}]},
            },
        ],
        "emergency": "safety-owner",
        "proposal_expires_days": 60,
        "checks_fresh_days": 14,
        "grant_days": 56,
        "review_due_days": 7,
    }


def policy() -> dict[str, Any]:
    """Return a policy of two rules in the product's own vocabulary."""
    layer = {
        "name": "organisation",
        "ceiling": "cloud",
        "rules": [
            {
                "id": "health-stays-on-device",
                "because": "health statements are special-category data (GDPR Art. 9)",
                "when": {"labels": {"any_of": ["health"]}},
                "at_most": "device",
                "require": ["no-telemetry"],
            },
            {
                "id": "cloud-needs-consent",
                "because": "nothing leaves without the learner's consent",
                "when": {"consents": {"missing_any_of": ["cloud"]}},
                "at_most": "device",
            },
            {
                "id": "crisis-is-for-people",
                "because": "a crisis is answered by a person",
                "when": {"crisis": {"at_least": "crisis"}},
                "at_most": "block",
            },
        ],
    }
    filing = Filing(folder="policies", tags=("privacy",), owner="compliance", review_by="2026-12-31")
    return policy_document(
        PolicyRecord(DEFAULT_VOCABULARY, read_layer(layer, DEFAULT_VOCABULARY), "standard", filing=filing)
    )


def prompt() -> dict[str, Any]:
    """Return the closure of a short prompt."""
    return {
        **_prompt_head("summary-first-opener", tier="R2", placement="redacted"),
        "inputs": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"notes": {"type": "string", "maxLength": 4000, "x-data-class": "R2"}},
            "required": ["notes"],
        },
        "output": {
            "type": "object",
            "properties": {"summary": {"type": "array", "items": {"type": "string"}}},
            "required": ["summary"],
        },
        "instruction": "Summarise the notes in three sentences of the learner's own words.\n\n{{ notes }}",
        "fill": {"summary": {"extract": "summary", "from": "notes", "at_most": 3}},
        "reply": "{% for sentence in summary %}{{ loop.index }}. {{ sentence }}\n{% endfor %}",
        "fallback": "No summary this time. What stood out for you?",
        "max_tokens": 300,
    }


def handoff() -> dict[str, Any]:
    """Return the closure of a hand-off text."""
    situation = {"type": "string", "enum": ["self", "other"], "x-data-class": "R0"}
    return {
        **_prompt_head("safety-hand-off", tier="R4", placement="device"),
        "inputs": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"situation": situation, "locale": {"type": "string", "x-data-class": "R0"}},
            "required": ["situation"],
        },
        "output": {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]},
        "instruction": "This text is shown as it is.",
        "fill": {
            "message": "{% if situation == 'self' %}You do not have to carry this alone."
            "{% else %}Thank you for looking out for them.{% endif %}"
        },
        "reply": "{{ message }}",
        "fallback": "Please talk to a person you trust, or call your local emergency number.",
        "max_tokens": 0,
    }


def _prompt_head(name: str, *, tier: str, placement: str) -> dict[str, Any]:
    return {
        "format": "mentorplane-prompt/2",
        "name": name,
        "title": name.replace("-", " ").capitalize(),
        "purpose": "An example for tests.",
        "target_behaviour": "The learner finds their own words.",
        "tier": tier,
        "placement": placement,
        "locale": "en",
        "folder": "sessions/openings",
        "owner": "learning-designer",
        "review_by": "2026-12-31",
        "tags": ["example"],
        "audience": ["learner"],
        "competencies": ["reflection"],
        "session_types": ["micro-session"],
        "disclosure": "You are talking to an assistant, not to a person.",
        "rules": [],
        "includes": [],
    }
