"""Signing: statements of people, with the key that is sealed here or by what they signed where their own key is.

One mechanism for every act that signs, in both custodies: the use case takes a passphrase, or an `Elsewhere`. Asked
without signatures, an act is carried out as far as them and undone: `Unsigned` says what there is to sign. With them it
goes on, if each is, byte for byte, what would be signed here, by the person's own key, within ten minutes.
Promises: statement, row and audit leaf are the caller's transaction; a machine hands in nothing that a person signed.
Does not: decide who may sign what (see the use cases), or derive what is shown before (see `custody`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import passphrases
from control_plane.accounts.rights import MAX_REASON_LENGTH
from control_plane.accounts.standing import has_key
from control_plane.errors import Refused
from control_plane.outbox.mail import tell_use
from control_plane.plane import ControlPlane
from control_plane.registry.facts import Facts
from control_plane.tables.accounts import KeyRow
from control_plane.tables.registry import PersonRow, StatementRow
from edge_runtime.core import canonical, dsse
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument, MentorplaneError
from edge_runtime.core.manifest import Entry
from edge_runtime.core.statements import MEANINGS, Statement, open_statement, sign_statement

if TYPE_CHECKING:
    from control_plane.reviewing.material import Material

__all__ = [
    "MAX_AGE",
    "SALT_BYTES",
    "Elsewhere",
    "Signature",
    "Signing",
    "Terms",
    "Unsigned",
    "Words",
    "auth_of",
    "key_of",
    "require_as_many",
    "require_own",
    "require_present",
    "sign",
    "sign_all",
    "verify_made",
]

SALT_BYTES = 16
MAX_AGE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Signature:
    """A statement that a person signed where their own key is, with the salt of its commitment to what they say."""

    envelope: dsse.Envelope
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a person signed where their own key is: one signature for each statement of the act.

    Without any it asks what there is to sign: the act then ends with `Unsigned`.
    """

    signed: tuple[Signature, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody is to sign about what is live: each statement as it will be, but for its reason and time.

    `before` is what was said about the stages of the release before, oldest first.
    """

    statements: tuple[JsonObject, ...]
    before: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What somebody is to sign about a grant or a delegation: the document, as it will be."""

    document: JsonObject


class Unsigned(MentorplaneError):
    """An act waits for a signature; `asked` is what there is to sign."""

    def __init__(self, asked: Material | Words | Terms) -> None:
        super().__init__("expected the signature of who acts, got none")
        self.asked = asked


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs what, with which key, in which role, for which reason, and how the log calls it.

    `key` is the key, or what its holder signed elsewhere; `behalf` is whom a delegate acts for.
    `before` and `after` are the digests of the target's states, if the act changes it; `checks` is the digest of the
    report that the signer relied on; `replacement` is what runs instead of what is withdrawn; `said` are the envelopes
    of what was said about the stages before.
    """

    act: str
    logged: Act
    channel: str
    person: str
    role: str
    reason: str
    key: Ed25519PrivateKey | Elsewhere
    manifest: str
    entries: tuple[Entry, ...]
    target: LeafObject
    proposal: int | None = None
    behalf: str = ""
    previous: str = ""
    facts: Facts = field(default_factory=Facts)
    checks: str = ""
    before: str = ""
    after: str = ""
    replacement: str = ""
    code: str = ""
    said: tuple[JsonObject, ...] = ()


def key_of(
    plane: ControlPlane, actor: str, given: str | Elsewhere, *, use: str, author: bool = False
) -> Ed25519PrivateKey | Elsewhere:
    """Return what signs for somebody: their key, or what they signed where their own key is.

    They are told that it was used, and for which act by the word `use`, whatever comes of it.

    Raises:
        NotFound, Busy: as for `passphrases.open_key`.
        Refused: so too; or a machine hands in what a person signed. Its own key signs what it proposes as an `author`.
    """
    if isinstance(given, str):
        return (passphrases.open_author_key if author else passphrases.open_key)(plane, actor, given, use=use)
    if plane.acting and plane.acting.machine:
        raise Refused("expected a person to sign, got a machine", hint="its own key signs what it proposes")
    with db.read(plane.engine) as session:
        used = sum(_is_own(session, actor, one.envelope) for one in given.signed)
    tell_use(plane, actor, use=use, times=used)
    return given


def require_as_many(given: Ed25519PrivateKey | Elsewhere, wanted: int) -> None:
    """Refuse what was signed elsewhere, unless it is one signature for each statement.

    Raises:
        Refused: it is more, or less.
    """
    if isinstance(given, Elsewhere) and len(given.signed) != wanted:
        raise Refused(f"expected {wanted} signatures for this act, got {len(given.signed)}")


def auth_of(given: object) -> Auth:
    """Return how somebody shows who they are: by a passphrase or the key under it, or by a key of their own."""
    return Auth.KEY if isinstance(given, Elsewhere) else Auth.PASSPHRASE


def sign(plane: ControlPlane, session: Session, signing: Signing) -> StatementRow:
    """Sign a statement, store it, and append its audit leaf, in the caller's transaction; raises as `sign_all`."""
    return sign_all(plane, session, [signing])[0]


def sign_all(plane: ControlPlane, session: Session, signings: Sequence[Signing]) -> tuple[StatementRow, ...]:
    """Sign all statements of one act, at most one on each channel.

    Raises:
        Unsigned: it is asked what there is to sign.
        Refused: what was signed elsewhere is something else, or not just as much.
        InvalidDocument: a reason that is too long.
    """
    if any(len(signing.reason) > MAX_REASON_LENGTH for signing in signings):
        raise InvalidDocument(f"expected a reason of at most {MAX_REASON_LENGTH} characters")
    given = signings[0].key
    if isinstance(given, Elsewhere) and not given.signed:
        now = plane.now()
        unsigned = (_statement(plane, signing, None, at=now).encode() for signing in signings)
        raise Unsigned(Words(tuple(canonical.parse(data, max_bytes=len(data)) for data in unsigned), signings[0].said))
    require_as_many(given, len(signings))
    return tuple(_sign(plane, session, signing) for signing in signings)


def _sign(plane: ControlPlane, session: Session, signing: Signing) -> StatementRow:
    if isinstance(signing.key, Elsewhere):
        envelope, said, at = verify_made(plane, session, signing, given=signing.key)
    else:
        at, said = plane.now(), texts.say(plane, signing.reason) if signing.reason else None
        envelope = sign_statement(_statement(plane, signing, said, at=at), signing.key)
        require_present(session, signing.person, envelope)
    row = StatementRow(
        digest=canonical.digest(envelope.payload),
        act=signing.act,
        manifest=signing.manifest,
        person=signing.person,
        role=signing.role,
        channel=signing.channel,
        previous=signing.previous,
        proposal=signing.proposal,
        envelope=envelope.as_json(),
        leaf=ledger.next_index(session),
        at=at,
    )
    session.add(row)
    session.flush()
    ledger.append(plane, session, _event(signing, row, said=said))
    return row


def _statement(plane: ControlPlane, signing: Signing, said: texts.Said | None, *, at: datetime) -> Statement:
    return Statement(
        act=signing.act,
        organisation=plane.organisation,
        channel=signing.channel,
        manifest=signing.manifest,
        entries=tuple(sorted(signing.entries)),
        person=signing.person,
        role=signing.role,
        reason=said.commitment if said else "",
        at=f"{at:%Y-%m-%dT%H:%M:%SZ}",
        previous=signing.previous,
        replacement=signing.replacement,
    )


def verify_made(
    plane: ControlPlane, session: Session, signing: Signing, *, given: Elsewhere
) -> tuple[dsse.Envelope, texts.Said | None, datetime]:
    """Return the envelope that was signed elsewhere for a signing, what it commits to, and its time.

    Raises:
        Refused: none is just what would be signed here, or it is not signed with the key of the person's own, or not
            within ten minutes of now.
    """
    stated = [(one, open_statement(one.envelope)) for one in given.signed]
    made, statement = next((pair for pair in stated if pair[1].channel == signing.channel), stated[0])
    said = texts.Said(signing.reason, made.salt) if signing.reason else None
    at = datetime.fromisoformat(statement.at)
    if made.envelope.payload != _statement(plane, signing, said, at=at).encode():
        raise Refused("expected just what would be signed here now, got a statement that says something else")
    require_own(session, signing.person, made.envelope)
    if abs(at - plane.now()) > MAX_AGE:
        raise Refused("expected a statement signed within ten minutes of now by the server's clock, got another")
    return made.envelope, said, at


def require_own(session: Session, signer: str, envelope: dsse.Envelope) -> None:
    """Refuse what is not signed by the key that a person keeps themselves, and by no other.

    Raises:
        Refused: it is not.
    """
    if not _is_own(session, signer, envelope):
        raise Refused("expected a statement signed with the key of the person's own alone, got another signature")


def require_present(session: Session, signer: str, envelope: dsse.Envelope) -> None:
    """Refuse what was signed by a key that was retired, or replaced, since it was opened.

    Raises:
        Refused: it was.
    """
    [key] = [key for key, _ in envelope.signatures]
    person, other = session.get(PersonRow, signer), session.get(KeyRow, key)
    present = person is not None and key == dsse.key_id(person.public_key) and other is None
    machine = other is not None and other.person == signer and other.retired is None
    if not present and not machine:
        raise Refused("expected the person's present key, got one that was retired or replaced meanwhile")


def _is_own(session: Session, signer: str, envelope: dsse.Envelope) -> bool:
    person = session.get(PersonRow, signer)
    if person is None or person.custody != "own" or not has_key(session, person):
        return False
    signers = [key for key, _ in envelope.signatures]
    return signers == [dsse.key_id(person.public_key)] and dsse.verified_by(envelope, person.public_key)


def _event(signing: Signing, row: StatementRow, *, said: texts.Said | None) -> ledger.Event:
    facts, key = signing.facts, signing.key
    key_id = row.envelope["signatures"][0]["keyid"]
    return ledger.Event(
        signing.logged,
        actor=signing.person,
        role=signing.role,
        auth=auth_of(key),
        target=signing.target,
        channel=signing.channel,
        before=signing.before,
        after=signing.after,
        diff=facts.diff,
        manifest=signing.manifest,
        policy=facts.policy,
        checks=signing.checks,
        models=facts.models,
        tier=facts.tier,
        statement=row.digest,
        meaning=MEANINGS[signing.act],
        key=f"sha256:{key_id}",
        behalf=signing.behalf,
        code=signing.code,
        reason=said,
        names=tuple(entry.name for entry in sorted(signing.entries)),
    )
