"""The trust file: whose signatures count, which log and witnesses, and the least quorum that holds whatever comes.

Top-level targets (offline keys) vouch for it; the online keys cannot change it. An installation that
keeps every key on one machine says so in `self_contained`, and claims less.
Promises: a witness policy names the log of the file and a quorum that somebody must sign for.
Does not: verify anything. Format: docs/formats.md, `mentorplane-trust/3`.
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

__all__ = ["TRUST_PATH", "TrustFile", "encode_trust", "parse_trust", "with_log_key"]

TRUST_PATH = "trust.json"
"""Its path among the published targets."""
FORMAT = "mentorplane-trust/3"
MAX_BYTES = 1_000_000
MAX_POLICY_LENGTH = 100_000
MAX_ADDRESS_LENGTH = 2_000


@frozen
class TrustFile:
    """Keyring, log key and approval floor of one organisation.

    `witness_policy` is the text of a tlog-policy that the checkpoint of a release must satisfy, "" for none.
    `second_source` is an address that offers withdrawals besides, "" for none.
    """

    organisation: str
    people: Mapping[str, Person]
    log_vkey: str
    floor: Mapping[str, int]
    own_keys: bool
    self_contained: bool
    witness_policy: str = ""
    second_source: str = ""

    @property
    def witnesses(self) -> Policy | None:
        """The policy that says which witnesses count and how many it takes; None: the log vouches for itself."""
        return _policy(self.witness_policy, self.log_vkey) if self.witness_policy else None


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
    people = [
        {"person": p.person, **_key_document(p), "others": [_key_document(one) for one in p.others]}
        for _, p in sorted(trust.people.items())
    ]
    return canonical.encode(
        {
            "format": FORMAT,
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


def _key_document(one: Person | OtherKey) -> canonical.JsonObject:
    return {"key": dsse.encode_base64(one.key), "custody": one.custody, "roles": list(one.roles)}


def parse_trust(data: bytes) -> TrustFile:
    """Return the trust file that canonical bytes hold.

    Raises:
        InvalidDocument: malformed, nobody in the keyring, two people with one key, a floor below one, a witness policy
            that is none.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    organisation = fields.name("organisation")
    people = fields.items("people", _parse_person)
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
    )


def _parse_person(document: object) -> Person:
    fields = Fields(document, "person of the keyring", tagged=False)
    person = Person(
        person=fields.name("person"),
        key=dsse.decode_base64(fields.text("key", at_most=64)),
        custody=fields.choice("custody", ("own", "server")),
        roles=fields.texts("roles", at_most=50),
        others=fields.items("others", _parse_key),
    )
    fields.close()
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
