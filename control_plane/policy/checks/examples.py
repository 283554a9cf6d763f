"""Checks by example: the golden cases of a script, and outputs that language models gave."""

from __future__ import annotations

from control_plane.policy.cases import run_cases
from control_plane.policy.checks.records import Candidate, Found
from control_plane.policy.recordings import run_recordings

__all__ = ["check_cases", "check_recordings"]


def check_cases(candidate: Candidate) -> Found:
    """Find golden cases that do not come out; a script without any is a notice."""
    policy = candidate.policy(candidate.manifest)
    problems: list[str] = []
    run, without = 0, []
    for entry, prompt in candidate.scripts():
        cases = candidate.cases.get(entry.name)
        if cases is None:
            without.append(entry.name)
            continue
        run += len(cases["cases"])
        problems += [f"{entry.name}: {line}" for line in run_cases(prompt, cases, policy)]
    notices = (f"no cases for {', '.join(without)}",) if without else ()
    return Found(tuple(problems), notices, (f"{run} cases run",))


def check_recordings(candidate: Candidate) -> Found:
    """Find recorded outputs of language models that no longer fit what the script promises."""
    problems: list[str] = []
    run = 0
    for entry, prompt in candidate.scripts():
        recordings = candidate.recordings.get(entry.name)
        if recordings is not None:
            run += len(recordings["recordings"])
            problems += [f"{entry.name}: {line}" for line in run_recordings(prompt, recordings)]
    said = (f"{run} recorded outputs compared",) if run else ("no recorded outputs for what changes",)
    return Found(tuple(problems), evidence=said)
