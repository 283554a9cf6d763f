"""The trust file: whose signatures count, which log and witnesses, and the least quorum that holds whatever comes.

Top-level targets (offline keys) vouch for it; the online keys cannot change it. An installation that
keeps every key on one machine says so in `self_contained`, and claims less.
Promises: a witness policy names the log of the file and a quorum that somebody must sign for; a file without terms is
written as the version before, which knew none.
Does not: verify anything. Format: docs/formats.md, `mentorplane-trust/4`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from audit.errors import AuditError
from audit.frozen import frozen, replace
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import OtherKey, Person
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import TIERS

if TYPE_CHECKING:
    from audit.policy import Policy

__all__ = ["TRUST_PATH", "Term", "TrustFile", "encode_trust", "parse_trust", "with_log_key"]

TRUST_PATH = "trust.json"
"""Its path among the published targets."""
FORMAT = "mentorplane-trust/4"
PREVIOUS = "mentorplane-trust/3"
MAX_BYTES = 1_000_000
MAX_POLICY_LENGTH = 100_000
MAX_ADDRESS_LENGTH = 2_000


@frozen
class Term:
    """When somebody's first term ends, "" if they have none, and which grants to them ended early.

    `ended` has the id of each such grant, and the entry of the log by which it ended.
    """

    until: str = ""
    ended: Mapping[str, int] = {}


@frozen
class TrustFile:
    """Keyring, log key and approval floor of one organisation.

    `witness_policy` is the text of a tlog-policy that the checkpoint of a release must satisfy, "" for none.
    `second_source` is an address that offers withdrawals besides, "" for none. `terms` are those of everybody in the
    keyring; None: no approver is asked to prove that they held their role. `witnessed_from` is the first entry of the
    log whose time these witnesses vouch for; what stands before it was logged before they were asked.
    """

    organisation: str
    people: Mapping[str, Person]
    log_vkey: str
    floor: Mapping[str, int]
    own_keys: bool
    self_contained: bool
    witness_policy: str = ""
    second_source: str = ""
    terms: Mapping[str, Term] | None = None
    witnessed_from: int = 0

    @property
    def witnesses(self) -> Policy | None:
        """The policy that says which witnesses count and how many it takes; None: the log vouches for itself."""
        return _policy(self.witness_policy, self.log_vkey) if self.witness_policy else None

    def term_of(self, person: str) -> Term:
        """Return what is said of somebody's term; of whom nothing is said, no first term and no grant that ended."""
        return (self.terms or {}).get(person, Term())


@lru_cache(maxsize=4)
def _policy(text: str, log_vkey: str) -> Policy:
    from audit.policy import parse_policy, probe  # not needed where no witness is named

    try:
        policy = parse_policy(text.encode())
        probe(policy)
    except AuditError as error:
        raise InvalidDocument(f"{FORMAT}: expected a witness policy: {error}") from error
    if [log.verifier.vkey for log in policy.logs] != [log_vkey] or policy.encode() != text.encode():
        raise InvalidDocument(f"{FORMAT}: expected a witness policy about this log alone, as it is written")
    return policy


def encode_trust(trust: TrustFile) -> bytes:
    """Return the canonical bytes of the trust file."""
    has_terms = trust.terms is not None
    people = [
        {
            "person": p.person,
            **_key_document(p),
            "others": [_key_document(one) for one in p.others],
            **(_term_document(trust.term_of(p.person)) if has_terms else {}),
        }
        for _, p in sorted(trust.people.items())
    ]
    return canonical.encode(
        {
            "format": FORMAT if has_terms else PREVIOUS,
            **({"witnessed_from": trust.witnessed_from} if has_terms else {}),
            "organisation": trust.organisation,
            "people": people,
            "log_vkey": trust.log_vkey,
            "floor": dict(trust.floor),
            "own_keys": trust.own_keys,
            "self_contained": trust.self_contained,
            "witness_policy": trust.witness_policy,
            "second_source": trust.second_source,
        }
    )


def with_log_key(trust: TrustFile, log_vkey: str) -> TrustFile:
    """Return the trust file about another key of the log, which the same witnesses are asked to cosign."""
    policy, text = trust.witnesses, ""
    if policy:
        from audit.note import parse_vkey
        from audit.policy import Log

        text = replace(policy, logs=(Log(parse_vkey(log_vkey)),)).encode().decode()
    return replace(trust, log_vkey=log_vkey, witness_policy=text)


def _term_document(term: Term) -> canonical.JsonObject:
    return {"until": term.until, "ended": [{"grant": one, "entry": entry} for one, entry in sorted(term.ended.items())]}


