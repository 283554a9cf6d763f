"""Running the checks: those that are built in, then those of installed packages.

Promises: every check that is installed when this runs has a result, in a fixed order, with its version; nothing that a
check of another package does can take one away. No check runs for ever: what could make ours slow, a long text or a
pattern of an author's that repeats in two places, goes to a process of its own. Evidence is capped in lines and length.
Does not: store results (see `registry.reports`) or decide about approval (see `reviewing.review`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from importlib import metadata

from control_plane.policy.checks.apart import TIME_S, run_apart
from control_plane.policy.checks.built_in import BUILT_IN
from control_plane.policy.checks.plugins import installed, run_plugin
from control_plane.policy.checks.records import Candidate, CheckResult, Found, digests_of
from control_plane.policy.checks.wire import encode_candidate
from control_plane.turns import Line
from edge_runtime.core import canonical

__all__ = ["required", "run_checks"]

MAX_EVIDENCE = 50
MAX_LINE_LENGTH = 600
_AT_ONCE = 2
KEPT = 128
"""Of how many candidates it is remembered what our own checks found: people run them again while nothing changed."""
CALM_BYTES = 16_384
"""Up to which length a text takes our own checks less than a second, whatever it says."""
_REPEATS = re.compile(r"[*+{]")
_apart = Line(at_once=_AT_ONCE, waiting=1000, wait_s=60, what="checks")
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
        time_s: how long each check of another package may take, and ours where they might be slow.
    """
    versions, plugins, inputs = required(), installed(BUILT_IN), digests_of(candidate)
    found = _run_own(candidate, tuple(sorted(inputs.items())), time_s=time_s)
    if plugins:
        run = partial(run_plugin, candidate=encode_candidate(candidate), time_s=time_s)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found |= dict(zip((plugin.name for plugin in plugins), pool.map(run, plugins), strict=True))
    return tuple(_result(name, found[name], version=versions[name], inputs=inputs) for name in versions)


def _run_own(candidate: Candidate, inputs: tuple[tuple[str, str], ...], *, time_s: float) -> dict[str, Found]:
    """Return what our own checks find: of a candidate with the same digests, what they found before."""
    found = _found.get(inputs)
    if found is None and _may_be_slow(candidate):
        with _apart.turn():  # a crowd that runs checks starts no crowd of processes
            found = _found.get(inputs) or _run_own_apart(candidate, time_s=time_s)
        if not any(one.problems for one in found.values()):  # else its time may have run out
            _remember(inputs, found)
    if found is None:
        found = {name: check.run(candidate) for name, check in BUILT_IN.items()}
        _remember(inputs, found)
    return dict(found)


def _run_own_apart(candidate: Candidate, *, time_s: float) -> dict[str, Found]:
    targets = [f"{check.run.__module__}:{check.run.__qualname__}" for check in BUILT_IN.values()]
    return dict(zip(BUILT_IN, run_apart(targets, encode_candidate(candidate), time_s=time_s), strict=True))


def _remember(inputs: tuple[tuple[str, str], ...], found: dict[str, Found]) -> None:
    while len(_found) >= KEPT:
        _found.pop(next(iter(_found), inputs), None)
    _found[inputs] = found


def _may_be_slow(candidate: Candidate) -> bool:
    """Return whether anything that our checks are given might take them long.

    Our own patterns take a time that is at most quadratic in a text; those of authors, in schemas of outputs, can take
    an exponential one where they repeat in two places or more.
    """
    examples = (canonical.encode(one) for given in (candidate.cases, candidate.recordings) for one in given.values())
    contents = (*candidate.closures.values(), *examples)
    return any(len(data) > CALM_BYTES for data in contents) or any(
        len(_REPEATS.findall(pattern)) > 1
        for data in candidate.closures.values()
        if b'"pattern' in data
        for pattern in _patterns(json.loads(data))
    )


def _patterns(value: object) -> Iterator[str]:
    """Yield every pattern in a document, wherever a schema in it may stand."""
    if isinstance(value, dict):
        named = value.get("patternProperties")
        yield from named if isinstance(named, dict) else ()
        yield from (one for name, one in value.items() if name == "pattern" and isinstance(one, str))
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _patterns(member)


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
