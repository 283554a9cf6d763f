"""Checks of other packages: which are installed, and running each in a process of its own.

A package names its checks in the entry-point group `mentorplane.checks`; the version of such a check is the name and
version of its package, and a digest of the list of its installed files: other content is another version.

Promises: 1. what is installed is looked up each time, and no foreign code runs to find out. 2. A name that is none, or
that a built-in check or a second package has, is no check but a failure that says so. 3. A check that raises, answers
something else than a `Found`, ends its process or takes longer than its time has failed, and what it left running ends.
Does not: keep a package from reading this machine: whoever installs one trusts it. Docs: docs/checks.md.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import Distribution, entry_points

from control_plane.policy.checks.apart import TIME_S, run_apart
from control_plane.policy.checks.records import Found
from edge_runtime.core.fields import is_name

__all__ = ["GROUP", "Plugin", "installed", "run_plugin"]

GROUP = "mentorplane.checks"
_MAX_VERSION_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Plugin:
    """One check of another package: its name, its version, where it is found, and why it cannot be run, if so."""

    name: str
    version: str
    target: str
    problem: str = ""


def installed(built_in: Collection[str]) -> tuple[Plugin, ...]:
    """Return the checks of other packages, sorted by name; no name is one of `built_in`."""
    folders = tuple((path, _changed_at(path)) for path in sys.path)
    return _installed(folders, frozenset(built_in))


def _changed_at(path: str) -> int:
    with suppress(OSError):
        return os.stat(path or ".").st_mtime_ns  # noqa: PTH116 - a look at each folder of the path, many times a second
    return 0


@lru_cache(maxsize=4)
def _installed(_folders: tuple[tuple[str, int], ...], built_in: frozenset[str]) -> tuple[Plugin, ...]:
    points = list(entry_points(group=GROUP))
    named = Counter(point.name for point in points)
    found = []
    for point in points:
        problem = ""
        if not is_name(point.name):
            problem = "expected a name in lower case, of words joined by hyphens or dots, got another"
        elif point.name in built_in:
            problem = "expected a name of its own, got that of a built-in check"
        elif named[point.name] > 1:
            problem = "expected a name of its own, got one that several packages give to a check"
        name = f"{_plain(point.dist)}.{point.name if is_name(point.name) else 'unnamed'}" if problem else point.name
        found.append(Plugin(name, _version(point.dist), point.value.partition("[")[0].strip(), problem))
    return tuple(_each_once(sorted(found, key=lambda plugin: (plugin.name, plugin.version, plugin.target))))


def _each_once(plugins: Iterable[Plugin]) -> Iterator[Plugin]:
    """Yield the checks, each under a name of its own: none hides another."""
    taken: set[str] = set()
    for plugin in plugins:
        name, number = plugin.name, 2
        while name in taken:
            name, number = f"{plugin.name}.{number}", number + 1
        taken.add(name)
        yield replace(plugin, name=name)


def _plain(dist: Distribution | None) -> str:
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in (dist.name if dist else "").lower()).strip("-")
    return name if is_name(name) else "another-package"


def _version(dist: Distribution | None) -> str:
    if dist is None:
        return "unknown"
    files = hashlib.sha256((dist.read_text("RECORD") or "").encode()).hexdigest()[:12]
    return f"{_plain(dist)} {dist.version}"[:_MAX_VERSION_LENGTH] + f" {files}"


def run_plugin(plugin: Plugin, candidate: bytes, *, time_s: float = TIME_S) -> Found:
    """Run a check of another package on an encoded candidate; whatever goes wrong is a problem in what is returned."""
    if plugin.problem:
        return Found((plugin.problem,))
    [found] = run_apart([plugin.target], candidate, time_s=time_s)
    return found
