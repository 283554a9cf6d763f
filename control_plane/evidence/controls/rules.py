"""How a gap in a control is recognised: each rule is a function over what one pass through the log found.

Promises: a rule names the entries that it is about; a rule that finds nothing says nothing.
Does not: read the log (see `report`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from audit.record import Act, LeafRecord
from control_plane.evidence.filed import Filed
from control_plane.evidence.gaps import Gap, Kind

__all__ = ["RULES", "Facts", "Lack"]

LEAST_DAYS = 183
"""Six months. Source: EU AI Act Art. 19(1), 26(6)."""
_DECIDING = (Act.PROPOSED, Act.EDITED, Act.APPROVED, Act.CHECKED)


@dataclass(frozen=True, slots=True)
class Lack:
    """A gap that was seen: what, and the entries that it is about, if any."""

    message: str
    entries: tuple[int, ...] = ()


@dataclass(slots=True)
class Facts:
    """What one pass through the log found; deciding acts by manifest, over all of the log; releases of the period."""

    now: datetime
    gaps: tuple[Gap, ...]
    settings: Mapping[str, str]
    filed: dict[str, Filed] = field(default_factory=dict)
    first_filed: dict[str, int] = field(default_factory=dict)
    deciding: dict[str, list[LeafRecord]] = field(default_factory=dict)
    releases: list[LeafRecord] = field(default_factory=list)

    def visit(self, leaf: LeafRecord, *, inside: bool) -> None:
        """Take in one entry; `inside` says whether it belongs to the period."""
        if leaf.act in _DECIDING and leaf.manifest:
            self.deciding.setdefault(leaf.manifest, []).append(leaf)
        if leaf.act is Act.RELEASED and inside:
            self.releases.append(leaf)

    def acted(self, release: LeafRecord, *acts: Act) -> list[LeafRecord]:
        """Return the entries of these acts about a release's manifest that stand before it."""
        found = self.deciding.get(release.manifest, ())
        return [leaf for leaf in found if leaf.act in acts and leaf.seq < release.seq]


def _approved(facts: Facts) -> Iterator[Lack]:
    for release in facts.releases:
        if not facts.acted(release, Act.APPROVED):
            yield Lack(f"{release.object.name} was released, and no approval of it stands before", (release.seq,))


def _checked(facts: Facts) -> Iterator[Lack]:
    for release in facts.releases:
        if not facts.acted(release, Act.CHECKED):
            yield Lack(f"{release.object.name} was released, and no run of the checks stands before", (release.seq,))


def _separated(facts: Facts) -> Iterator[Lack]:
    for release in facts.releases:
        authors = {leaf.actor.id for leaf in facts.acted(release, Act.PROPOSED, Act.EDITED)}
        own = [leaf.seq for leaf in facts.acted(release, Act.APPROVED) if leaf.actor.id in authors]
        if own:
            yield Lack(f"{release.object.name} was approved by one of its authors", (*own, release.seq))


def _notice(facts: Facts) -> Iterator[Lack]:
    first = facts.first_filed.get("worker-notice")
    early = [release.seq for release in facts.releases if first is None or release.seq < first]
    if early:
        yield Lack("released before a notice to workers was on file", tuple(early))


def _retention(facts: Facts) -> Iterator[Lack]:
    for name, value in sorted(facts.settings.items()):
        if name.startswith("retention.") and value.isdigit() and int(value) < LEAST_DAYS:
            yield Lack(f"texts of the class {name.partition('.')[2]} are kept for {value} days, fewer than six months")


def _of(*kinds: Kind) -> Callable[[Facts], Iterator[Lack]]:
    """Return the rule that takes over the gaps of these kinds."""

    def rule(facts: Facts) -> Iterator[Lack]:
        for gap in facts.gaps:
            if gap.kind in kinds:
                ends = (gap.first, gap.last) if gap.first is not None and gap.last is not None else ()
                yield Lack(gap.message, tuple(sorted(set(ends))))

    return rule


RULES: Mapping[str, Callable[[Facts], Iterator[Lack]]] = {
    "approved": _approved,
    "checked": _checked,
    "exports": _of(Kind.EXPORT),
    "log": _of(Kind.INDEX, Kind.LINK, Kind.TIME),
    "notice-before-release": _notice,
    "reading": _of(Kind.READING),
    "retention": _retention,
    "reviews": _of(Kind.REVIEW),
    "separated": _separated,
    "settings": _of(Kind.SETTING, Kind.READING),
    "witnesses": _of(Kind.WITNESS),
}
