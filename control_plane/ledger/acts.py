"""An act and its leaf: appended in one transaction, published afterwards.

Promises: both are committed or neither; what the use case does not say (id, index, time, organisation, the previous
leaf of the same object, retention class) is filled in here and nowhere else.
Does not: decide whether the act is allowed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from audit import merkle
from audit.grammar import MAX_HOLDS
from audit.record import (
    Act,
    Auth,
    Client,
    LeafActor,
    LeafObject,
    LeafReason,
    LeafRecord,
    LeafSignature,
    Outcome,
    Retention,
    encode_leaf,
)
from control_plane import db, texts
from control_plane.index import keeping as index
from control_plane.ledger.head import head
from control_plane.ledger.publish import publish_covering, require_current
from control_plane.ledger.witnesses import ACT_WAIT_S, ask_witnesses
from control_plane.outbox import webhooks
from control_plane.plane import ControlPlane
from control_plane.requests import claims
from control_plane.tables.registry import LeafRow, TextKeyRow
from control_plane.texts.holds import holds_on
from control_plane.texts.sealing import current_key, store

__all__ = ["SYSTEM", "Event", "act", "append", "logged_at", "next_index", "retention_of"]

SYSTEM = "system"
"""Actor and role of what the installation does by itself."""

_LOG = logging.getLogger(__name__)
_ACCESS = {Act.SIGNED_IN, Act.SIGNED_OUT, Act.AUDIT_READ, Act.EXPORTED, Act.REVEALED}
_SECURITY = {
    Act.SIGNED_IN_FAILED,
    Act.REFUSED,
    Act.KEY_SEALED,
    Act.KEY_ENROLLED,
    Act.KEY_REVOKED,
    Act.TOKEN_ISSUED,
    Act.TOKEN_REVOKED,
    Act.RECOVERED,
}
_OUTCOMES = {Act.REFUSED: Outcome.REFUSED, Act.SIGNED_IN_FAILED: Outcome.FAILED}


@dataclass(frozen=True, slots=True)
class Event:
    """What an act says about itself; `names` are the names of everything it concerns, for searching.

    `channel` is "" for what concerns none, such as people.
    `statement`, `meaning` and `key` are those of the signature that carries it; `code` and `reason` say why, in a word
    and in the person's own; `behalf` is whom it was done for.
    """

    act: Act
    actor: str
    role: str
    auth: Auth
    target: LeafObject
    channel: str = ""
    before: str = ""
    after: str = ""
    diff: str = ""
    manifest: str = ""
    policy: str = ""
    checks: str = ""
    models: str = ""
    tier: str = ""
    ticket: str = ""
    statement: str = ""
    meaning: str = ""
    key: str = ""
    code: str = ""
    reason: texts.Said | None = None
    behalf: str = ""
    names: tuple[str, ...] = ()

    def about(self, target: LeafObject, *, code: str) -> Event:
        """Return the same event about another object, for another reason."""
        return replace(self, target=target, code=code)


def retention_of(what: Act) -> Retention:
    """Return how long the texts behind such an act are kept."""
    if what in _ACCESS:
        return Retention.ACCESS
    return Retention.SECURITY if what in _SECURITY else Retention.GOVERNANCE


@contextmanager
def act(plane: ControlPlane) -> Iterator[Session]:
    """Carry out one act: its state and its leaf in one transaction, then publish the log and ask its witnesses.

    The act is done once this transaction is committed. A crash, or a full disk, between there and the end of the
    publication leaves an older log published; the next act or start finishes it. Acts at once share a publication.
    """
    with db.write(plane.engine) as session:
        top = head(session)  # kept here, as the session lets go of rows that nobody holds, and reads them again
        before = merkle.parse_frontier(top.frontier)
        require_current(plane, session)
        yield session
        size = merkle.parse_frontier(top.frontier).size
    try:
        publish_covering(plane, size, known=before)
        ask_witnesses(plane, timeout_s=ACT_WAIT_S)
    except OSError:
        _LOG.exception("the log was not published; the next act or start does it")


def append(plane: ControlPlane, session: Session, event: Event) -> int:
    """Append the leaf of `event` in the caller's transaction and return its index."""
    # INVARIANT: the transaction came from `db.write`, so nobody else reads or moves the head meanwhile.
    top = head(session)
    frontier = merkle.parse_frontier(top.frontier)
    key = None
    if event.actor != SYSTEM:
        key = current_key(plane, session, event.actor, retention=retention_of(event.act))
    record = _record(plane, session, event, seq=frontier.size, key=key)
    data = encode_leaf(record)
    top.frontier = frontier.append(merkle.leaf_hash(data)).encode()
    target = event.target
    session.add(
        LeafRow(
            seq=frontier.size,
            data=data,
            act=str(event.act),
            actor=event.actor,
            role=event.role,
            kind=target.kind,
            name=target.name,
            digest=target.digest,
            manifest=event.manifest,
            channel=record.channel,
            subject=record.subject,
            at=record.at,
        )
    )
    session.flush()
    if event.reason is not None and key is not None:
        store(plane, session, frontier.size, key=key, said=event.reason)
    index.add(plane, session, record)
    if event.act is not Act.REFUSED:
        claims.mark(session, frontier.size)
    webhooks.note(plane, session, record)
    return frontier.size


def next_index(session: Session) -> int:
    """Return the index of the entry that is appended next in the caller's transaction, which came from `db.write`."""
    return merkle.parse_frontier(head(session).frontier).size


def logged_at(session: Session, index: int) -> datetime:
    """Return the time of an entry that was appended in the caller's transaction: that of all that it did."""
    row = session.get(LeafRow, index)
    assert row is not None  # it was appended just now
    return row.at


def _record(plane: ControlPlane, session: Session, event: Event, *, seq: int, key: TextKeyRow | None) -> LeafRecord:
    target = event.target
    concerned = (event.actor, event.behalf, target.name if target.kind == "person" else "")
    return LeafRecord(
        act=event.act,
        outcome=_OUTCOMES.get(event.act, Outcome.DONE),
        actor=_actor(plane, event, key),
        object=target,
        at=plane.now(),
        seq=seq,
        id=plane.event_id(),
        organisation=plane.organisation,
        channel=event.channel,
        before=event.before,
        after=event.after,
        diff=event.diff,
        manifest=event.manifest,
        policy=event.policy,
        checks=event.checks,
        models=event.models,
        tier=event.tier,
        ticket=event.ticket,
        signature=LeafSignature(event.meaning, event.key, event.statement),
        reason=LeafReason(event.code, event.reason.commitment if event.reason and key else ""),
        retention=retention_of(event.act),
        holds=holds_on(session, *concerned)[:MAX_HOLDS],
        subject=key.id if key else "",
        prev=_previous(session, target),
    )


def _actor(plane: ControlPlane, event: Event, key: TextKeyRow | None) -> LeafActor:
    if key is None:
        return LeafActor(event.actor, event.role, event.auth, Client.SYSTEM, behalf=event.behalf)
    auth = Auth.NONE if event.auth is Auth.TOKEN and not plane.token else event.auth  # whoever works on the home itself
    return LeafActor(event.actor, event.role, auth, plane.client, key.name, plane.token, event.behalf)


def _previous(session: Session, target: LeafObject) -> int:
    """Return the newest leaf about an object of that kind and name, or -1."""
    same = select(LeafRow.seq).where(LeafRow.kind == target.kind, LeafRow.name == target.name)
    found = session.exec(same.order_by(col(LeafRow.seq).desc()).limit(1)).first()
    return -1 if found is None else found
