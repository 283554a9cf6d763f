"""Threads: questions and remarks about a proposal, or about lines of one of its files.

Promises: a comment is an entry of the log whose text can be erased, and is never edited: a correction is another
comment; an anchor follows its lines through edits by their text, and says so when they are gone; resolving and
reopening say who did it. A thread never blocks by itself: an objection does, and its thread is settled by taking that
back. Does not: tell anybody (see webhooks and mail).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.discussed import Anchor, Comment, Thread
from control_plane.tables.registry import PersonRow, RevisionRow
from control_plane.tables.reviewing import CommentRow, ObjectionRow, ThreadRow
from edge_runtime.core.errors import InvalidDocument

__all__ = [
    "add_thread",
    "code_of",
    "comment",
    "list_threads",
    "reopen",
    "reply",
    "require_text",
    "resolve",
    "settle",
]

MAX_TEXT_LENGTH = 2000
MAX_THREADS, MAX_COMMENTS = 1000, 1000
MAX_QUOTED_LINES = 50


def comment(
    plane: ControlPlane, actor: str, number: int, *, text: str, anchor: Anchor | None = None, auth: Auth = Auth.TOKEN
) -> Thread:
    """Begin a thread about a proposal, or about lines of one of its files.

    Raises:
        NotFound: no such proposal, person, file or lines.
        Refused: their token is not good for it.
        Conflict: the proposal has as many threads as can be.
        InvalidDocument: no text, or one that is too long.
    """
    require_text(text)
    rights.require_part(plane, actor, attempt=Attempt("comment", LeafObject("proposal", f"proposal-{number}")))
    with rights.acting(plane, actor) as session:
        person = rights.find_row(session, actor)
        _, revision = store.find_proposal(session, number)
        leaf = ledger.next_index(session)
        thread = add_thread(session, revision, anchor, by=person.id, leaf=leaf, now=plane.now())
        _append(plane, session, revision, person=person, act=Act.COMMENTED, thread=thread, text=text, auth=auth)
        return _find(plane, session, revision, thread=thread)


def reply(plane: ControlPlane, actor: str, number: int, *, thread: int, text: str, auth: Auth = Auth.TOKEN) -> Thread:
    """Reply in a thread of a proposal.

    Raises:
        NotFound: no such proposal, thread or person.
        Refused, Conflict, InvalidDocument: as for `comment`.
    """
    require_text(text)
    rights.require_part(plane, actor, attempt=Attempt("comment", LeafObject("proposal", f"proposal-{number}")))
    with rights.acting(plane, actor) as session:
        person = rights.find_row(session, actor)
        _, revision = store.find_proposal(session, number)
        row = _row(session, number, thread)
        if len(session.exec(select(CommentRow.leaf).where(CommentRow.thread == thread)).all()) >= MAX_COMMENTS:
            raise Conflict(f"expected fewer than {MAX_COMMENTS} comments in a thread, got as many")
        leaf = ledger.next_index(session)
        session.add(CommentRow(leaf=leaf, thread=row.id or 0, person=person.id, at=plane.now()))
        session.flush()
        _append(plane, session, revision, person=person, act=Act.COMMENTED, thread=thread, text=text, auth=auth)
        return _find(plane, session, revision, thread=thread)


def resolve(plane: ControlPlane, actor: str, number: int, *, thread: int, auth: Auth = Auth.TOKEN) -> Thread:
    """Resolve a thread of a proposal.

    Raises:
        NotFound: no such proposal, thread or person.
        Refused: it is an objection, they are an auditor, or their token is not good for it.
        Conflict: it is resolved.
    """
    return _turn(plane, actor, number, act=Act.THREAD_RESOLVED, thread=thread, auth=auth)


def reopen(plane: ControlPlane, actor: str, number: int, *, thread: int, auth: Auth = Auth.TOKEN) -> Thread:
    """Reopen a thread of a proposal that is resolved; raises as `resolve` does."""
    return _turn(plane, actor, number, act=Act.THREAD_REOPENED, thread=thread, auth=auth)


def _turn(plane: ControlPlane, actor: str, number: int, *, act: Act, thread: int, auth: Auth) -> Thread:
    rights.require_part(plane, actor, attempt=Attempt("resolve", LeafObject("proposal", f"proposal-{number}")))
    with rights.acting(plane, actor) as session:
        person = rights.find_row(session, actor)
        _, revision = store.find_proposal(session, number)
        row = _row(session, number, thread)
        if session.exec(select(ObjectionRow.leaf).where(ObjectionRow.thread == thread)).first() is not None:
            raise Refused("expected a thread, got an objection", hint="`proposal take-back` is for whoever objected")
        resolving = act is Act.THREAD_RESOLVED
        if (row.resolved is not None) is resolving:
            raise Conflict(f"expected a thread that is {'open' if resolving else 'resolved'}, got another")
        leaf = _append(plane, session, revision, person=person, act=act, thread=thread, text="", auth=auth)
        row.resolved, row.resolved_by = (leaf, person.id) if resolving else (None, "")
        session.flush()
        return _find(plane, session, revision, thread=thread)


def list_threads(plane: ControlPlane, number: int) -> tuple[Thread, ...]:
    """Return the threads of a proposal in the order in which they began.

    Raises:
        NotFound: there is no such proposal.
    """
    with db.read(plane.engine) as session:
        _, revision = store.find_proposal(session, number)
        rows = session.exec(select(ThreadRow).where(ThreadRow.proposal == number).order_by(col(ThreadRow.id))).all()
        return _records(plane, session, revision, rows=rows)


def require_text(text: str) -> None:
    """Refuse what is no comment.

    Raises:
        InvalidDocument: no text, or one that is too long.
    """
    if not 0 < len(text.strip()) <= MAX_TEXT_LENGTH:
        raise InvalidDocument(f"expected a text of 1 to {MAX_TEXT_LENGTH} characters")


def add_thread(
    session: Session, revision: RevisionRow, anchor: Anchor | None, *, by: str, leaf: int, now: datetime
) -> int:
    """Store a thread with its first comment, whose text the caller logs under the entry `leaf`; return its number."""
    if len(session.exec(select(ThreadRow.id).where(ThreadRow.proposal == revision.proposal)).all()) >= MAX_THREADS:
        raise Conflict(f"expected fewer than {MAX_THREADS} threads on a proposal, got as many")
    row = ThreadRow(
        proposal=revision.proposal,
        revision=revision.revision,
        quoted=_quoted(revision, anchor) if anchor else [],
        by=by,
        leaf=leaf,
        at=now,
    )
    if anchor:
        row.kind, row.name, row.first, row.last = anchor.kind, anchor.name, anchor.first, anchor.end
    session.add(row)
    session.flush()
    session.add(CommentRow(leaf=leaf, thread=row.id or 0, person=by, at=now))
    session.flush()
    return row.id or 0


def code_of(thread: int) -> str:
    """Return the word by which entries of the log name a thread."""
    return f"thread-{thread}"


def settle(session: Session, thread: int, *, by: str, leaf: int) -> None:
    """Let a thread be resolved by an act that the caller logs."""
    row = session.get(ThreadRow, thread)
    if row is not None:
        row.resolved, row.resolved_by = leaf, by


def _append(
    plane: ControlPlane,
    session: Session,
    revision: RevisionRow,
    *,
    person: PersonRow,
    act: Act,
    thread: int,
    text: str,
    auth: Auth,
) -> int:
    event = ledger.Event(
        act,
        person.id,
        rights.part_of(plane, person.roles),
        auth,
        LeafObject("proposal", f"proposal-{revision.proposal}", revision.digest, str(revision.revision)),
        channel=store.channel_of(session, revision),
        manifest=revision.digest,
        reason=texts.say(plane, text.strip()) if text else None,
        code=code_of(thread),
    )
    return ledger.append(plane, session, event)


def _row(session: Session, number: int, thread: int) -> ThreadRow:
    row = session.get(ThreadRow, thread)
    if row is None or row.proposal != number:
        raise NotFound(f"expected the number of a thread of proposal {number}, got another")
    return row


def _lines(revision: RevisionRow, kind: str, name: str) -> list[str] | None:
    text = next((file["text"] for file in revision.files if (file["kind"], file["name"]) == (kind, name)), None)
    return None if text is None else re.split("\r?\n", text)


def _quoted(revision: RevisionRow, anchor: Anchor) -> list[str]:
    lines = _lines(revision, anchor.kind, anchor.name)
    if lines is None:
        raise NotFound("expected a file that the proposal writes, got another")
    if not (1 <= anchor.first <= anchor.end <= len(lines) and anchor.end - anchor.first < MAX_QUOTED_LINES):
        raise NotFound(f"expected lines of a file of {len(lines)}, at most {MAX_QUOTED_LINES} of them, got others")
    return lines[anchor.first - 1 : anchor.end]


def _find(plane: ControlPlane, session: Session, revision: RevisionRow, *, thread: int) -> Thread:
    [found] = _records(plane, session, revision, rows=[_row(session, revision.proposal, thread)])
    return found


def _records(
    plane: ControlPlane, session: Session, revision: RevisionRow, *, rows: Sequence[ThreadRow]
) -> tuple[Thread, ...]:
    numbers = [row.id or 0 for row in rows]
    query = select(CommentRow).where(col(CommentRow.thread).in_(numbers)).order_by(col(CommentRow.leaf))
    comments = session.exec(query).all()
    shown = texts.shown_reasons(session, plane, (one.leaf for one in comments))
    blocking = set(session.exec(select(ObjectionRow.thread).where(col(ObjectionRow.thread).in_(numbers))))
    found = []
    for row in rows:
        first, last = where(_lines(revision, row.kind, row.name) if row.kind else None, row.quoted, row.first)
        said = [Comment(c.leaf, c.person, shown.get(c.leaf, ""), c.at) for c in comments if c.thread == row.id]
        found.append(
            Thread(
                number=row.id or 0,
                proposal=row.proposal,
                revision=row.revision,
                kind=row.kind,
                name=row.name,
                first=first,
                last=last,
                quoted=tuple(row.quoted),
                outdated=bool(row.kind) and first == 0,
                objection=row.id in blocking,
                resolved_by=row.resolved_by,
                comments=tuple(said),
            )
        )
    return tuple(found)


def where(lines: Sequence[str] | None, quoted: Sequence[str], first: int) -> tuple[int, int]:
    """Return where quoted lines stand in a file now, nearest to where they stood; (0, 0) if they are gone.

    >>> where(["a", "b", "new", "c"], ["c"], 3)
    (4, 4)
    >>> where(["a"], ["c"], 3)
    (0, 0)
    """
    if not lines or not quoted:
        return 0, 0
    size = len(quoted)
    places = [at for at in range(len(lines) - size + 1) if list(lines[at : at + size]) == list(quoted)]
    if not places:
        return 0, 0
    nearest = min(places, key=lambda at: (abs(at + 1 - first), at))
    return nearest + 1, nearest + size
