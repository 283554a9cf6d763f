"""Grants: who holds a role from when to when, signed by the people who may say so.

One payload, signed by several keys: a grant by two people other than whom it is for, one of them eligible for
compliance or as an administrator; a delegation by the absent person alone. Promises: nobody is granted what they are
not eligible for; nobody grants themselves, or anything for longer than a year; a signature for a grant never passes for
an approval, and it covers why, as a commitment.
Does not: know when a grant was logged or whether it ended (see the log), or decide who holds a role now.
Format: docs/formats.md, `mentorplane-grant/2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.frozen import frozen
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import Person
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.fields import Fields

__all__ = [
    "PAYLOAD_TYPE",
    "Grant",
    "add_signature",
    "missing_signatures",
    "open_grant",
    "sign_grant",
    "signers_of",
    "verify_grant",
]

FORMAT = "mentorplane-grant/2"
PAYLOAD_TYPE = "application/vnd.mentorplane.grant+json"
MAX_BYTES = 4_000
NOT_GRANTED = ("administrator", "auditor", "author", "release-manager", "reviewer")
"""Roles that nobody approves in: they come with being enrolled, not by a grant."""
KEEPERS = ("administrator", "compliance")
SIGNATURES = 2
LONGEST = timedelta(days=366)
"""What approval rules may allow at most."""
_WITHOUT_SAY = frozenset({"auditor", "author", "release-manager", "reviewer"})


@frozen
class Grant:
    """That `person` holds `role` from `since` until before `until`; for `behalf` while they are away, if not "".

    `previous` is the grant that this one takes over from, "" if none; `reason` the commitment to what its first signer
    says, "" while there is none.
    """

    id: str
    organisation: str
    person: str
    role: str
    since: str
    until: str
    behalf: str = ""
    previous: str = ""
    reason: str = ""

    def encode(self) -> bytes:
        """Return the canonical bytes: the payload that is signed."""
        return canonical.encode(
            {
                "format": FORMAT,
                "meaning": "delegation" if self.behalf else "grant",
                "id": self.id,
                "organisation": self.organisation,
                "person": self.person,
                "role": self.role,
                "since": self.since,
                "until": self.until,
                "behalf": self.behalf,
                "previous": self.previous,
                "reason": self.reason,
            }
        )


def sign_grant(grant: Grant, key: Ed25519PrivateKey) -> dsse.Envelope:
    """Return a grant in an envelope with its first signature."""
    return dsse.sign(grant.encode(), PAYLOAD_TYPE, key)


def add_signature(envelope: dsse.Envelope, made: dsse.Envelope) -> dsse.Envelope:
    """Return the same envelope with the signatures of another one over the same bytes, too."""
    added = {key for key, _ in made.signatures}
    others = tuple(one for one in envelope.signatures if one[0] not in added)
    return dsse.Envelope(envelope.payload_type, envelope.payload, (*others, *made.signatures))


def open_grant(envelope: dsse.Envelope) -> Grant:
    """Return the grant in an envelope, not yet verified.

    Raises:
        InvalidDocument: another payload type, or a payload that is no grant of this version.
    """
    if envelope.payload_type != PAYLOAD_TYPE:
        raise InvalidDocument(f"expected an envelope of type {PAYLOAD_TYPE}")
    fields = Fields(canonical.parse(envelope.payload, max_bytes=MAX_BYTES), FORMAT)
    meaning = fields.choice("meaning", ("delegation", "grant"))
    grant = Grant(
        id=fields.name("id"),
        organisation=fields.name("organisation"),
        person=fields.name("person"),
        role=fields.name("role"),
        since=fields.time("since"),
        until=fields.time("until"),
        behalf=fields.text("behalf", at_most=80, empty=True),
        previous=fields.text("previous", at_most=120, empty=True),
        reason=fields.text("reason", at_most=100, empty=True),
    )
    fields.close()
    lasts = _time(grant.until) - _time(grant.since)
    if (meaning == "delegation") != bool(grant.behalf) or not timedelta() < lasts <= LONGEST:
        raise InvalidDocument(f"{FORMAT}: expected a meaning that fits, and an end within a year after the beginning")
    if grant.role in NOT_GRANTED or grant.person == grant.behalf or (grant.behalf and grant.previous):
        raise InvalidDocument(f"{FORMAT}: expected a role in which people approve, for one other person")
    return grant


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidDocument(f"{FORMAT}: expected times of the calendar") from error


def verify_grant(
    envelope: dsse.Envelope, keyring: Mapping[str, Person], *, organisation: str, own_keys: bool = False
) -> Grant:
    """Return the grant in an envelope that everybody who must has signed; with `own_keys`, by keys of their own.

    Raises:
        NotTrusted: a signature is missing or is nobody's of the keyring, or somebody is not eligible.
        InvalidDocument: it is no grant of this version.
    """
    grant = open_grant(envelope)
    if grant.organisation != organisation:
        raise NotTrusted("expected a grant of this organisation, got another's", check="V6")
    signers = signers_of(envelope, keyring)
    if len(signers) != len(envelope.signatures):
        raise NotTrusted("expected signatures of people of the keyring, got another", check="V6")
    holder = keyring.get(grant.person)
    if holder is None or grant.role not in holder.roles:
        raise NotTrusted(f"expected somebody eligible as {grant.role}, got one who is not", check="V6")
    if own_keys and set(_custodies(envelope, keyring)) != {"own"}:
        raise NotTrusted("expected a grant signed by keys held by people themselves, got another", check="V6")
    lacking = missing_signatures(grant, signers, keyring)
    if lacking:
        raise NotTrusted(f"expected every signature that a grant takes, got one that lacks {lacking}", check="V6")
    return grant


def missing_signatures(grant: Grant, signers: frozenset[str], keyring: Mapping[str, Person]) -> str:
    """Return what the signatures of these people lack, in words; "" if nothing."""
    if grant.behalf:
        absent = keyring.get(grant.behalf)
        if absent is None or grant.role not in absent.roles:
            return "an absent person who is eligible for the role"
        return "" if signers == {grant.behalf} else "that of the absent person, alone"
    having = {person: frozenset(keyring[person].roles) for person in signers if person in keyring}
    saying = {person for person, roles in having.items() if person != grant.person and roles - _WITHOUT_SAY}
    if saying != signers:
        return "people who may say so, other than whom it is for"
    if not any(having[person].intersection(KEEPERS) for person in saying):
        return "one of an administrator or of compliance"
    return "" if len(saying) >= SIGNATURES else "that of a second person"


def signers_of(envelope: dsse.Envelope, keyring: Mapping[str, Person]) -> frozenset[str]:
    """Return the people of the keyring who signed with a key that may say so: no machine's."""
    found = {name: person.signs_as(envelope) for name, person in keyring.items()}
    return frozenset(name for name, roles in found.items() if roles and set(roles) - _WITHOUT_SAY)


def _custodies(envelope: dsse.Envelope, keyring: Mapping[str, Person]) -> Iterator[str]:
    """Yield who holds each key of the keyring that signed."""
    for person in keyring.values():
        for key, custody in ((person.key, person.custody), *((one.key, one.custody) for one in person.others)):
            if dsse.verified_by(envelope, key):
                yield custody
