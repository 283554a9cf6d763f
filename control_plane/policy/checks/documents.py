"""Checks of contents as documents: they read as a device reads them, their templates are sound, no tier falls."""

from __future__ import annotations

from control_plane.policy.checks.records import Candidate, Found
from control_plane.sources.closures import check_closure
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.template import check_template, texts_of

__all__ = ["check_documents", "check_templates", "check_tiers"]


def check_documents(candidate: Candidate) -> Found:
    """Find contents that a device would not read, and those that are not what their entry says."""
    problems = []
    for entry in candidate.introduced:
        data = candidate.closures[entry.digest]
        try:
            if canonical.digest(data) != entry.digest:
                raise InvalidDocument("expected content with the digest of its entry, got other content")
            check_closure(entry.kind, data)
        except InvalidDocument as error:
            problems.append(f"{entry.kind} {entry.name}: {error}")
    problems += [
        f"{entry.kind} {entry.name}: expected the name and tier of its entry inside"
        for entry, prompt in candidate.scripts()
        if (prompt.name, prompt.tier) != (entry.name, entry.tier)
    ]
    return Found(tuple(problems), evidence=(f"{len(candidate.introduced)} contents read",))


def check_templates(candidate: Candidate) -> Found:
    """Find templates that use what is not declared, or more than variables, if, for and the short filter list."""
    problems, count = [], 0
    for entry, prompt in candidate.scripts():
        inputs = set(prompt.inputs.inputs)
        outputs = set(prompt.output.get("properties", ()))
        texts = [(prompt.instruction, inputs), (prompt.reply, inputs | outputs)]
        texts += [(text, inputs) for text in texts_of(prompt.fill)]
        for text, declared in texts:
            count += 1
            try:
                check_template(text, declared)
            except InvalidDocument as error:
                problems.append(f"{entry.name}: {error}")
    return Found(tuple(problems), evidence=(f"{count} templates checked",))


def check_tiers(candidate: Candidate) -> Found:
    """Find entries whose tier is lower than their last release had."""
    before = {entry.key: entry for entry in candidate.base.entries} if candidate.base else {}
    problems = [
        f"{entry.kind} {entry.name}: expected tier {before[entry.key].tier} or higher, got {entry.tier}"
        for entry in candidate.introduced
        if entry.key in before and entry.tier < before[entry.key].tier
    ]
    return Found(tuple(problems), evidence=("no entry falls to a lower tier",) if not problems else ())
