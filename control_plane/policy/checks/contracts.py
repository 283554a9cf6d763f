"""The check of contracts: a changed script goes on working for those who call it and for those who read its output.

The mode asked for is that of the version in force and that of the new one, both: a change cannot excuse itself, so a
break takes a version of its own that lowers the mode first. A script that states none inherits the organisation's, from
the approval rules in force, else `backward`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from control_plane.policy.checks.records import Candidate, Found
from control_plane.policy.compatibility import DEFAULT_MODE, MODES, Break, Version, find_breaks
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_inputs
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry
from edge_runtime.core.pipeline import produce
from edge_runtime.core.prompt import Prompt, parse_prompt

__all__ = ["breaks_of", "check_contracts", "default_mode", "modes_of", "sample_outputs"]


def check_contracts(candidate: Candidate) -> Found:
    """Find changed scripts that break what their mode of compatibility promises."""
    problems: list[str] = []
    evidence: list[str] = []
    for entry, prompt in candidate.scripts():
        modes = modes_of(candidate, entry)
        problems += [f"{entry.name}: {one.sentence}" for one in breaks_of(candidate, entry, prompt, modes=modes)]
        versions = len(_versions(candidate, entry))
        evidence.append(f"{entry.name}: {' and '.join(modes)}, {versions} earlier versions")
    return Found(tuple(problems), evidence=tuple(evidence) or ("no script changes",))


def breaks_of(candidate: Candidate, entry: Entry, prompt: Prompt, *, modes: Iterable[str]) -> tuple[Break, ...]:
    """Return each way in which an introduced script breaks one of these modes, once."""
    versions, samples = _versions(candidate, entry), sample_outputs(candidate, entry, prompt)
    found = [one for mode in modes for one in find_breaks(prompt, versions, mode, samples=samples)]
    return tuple({one.sentence: one for one in found}.values())


def modes_of(candidate: Candidate, entry: Entry) -> tuple[str, ...]:
    """Return the modes that a changed script must meet: of the version in force, then its own if it is another."""
    default, old = default_mode(candidate), candidate.before(entry)
    stated = [candidate.document(one).get("compatibility", default) for one in (old, entry) if one]
    return tuple(dict.fromkeys(mode if mode in MODES else DEFAULT_MODE for mode in stated))


def default_mode(candidate: Candidate) -> str:
    """Return the mode that a script inherits: of the approval rules in force."""
    for entry in (candidate.base or candidate.manifest).entries:
        if entry.kind == "approval-rules":
            stated = candidate.document(entry).get("compatibility")
            return stated if stated in MODES else DEFAULT_MODE
    return DEFAULT_MODE


def _versions(candidate: Candidate, entry: Entry) -> tuple[Version, ...]:
    """Return the earlier versions at hand, the one in force first."""
    old = candidate.before(entry)
    digests = dict.fromkeys([*([old.digest] if old else []), *candidate.earlier.get(entry.key, ())])
    return tuple(_read(candidate, [digest for digest in digests if digest != entry.digest]))


def _read(candidate: Candidate, digests: list[str]) -> Iterator[Version]:
    for place, digest in enumerate(digests):
        try:
            prompt = parse_prompt(candidate.closures[digest])
        except (KeyError, InvalidDocument):
            continue
        yield Version(f"version {digest[7:15]}" if place else "the version in force", prompt)


def sample_outputs(candidate: Candidate, entry: Entry, prompt: Prompt) -> list[JsonObject]:
    """Return outputs that golden cases and recordings give, of this version or of others."""
    samples = []
    prompts = [prompt, *(version.prompt for version in _versions(candidate, entry)[:1])]
    for case in candidate.cases.get(entry.name, {}).get("cases", ())[:10]:
        for one in prompts:
            try:
                samples.append(produce(one, check_inputs(one.inputs, case["inputs"])))
            except InvalidDocument:
                continue
    recorded = candidate.recordings.get(entry.name, {}).get("recordings", ())
    return samples + [one["output"] for one in recorded if isinstance(one.get("output"), dict)]
