"""The named checks of a proposal, each with evidence that approvers read.

    schema                   every new content reads as a device reads it, and is what its entry says
    template                 its templates use declared inputs, and nothing but variables, if, for and a few filters
    cases                    its golden cases come out through the pure pipeline of a device
    policy-loosening         whether the policy forbids less than before, with the situation as a sentence: a notice,
                             because a loosening is allowed, to those who see it
    refutation-probes        the policy blocks an impossible request, the approval rules refuse an empty set (V9)
    placement-vs-data-class  sensitive inputs are not placed where they must not go, and the tier is not below them
    disclosure-present       what may leave the device is said to the person, wherever something may leave
    hand-off-present         the release has an approved human hand-off, on the device
    tier                     no entry falls to a lower tier than its last release had

A check is a function from `Candidate` to `Found` with a name and a version. Other packages add checks of their own in
the entry-point group `mentorplane.checks` (docs/checks.md). Every check that is installed is required.

Promises: all failures are listed, not the first; the functions are those of the shared core; no text of a person.
Rooms: `records` and `wire` (what a check is given and answers), `built_in` (the list), `plugins` and `child` (those of
other packages), `running`; the other modules are the checks themselves.
"""

from typing import Any

from control_plane.policy.checks.records import WHOLE_RELEASE, Candidate, Found

__all__ = ["WHOLE_RELEASE", "Candidate", "Found"]


def __getattr__(name: str) -> Any:
    # Running them imports far more than a package with checks of its own needs.
    if name == "run_checks":
        from control_plane.policy.checks.running import run_checks

        return run_checks
    if name == "CHECKS":
        from control_plane.policy.checks.built_in import BUILT_IN

        return BUILT_IN
    raise AttributeError(name)
