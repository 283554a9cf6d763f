"""Sessions: people who signed in with a browser, and the token that guards their writes.

Promises: the cookie is random and stored hashed; signing in makes a new one and ends the one that was presented; a
change of somebody's rights or key ends all of theirs; unused for a while, or after a day's work, they sign in again;
signing in and out are entries of the log. A page that writes with the cookie also sends a token that only pages of this
server can read (see `csrf_token`).
Does not: set cookies or look at headers (see `api.shared`). Source: OWASP Session Management and CSRF Cheat Sheets.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.accounts import passphrases, rights
from control_plane.accounts.rights import Attempt
from control_plane.accounts.standing import require_key
from control_plane.errors import NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.scopes import Acting
from control_plane.tables.accounts import SessionRow

__all__ = [
    "OpenSession",
    "Started",
    "acting_for",
    "csrf_token",
    "end",
    "end_all",
    "end_all_of",
    "end_one",
    "is_csrf_token",
    "list_sessions",
    "session_digest",
    "sign_in",
    "start",
]

SEEN_EVERY = timedelta(minutes=1)
ID_LENGTH = 12
"""How much of the digest by which a session is stored tells it from the others, and is no secret."""
_CSRF = b"mentorplane csrf"


@dataclass(frozen=True, slots=True)
class Started:
    """A session that began: whose, the value of its cookie, until when at most."""

    person: str
    cookie: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its list shows it: whose, since when, last used about when, until when at most."""

    id: str
    person: str
    at: datetime
    seen_at: datetime
    expires_at: datetime


def sign_in(plane: ControlPlane, login: str, passphrase: str, *, before: str = "") -> Started:
    """Start a session by login and passphrase; `before` is the cookie that the browser had, whose session ends.

    Raises:
        Refused: the login and passphrase are not somebody's, they are locked out, or people sign in elsewhere.
        Busy: too many sign in at once.
    """
    return start(plane, passphrases.sign_in(plane, login, passphrase), auth=Auth.PASSPHRASE, before=before)


def start(plane: ControlPlane, person: str, *, auth: Auth, before: str = "") -> Started:
    """Start a session of a person who proved who they are; raises as `require_key` if they lost their key meanwhile."""
    cookie, now = secrets.token_urlsafe(32), plane.now()
    row = SessionRow(
        hash=_hash(cookie),
        person=person,
        seen_at=now,
        expires_at=now + timedelta(seconds=plane.settings.session_lasts_s),
        at=now,
    )
    with ledger.act(plane) as session:
        require_key(session, rights.find_row(session, person))
        old = session.get(SessionRow, _hash(before)) if before else None
        if old is not None:
            session.delete(old)
        session.exec(delete(SessionRow).where(col(SessionRow.expires_at) <= now))
        session.add(row)
        target = LeafObject("session", person, f"sha256:{row.hash}")
        ledger.append(plane, session, ledger.Event(Act.SIGNED_IN, person, ledger.SYSTEM, auth, target))
        return Started(person, cookie, row.expires_at)


def acting_for(plane: ControlPlane, cookie: str) -> Acting:
    """Return for whom a cookie is good: for everything that they may do.

    Raises:
        Refused: it is nobody's, was unused for too long, or is too old.
    """
    wanted, now = _hash(cookie), plane.now()
    idle = timedelta(seconds=plane.settings.session_idle_s)
    with db.read(plane.engine) as session:
        row = session.get(SessionRow, wanted)
        if row is None or row.expires_at <= now or row.seen_at + idle <= now:
            raise Refused("expected a session that is open, got another")
        person, stale = row.person, row.seen_at + SEEN_EVERY <= now
    if stale:
        with db.write(plane.engine) as session:
            seen = session.get(SessionRow, wanted)
            if seen is not None:
                seen.seen_at = now
    return Acting(person)


def end(plane: ControlPlane, cookie: str) -> None:
    """End a session; nothing happens if it ended before."""
    with ledger.act(plane) as session:
        row = session.get(SessionRow, _hash(cookie))
        if row is not None:
            _log_out(plane, session, row.person, digest=f"sha256:{row.hash}", code="here")
            session.delete(row)


def end_all(plane: ControlPlane, person: str) -> int:
    """End every session of a person who asks for it, and return how many were open."""
    with ledger.act(plane) as session:
        identity = rights.find_row(session, person).id
        ended = end_all_of(session, identity)
        _log_out(plane, session, identity, digest="", code="everywhere")
        return ended


def end_all_of(session: Session, person: str) -> int:
    """End every session of a person in the caller's transaction, because what they may do changes."""
    rows = session.exec(select(SessionRow).where(SessionRow.person == person)).all()
    for row in rows:
        session.delete(row)
    session.flush()
    return len(rows)


def list_sessions(plane: ControlPlane, *, person: str = "") -> tuple[OpenSession, ...]:
    """Return the open sessions of a person, by id, or everybody's; newest first."""
    now = plane.now()
    used_since = now - timedelta(seconds=plane.settings.session_idle_s)
    query = select(SessionRow).where(col(SessionRow.expires_at) > now, col(SessionRow.seen_at) > used_since)
    if person:
        query = query.where(SessionRow.person == person)
    with db.read(plane.engine) as session:
        rows = session.exec(query.order_by(col(SessionRow.at).desc(), SessionRow.hash)).all()
        return tuple(
            OpenSession(row.hash[:ID_LENGTH], row.person, at=row.at, seen_at=row.seen_at, expires_at=row.expires_at)
            for row in rows
        )


def end_one(plane: ControlPlane, actor: str, identity: str) -> None:
    """End a session of one's own, or as an administrator anybody's, by the id that the list shows.

    Raises:
        NotFound: no session of that id is there.
        Refused: it is somebody else's.
    """
    attempt = Attempt("end-session", LeafObject("session"))
    with db.read(plane.engine) as session:
        whose = _find(session, identity).person
    role = rights.require_owner(plane, actor, whose, attempt=attempt)
    with rights.acting(plane, actor, role) as session:
        row = _find(session, identity)
        _log_out(plane, session, row.person, digest=f"sha256:{row.hash}", code="elsewhere", by=actor)
        session.delete(row)


def _find(session: Session, identity: str) -> SessionRow:
    if len(identity) == ID_LENGTH:
        row = session.exec(select(SessionRow).where(col(SessionRow.hash).startswith(identity, autoescape=True))).first()
        if row is not None:
            return row
    raise NotFound("expected the id of an open session, got another")


def session_digest(cookie: str) -> str:
    """Return how entries of the log name a session: its digest, which signing in logged as its object."""
    return f"sha256:{_hash(cookie)}"


def csrf_token(cookie: str) -> str:
    """Return what a page of this server sends with each write: worked out from the cookie, unreadable elsewhere."""
    return hmac.new(cookie.encode(), _CSRF, hashlib.sha256).hexdigest()


def is_csrf_token(cookie: str, given: str) -> bool:
    """Return whether this is the token of that cookie."""
    return hmac.compare_digest(csrf_token(cookie).encode(), given.encode(errors="replace"))


def _log_out(plane: ControlPlane, session: Session, person: str, *, digest: str, code: str, by: str = "") -> None:
    target = LeafObject("session", person, digest)
    event = ledger.Event(Act.SIGNED_OUT, by or person, ledger.SYSTEM, Auth.TOKEN, target, code=code)
    ledger.append(plane, session, event)


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode(errors="surrogatepass")).hexdigest()
