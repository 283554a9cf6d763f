"""Checking a folder with the server's own functions and no server: for CI, before anything is proposed.

Every source is parsed, every script, policy and so on is frozen with its includes as a device will read it, and the
golden cases are run against the folder's own policy. Does not: replace the checks of a proposal, which also compare
with what is live; approve anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from control_plane.policy.cases import run_cases
from control_plane.sources.closures import CLOSURE_KINDS, freeze
from control_plane.sources.parsing import Source
from control_plane.sources.strict_yaml import SourceError
from control_plane.sync.folder import scan
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.policy import Policy, parse_policy
from edge_runtime.core.prompt import parse_prompt

__all__ = ["Checked", "case_problems", "check_folder"]

SCRIPTS = ("handoff", "prompt")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: problems as lines that name a file, how many sources there were, how many cases came out."""

    sources: int
    cases: int
    problems: tuple[str, ...]


def check_folder(folder: Path) -> Checked:
    """Return what is wrong in a folder, all of it.

    Raises:
        InvalidDocument: it is no folder.
    """
    here = scan(folder)
    sources = [file.source for file in here.files.values() if file.source is not None]
    problems = [str(problem) for problem in here.problems]
    closures: dict[tuple[str, str], bytes] = {}
    for source in sources:
        if source.kind in CLOSURE_KINDS:
            try:
                closures[source.kind, source.name] = freeze(source, sources)
            except SourceError as error:
                problems += map(str, error.problems)
            except InvalidDocument as error:
                problems.append(f"{source.path}:1: {error}")
    cases = [source for source in sources if source.kind == "cases"]
    policy = _policy(closures)
    problems += [line for source in cases for line in case_problems(source, closures, policy)]
    ran = sum(len(source.document["cases"]) for source in cases)
    return Checked(len(sources), ran, tuple(dict.fromkeys(problems)))


def _policy(closures: dict[tuple[str, str], bytes]) -> Policy | None:
    found = [data for (kind, _), data in sorted(closures.items()) if kind == "policy"]
    return parse_policy(found[0]) if found else None


def case_problems(source: Source, closures: Mapping[tuple[str, str], bytes], policy: Policy | None) -> Iterator[str]:
    """Yield a line with file and line for each of the cases that do not come out as they say."""
    script: Sequence[bytes] = [closures[kind, source.name] for kind in SCRIPTS if (kind, source.name) in closures]
    if not script:
        yield f"{source.path}:1: expected a script {source.name!r} that reads, for these cases, got none"
        return
    for line in run_cases(parse_prompt(script[0]), source.document, policy):
        yield f"{source.path}:{_line_of(source, line)}: {line}"


def _line_of(source: Source, line: str) -> int:
    """Return the line of the case that a problem names."""
    name = line.removeprefix("case ").partition(": ")[0]
    for index, case in enumerate(source.document["cases"]):
        if case["id"] == name and ("cases", index) in source.places:
            return source.places["cases", index].line
    return 1
