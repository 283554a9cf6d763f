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
from itertools import compress

from audit.frozen import frozen
from edge_runtime.core.approval import MEASURED, SETTINGS, ApprovalRules, Case, Changed
from edge_runtime.core.manifest import TIERS, Entry, Manifest, Settings
from edge_runtime.core.quorum import Tree
from edge_runtime.core.rollout import loosens_stages

__all__ = ["Asked", "Before", "Changes", "Doing", "Need", "what_is_asked"]

Key = tuple[str, str]
Changes = Mapping[Key, Changed]
Need = tuple[str, Tree]
"""Why something is needed, and the quorum."""
EMERGENCY = "this is an emergency release"
HIGHEST = TIERS[-1]
NOT_IN_HASTE = ("approval-rules", SETTINGS)
"""What the quorum of emergencies alone does not change: these kinds of entries; nor what is measured about people."""


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
    """What something that a manifest does is asked for: sets of needs, of which one must be met in full.

    No set at all: no rule applies, and it is refused. It is the same record for all that is asked for alike.
    """

    tier: str
    ways: tuple[tuple[Need, ...], ...]


@frozen
class Doing:
    """A manifest on top of what was before it, under approval rules of which one must be met.

    `changes` are the kinds of change by kind and name, None where they cannot be known. `stated` are the entries of the
    manifest that authors or approvers stated for it: all that is new where nothing before is known, and all that a
    manifest answers for where releases were missed.
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

    def introduced(self) -> list[Entry]:
        """Return the entries that were not in force before, whichever release brought them, in their order."""
        stated = self.stated
        if self.before is None:
            return [entry for entry in self.manifest.entries if entry in stated]
        old = self.before.entries
        return [entry for entry in self.manifest.entries if old.get(entry[:2]) != entry or entry in stated]

    def removed(self) -> list[Entry]:
        """Return the entries that were in force before and are not in the manifest."""
        if self.before is None:
            return []
        before = self.before.entries
        return [before[key] for key in sorted(before.keys() - {entry[:2] for entry in self.manifest.entries})]


def what_is_asked(doing: Doing) -> tuple[dict[Entry, Asked], list[tuple[Entry | None, Asked]]]:
    """Return what each introduced entry is asked for, and what the manifest is, for each thing that it does itself.

    With what the manifest does stands the entry that it introduces, None for a removal and for settings. It is asked
    for something in any case: one that does nothing answers for the highest tier.
    """
    introduced, removed, stated = doing.introduced(), doing.removed(), doing.stated
    own = [True] * len(introduced) if doing.follows else [entry in stated for entry in introduced]
    asking = _Asking(doing, sum(own) + (len(removed) if doing.follows else 0))
    entries = dict(zip(introduced, map(asking.of_entry, introduced, own), strict=True))
    manifest: list[tuple[Entry | None, Asked]] = [*compress(entries.items(), own)]
    manifest += [(None, asking.of_removal(entry)) for entry in removed]
    if doing.before and doing.manifest.settings != doing.before.settings:
        kinds = settings_changes(doing.before.settings, doing.manifest.settings)
        case = Case(SETTINGS, HIGHEST, kinds, frozenset({SETTINGS}), asking.changed)
        manifest.append((None, asking.of_settings(case)))
    return entries, manifest or [(None, asking.of_settings(Case(SETTINGS, HIGHEST, None, None, asking.changed)))]


class _Asking:
    """Asks the rules, each case once: most of what a large release does is alike."""

    def __init__(self, doing: Doing, changed: int) -> None:
        self.changed = changed
        self._doing = doing
        self._by_path = any(rule.when.paths for rules in doing.rules for rule in rules.rules)
        self._old = doing.before.entries if doing.before else {}
        self._known = doing.changes if doing.changes is not None and doing.follows else {}
        self._asked: dict[object, Asked] = {}

    def of_entry(self, entry: Entry, own: bool) -> Asked:
        key = entry[:2]
        old, known = self._old.get(key), self._known.get(key)
        tier = max(entry.tier, old.tier) if old else entry.tier
        return self._of(entry.kind, tier, known=known, changes=known.changes if known else None, own=own)

    def of_removal(self, entry: Entry) -> Asked:
        known = self._doing.changes.get(entry.key) if self._doing.changes is not None else None
        changes = known.changes if known else ("removal",)
        return self._of(entry.kind, entry.tier, known=known, changes=changes, own=True)

    def of_settings(self, case: Case) -> Asked:
        return Asked(case.tier, tuple(self._find(case, own=True)))

    def _of(self, kind: str, tier: str, *, known: Changed | None, changes: tuple[str, ...] | None, own: bool) -> Asked:
        paths = known.paths if known and self._by_path else None
        key = kind, tier, changes, paths, own
        asked = self._asked.get(key)
        if asked is None:
            case = Case(
                kind,
                tier,
                None if changes is None else frozenset(changes),
                None if paths is None else frozenset(paths),
                self.changed,
            )
            asked = self._asked[key] = Asked(tier, tuple(self._find(case, own=own)))
        return asked

    def _find(self, case: Case, *, own: bool) -> Iterable[tuple[Need, ...]]:
        doing = self._doing
        haste = doing.manifest.emergency and own
        if doing.follows and own and case.changes is None and case.kind != SETTINGS:
            return  # it could be known, and is not
        if haste and case.kind not in NOT_IN_HASTE and MEASURED not in (case.changes or ()):
            yield from (((EMERGENCY, rules.emergency),) for rules in doing.rules)
            return
        for rules in doing.rules:
            more: tuple[Need, ...] = ((EMERGENCY, rules.emergency),) if haste else ()
            for chosen in rules.alternatives(case):
                yield (*((rule.because, rule.need) for rule in chosen), *more)
            if not own and case.kind not in NOT_IN_HASTE:
                yield ((EMERGENCY, rules.emergency),)  # a release that was missed may have been one


def settings_changes(before: Settings, after: Settings) -> frozenset[str]:
    """Return the kinds of change of a release's settings: but for shorter, slower, or fewer lifts, all is loosening."""
    locales, stages, models, fresh_for_s, valid_for_s, lifts = after
    tighter = (
        (locales, models) == (before[0], before[2])
        and not loosens_stages(before[1], stages)
        and fresh_for_s <= before[3]
        and valid_for_s <= before[4]
        and set(lifts) <= set(before[5])
    )
    return frozenset({"tightening" if tighter else "loosening"})
