"""Asking people, or anybody in a role, to look at a proposal.

Promises: it asks, and gives nobody a right; whoever wrote the proposal, edited it or manages releases may ask. A
request ends when somebody ends it, or when the person who was asked signs.
Does not: tell anybody (see webhooks and mail).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from audit.record import Act, Auth
from control_plane import ledger
from control_plane.accounts import people, rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, NotFound
from control_plane.outbox.mail import notify_review
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.discussed import Requested
from control_plane.registry.exclusion import excluded
from control_plane.reviewing import expiry
from control_plane.tables.registry import ProposalRow, RevisionRow
from control_plane.tables.reviewing import RequestRow
from edge_runtime.core.approval import APPROVING
from edge_runtime.core.errors import InvalidDocument

__all__ = ["ASKED", "answered", "end_request", "request", "requests_of"]

ASKED = (*APPROVING, "reviewer")
"""Roles that can be asked."""
ASKING = ("author", "release-manager", "administrator")
MAX_REQUESTS = 50


def request(
    plane: ControlPlane,
    actor: str,
    number: int,
    *,
    persons: Sequence[str] = (),
    roles: Sequence[str] = (),
    auth: Auth = Auth.TOKEN,
    my_role: str = "",
) -> tuple[Requested, ...]:
    """Ask people, or anybody in some roles, to look at a proposal; return everybody who is asked now.

    Args:
        plane: the control plane.
        actor: person id of who asks.
        number: of the proposal.
        persons: logins or ids.
        roles: roles.
        auth: how the actor had authenticated.
        my_role: in which role the actor asks, "" for the only one that fits.

    Raises:
        NotFound: no such proposal or person.
        Refused: the actor may not ask, or the proposal is not open.
        Conflict: somebody is asked already, or wrote a part of it and so cannot decide.
        InvalidDocument: nobody to ask, too many, or a role in which nobody reviews.
    """
    if not persons and not roles:
        raise InvalidDocument("expected people or roles to ask, got none")
    if unknown := sorted(set(roles) - set(ASKED)):
        raise InvalidDocument(f"expected roles out of {', '.join(ASKED)}, got {len(unknown)} other")
    wanted = [(people.find_person(plane, one).id, "") for one in dict.fromkeys(persons)]
    wanted += [("", role) for role in dict.fromkeys(roles)]
    expiry.expire_due(plane, number)
    role = _require_asking(plane, actor, number, chosen=my_role)
    with rights.acting(plane, actor, role) as session:
        proposal, revision = store.find_proposal(session, number)
        store.require_living(proposal)
        asked = {(row.person, row.role) for row in _open_requests(session, number)}
        if len(asked) + len(wanted) > MAX_REQUESTS:
            raise InvalidDocument(f"expected at most {MAX_REQUESTS} requests, got more")
        out = excluded(session, number)
        for person, asked_role in wanted:
            if (person, asked_role) in asked:
                raise Conflict("expected somebody who is not asked yet, got one who is")
            if person in out:
                raise Conflict("expected somebody who did not write this, got one of its authors")
            what = (Act.REVIEW_REQUESTED, actor, role, auth)
            leaf = _append(plane, session, proposal, revision=revision, what=what, asked=(person, asked_role))
            session.add(
                RequestRow(leaf=leaf, proposal=number, person=person, role=asked_role, by=actor, at=plane.now())
            )
            session.flush()
            if person:
                notify_review(plane, session, person, proposal=number)
        return tuple(map(_record, _open_requests(session, number)))


def end_request(
    plane: ControlPlane,
    actor: str,
    number: int,
    *,
    person: str = "",
    role: str = "",
    auth: Auth = Auth.TOKEN,
    my_role: str = "",
) -> tuple[Requested, ...]:
    """Ask somebody, or a role, no longer; return everybody who is asked now. `my_role` is as for `request`.

    Raises:
        NotFound: no such proposal or person, or they are not asked.
        Refused: the actor may not.
    """
    who = people.find_person(plane, person).id if person else ""
    by = _require_asking(plane, actor, number, chosen=my_role)
    with rights.acting(plane, actor, by) as session:
        proposal, revision = store.find_proposal(session, number)
        rows = [row for row in _open_requests(session, number) if (row.person, row.role) == (who, role)]
        if not rows:
            raise NotFound("expected somebody who is asked, got another")
        for row in rows:
            what = (Act.REVIEW_REQUEST_ENDED, actor, by, auth)
            row.ended = _append(plane, session, proposal, revision=revision, what=what, asked=(who, role))
        session.flush()
        return tuple(map(_record, _open_requests(session, number)))


def answered(session: Session, number: int, *, person: str, leaf: int) -> None:
    """End the request to somebody who signed, by the entry of that act."""
    for row in _open_requests(session, number):
        if row.person == person:
            row.ended = leaf
    session.flush()


def requests_of(session: Session, number: int) -> tuple[Requested, ...]:
    """Return who is asked to look at a proposal, in the order in which they were."""
    return tuple(map(_record, _open_requests(session, number)))


def _require_asking(plane: ControlPlane, actor: str, number: int, *, chosen: str) -> str:
    attempt = Attempt("request-review", store.target_named(number))
    return rights.require_role(plane, actor, ASKING, attempt=attempt, chosen=chosen)


def _open_requests(session: Session, number: int) -> list[RequestRow]:
    query = select(RequestRow).where(RequestRow.proposal == number, col(RequestRow.ended).is_(None))
    return list(session.exec(query.order_by(col(RequestRow.leaf))))


def _append(
    plane: ControlPlane,
    session: Session,
    proposal: ProposalRow,
    *,
    revision: RevisionRow,
    what: tuple[Act, str, str, Auth],
    asked: tuple[str, str],
) -> int:
    act, actor, role, auth = what
    event = ledger.Event(
        act,
        actor,
        role,
        auth,
        store.target_of(proposal, revision),
        channel=proposal.channel,
        manifest=revision.digest,
        code=asked[1] or asked[0],
    )
    return ledger.append(plane, session, event)


def _record(row: RequestRow) -> Requested:
    return Requested(row.person, row.role, row.by, row.at)
