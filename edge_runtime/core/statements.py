"""Signed statements: who did what to which manifest and entries, with which meaning.

One format serves authorship, approval, rejection, withdrawal, and the opening and halt of a rollout's stages, told
apart by `act`, which the signature covers. Promises: a statement names the organisation, the channel, the manifest
digest and each entry with its epoch, digest, tier and author, so it cannot be replayed on another manifest, channel or
content.
Names and reasons of people are not in it: a pseudonymous person id and a salted commitment only.
Does not: decide whether the signer was eligible or enough signed (see `approval`).
Format: docs/formats.md, `mentorplane-statement/2`.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.frozen import frozen
from edge_runtime.core import canonical, dsse
from edge_runtime.core.entries import Entry, is_ordered, parse_entry, parse_listing
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields

__all__ = ["ACTS", "MEANINGS", "PAYLOAD_TYPE", "Statement", "open_statement", "sign_statement"]

FORMAT = "mentorplane-statement/2"
PAYLOAD_TYPE = "application/vnd.mentorplane.statement+json"
MEANINGS = {
    "approve": "approval",
    "author": "authorship",
    "halt": "halt",
    "open": "opening",
    "reject": "rejection",
    "withdraw": "withdrawal",
}
"""The meaning of a signature (21 CFR 11.50), one for each act."""
ACTS = tuple(MEANINGS)


@frozen
class Statement:
    """What one person stated, as of `at` by the server's clock (a claim, not proof).

    `reason` is a salted commitment or "". `previous` links withdrawals, and words on stages: the digest of the payload
    of the one before, "" for the first and for every other act. `replacement` is the digest of the closure that runs
    instead of what is withdrawn, "" for its fallback text, and for every other act.
    """

    act: str
    organisation: str
    channel: str
    manifest: str
    entries: tuple[Entry, ...]
    person: str
    role: str
    reason: str
    at: str
    previous: str = ""
    replacement: str = ""

    def encode(self) -> bytes:
        """Return the canonical bytes: the payload that is signed."""
        return canonical.encode(
            {
                "format": FORMAT,
                "act": self.act,
                "meaning": MEANINGS[self.act],
                "organisation": self.organisation,
                "channel": self.channel,
                "manifest": self.manifest,
                "entries": [entry.as_json() for entry in self.entries],
                "person": self.person,
                "role": self.role,
                "reason": self.reason,
                "at": self.at,
                "previous": self.previous,
                "replacement": self.replacement,
            }
        )


def sign_statement(statement: Statement, key: Ed25519PrivateKey) -> dsse.Envelope:
    """Return `statement` in an envelope signed with its person's key."""
    return dsse.sign(statement.encode(), PAYLOAD_TYPE, key)


def open_statement(envelope: dsse.Envelope) -> Statement:
    """Return the statement in `envelope`, not yet verified: who signed is a question for `approval`.

    Raises:
        InvalidDocument: another payload type, or a payload that is not a statement of this version.
    """
    if envelope.payload_type != PAYLOAD_TYPE:
        raise InvalidDocument(f"expected an envelope of type {PAYLOAD_TYPE}")
    fields = Fields(parse_listing(envelope.payload, max_bytes=dsse.MAX_PAYLOAD_BYTES), FORMAT)
    act = fields.choice("act", ACTS)
    fields.choice("meaning", (MEANINGS[act],))
    statement = Statement(
        act=act,
        organisation=fields.name("organisation"),
        channel=fields.name("channel"),
        manifest=fields.digest("manifest"),
        entries=fields.items("entries", parse_entry),
        person=fields.name("person"),
        role=fields.name("role"),
        reason=fields.text("reason", at_most=100, empty=True),
        at=fields.time("at"),
        previous=fields.digest("previous", empty=True),
        replacement=fields.digest("replacement", empty=True),
    )
    fields.close()
    if not is_ordered(statement.entries):
        raise InvalidDocument(f"{FORMAT}: expected entries sorted by kind and name, each once")
    if statement.replacement and act != "withdraw":
        raise InvalidDocument(f"{FORMAT}: expected a replacement in a withdrawal only")
    return statement
