"""Withdrawals: stop using this content, said by one person, never taken back by a shorter list.

Promises: each withdrawal is signed by a person of the keyring in a role that may stop things, and names the one before
it, so that a list can only grow; what was withdrawn once stays withdrawn even if the list later vanishes, until a
release names that very withdrawal in its `lifts`, which takes the quorum of a loosening; hand-off texts are exempt; a
whole channel takes two people about the same release; a replacement is followed to what is live, never in circles. What
a second source says beside the list of the channel stops as well, and what it said once is kept: it can only add.
Does not: verify that a lifting release was approved (see `coverage`). Source: docs/adr/0010.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from audit.frozen import frozen
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import Person, read_signed
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.manifest import Entry
from edge_runtime.core.statements import Statement

__all__ = [
    "WHOLE_CHANNEL",
    "WITHDRAWING_ROLES",
    "Stop",
    "Whole",
    "Withdrawals",
    "extend_withdrawals",
    "gather",
    "instead",
]

WITHDRAWING_ROLES = frozenset(
    {
        "community-host",
        "compliance",
        "employee-representative",
        "facilitator",
        "learning-designer",
        "release-manager",
        "safety-owner",
    }
)
WHOLE_CHANNEL = 2
"""How many people it takes to stop all prompts of a channel."""
MAX_GATHERED = 10_000
"""How many withdrawals of a second source are kept; further ones are left to the list of the channel."""


@frozen
class Stop:
    """One withdrawal of a content: the digest of its statement, and of what runs instead, "" for the fallback text."""

    statement: str
    replacement: str


@frozen
class Whole:
    """One person's withdrawal of all that a release has: the digests of statement and manifest, the person."""

    statement: str
    manifest: str
    person: str


@frozen
class Withdrawals:
    """How many withdrawals were seen, the digest of the last one's payload, and what they stop, by closure."""

    count: int = 0
    head: str = ""
    stops: Mapping[str, tuple[Stop, ...]] = {}
    whole: tuple[Whole, ...] = ()

    def stopped(self, lifts: Collection[str]) -> dict[str, str]:
        """Return the closures that stand stopped where `lifts` are lifted, each with what the last stop names."""
        held = {digest: [s for s in stops if s.statement not in lifts] for digest, stops in self.stops.items()}
        return {digest: stops[-1].replacement for digest, stops in held.items() if stops}

    def joined(self, more: Withdrawals) -> Withdrawals:
        """Return these with what others stop besides, each once; count and head stay those of the channel's list."""
        stops = {
            digest: tuple(dict.fromkeys((*self.stops.get(digest, ()), *more.stops.get(digest, ()))))
            for digest in {**self.stops, **more.stops}
        }
        return Withdrawals(self.count, self.head, stops, tuple(dict.fromkeys((*self.whole, *more.whole))))

    def is_whole(self, lifts: Collection[str]) -> bool:
        """Return whether enough people stopped the whole channel, and nobody lifted it."""
        people: dict[str, set[str]] = {}
        for one in self.whole:
            if one.statement not in lifts:
                people.setdefault(one.manifest, set()).add(one.person)
        return any(len(named) >= WHOLE_CHANNEL for named in people.values())


def instead(entry: Entry, stopped: Mapping[str, str], live: Mapping[str, Entry]) -> Entry | None:
    """Return the entry that runs for `entry`: itself, what replaces it, what replaces that; None for a fallback text.

    Args:
        entry: what was asked for.
        stopped: from the digest of each withdrawn closure to that of its replacement, or to "".
        live: the prompts of the release by the digest of their closure.
    """
    seen: set[str] = set()
    found: Entry | None = entry
    while found is not None and found.digest in stopped:
        if found.digest in seen:
            return None  # in circles: nothing of it may run
        seen.add(found.digest)
        found = live.get(stopped[found.digest])
    return found


def extend_withdrawals(
    seen: Withdrawals,
    envelopes: Sequence[dsse.Envelope],
    *,
    keyring: Mapping[str, Person],
    organisation: str,
    channel: str,
    gathered: Sequence[dsse.Envelope] = (),
) -> Withdrawals:
    """Return the withdrawals after a list that must begin with all that were seen before.

    Those that were `gathered` from a second source stop things as well, each by itself: they are no part of the list.

    Raises:
        NotTrusted: V6, the list is shorter or another one, or a statement does not follow from the one before.
    """
    heads = _heads(envelopes)
    if len(envelopes) < seen.count or heads[seen.count] != seen.head:
        raise NotTrusted("expected a withdrawal list that holds every withdrawal seen before, got another", check="V6")
    statements, more = read_signed(envelopes, keyring), read_signed(gathered, keyring)
    for statement in (*statements, *more):
        _verify_act(statement, organisation=organisation, channel=channel)
    if any(statement.previous != previous for statement, previous in zip(statements, heads, strict=False)):
        raise NotTrusted("expected each withdrawal to name the one before, got a broken link", check="V6")
    return _stopping(statements, heads).joined(_stopping(more, _heads(gathered)))


def gather(
    kept: Sequence[dsse.Envelope],
    offered: Sequence[dsse.Envelope],
    *,
    keyring: Mapping[str, Person],
    organisation: str,
    channel: str,
) -> tuple[dsse.Envelope, ...]:
    """Return the withdrawals to keep of a second source: all that were kept, and those of a sound list it offers now.

    A list that is shorter, gone or another one takes nothing away.

    Raises:
        NotTrusted: V6, what it offers is not sound. Go on with what was kept.
    """
    extend_withdrawals(Withdrawals(), offered, keyring=keyring, organisation=organisation, channel=channel)
    known = {envelope.payload for envelope in kept}
    return (*kept, *(envelope for envelope in offered if envelope.payload not in known))[: max(MAX_GATHERED, len(kept))]


def _heads(envelopes: Sequence[dsse.Envelope]) -> list[str]:
    return ["", *(canonical.digest(envelope.payload) for envelope in envelopes)]


def _stopping(statements: Sequence[Statement], heads: Sequence[str]) -> Withdrawals:
    stops: dict[str, tuple[Stop, ...]] = {}
    whole: list[Whole] = []
    for own, statement in zip(heads[1:], statements, strict=True):
        for entry in statement.entries:
            stops[entry.digest] = (*stops.get(entry.digest, ()), Stop(own, statement.replacement))
        if not statement.entries:
            whole.append(Whole(own, statement.manifest, statement.person))
    return Withdrawals(len(statements), heads[-1], stops, tuple(whole))


def _verify_act(statement: Statement, *, organisation: str, channel: str) -> None:
    if statement.act != "withdraw" or (statement.organisation, statement.channel) != (organisation, channel):
        raise NotTrusted("expected withdrawals of this organisation and channel only, got another act", check="V6")
    if statement.role not in WITHDRAWING_ROLES:
        raise NotTrusted("expected withdrawals in a role that may stop things, got another role", check="V6")
    if any(ref.kind == "handoff" for ref in statement.entries):
        raise NotTrusted("expected no withdrawal of a hand-off text, got one", check="V6")
