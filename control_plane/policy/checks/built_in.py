"""The checks that come with the product, each with its name and its version, in the order in which people read them.

A version is raised whenever the check can answer otherwise for the same candidate: reports made with the old one are
then no longer fresh. Changes of the shared functions that a check calls come with the product's own version, which
stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from control_plane.policy.checks import documents, examples, people, policies
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
    "cases": BuiltIn("1", examples.check_cases),
    "recordings": BuiltIn("1", examples.check_recordings),
    "policy-loosening": BuiltIn("1", policies.check_loosening),
    "refutation-probes": BuiltIn("1", policies.check_refutation),
    "placement-vs-data-class": BuiltIn("1", policies.check_placement),
    "disclosure-present": BuiltIn("1", people.check_disclosure),
    "hand-off-present": BuiltIn("1", people.check_handoff),
    "tier": BuiltIn("1", documents.check_tiers),
}
