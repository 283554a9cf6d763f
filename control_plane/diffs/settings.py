"""What a change of a release's own settings means, as sentences: the stages of its rollout, withdrawals it lifts.

Does not: decide whether it is good; say what entries mean (see `meaning`).
"""

from __future__ import annotations

from control_plane.diffs.meaning import Meaning
from edge_runtime.core.manifest import Manifest
from edge_runtime.core.rollout import loosens_stages

__all__ = ["settings_meaning"]

KIND = "release"


def settings_meaning(before: Manifest | None, after: Manifest) -> tuple[Meaning, ...]:
    """Return what changes of the settings of the release before; none: of one that goes to every device at once."""
    found = []
    was = before.stages if before else (100,)
    if was != after.stages:
        sooner = loosens_stages(was, after.stages)
        how = "more devices adopt releases at an earlier stage" if sooner else "fewer devices adopt releases at a stage"
        said = f"{how}: at {_percentages(after.stages)} of them, before at {_percentages(was)}"
        found.append(Meaning(KIND, "stages", "loosens" if sooner else "tightens", said))
    lifted = len(set(after.lifts) - set(before.lifts if before else ()))
    if lifted:
        said = "1 withdrawal holds no more" if lifted == 1 else f"{lifted} withdrawals hold no more"
        found.append(Meaning(KIND, "lifts", "loosens", said))
    return tuple(found)


def _percentages(stages: tuple[int, ...]) -> str:
    return ", ".join(f"{percent} %" for percent in stages)
