"""E-mail addresses of people, encrypted under their text keys, so that erasing somebody's texts erases it too.

Promises: no file holds an address in clear, and the log only the digest of what is encrypted; people set their own;
somebody else's takes an administrator who shows that they are here. An address is where somebody is told that something
happened, and proves nothing: no code, link or account goes by it, so whoever sets one comes in as nobody. Whoever reads
the address from before is told that it was changed, and so is the person, if an administrator did it.
Does not: find out whether mail arrives there, or send any (see `mail`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import replace

from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject, Retention
from control_plane import db, ledger
from control_plane.accounts import presence, rights
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.errors import NotFound
from control_plane.outbox.mail import notify_moved
from control_plane.plane import ControlPlane
from control_plane.purposes import doing
from control_plane.tables.accounts import MOVED, ContactRow
from control_plane.tables.registry import TextKeyRow
from control_plane.texts.openness import is_open
from control_plane.texts.sealing import current_key, open_aside, seal_aside
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument

__all__ = ["address_of", "move", "remove_address", "set_address"]

MAX_LENGTH = 254
OWN = "own"
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)*")


def set_address(plane: ControlPlane, actor: str, person: str, *, address: str, passphrase: str | Proof = "") -> None:
    """Set the address to which a person gets mail, in place of the one before.

    Args:
        plane: the control plane.
        actor: person id of the person, or of an administrator.
        person: login or id of whose address it is.
        address: in ASCII; letters become small ones.
        passphrase: the administrator's, or a proof by their own key for `doing("set-address", id, address)`; nobody
            needs one for their own address.

    Raises:
        NotFound: there is no such person.
        InvalidDocument: it is no address.
        Refused: it is somebody else's, and the actor is no administrator or gave a wrong passphrase.
    """
    wanted = address.strip().lower()
    if len(wanted) > MAX_LENGTH or not _ADDRESS.fullmatch(wanted):
        raise InvalidDocument("expected an e-mail address in ASCII, such as ines@example.org, got something else")
    event = _allowed(plane, actor, person, given=passphrase, address=address)
    with _acting(plane, event) as session:
        before = _before(session, event.target.name)
        entry = _keep(plane, session, wanted, by=event.actor, event=event)
        if event.code != OWN:
            notify_moved(plane, session, event.target.name, act=str(event.act), entry=entry)
        _tell_before(plane, session, event, entry=entry, before=before)


def remove_address(plane: ControlPlane, actor: str, person: str, *, passphrase: str | Proof = "") -> None:
    """Remove a person's address: they get no mail from now on; a proof is for `doing("remove-address", id)`.

    Raises:
        NotFound: there is no such person, or they have none.
        Refused: as for `set_address`.
    """
    event = _allowed(plane, actor, person, given=passphrase)
    with _acting(plane, event) as session:
        row = session.get(ContactRow, event.target.name)
        if row is None:
            raise NotFound("expected somebody with an address, got one without")
        before = (row.key, row.data)
        session.delete(row)
        _tell_before(plane, session, event, entry=ledger.append(plane, session, event), before=before)


def _acting(plane: ControlPlane, event: ledger.Event) -> AbstractContextManager[Session]:
    return rights.acting(plane, event.actor, "" if event.code == OWN else event.role)


def _before(session: Session, person: str) -> tuple[str, bytes]:
    """Return the address that somebody has, encrypted, and the id of its key; nothing if they have none."""
    row = session.get(ContactRow, person)
    return (row.key, row.data) if row is not None else ("", b"")


def _tell_before(
    plane: ControlPlane, session: Session, event: ledger.Event, *, entry: int, before: tuple[str, bytes]
) -> None:
    """Tell whoever reads the address from before: who diverts somebody's mail cannot do it unseen."""
    if before[0]:
        notify_moved(plane, session, event.target.name, act=str(event.act), entry=entry, before=before)


def address_of(plane: ControlPlane, session: Session, person: str, *, before: tuple[str, bytes] | None = None) -> str:
    """Return a person's address, or one from before; "" if none is known or it was erased, or while nothing opens."""
    row = session.get(ContactRow, person)
    kept = before or ((row.key, row.data) if row is not None else None)
    return _open(plane, session, person, kept=kept) if kept is not None and is_open(plane, session) else ""


def move(plane: ControlPlane, session: Session, keys: Collection[str]) -> None:
    """Encrypt the addresses under these keys, which expire, anew: an address is kept until somebody erases it."""
    for row in session.exec(select(ContactRow).where(col(ContactRow.key).in_(keys)).order_by(ContactRow.person)).all():
        target = LeafObject("person", row.person)
        event = ledger.Event(Act.ADDRESS_SET, ledger.SYSTEM, ledger.SYSTEM, Auth.SYSTEM, target, code=MOVED)
        _keep(plane, session, _open(plane, session, row.person, kept=(row.key, row.data)), by=row.by, event=event)


def _allowed(plane: ControlPlane, actor: str, person: str, *, given: str | Proof, address: str = "") -> ledger.Event:
    """Return what the log will say, once the actor may do it; "" removes the address."""
    act, word = (Act.ADDRESS_SET, "set-address") if address else (Act.ADDRESS_REMOVED, "remove-address")
    with db.read(plane.engine) as session:
        by, whose = (rights.find_row(session, one).id for one in (actor, person))
    attempt = Attempt(word, LeafObject("person", whose))
    if by == whose:
        rights.require_scope(plane, by, attempt=attempt)
        auth = Auth.TOKEN if plane.token else Auth.NONE
        return ledger.Event(act, by, ledger.SYSTEM, auth, attempt.target, code=OWN)
    role = rights.require_role(plane, by, ("administrator",), attempt=attempt)
    auth = presence.require(plane, by, given, purpose=doing(word, whose, *filter(None, [address])))
    return ledger.Event(act, by, role, auth, attempt.target, behalf=whose, code="administrator")


def _keep(plane: ControlPlane, session: Session, address: str, *, by: str, event: ledger.Event) -> int:
    person = event.target.name
    key = current_key(plane, session, person, retention=Retention.GOVERNANCE)
    data = seal_aside(plane, key, address, place=_place(person))
    entry = ledger.append(plane, session, replace(event, after=canonical.digest(data)))
    session.merge(ContactRow(person=person, key=key.id, data=data, by=by, at=ledger.logged_at(session, entry)))
    return entry


def _open(plane: ControlPlane, session: Session, person: str, *, kept: tuple[str, bytes]) -> str:
    key = session.get(TextKeyRow, kept[0])
    return open_aside(plane, key, kept[1], place=_place(person)) if key is not None and key.erased_by is None else ""


def _place(person: str) -> str:
    return f"contact/{person}"
