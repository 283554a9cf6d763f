"""Running the checks: those that are built in, then those of installed packages.

Promises: every check that is installed when this runs has a result, in a fixed order, with its version; nothing that a
check of another package does can take one away. Evidence is capped in lines and in length.
Does not: store results (see `policy.reports`) or decide about approval (see `registry.review`).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from importlib import metadata

from control_plane.policy.checks.built_in import BUILT_IN
from control_plane.policy.checks.plugins import TIME_S, installed, run_plugin
from control_plane.policy.checks.records import Candidate, Found, digests_of
from control_plane.policy.checks.wire import encode_candidate
from control_plane.registry.records import CheckResult

__all__ = ["required", "run_checks"]

MAX_EVIDENCE = 50
MAX_LINE_LENGTH = 600
_AT_ONCE = 2
KEPT = 128
"""Of how many candidates it is remembered what our own checks found: people run them again while nothing changed."""
_found: dict[tuple[tuple[str, str], ...], dict[str, Found]] = {}


def required() -> dict[str, str]:
    """Return the checks that a proposal must pass, by name in their order: all that are installed now, and versions."""
    product = _product()
    own = {name: f"{check.version} mentorplane {product}" for name, check in BUILT_IN.items()}
    return own | {plugin.name: plugin.version for plugin in installed(BUILT_IN)}


def run_checks(candidate: Candidate, *, time_s: float = TIME_S) -> tuple[CheckResult, ...]:
    """Return the result of every check, in the order of `required`.

    Args:
        candidate: what is checked.
        time_s: how long each check of another package may take.
    """
    versions, plugins, inputs = required(), installed(BUILT_IN), digests_of(candidate)
    found = _run_own(candidate, tuple(sorted(inputs.items())))
    if plugins:
        run = partial(run_plugin, candidate=encode_candidate(candidate), time_s=time_s)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found |= dict(zip((plugin.name for plugin in plugins), pool.map(run, plugins), strict=True))
    return tuple(_result(name, found[name], version=versions[name], inputs=inputs) for name in versions)


def _run_own(candidate: Candidate, inputs: tuple[tuple[str, str], ...]) -> dict[str, Found]:
    """Return what our own checks find: of a candidate with the same digests, what they found before."""
    found = _found.get(inputs)
    if found is None:
        found = {name: check.run(candidate) for name, check in BUILT_IN.items()}
        while len(_found) >= KEPT:
            _found.pop(next(iter(_found), inputs), None)
        _found[inputs] = found
    return dict(found)


@lru_cache(maxsize=1)
def _product() -> str:
    try:
        return metadata.version("mentorplane")
    except metadata.PackageNotFoundError:  # run from a folder that nobody installed
        return "unknown"


def _result(name: str, found: Found, *, version: str, inputs: Mapping[str, str]) -> CheckResult:
    status = "failed" if found.problems else "notice" if found.notices else "passed"
    lines = [_line(line) for line in (*found.problems, *found.notices, *found.evidence)]
    more = [f"and {len(lines) - MAX_EVIDENCE} more"] if len(lines) > MAX_EVIDENCE else []
    return CheckResult(name, status, (*lines[:MAX_EVIDENCE], *more), version, inputs)


def _line(text: str) -> str:
    """Return a line that a page and a terminal can show: printable, and not longer than people read."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain if len(plain) <= MAX_LINE_LENGTH else plain[:MAX_LINE_LENGTH] + "…"
