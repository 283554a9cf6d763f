"""What a proposal means and what changes for the person being coached: read from the rows, worked out by `diffs`.

Promises: what is shown is about the revision as it is and the release that it follows; nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, select

from control_plane import db
from control_plane.diffs.effects import CaseEffect, World, effects_of
from control_plane.diffs.meaning import Meaning, meaning_of
from control_plane.diffs.settings import settings_meaning
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.reports import examples_of
from control_plane.tables.registry import ReleaseRow
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry, Manifest, parse_manifest
from edge_runtime.core.policy import Policy, parse_policy
from edge_runtime.core.prompt import Prompt, parse_prompt

__all__ = ["ProposalEffects", "show_effects"]

SCRIPTS = ("handoff", "prompt")
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ProposalEffects:
    """What a proposal means, sentence by sentence, and each golden case of what it touches, before and after."""

    proposal: int
    manifest: str
    meaning: tuple[Meaning, ...]
    cases: tuple[CaseEffect, ...]
    without_cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the change: entries by kind and name, and the policy in force."""

    entries: dict[Key, Entry]
    policy: Policy | None


def show_effects(plane: ControlPlane, number: int) -> ProposalEffects:
    """Return what a proposal means and what it changes for people.

    Raises:
        NotFound: there is none of that number.
    """
    with db.read(plane.engine) as session:
        _, revision = store.find_proposal(session, number)
        manifest = parse_manifest(revision.manifest)
        row = session.exec(select(ReleaseRow).where(ReleaseRow.digest == revision.base)).first()
        before = _side(session, parse_manifest(row.manifest) if row else None)
        after = _side(session, manifest)
        changed = sorted(key for key in before.entries.keys() | after.entries.keys() if _differs(key, before, after))
        scripts = [key for key in changed if key[0] in SCRIPTS]
        if before.policy != after.policy:  # then where every script may run is in question
            scripts = sorted(key for key in before.entries.keys() | after.entries.keys() if key[0] in SCRIPTS)
        names = {name for _, name in scripts}
        cases = examples_of(session, revision, manifest.channel, kind="cases", names=names)
        return ProposalEffects(
            number,
            revision.digest,
            (
                *(one for key in changed for one in _meaning(session, key, (before, after))),
                *settings_meaning(parse_manifest(row.manifest) if row else None, manifest),
            ),
            tuple(one for key in scripts for one in _cases(session, key, (before, after), cases=cases)),
            tuple(name for _, name in scripts if name not in cases),
        )


def _side(session: Session, manifest: Manifest | None) -> _Side:
    entries = {entry.key: entry for entry in (manifest.entries if manifest else ())}
    policy = next((entry for entry in entries.values() if entry.kind == "policy"), None)
    try:
        return _Side(entries, parse_policy(store.closure(session, policy.digest)) if policy else None)
    except InvalidDocument:
        return _Side(entries, None)


def _differs(key: Key, before: _Side, after: _Side) -> bool:
    old, new = before.entries.get(key), after.entries.get(key)
    return (old and old.digest) != (new and new.digest)


def _closure(session: Session, side: _Side, key: Key) -> bytes | None:
    entry = side.entries.get(key)
    return store.closure(session, entry.digest) if entry else None


def _meaning(session: Session, key: Key, sides: tuple[_Side, _Side]) -> tuple[Meaning, ...]:
    old, new = (_closure(session, side, key) for side in sides)
    return meaning_of(key, old, new)


def _cases(
    session: Session, key: Key, sides: tuple[_Side, _Side], *, cases: dict[str, JsonObject]
) -> tuple[CaseEffect, ...]:
    worlds = [World(_prompt(_closure(session, side, key)), side.policy) for side in sides]
    return effects_of(key, worlds[0], worlds[1], cases=cases.get(key[1], {}))


def _prompt(closure: bytes | None) -> Prompt | None:
    try:
        return parse_prompt(closure) if closure else None
    except InvalidDocument:
        return None
