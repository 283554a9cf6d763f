"""How the approvals of an organisation in memory are logged and proved, as a server does it, or as a thief would."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from audit.merkle import inclusion_proof, leaf_hash
from audit.record import Act, LeafObject
from edge_runtime.core import canonical
from edge_runtime.core.grants import Grant, add_signature, sign_grant
from edge_runtime.core.mandates import Approved, Granted, Logged, Mandates, encode_mandates
from edge_runtime.core.statements import Statement, open_statement
from edge_runtime.core.trustfile import Term

if TYPE_CHECKING:
    from edge_runtime.core.manifest import Manifest
    from tests.simulator import Organisation

__all__ = ["granted", "log_approvals", "mandates_for", "seconds", "terms_until"]


def terms_until(organisation: Organisation, until: str) -> None:
    """Have the trust file name everybody's first term, until then, and approvals be proved."""
    organisation.terms = {person: Term(until) for person in organisation.people}


def _approvals(organisation: Organisation, manifest: Manifest) -> Iterator[tuple[Statement, str]]:
    for envelope in organisation.statements:
        statement = open_statement(envelope)
        if (statement.act, statement.manifest) == ("approve", manifest.digest):
            yield statement, canonical.digest(envelope.payload)


def log_approvals(organisation: Organisation, manifest: Manifest) -> None:
    """Append the entries of the approvals of a manifest that the log does not have yet, each at the time it states."""
    for statement, digest in _approvals(organisation, manifest):
        if digest not in organisation.logged:
            target = LeafObject("proposal", f"proposal-{manifest.number}", manifest.digest)
            organisation.logged[digest] = organisation.log(
                Act.APPROVED, target, manifest=manifest.digest, statement=digest, at=statement.at
            )


def granted(organisation: Organisation, grant: Grant, *signers: str, at: str = "") -> Granted:
    """Have people sign a grant, log it, and return it with its entry; the entry that takes it over follows."""
    from tests.simulator import unsafe_key

    first, *more = (sign_grant(grant, unsafe_key(person)) for person in signers)
    envelope = first
    for one in more:
        envelope = add_signature(envelope, one)
    target = LeafObject("grant", grant.id, canonical.digest(envelope.payload))
    act = Act.ROLE_DELEGATED if grant.behalf else Act.ROLE_GRANTED
    index = organisation.log(act, target, at=at or grant.since)
    taken = [organisation.log(Act.HANDED_OVER, target, at=at or grant.since)] if grant.previous else []
    return Granted(envelope, _bare(index), tuple(map(_bare, taken)))


def _bare(index: int) -> Logged:
    return Logged(index, b"", ())


def mandates_for(organisation: Organisation, manifest: Manifest) -> bytes:
    """Return the mandates of a manifest as the log stands, b"" where nothing is proved."""
    if organisation.terms is None:
        return b""
    notes: list[bytes] = []
    grants: list[Granted] = []
    approvals: list[Approved] = []
    for statement, digest in _approvals(organisation, manifest):
        if digest not in organisation.logged:
            continue
        size, number = 0, 0
        if digest in organisation.cosigned:
            size, at_s = organisation.cosigned[digest]
            notes.append(organisation.checkpoint(size, at_s=at_s))
            number = len(notes)
        chain = organisation.mandated.get(statement.person, ())
        grants += [one for one in chain if one not in grants]
        entry = _proved(organisation, organisation.logged[digest], size)
        approvals.append(Approved(digest, number, entry, tuple(grants.index(one) for one in chain)))
    proved = tuple(
        Granted(
            one.envelope,
            _proved(organisation, one.entry.index),
            tuple(_proved(organisation, entry.index) for entry in one.taken_over),
        )
        for one in grants
    )
    return encode_mandates(Mandates(tuple(notes), tuple(approvals), proved))


def _proved(organisation: Organisation, index: int, size: int = 0) -> Logged:
    hashes = [leaf_hash(leaf) for leaf in organisation.leaves[: size or None]]
    proof = inclusion_proof(hashes, index) if index < len(hashes) else ()
    return Logged(index, organisation.leaves[index] if index < len(organisation.leaves) else b"{}", proof)


def seconds(at: str) -> int:
    """Return a time in POSIX seconds."""
    return int(dt.datetime.fromisoformat(at).timestamp())
