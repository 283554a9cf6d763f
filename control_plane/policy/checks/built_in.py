"""The checks that come with the product, each with its name and its version, in the order in which people read them.

A version is raised whenever the check can answer otherwise for the same candidate: reports made with the old one are
then no longer fresh. Changes of the shared functions that a check calls come with the product's own version, which
stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from control_plane.policy.checks import (
    contracts,
    documents,
    examples,
    language,
    legal,
    people,
    policies,
    practice,
    told,
)
from control_plane.policy.checks.records import Candidate, Found

__all__ = ["BUILT_IN", "BuiltIn"]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A check of ours: its version, and what runs."""

    version: str
    run: Callable[[Candidate], Found]


BUILT_IN: Mapping[str, BuiltIn] = {
    "schema": BuiltIn("1", documents.check_documents),
    "template": BuiltIn("1", documents.check_templates),
    "contract": BuiltIn("1", contracts.check_contracts),
    "cases": BuiltIn("1", examples.check_cases),
    "recorded-outputs": BuiltIn("1", examples.check_recordings),
    "policy-loosening": BuiltIn("1", policies.check_loosening),
    "refutation-probes": BuiltIn("2", policies.check_refutation),
    "placement-vs-data-class": BuiltIn("1", policies.check_placement),
    "prohibited-practice": BuiltIn("1", practice.check_practice),
    "ai-disclosure": BuiltIn("1", people.check_ai_disclosure),
    "disclosure-present": BuiltIn("1", people.check_disclosure),
    "readability": BuiltIn("1", language.check_readability),
    "token-budget": BuiltIn("1", told.check_budget),
    "untrusted-delimited": BuiltIn("1", told.check_delimited),
    "legal-tags": BuiltIn("1", legal.check_legal_tags),
    "translation-stale": BuiltIn("1", language.check_translations),
    "hand-off-present": BuiltIn("1", people.check_handoff),
    "hand-off-contacts": BuiltIn("1", people.check_contacts),
    "tier": BuiltIn("1", documents.check_tiers),
}
