"""An act and its leaf: appended in one transaction, published afterwards.

Promises: both are committed or neither; what the use case does not say (id, index, time, organisation, channel, the
previous leaf of the same object, retention class) is filled in here and nowhere else.
Does not: decide whether the act is allowed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlmodel import Session, col, select

from audit import merkle
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
from control_plane import db
from control_plane.evidence import index
from control_plane.ledger.head import head
from control_plane.ledger.publish import publish_log
from control_plane.plane import ControlPlane
from control_plane.registry.tables import LeafRow

__all__ = ["SYSTEM", "Event", "act", "append", "retention_of"]

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

    `statement`, `meaning` and `key` are those of the signature that carries it; `code` and `reason` say why, in a word
    and as a commitment; `token` is the digest of the token that was used.
    """

    act: Act
    actor: str
    role: str
    auth: Auth
    target: LeafObject
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
    reason: str = ""
    token: str = ""
    behalf: str = ""
    names: tuple[str, ...] = ()


def retention_of(what: Act) -> Retention:
    """Return how long the texts behind such an act are kept."""
    if what in _ACCESS:
        return Retention.ACCESS
    return Retention.SECURITY if what in _SECURITY else Retention.GOVERNANCE


@contextmanager
def act(plane: ControlPlane) -> Iterator[Session]:
    """Carry out one act: its state and its leaf in one transaction, then publish the log.

    The act is done once this transaction is committed. A crash, or a full disk, between there and the end of the
    publication leaves an older log published; the next act or start finishes it.
    """
    with db.write(plane.engine) as session:
        yield session
    try:
        publish_log(plane)
    except OSError:
        _LOG.exception("the log was not published; the next act or start does it")


def append(plane: ControlPlane, session: Session, event: Event) -> int:
    """Append the leaf of `event` in the caller's transaction and return its index."""
    # INVARIANT: the transaction came from `db.write`, so nobody else reads or moves the head meanwhile.
    top = head(session)
    frontier = merkle.parse_frontier(top.frontier)
    record = _record(plane, session, event, seq=frontier.size)
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
            at=record.at,
        )
    )
    session.flush()
    index.add(plane, session, record)
    return frontier.size


def _record(plane: ControlPlane, session: Session, event: Event, *, seq: int) -> LeafRecord:
    client = Client.SYSTEM if event.actor == SYSTEM else plane.client
    return LeafRecord(
        act=event.act,
        outcome=_OUTCOMES.get(event.act, Outcome.DONE),
        actor=LeafActor(event.actor, event.role, event.auth, client, session=event.token, behalf=event.behalf),
        object=event.target,
        at=plane.now(),
        seq=seq,
        id=plane.event_id(),
        organisation=plane.organisation,
        channel=plane.channel,
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
        reason=LeafReason(event.code, event.reason),
        retention=retention_of(event.act),
        prev=_previous(session, event.target),
    )


def _previous(session: Session, target: LeafObject) -> int:
    """Return the newest leaf about an object of that kind and name, or -1."""
    same = select(LeafRow.seq).where(LeafRow.kind == target.kind, LeafRow.name == target.name)
    found = session.exec(same.order_by(col(LeafRow.seq).desc()).limit(1)).first()
    return -1 if found is None else found
