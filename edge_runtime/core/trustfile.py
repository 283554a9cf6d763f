"""The trust file: whose signatures count, which log, and the least quorum that holds whatever a release says.

Top-level targets (offline keys) vouch for it; the online keys cannot change it. An installation that
keeps every key on one machine says so in `self_contained`, and claims less.
Does not: verify anything. Format: docs/formats.md, `mentorplane-trust/1`.
"""

from __future__ import annotations

from collections.abc import Mapping

from audit.frozen import frozen
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import Person
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.manifest import TIERS

__all__ = ["TrustFile", "encode_trust", "parse_trust"]

FORMAT = "mentorplane-trust/1"
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
        {"person": p.person, "key": dsse.encode_base64(p.key), "custody": p.custody, "roles": list(p.roles)}
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
    if not people or len({p.person for p in people}) != len(people) or len({p.key for p in people}) != len(people):
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
    )
    fields.close()
    if len(person.key) != 32:
        raise InvalidDocument(f"person of the keyring: expected a key of 32 bytes, got {len(person.key)}")
    return person
