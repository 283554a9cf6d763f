"""Erasing texts: the keys to them are destroyed, the log says which, and no proof over the log changes.

Promises: one entry for each destroyed key, in the transaction that destroys it; the entry's object is the key, which
entries name as their subject, so that leaves alone tell what was erased by what; nothing under a legal hold is erased,
and the log says that somebody tried; the words of erased reasons leave the search index in the same transaction;
afterwards neither database nor write-ahead log of SQLite has the key's bytes. `replay` destroys again what a database
restored from an older copy brought back.
Does not: reach copies elsewhere: see docs/threat-model.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, delete, select

from audit.openings import ERASED_KIND
from audit.record import Act, Auth, LeafObject, LeafRecord, Retention
from control_plane import db, ledger, texts
from control_plane.accounts import addresses, people, rights
from control_plane.accounts.rights import Attempt
from control_plane.index import keeping as index
from control_plane.keeping.keepers import Asking, require_keeper
from control_plane.keeping.replaying import put_back
from control_plane.keeping.retention import is_expired
from control_plane.plane import ControlPlane
from control_plane.tables.accounts import ContactRow
from control_plane.tables.registry import LeafRow, TextKeyRow, TextRow
from control_plane.texts.holds import holds_on, holds_on_texts
from control_plane.texts.sealing import current_key
from edge_runtime.core.errors import Unavailable

__all__ = ["Erasure", "erase", "expire", "preview", "replay"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased: the keys that were destroyed, the entries that say so, how many entries lost their texts."""

    keys: tuple[str, ...]
    entries: tuple[int, ...]
    concerned: int


def erase(plane: ControlPlane, person: str, *, asking: Asking) -> Erasure:
    """Erase every text of a person: display name, address and reasons. This cannot be undone.

    Args:
        plane: the control plane.
        person: login or id of whose texts.
        asking: who erases, and why; a proof by their own key is for `doing("erase", id)`.

    Raises:
        NotFound: no such person.
        Refused: who asks is neither in compliance nor an administrator, a wrong passphrase, or a legal hold on the
            person, or on somebody of whom their texts speak.
        InvalidDocument: no reason, one that is too long, or a ticket that is none.
    """
    who = people.find_person(plane, person).id
    attempt = Attempt("erase", LeafObject("person", who), behalf=who)
    role, auth = require_keeper(plane, asking, attempt=attempt, what=(who,))
    by, said = asking.by, texts.say(plane, asking.reason)
    with rights.acting(plane, by, role) as session:
        keys = _living(session, who)
        holds = sorted({*holds_on(session, who), *holds_on_texts(session, keys)})
        keys = [] if holds else keys
        event = ledger.Event(Act.ERASED, by, role, auth, attempt.target, behalf=who, reason=said, ticket=asking.ticket)
        done = _destroy(plane, session, keys, event=event)
    if holds:
        held = Attempt("erase-under-hold", attempt.target, auth, behalf=who)
        rights.refuse(
            plane,
            by,
            held,
            role=role,
            message=f"expected texts that no legal hold covers, got some under {', '.join(holds)}",
            hint="`mentorplane audit hold list` says which holds are in force",
        )
    scrub(plane)
    return done


def preview(plane: ControlPlane, person: str) -> tuple[int, int, tuple[str, ...]]:
    """Return how many keys erasing a person's texts would destroy, to how many entries, and the holds that forbid it.

    Changes nothing.

    Raises:
        NotFound: no such person.
    """
    who = people.find_person(plane, person).id
    with db.read(plane.engine) as session:
        living = _living(session, who)
        keys = [row.id for row in living]
        entries = session.exec(select(LeafRow.seq).where(col(LeafRow.subject).in_(keys))).all()
        return len(keys), len(entries), tuple(sorted({*holds_on(session, who), *holds_on_texts(session, living)}))


def expire(plane: ControlPlane) -> Erasure:
    """Erase the texts that are older than their class is kept, unless a legal hold covers them.

    A person whose last key expires keeps their display name, and their address: they move to a new key.
    """
    with ledger.act(plane) as session:
        living = session.exec(select(TextKeyRow).where(col(TextKeyRow.erased_by).is_(None)).order_by(TextKeyRow.id))
        old = [
            row
            for row in living.all()
            if is_expired(session, row.retention, row.month, now=plane.now()) and not holds_on_texts(session, [row])
        ]
        for person in sorted({row.person for row in old}):
            if {row.id for row in _living(session, person)} <= {row.id for row in old}:
                current_key(plane, session, person, retention=Retention.GOVERNANCE)
        addresses.move(plane, session, [row.id for row in old])
        event = ledger.Event(
            Act.ERASED, ledger.SYSTEM, ledger.SYSTEM, Auth.SYSTEM, LeafObject(ERASED_KIND), code="expired"
        )
        done = _destroy(plane, session, old, event=event)
    if done.keys:
        scrub(plane)
    return done


def replay(session: Session, records: Iterable[LeafRecord]) -> int:
    """Destroy again every key that these entries say is destroyed, and return how many there were.

    Holds and settings of which they speak are put back, so that nothing expires or is erased that was held.

    For a database restored from an older copy: called with the entries that it lacked, in the transaction that brings
    them back, before anybody reads. The caller then runs `scrub`.
    """
    destroyed = 0
    for record in records:
        put_back(session, record)
        if record.act is Act.ERASED and record.object.kind == ERASED_KIND:
            row = session.get(TextKeyRow, record.object.name)
            if row is not None and (row.erased_by is None or row.wrapped or row.name_data):
                _destroy_key(session, row, entry=record.seq)
                destroyed += 1
    return destroyed


def scrub(plane: ControlPlane) -> None:
    """Let what was destroyed go from the database's own files too."""
    try:
        gone = db.scrub(plane.engine)
    except Unavailable:
        gone = False
    if not gone:
        _LOG.warning("a reader keeps an older state of the database; what was erased leaves its files later")


def _living(session: Session, person: str) -> Sequence[TextKeyRow]:
    query = select(TextKeyRow).where(TextKeyRow.person == person, col(TextKeyRow.erased_by).is_(None))
    return session.exec(query.order_by(TextKeyRow.id)).all()


def _destroy(plane: ControlPlane, session: Session, keys: Sequence[TextKeyRow], *, event: ledger.Event) -> Erasure:
    """Destroy keys, each with an entry of its own about it."""
    first = ledger.next_index(session)
    # INVARIANT: all are destroyed before the first entry is written, so that no entry is written under one of them.
    concerned = sum(_destroy_key(session, row, entry=first + place) for place, row in enumerate(keys))
    entries = tuple(
        ledger.append(plane, session, event.about(LeafObject(ERASED_KIND, row.id), code=_code(event))) for row in keys
    )
    return Erasure(tuple(row.id for row in keys), entries, concerned)


def _code(event: ledger.Event) -> str:
    return event.code or "requested"


def _destroy_key(session: Session, row: TextKeyRow, *, entry: int) -> int:
    """Overwrite a key and what stands under it, and return how many entries lost their texts."""
    row.wrapped, row.name_data, row.erased_by = b"", b"", entry
    session.exec(delete(TextRow).where(col(TextRow.key) == row.id))
    session.exec(delete(ContactRow).where(col(ContactRow.key) == row.id))
    session.flush()
    seqs = session.exec(select(LeafRow.seq).where(LeafRow.subject == row.id)).all()
    index.purge(session, seqs)  # at once: each call reads all sets of words
    return len(seqs)
