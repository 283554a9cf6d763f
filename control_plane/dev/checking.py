"""The watched folder as a release would hold it, or everything that is wrong with it, with file and line.

Promises: what is found sound has been frozen, read back and compared as for a proposal: every include is there, every
name that something names, every case comes out. A folder without a policy is a few prompts of an app: it is laid over
the starter library, so that they run under its policy and its hand-off texts.
Does not: compare with what is live, as a proposal's checks do; ship the folder's approval rules, which ask for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from control_plane.registry.coherence import Candidate, verify_coherence
from control_plane.sources.closures import CLOSURE_KINDS, SCRIPTS, freeze
from control_plane.sources.parsing import Source, default_library, load_library, parse_source, problem_at
from control_plane.sources.strict_yaml import SourceError
from control_plane.sync.checking import case_problems
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import LEAST_TIERS, Entry
from edge_runtime.core.policy import parse_policy

__all__ = ["Content", "Look", "look"]

Key = tuple[str, str]
SHARED = ("include", "vocabulary")
RULES = "approval-rules"
_KEPT = 4096
"""How many files are remembered as they were: only what was saved is read again."""


@dataclass(frozen=True, slots=True)
class Content:
    """One thing as it would be released: the bytes of its closure and its tier."""

    data: bytes
    tier: str


@dataclass(frozen=True, slots=True)
class Look:
    """What the folder held: contents by kind and name, or problems, a line each; how many files and cases."""

    contents: Mapping[Key, Content]
    locales: tuple[str, ...]
    problems: tuple[str, ...]
    files: int
    cases: int


def look(folder: Path) -> Look:
    """Return what a folder holds now.

    Raises:
        InvalidDocument: it is no folder.
    """
    if not folder.is_dir():
        raise InvalidDocument(f"expected a folder of sources at {folder}, got none")
    try:
        own = load_library(folder, _parsed)
    except (SourceError, OSError) as error:  # a file may go while it is read
        return Look({}, (), _lines(error), 0, 0)
    sources = _completed(own)
    contents, problems = _frozen(sources)
    problems += _policy_problems(sources)
    if not problems:
        problems += _incoherences(sources, contents)
    cases = [source for source in own if source.kind == "cases"]
    if not problems:
        bytes_by_key = {key: content.data for key, content in contents.items()}
        policy = parse_policy(next(data for (kind, _), data in bytes_by_key.items() if kind == "policy"))
        problems += [line for one in cases for line in case_problems(one, bytes_by_key, policy)]
    scripts = [source for source in sources if source.kind in SCRIPTS]
    return Look(
        {} if problems else {key: content for key, content in contents.items() if key[0] != RULES},
        tuple(sorted({str(source.document["locale"]) for source in scripts})),
        tuple(dict.fromkeys(problems)),
        len(own),
        sum(len(source.document["cases"]) for source in cases),
    )


@lru_cache(maxsize=_KEPT)
def _parsed(data: bytes, path: str) -> Source:
    return parse_source(data, path)


@lru_cache(maxsize=1)
def _starter() -> tuple[Source, ...]:
    return tuple(source for source in default_library() if source.kind in CLOSURE_KINDS)


def _completed(own: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return the sources of the folder and, if they have no policy, those of the starter library that they leave be."""
    if any(source.kind == "policy" for source in own):
        return own
    named = {_named(source) for source in own}
    return (*own, *(source for source in _starter() if _named(source) not in named))


def _named(source: Source) -> Key:
    return ("prompt" if source.kind == "handoff" else source.kind, source.name)


def _lines(error: Exception) -> tuple[str, ...]:
    return tuple(map(str, error.problems)) if isinstance(error, SourceError) else (str(error),)


def _frozen(sources: Iterable[Source]) -> tuple[dict[Key, Content], list[str]]:
    """Return the contents by kind and name, and what is wrong with those that cannot be frozen."""
    wanted = [source for source in sources if source.kind in CLOSURE_KINDS]
    shared = [source for source in wanted if source.kind in SHARED]
    contents: dict[Key, Content] = {}
    problems: list[str] = []
    for source in wanted:
        try:
            data = freeze(source, shared)
        except InvalidDocument as error:
            problems += _lines(error)
            continue
        tier = str(source.document.get("tier", LEAST_TIERS.get(source.kind, "R4")))
        contents[source.kind, source.name] = Content(data, tier)
    return contents, problems


def _policy_problems(sources: Iterable[Source]) -> list[str]:
    policies = [source for source in sources if source.kind == "policy"]
    return [str(problem_at(one, ("name",), "one policy in a release, got another")) for one in policies[1:]]


def _incoherences(sources: Iterable[Source], contents: Mapping[Key, Content]) -> list[str]:
    """Return what names something that is not there, or does not fit what it names."""
    digests = {canonical.digest(content.data): content.data for content in contents.values()}
    entries = {
        key: Entry(*key, 1, digest=canonical.digest(content.data), tier=content.tier, author="draft")
        for key, content in contents.items()
    }
    changed = {(source.kind, source.name): source for source in sources if source.kind in CLOSURE_KINDS}
    everything = Candidate(entries, {}, changed, closure=digests.__getitem__, users=lambda _: (), goes_back=True)
    try:
        verify_coherence(everything)
    except SourceError as error:
        return list(_lines(error))
    return []
