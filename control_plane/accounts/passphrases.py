"""Signing keys sealed under passphrases: opened for one signature, or to see who signs in.

Promises: a key is opened for one use, of which its holder is told, in a bounded line; after a few wrong passphrases in
a row a person is locked out for a while, and the log says so; signing in never tells whether a login exists; what a
machine's token opens is the key of that token, which can sign as an author only.
Does not: keep a running, stolen server from capturing a passphrase (the approval floor can demand keys of people's
own against that). Source: 21 CFR 11.200; OWASP Authentication Cheat Sheet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import rights
from control_plane.accounts.sealing import SALT_BYTES, InvalidTag, Sealed, derive, seal, unseal, unseal_with_token
from control_plane.errors import NotFound, Refused
from control_plane.outbox.mail import notify_use, tell_use
from control_plane.plane import ControlPlane
from control_plane.tables.accounts import KeyRow
from control_plane.tables.registry import LeafRow
from edge_runtime.core.errors import InvalidDocument

__all__ = ["SIGNING", "new_key", "open_author_key", "open_key", "sign_in"]

MIN_LENGTH, MAX_LENGTH = 8, 1024
UNKNOWN_PER_MINUTE = 10
"""Entries about logins that do not exist."""
SIGNING = "sign"
"""What a key is used for where nothing more is known."""
_WRONG = "expected the person's passphrase, got another"


def new_key(plane: ControlPlane, passphrase: str, *, identity: str) -> tuple[Ed25519PrivateKey, Sealed]:
    """Return a fresh key for the person with that id, and the same key sealed under their passphrase.

    Raises:
        InvalidDocument: a passphrase of fewer than 8 characters, or of more than 1024.
        Busy: too many keys are opened at once.
    """
    if not MIN_LENGTH <= len(passphrase) <= MAX_LENGTH:
        raise InvalidDocument(f"expected a passphrase of {MIN_LENGTH} to {MAX_LENGTH} characters")
    key = Ed25519PrivateKey.generate()
    with plane.line.turn():
        return key, seal(key.private_bytes_raw(), passphrase, identity=identity, cost=plane.settings.argon2)


def sign_in(plane: ControlPlane, login: str, passphrase: str) -> str:
    """Return the id of the person of that login if the passphrase is theirs.

    Whether the login is not there, the passphrase is wrong or the person is locked out makes no difference to the
    answer, nor to what is done before it: one derivation, one writing transaction.

    Raises:
        Refused: one of these, or people sign in elsewhere.
        Busy: too many sign in at once.
    """
    if not plane.settings.local_sign_in:
        raise Refused("expected a sign-in at the organisation's identity provider, got one with a passphrase")
    wrong = Refused(
        "expected a login and its passphrase, of somebody who is not locked out, got others",
        hint="after a few wrong passphrases a person is locked out for a while",
    )
    try:
        with db.read(plane.engine) as session:
            identity = rights.find_row(session, login).id
    except NotFound:
        _spend(plane, passphrase)
        _log_unknown(plane)
        raise wrong from None
    try:
        open_key(plane, identity, passphrase, use="sign-in")
    except _LockedOut:
        _spend(plane, passphrase)
        raise wrong from None
    except Refused:
        raise wrong from None
    return identity


def open_author_key(plane: ControlPlane, person: str, passphrase: str, *, use: str = SIGNING) -> Ed25519PrivateKey:
    """Return the key that signs what a person proposes; a machine's request opens the key of its token instead.

    Raises: as for `open_key`.
    """
    if plane.acting and plane.acting.machine:
        key = _open_machine_key(plane, person)
        tell_use(plane, person, use=use)
        return key
    return open_key(plane, person, passphrase, use=use)


def open_key(plane: ControlPlane, person: str, passphrase: str, *, use: str = SIGNING) -> Ed25519PrivateKey:
    """Return the signing key of a person, for one use, of which they are told; `use` is a word for it.

    Each try is counted before it is made, in a transaction of its own: tries at once cannot outnumber the limit, and
    the count outlives the act that a wrong passphrase refuses. The last try allowed locks first; if it is right, it
    unlocks. Nothing is counted of who finds the line full.

    Raises:
        NotFound: there is no such person.
        Refused: a wrong passphrase, locked out, no key here, or a machine.
        Busy: too many keys are opened at once.
    """
    if plane.acting and plane.acting.machine:
        raise Refused("expected a person to sign, got a machine", hint="its key signs what it proposes, and no more")
    with plane.line.turn():
        sealed, identity, locked = _count_try(plane, person)
        try:
            seed = unseal(sealed, passphrase[: MAX_LENGTH + 1], identity=identity)
        except InvalidTag:
            seed = b""
    if not seed:
        _log_wrong(plane, identity)
        raise Refused(_WRONG)
    with db.write(plane.engine, next_one=True) as session:
        row = rights.find_row(session, identity)
        if row.locked_until != locked:
            _refuse_locked(row.locked_until, plane.now())
        if row.sealed_key != sealed:
            raise Refused("expected the person's present key, got one that was replaced meanwhile")
        row.wrong, row.locked_until = 0, None
        notify_use(plane, session, identity, use=use)
    return Ed25519PrivateKey.from_private_bytes(seed)


class _LockedOut(Refused):
    """The person gave too many wrong passphrases."""


def _open_machine_key(plane: ControlPlane, person: str) -> Ed25519PrivateKey:
    acting = plane.acting
    assert acting is not None
    with db.read(plane.engine) as session:
        row = session.get(KeyRow, acting.key)
        if row is None or row.retired is not None or row.person != person or acting.person != person:
            raise Refused("expected a machine to sign with the key of its token, got another")
        sealed = dict(row.sealed_key)
    try:
        return Ed25519PrivateKey.from_private_bytes(unseal_with_token(sealed, acting.secret, identity=person))
    except InvalidTag:
        raise Refused("expected a machine to sign with the key of its token, got another") from None


def _spend(plane: ControlPlane, passphrase: str) -> None:
    """Take as long as looking at a passphrase takes."""
    with plane.line.turn():
        derive(passphrase[: MAX_LENGTH + 1], bytes(SALT_BYTES), plane.settings.argon2)


def _count_try(plane: ControlPlane, person: str) -> tuple[Sealed, str, datetime | None]:
    """Count a try and return the sealed key, the person's id, and until when this very try locked them out."""
    with db.write(plane.engine, next_one=True) as session:  # others wait to open keys meanwhile
        row, now = rights.find_row(session, person), plane.now()
        _refuse_locked(row.locked_until, now)
        if not row.sealed_key:
            raise Refused(
                "expected a person whose key lies here, got one whose key does not",
                hint="they sign with a key of their own, or their key was retired and no new one is enrolled yet",
            )
        row.wrong += 1
        locked = None
        if row.wrong >= plane.settings.wrong_passphrases:
            row.wrong = 0
            locked = row.locked_until = now + timedelta(seconds=plane.settings.locked_for_s)
        return dict(row.sealed_key), row.id, locked