def _key_document(one: Person | OtherKey) -> canonical.JsonObject:
    return {"key": dsse.encode_base64(one.key), "custody": one.custody, "roles": list(one.roles)}


def parse_trust(data: bytes) -> TrustFile:
    """Return the trust file that canonical bytes hold.

    Raises:
        InvalidDocument: malformed, nobody in the keyring, two people with one key, a floor below one, a witness policy
            that is none.
    """
    document = canonical.parse(data, max_bytes=MAX_BYTES)
    has_terms = document.get("format") != PREVIOUS
    fields = Fields(document, FORMAT if has_terms else PREVIOUS)
    organisation = fields.name("organisation")
    read = fields.items("people", _parse_with_term if has_terms else _parse_without)
    witnessed_from = fields.integer("witnessed_from") if has_terms else 0
    log_vkey = fields.text("log_vkey", at_most=300)
    floor = fields.json_object("floor")
    own_keys, self_contained = fields.boolean("own_keys"), fields.boolean("self_contained")
    witness_policy = fields.text("witness_policy", at_most=MAX_POLICY_LENGTH, empty=True)
    second_source = fields.text("second_source", at_most=MAX_ADDRESS_LENGTH, empty=True)
    fields.close()
    if second_source and not second_source.startswith(("https://", "http://")):
        raise InvalidDocument(f"{FORMAT}: expected the address of a second source, or none")
    if witness_policy:
        _policy(witness_policy, log_vkey)
    people = [person for person, _ in read]
    keys = [key for p in people for key in (p.key, *(one.key for one in p.others))]
    if not people or len({p.person for p in people}) != len(people) or len(set(keys)) != len(keys):
        raise InvalidDocument(f"{FORMAT}: expected one or more people, each with an id and a key of their own")
    if set(floor) != set(TIERS):
        raise InvalidDocument(f"{FORMAT}: expected a floor for each of the tiers {', '.join(TIERS)}")
    limits = Fields(floor, "approval floor", tagged=False)
    return TrustFile(
        organisation=organisation,
        people={p.person: p for p in people},
        log_vkey=log_vkey,
        floor={tier: limits.integer(tier, at_least=1, at_most=50) for tier in TIERS},
        own_keys=own_keys,
        self_contained=self_contained,
        witness_policy=witness_policy,
        second_source=second_source,
        terms={person.person: term for person, term in read} if has_terms else None,
        witnessed_from=witnessed_from,
    )


def _parse_without(document: object) -> tuple[Person, Term]:
    fields = Fields(document, "person of the keyring", tagged=False)
    person = _parse_person(fields)
    fields.close()
    return person, Term()


def _parse_with_term(document: object) -> tuple[Person, Term]:
    fields = Fields(document, "person of the keyring", tagged=False)
    until = fields.time("until", empty=True)
    ended = fields.items("ended", _parse_ended)
    person = _parse_person(fields)
    fields.close()
    if [one for one, _ in ended] != sorted({one for one, _ in ended}):
        raise InvalidDocument("person of the keyring: expected grants that ended sorted, each once")
    return person, Term(until, dict(ended))


def _parse_ended(document: object) -> tuple[str, int]:
    fields = Fields(document, "grant that ended", tagged=False)
    ended = fields.name("grant"), fields.integer("entry")
    fields.close()
    return ended


def _parse_person(fields: Fields) -> Person:
    person = Person(
        person=fields.name("person"),
        key=dsse.decode_base64(fields.text("key", at_most=64)),
        custody=fields.choice("custody", ("own", "server")),
        roles=fields.texts("roles", at_most=50),
        others=fields.items("others", _parse_key),
    )
    if len(person.key) != 32:
        raise InvalidDocument(f"person of the keyring: expected a key of 32 bytes, got {len(person.key)}")
    if any(not set(one.roles) <= set(person.roles) for one in person.others):
        raise InvalidDocument("person of the keyring: expected further keys for their own roles alone")
    return person


def _parse_key(document: object) -> OtherKey:
    fields = Fields(document, "further key of the keyring", tagged=False)
    other = OtherKey(
        key=dsse.decode_base64(fields.text("key", at_most=64)),
        custody=fields.choice("custody", ("own", "server")),
        roles=fields.texts("roles", at_most=50),
    )
    fields.close()
    if len(other.key) != 32:
        raise InvalidDocument(f"further key of the keyring: expected a key of 32 bytes, got {len(other.key)}")
    return other
