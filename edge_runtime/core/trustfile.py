"""The trust file: whose signatures count, which log, and the least quorum that holds whatever a release says.

Top-level targets (offline keys) vouch for it; the online keys cannot change it. An installation that
keeps every key on one machine says so in `self_contained`, and claims less.
Does not: verify anything. Format: docs/formats.md, `mentorplane-trust/2`.
"""

from __future__ import annotations

from collections.abc import Mapping

from audit.frozen import frozen
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import OtherKey, Person
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import TIERS

__all__ = ["TrustFile", "encode_trust", "parse_trust"]

FORMAT = "mentorplane-trust/2"
MAX_BYTES = 1_000_000


@frozen
class TrustFile:
    """Keyring, log key and approval floor of one organisation."""

    organisation: str
    people: Mapping[str, Person]
    log_vkey: str
    floor: Mapping[str, int]
    own_keys: bool
    self_contained: bool


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
        }
    )


def _key_document(one: Person | OtherKey) -> canonical.JsonObject:
    return {"key": dsse.encode_base64(one.key), "custody": one.custody, "roles": list(one.roles)}


def parse_trust(data: bytes) -> TrustFile:
    """Return the trust file that canonical bytes hold.

    Raises:
        InvalidDocument: malformed, nobody in the keyring, two people with one key, a floor below one.
    """
    fields = Fields(canonical.parse(data, max_bytes=MAX_BYTES), FORMAT)
    organisation = fields.name("organisation")
    people = fields.items("people", _parse_person)
    log_vkey = fields.text("log_vkey", at_most=300)
    floor = fields.json_object("floor")
    own_keys, self_contained = fields.boolean("own_keys"), fields.boolean("self_contained")
    fields.close()
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
