"""What a manifest is asked for: each thing it does, as the approval rules look at it, and what is then needed.

A manifest introduces entries, removes entries and changes settings. Each of these is one case for the rules: with its
tier (the higher of before and after), its kinds of change, its paths, and how much the whole manifest changes.

Promises: what is not known is asked for the least that could have been asked; what is known but covered by no rule is
refused. An emergency asks for its own quorum, and for the ordinary ones as well where it changes the approval rules or
the release's settings, such as withdrawals that it lifts.
Does not: work out kinds of change (see `change`), look at signatures (see `coverage`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from audit.frozen import frozen
from edge_runtime.core.approval import SETTINGS, ApprovalRules, Case, Changed
from edge_runtime.core.manifest import TIERS, Entry, Manifest, Settings
from edge_runtime.core.quorum import Tree

__all__ = ["Asked", "Before", "Changes", "Doing", "Need"]

Key = tuple[str, str]
Changes = Mapping[Key, Changed]
Need = tuple[str, Tree]
"""Why something is needed, and the quorum."""
EMERGENCY = "this is an emergency release"
HIGHEST = TIERS[-1]
NOT_IN_HASTE = ("approval-rules", SETTINGS)
"""What the quorum of emergencies alone does not change."""


@frozen
class Before:
    """What was in force before a manifest: the release's number, its entries by kind and name, and its settings."""

    number: int
    entries: Mapping[Key, Entry]
    settings: Settings

    @classmethod
    def of(cls, manifest: Manifest) -> Before:
        """Return what `manifest` puts in force."""
        return cls(manifest.number, {entry.key: entry for entry in manifest.entries}, manifest.settings)

    @classmethod
    def nothing(cls, manifest: Manifest) -> Before:
        """Return what is in force before a channel's first manifest: nothing, so that all it holds is new."""
        return cls(0, {}, manifest.settings)


@frozen
class Asked:
    """One thing that a manifest does, and sets of needs, of which one must be met in full.

    `entry` is what it introduces, None for a removal and for settings.

    No set at all: no rule applies, and it is refused.
    """

    entry: Entry | None
    tier: str
    ways: tuple[tuple[Need, ...], ...]


@frozen
class Doing:
    """A manifest on top of what was before it, under approval rules of which one must be met.

    `changes` are the kinds of change by kind and name, None where they cannot be known. `stated` are the entries that
    authors stated for this very manifest: all that is new where nothing before is known, and all that a manifest
    answers for where releases were missed.
    """

    manifest: Manifest
    rules: tuple[ApprovalRules, ...]
    before: Before | None
    changes: Changes | None
    stated: frozenset[Entry]

    @property
    def follows(self) -> bool:
        """Return whether the manifest comes right after what was before it."""
        return self.before is not None and self.manifest.number == self.before.number + 1

    @property
    def introduced(self) -> frozenset[Entry]:
        """Return the entries that were not in force before, whichever release brought them."""
        before = set(self.before.entries.values()) if self.before else None
        return self.stated | (frozenset(self.manifest.entries) - before if before is not None else frozenset())

    @property
    def own(self) -> frozenset[Entry]:
        """Return the entries that this manifest itself introduces, as far as it can be known."""
        return self.introduced if self.follows else self.stated

    def of_entries(self) -> Iterable[Asked]:
        """Yield what each introduced entry is asked for."""
        own, changed = self.own, self._changed()
        for entry in sorted(self.introduced):
            case = self._case(entry, changed)
            yield Asked(entry, case.tier, self._ways(case, own=entry in own))

    def of_manifest(self) -> Iterable[Asked]:
        """Yield what the manifest is asked for, for each thing that it does itself; something in any case."""
        own, changed = self.own, self._changed()
        cases: list[tuple[Entry | None, Case]] = [(entry, self._case(entry, changed)) for entry in sorted(own)]
        cases += [(None, self._case(entry, changed, gone=True)) for entry in self._removed()]
        if self.before and self.manifest.settings != self.before.settings:
            kinds = settings_changes(self.before.settings, self.manifest.settings)
            cases.append((None, Case(SETTINGS, HIGHEST, kinds, frozenset({SETTINGS}), changed)))
        for entry, case in cases or [(None, Case(SETTINGS, HIGHEST, None, None, changed))]:
            yield Asked(entry, case.tier, self._ways(case, own=True))

    def _removed(self) -> list[Entry]:
        held = {entry.key for entry in self.manifest.entries}
        return [entry for key, entry in sorted(self.before.entries.items()) if key not in held] if self.before else []

    def _changed(self) -> int:
        """Return how many entries the manifest changes; at least as many as its authors stated."""
        return len(self.own) + (len(self._removed()) if self.follows else 0)

    def _case(self, entry: Entry, changed: int, *, gone: bool = False) -> Case:
        old = self.before.entries.get(entry.key) if self.before else None
        known = self.changes.get(entry.key) if self.changes is not None and (self.follows or gone) else None
        return Case(
            kind=entry.kind,
            tier=max(entry.tier, old.tier) if old else entry.tier,
            changes=frozenset(known.changes) if known else frozenset({"removal"}) if gone else None,
            paths=frozenset(known.paths) if known else None,
            changed=changed,
        )

    def _ways(self, case: Case, *, own: bool) -> tuple[tuple[Need, ...], ...]:
        haste = self.manifest.emergency and own
        if haste and case.kind not in NOT_IN_HASTE:
            return tuple(((EMERGENCY, rules.emergency),) for rules in self.rules)
        if self.follows and own and case.changes is None:
            return ()  # it could be known, and is not
        found: list[tuple[Need, ...]] = []
        for rules in self.rules:
            more: tuple[Need, ...] = ((EMERGENCY, rules.emergency),) if haste else ()
            for chosen in rules.alternatives(case):
                found += [(*((rule.because, rule.need) for rule in chosen), *more)]
            if not own and case.kind not in NOT_IN_HASTE:
                found.append(((EMERGENCY, rules.emergency),))  # a release that was missed may have been one
        return tuple(found)


def settings_changes(before: Settings, after: Settings) -> frozenset[str]:
    """Return the kinds of change of a release's settings: what is not just shorter, or lifts less, is loosening."""
    locales, stages, models, fresh_for_s, valid_for_s, lifts = after
    tighter = (
        (locales, stages, models) == before[:3]
        and fresh_for_s <= before[3]
        and valid_for_s <= before[4]
        and set(lifts) <= set(before[5])
    )
    return frozenset({"tightening" if tighter else "loosening"})
