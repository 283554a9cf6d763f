"""Checks for the person being coached: they know what speaks, what may leave, and how to reach somebody."""

from __future__ import annotations

from control_plane.policy.checks.records import Candidate, Found
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.prompt import parse_prompt

__all__ = ["check_disclosure", "check_handoff"]

_MAY_LEAVE = ("redacted", "cloud")


def check_disclosure(candidate: Candidate) -> Found:
    """Find scripts that may send something and do not say so."""
    leaving = [(entry, prompt) for entry, prompt in candidate.scripts() if prompt.placement in _MAY_LEAVE]
    problems = [
        f"{entry.name}: expected a disclosure that says what may leave the device"
        for entry, prompt in leaving
        if not prompt.disclosure.strip()
    ]
    return Found(tuple(problems), evidence=(f"{len(leaving)} scripts may send something, each says so",))


def check_handoff(candidate: Candidate) -> Found:
    """Find a release without a human hand-off on the device."""
    handoffs = [entry for entry in candidate.manifest.entries if entry.kind == "handoff"]
    problems = [] if handoffs else ["expected a human hand-off in every release, got none"]
    for entry in handoffs:
        try:
            prompt = parse_prompt(candidate.closures[entry.digest])
        except InvalidDocument:
            problems.append(f"{entry.name}: expected a hand-off that reads")
            continue
        if (prompt.tier, prompt.placement) != ("R4", "device"):
            problems.append(f"{entry.name}: expected tier R4 and placement device of a hand-off")
    return Found(tuple(problems), evidence=(f"{len(handoffs)} hand-off texts",))
