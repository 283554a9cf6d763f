"""Placing and lifting legal holds.

Promises: both are acts of compliance or of an administrator, who show that they are here and give a reason, and entries
of the log; every entry written meanwhile names the holds that cover it.
Does not: bring back what was erased before.
"""

from __future__ import annotations

from sqlmodel import Session, col, select

from audit.grammar import MAX_HOLDS
from audit.record import Act, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import people, rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict
from control_plane.keeping.keepers import Asking, require_keeper
from control_plane.plane import ControlPlane
from control_plane.tables.registry import HoldRow
from control_plane.texts.holds import EVERYBODY, Hold, hold_record, in_force
from control_plane.texts.values import hold_digest

__all__ = ["hold", "lift_hold"]


def hold(plane: ControlPlane, person: str, *, asking: Asking) -> Hold:
    """Place a hold on a person's texts, or on everybody's.

    Args:
        plane: the control plane.
        person: login or id; "" for everybody.
        asking: who places it, and why; a proof by their own key is for `doing("hold", id or "everybody")`.

    Raises:
        NotFound: no such person.
        Refused: who asks is neither in compliance nor an administrator, or a wrong passphrase.
        InvalidDocument: no reason, one that is too long, or a ticket that is none.
        Conflict: as many holds on them are in force as can be.
    """
    who = people.find_person(plane, person).id if person else EVERYBODY
    target = LeafObject("person", who) if who else LeafObject("log")
    role, auth = require_keeper(plane, asking, attempt=Attempt("hold", target), what=(who or "everybody",))
    with rights.acting(plane, asking.by, role) as session:
        _require_room(session, who)
        number = len(session.exec(select(HoldRow.id)).all()) + 1
        row = HoldRow(id=f"hold-{number}", person=who, placed=ledger.next_index(session), at=plane.now())
        session.add(row)
        session.flush()
        event = ledger.Event(
            Act.HOLD_PLACED,
            asking.by,
            role,
            auth,
            _target(row),
            code="on-a-person" if who else "on-everybody",
            reason=texts.say(plane, asking.reason),
            ticket=asking.ticket,
        )
        ledger.append(plane, session, event)
        return hold_record(row)


def lift_hold(plane: ControlPlane, identity: str, *, asking: Asking) -> Hold:
    """Lift a hold; a proof by an own key is for `doing("lift-hold", identity)`.

    Raises:
        NotFound: none of that id is in force.
        Refused, InvalidDocument: as for `hold`.
    """
    with db.read(plane.engine) as session:
        attempt = Attempt("lift-hold", _target(in_force(session, identity)))
    role, auth = require_keeper(plane, asking, attempt=attempt, what=(identity,))
    with rights.acting(plane, asking.by, role) as session:
        row = in_force(session, identity)
        event = ledger.Event(
            Act.HOLD_LIFTED,
            asking.by,
            role,
            auth,
            _target(row),
            reason=texts.say(plane, asking.reason),
            ticket=asking.ticket,
        )
        row.lifted = ledger.append(plane, session, event)
        return hold_record(row)


def _require_room(session: Session, who: str) -> None:
    """Refuse a hold that an entry could not name any more."""
    # INVARIANT: an entry concerns at most three people and everybody, so it names every hold on it.
    same = select(HoldRow.id).where(HoldRow.person == who, col(HoldRow.lifted).is_(None))
    if len(session.exec(same).all()) >= MAX_HOLDS // 4:
        raise Conflict(
            f"expected fewer than {MAX_HOLDS // 4} holds in force on the same texts, got as many",
            hint="lift one that is settled, or let one of them stand for several cases",
        )


def _target(row: HoldRow) -> LeafObject:
    return LeafObject("hold", row.id, hold_digest(row.id, row.person))
