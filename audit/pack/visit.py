"""What the entries of a pack say, taken together: scope, population, signed statements, commitments.

What is checked, by number (those of `audit.pack.check`):
8. no entry of the period lies outside `first` to `last`, and an entry before it shows where it begins; a release's
   stretch begins with its own proposal, and no withdrawal of it that is there lies behind the end.

It sees each sound entry once, in order, and keeps what the later checks need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from audit.acts import Act, Auth
from audit.pack.make import SCOPE, Scope, is_change
from audit.pack.release import Signed
from audit.record import LeafActor, LeafReason, LeafRecord
from audit.verify import Finding, State

_NOBODY = LeafActor("nobody", "nobody", Auth.NONE)
_NO_REASON = LeafReason()
_ENDS = (Act.RELEASED, Act.WITHDRAWN, Act.WITHDRAWAL_LIFTED)
_MAKING = (Act.PROPOSED, Act.EDITED, Act.APPROVED)
_PROPOSAL = "proposal"


@dataclass(slots=True)
class Seen:
    """What was seen; `visit` is called for each sound entry of the stretch, in order."""

    scope: Scope
    population: list[int] = field(default_factory=list)
    signed: dict[str, Signed] = field(default_factory=dict)
    manifest: str = ""
    outside: list[int] = field(default_factory=list)
    strange: list[int] = field(default_factory=list)
    before: bool = False
    after: bool = False
    ends: dict[int, LeafRecord] = field(default_factory=dict)
    proposals: dict[str, set[str]] = field(default_factory=dict)
    committed: list[LeafRecord] = field(default_factory=list)

    def visit(self, leaf: LeafRecord, _entry: bytes) -> None:
        """Take in one entry."""
        scope = self.scope
        inside = scope.first <= leaf.seq <= scope.last
        if inside and is_change(leaf):
            self.population.append(leaf.seq)
        if (inside and (leaf.actor.name or leaf.reason.text)) or leaf.act is Act.ERASED:
            # What is outside of the scope has its texts elsewhere; what erases counts wherever it stands.
            self.committed.append(leaf if inside else without_texts(leaf))
        if leaf.signature.statement:
            self._sign(leaf)
        if scope.kind == "period":
            self._place(leaf, inside=inside)
        else:
            self._concern(leaf, inside=inside)

    def _sign(self, leaf: LeafRecord) -> None:
        about = leaf.object.name if leaf.object.kind == _PROPOSAL else ""
        signed = Signed(leaf.seq, leaf.signature.key, manifest=leaf.manifest, proposal=about)
        self.signed[leaf.signature.statement] = signed

    def _concern(self, leaf: LeafRecord, *, inside: bool) -> None:
        """Take in what an entry says about the release of the scope."""
        scope = self.scope
        if leaf.seq in {scope.first, scope.last}:
            self.ends[leaf.seq] = leaf
        if inside and leaf.object.kind == _PROPOSAL and leaf.act in _MAKING and leaf.manifest:
            self.proposals.setdefault(leaf.manifest, set()).add(leaf.object.name)
        named = (scope.channel, f"release-{scope.channel}-{scope.release}")
        if inside and leaf.act is Act.RELEASED and (leaf.channel, leaf.object.name) == named:
            self.manifest = leaf.manifest
        if leaf.seq > scope.last and leaf.act in _ENDS[1:] and leaf.manifest == self.manifest:
            self.outside.append(leaf.seq)

    @property
    def proposal(self) -> str:
        """The proposal that the release was made of; "" if the entries do not say one."""
        names = self.proposals.get(self.manifest, set())
        return next(iter(names)) if len(names) == 1 else ""

    def _place(self, leaf: LeafRecord, *, inside: bool) -> None:
        """Compare where an entry stands with when it was written: the clock may go back, the index never does."""
        scope, at = self.scope, leaf.at.isoformat()[:19] + "Z"
        belongs = (not scope.since or at >= scope.since) and (not scope.until or at < scope.until)
        if belongs and not inside:
            self.outside.append(leaf.seq)
        if not belongs and leaf.seq in {scope.first, scope.last}:
            self.strange.append(leaf.seq)
        self.before = self.before or leaf.seq < scope.first
        self.after = self.after or leaf.seq > scope.last


def without_texts(leaf: LeafRecord) -> LeafRecord:
    """Return an entry as one that commits to no text."""
    return replace(leaf, actor=_NOBODY, reason=_NO_REASON)


def check_scope(seen: Seen, remarks: list[str]) -> Iterator[Finding]:
    """Yield where the scope does not hold; add to `remarks` what a pack cannot show about its ends."""
    scope = seen.scope
    for index in seen.outside:
        message = f"the entry belongs to the {scope.kind}, and the pack leaves it out"
        yield Finding(State.MISSING, SCOPE, message, index, index)
    for index in seen.strange:
        yield Finding(State.ALTERED, SCOPE, "the first and the last entry must belong to the period", index, index)
    if scope.kind != "period":
        yield from _check_release(seen)
        remarks.append("a withdrawal after the newer checkpoint is not in the pack")
        return
    if scope.first and not seen.before:
        message = "no entry before the period is in the pack: nothing shows that it begins there"
        yield Finding(State.MISSING, SCOPE, message, 0, scope.first - 1)
    if scope.until and not seen.after:
        remarks.append("the period may go on after the newer checkpoint: it shows no entry of a later time")


def _check_release(seen: Seen) -> Iterator[Finding]:
    scope, first, last = seen.scope, seen.ends.get(seen.scope.first), seen.ends.get(seen.scope.last)
    if not seen.manifest:
        yield Finding(State.MISSING, SCOPE, f"no entry of release {scope.release} on {scope.channel} is in the pack")
    if first is None or first.act is not Act.PROPOSED or (last is not None and last.act not in _ENDS):
        message = "expected the stretch from a proposal to its release or a withdrawal, got another"
        yield Finding(State.ALTERED, SCOPE, message, scope.first, scope.last)
    elif seen.manifest and first.object.name != seen.proposal:
        message = "expected the proposal that the release was made of first, got another"
        yield Finding(State.ALTERED, SCOPE, message, scope.first, scope.first)
