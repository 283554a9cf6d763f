"""Withdrawals: stop using this content, said by one person, never taken back by a shorter list.

Promises: each withdrawal is signed by an eligible person of the keyring and names the one before it, so that a list
can only grow; what was withdrawn once stays withdrawn even if the list later vanishes; hand-off texts are exempt.
Does not: lift a withdrawal (that takes a quorum and a new epoch). Source: docs/adr/0010.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.frozen import frozen
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import Person, read_signed
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.statements import Statement

__all__ = ["Withdrawals", "extend_withdrawals"]


@frozen
class Withdrawals:
    """How many withdrawals were seen, the digest of the last one's payload, and the closures they stop."""

    count: int = 0
    head: str = ""
    digests: frozenset[str] = frozenset()


def extend_withdrawals(
    seen: Withdrawals,
    envelopes: Sequence[dsse.Envelope],
    *,
    keyring: Mapping[str, Person],
    organisation: str,
    channel: str,
) -> Withdrawals:
    """Return the withdrawals after a list that must begin with all that were seen before.

    Raises:
        NotTrusted: V6, the list is shorter or another one, or a statement does not follow from the one before.
    """
    heads = ["", *(canonical.digest(envelope.payload) for envelope in envelopes)]
    if len(envelopes) < seen.count or heads[seen.count] != seen.head:
        raise NotTrusted("expected a withdrawal list that holds every withdrawal seen before, got another", check="V6")
    statements = read_signed(envelopes, keyring)
    digests = set(seen.digests)
    for previous, statement in zip(heads, statements, strict=False):
        _verify_link(statement, previous, organisation=organisation, channel=channel)
        digests.update(ref.digest for ref in statement.entries)
    return Withdrawals(len(statements), heads[-1], frozenset(digests))


def _verify_link(statement: Statement, previous: str, *, organisation: str, channel: str) -> None:
    if statement.act != "withdraw" or (statement.organisation, statement.channel) != (organisation, channel):
        raise NotTrusted("expected withdrawals of this organisation and channel only, got another act", check="V6")
    if statement.previous != previous:
        raise NotTrusted("expected each withdrawal to name the one before, got a broken link", check="V6")
    if any(ref.kind == "handoff" for ref in statement.entries):
        raise NotTrusted("expected no withdrawal of a hand-off text, got one", check="V6")
