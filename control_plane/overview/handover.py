"""Handing a role over: what is open for it, taken note of by the successor before they hold it.

The successor signs the digest of the list as it is then, so the log says what they knew; the grant before ends in the
same transaction. Promises: a list that changed since the successor looked is not taken note of.
Does not: close anything. Modules that know of further open things add a function to `SOURCES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from audit.record import Act, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import people, presence, rights, sessions
from control_plane.accounts.presence import Proof
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, Refused
from control_plane.granting.grants import GrantRecord, Signed, find_grant, log_grant, record
from control_plane.plane import ControlPlane
from control_plane.purposes import doing
from control_plane.registry import store
from control_plane.registry.live import live_manifest
from control_plane.tables.accounts import GrantRow
from control_plane.tables.registry import ClosureRow, ProposalRow, RevisionRow
from edge_runtime.core import canonical

__all__ = ["SOURCES", "Checklist", "Open", "acknowledge", "checklist"]


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that waits for a role: of which kind, its name, and since or until when in words of the list."""

    kind: str
    name: str
    due: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    """What is open for the role of a grant, and the digest by which it is taken note of."""

    grant: str
    role: str
    items: tuple[Open, ...]
    digest: str


def checklist(plane: ControlPlane, identity: str) -> Checklist:
    """Return what is open for the role of a grant now.

    Raises:
        NotFound: there is no such grant.
    """
    with db.read(plane.engine) as session:
        return _listed(plane, session, find_grant(session, identity))


def acknowledge(plane: ControlPlane, actor: str, identity: str, *, digest: str, passphrase: str | Proof) -> GrantRecord:
    """Take note of the list, as the successor: from now on they hold the role, and who held it before does not.

    They show that they are here by their passphrase, or by a proof for `doing("hand-over", identity, digest)`.

    Raises:
        NotFound: there is no such grant.
        Refused: the actor is not the successor, or gave a wrong passphrase or proof.
        Conflict: the list is another by now, or nothing is to be handed over.
    """
    with db.read(plane.engine) as session:
        whose = find_grant(session, identity).person
        first = rights.find_row(session, actor).roles[0]
    attempt = Attempt("hand-over", LeafObject("grant", identity))
    rights.require_scope(plane, actor, attempt=attempt)
    if whose != actor:
        rights.refuse(plane, actor, attempt, role=first, message="expected the successor to take note, got another")
    auth = presence.require(plane, actor, passphrase, purpose=doing("hand-over", identity, digest))
    with ledger.act(plane) as session:
        row, now = find_grant(session, identity), plane.now()
        if not row.previous or row.granted is None or row.handed_over is not None or row.ended is not None:
            raise Conflict("expected a grant that is to be handed over, got another")
        if row.until <= now:
            raise Refused("expected a grant that lasts, got one that is over")
        if _listed(plane, session, row).digest != digest:
            raise Conflict("expected the list as it is now, got another", hint="look again: `mentorplane grant open`")
        signed = Signed(Act.HANDED_OVER, actor, auth, texts.say(plane, digest))
        row.handed_over = log_grant(plane, session, row, signed=signed)
        before = find_grant(session, row.previous)
        if before.ended is None and before.until > now:
            before.ended, before.ended_at = row.handed_over, ledger.logged_at(session, row.handed_over)
        for one in (row.person, before.person):
            sessions.end_all_of(session, one)
        session.flush()
        return record(row, now, people.keyring(session))


def _listed(plane: ControlPlane, session: Session, row: GrantRow) -> Checklist:
    items = sorted({item for source in SOURCES for item in source(plane, session, row)}, key=repr)
    said = [{"kind": item.kind, "name": item.name, "due": item.due} for item in items]
    digest = canonical.digest(canonical.encode({"grant": row.id, "role": row.role, "open": said}))
    return Checklist(row.id, row.role, tuple(items), digest)


def _proposals(plane: ControlPlane, session: Session, row: GrantRow) -> Iterator[Open]:
    """Yield the open proposals that still lack somebody in this role."""
    for proposal in session.exec(select(ProposalRow).where(ProposalRow.state == "open")):
        revision = session.get(RevisionRow, (proposal.number, proposal.revision))
        assert revision is not None  # a proposal has the revision that it counts
        _, short = store.shortfalls(plane, session, revision)
        if any(row.role in one.roles for one in short):
            yield Open("proposal", f"proposal-{proposal.number}")


def _reviews(plane: ControlPlane, session: Session, row: GrantRow) -> Iterator[Open]:
    """Yield the live entries of this role that are due for a review while the grant lasts."""
    for channel in plane.settings.channels:
        manifest, _ = live_manifest(session, channel)
        digests = {entry.digest: entry for entry in manifest.entries} if manifest else {}
        for closure in session.exec(select(ClosureRow).where(col(ClosureRow.digest).in_(digests))):
            document = json.loads(closure.data)
            due = document.get("review_by", "")
            if document.get("owner") == row.role and due and date.fromisoformat(due) < row.until.date():
                yield Open(closure.kind, digests[closure.digest].name, due)


def _grants(plane: ControlPlane, session: Session, row: GrantRow) -> Iterator[Open]:
    """Yield the delegations of the one before that would go with them."""
    query = select(GrantRow).where(GrantRow.role == row.role, GrantRow.behalf != "", GrantRow.until > plane.now())
    before = find_grant(session, row.previous).person if row.previous else ""
    yield from (Open("delegation", one.id) for one in session.exec(query) if one.behalf == before and not one.ended)


SOURCES: list[Callable[[ControlPlane, Session, GrantRow], Iterator[Open]]] = [_proposals, _reviews, _grants]
"""Where open things are looked for."""
