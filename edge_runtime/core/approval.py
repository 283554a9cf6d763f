"""Approvals: who may approve what, and whether enough distinct people did.

The server asks before it releases, the device asks before it runs: the same functions, the same answer.
Promises: an empty rule set, an empty set of approvals, an unknown tier or role never satisfies a quorum;
a person counts once however many keys or statements they have; the author of an entry never counts for it.
Does not: verify that the log holds the statements (see `trust`).
Formats: `mentorplane-approval-rules/1` in docs/formats.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from audit.frozen import frozen
from edge_runtime.core import canonical, dsse
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import TIERS
from edge_runtime.core.statements import Statement, open_statement

__all__ = ["ApprovalRules", "Person", "Quorum", "missing_for", "parse_rules", "read_signed"]

FORMAT = "mentorplane-approval-rules/1"
MAX_BYTES = 100_000
NOT_APPROVING = ("administrator", "author", "release-manager")
"""Roles in which nobody approves or rejects, whatever the rules say."""


@frozen
class Person:
    """A member of the keyring: pseudonymous id, public key, who holds the key, eligible roles."""

    person: str
    key: bytes
    custody: str
    roles: tuple[str, ...]


@frozen
class Quorum:
    """So many distinct people, each signing in one of these roles; no roles: any eligible role."""

    at_least: int
    of_roles: tuple[str, ...] = ()


@frozen
class ApprovalRules:
    """The quorum of each risk tier."""

    tiers: Mapping[str, Quorum]

    def as_json(self) -> JsonObject:
        """Return the rules as the document that a release carries."""
        tiers = {t: {"at_least": q.at_least, "of_roles": list(q.of_roles)} for t, q in self.tiers.items()}
        return {"format": FORMAT, "name": "approval-rules", "tiers": tiers}


def parse_rules(data: bytes) -> ApprovalRules:
    """Return the approval rules that canonical bytes hold.

    Raises:
        InvalidDocument: not canonical, a tier without a quorum, a quorum below one or without roles.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    fields.name("name")
    tiers = fields.json_object("tiers")
    fields.close()
    if set(tiers) != set(TIERS):
        raise InvalidDocument(f"{FORMAT}: expected a quorum for each of the tiers {', '.join(TIERS)}")
    return ApprovalRules({tier: _parse_quorum(tiers[tier]) for tier in TIERS})


def _parse_quorum(document: object) -> Quorum:
    fields = Fields(document, "quorum", tagged=False)
    quorum = Quorum(fields.integer("at_least", at_least=1, at_most=50), fields.texts("of_roles", at_most=50))
    fields.close()
    if not quorum.of_roles:
        raise InvalidDocument("quorum: expected at least one role in member 'of_roles'")
    return quorum


def read_signed(envelopes: Iterable[dsse.Envelope], keyring: Mapping[str, Person]) -> tuple[Statement, ...]:
    """Return the statements in `envelopes`, each verified against the key of the person it names.

    Raises:
        NotTrusted: V6, somebody outside the keyring, a role they are not eligible for, or a bad signature.
        InvalidDocument: an envelope holds no statement of this version.
    """
    statements = []
    for envelope in envelopes:
        statement = open_statement(envelope)
        person = keyring.get(statement.person)
        if person is None:
            raise NotTrusted("expected statements by people of the keyring, got one by somebody else", check="V6")
        if statement.act in {"approve", "reject"} and statement.role in NOT_APPROVING:
            raise NotTrusted(f"expected an approver's role, got one who signed as {statement.role}", check="V6")
        if statement.role not in person.roles:
            raise NotTrusted(f"expected a signer eligible as {statement.role}, got one who is not", check="V6")
        if not dsse.verified_by(envelope, person.key):
            raise NotTrusted("expected a statement signed with its person's key, got another signature", check="V6")
        statements.append(statement)
    return tuple(statements)


def missing_for(
    quorum: Quorum | None, signers: Iterable[tuple[str, str]], *, excluded: frozenset[str]
) -> tuple[int, tuple[str, ...]]:
    """Return how many more people a quorum needs, and the roles that may still sign; (0, ()) when it is met.

    Args:
        quorum: what is asked; None (no rule) is never met.
        signers: pairs of person id and role, as signed.
        excluded: people who do not count: authors.
    """
    if quorum is None or quorum.at_least < 1:
        return 1, ()
    counted = {
        person
        for person, role in signers
        if person not in excluded and (not quorum.of_roles or role in quorum.of_roles)
    }
    short = max(0, quorum.at_least - len(counted))
    return short, (quorum.of_roles if short else ())