def _refuse_locked(until: datetime | None, now: datetime) -> None:
    if until and until > now:
        raise _LockedOut(
            "expected a person who is not locked out", hint="too many wrong passphrases: wait, then try again"
        )


def _log_wrong(plane: ControlPlane, person: str) -> None:
    with ledger.act(plane) as session:
        target = LeafObject("person", person)
        event = ledger.Event(Act.SIGNED_IN_FAILED, person, ledger.SYSTEM, Auth.NONE, target, code="wrong-passphrase")
        ledger.append(plane, session, event)


def _log_unknown(plane: ControlPlane) -> None:
    """Log that somebody tried a login that nobody has, so often that guessing shows and the log does not fill."""
    with ledger.act(plane) as session:
        if _unknown_in(session, plane.now().replace(second=0)) < UNKNOWN_PER_MINUTE:
            event = ledger.Event(
                Act.SIGNED_IN_FAILED,
                ledger.SYSTEM,
                ledger.SYSTEM,
                Auth.NONE,
                LeafObject("person"),
                code="unknown-login",
            )
            ledger.append(plane, session, event)


def _unknown_in(session: Session, minute: datetime) -> int:
    query = select(LeafRow.seq).where(
        LeafRow.act == str(Act.SIGNED_IN_FAILED), LeafRow.actor == ledger.SYSTEM, LeafRow.at >= minute
    )
    return len(session.exec(query.limit(UNKNOWN_PER_MINUTE)).all())
