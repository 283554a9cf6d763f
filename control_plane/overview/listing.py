"""Lists of proposals, and what waits for somebody: by indexes, page by page, however many there are.

Promises: a page costs what it shows, not what there is; words are those of titles, looked up in the index of the log;
the inbox begins with what the person, or one of their roles, was asked to look at. What an inbox says is a hint as of
each proposal's last act and the age of its checks: whether it may be done is decided when it is done.
Does not: show details (see `overview.queries`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import load_only
from sqlmodel import Session, col, exists, select

from control_plane import db
from control_plane.accounts import rights
from control_plane.accounts.holdings import held_roles
from control_plane.index.lookup import Wanted, find
from control_plane.index.terms import term, word_key, word_terms
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.live import live_release
from control_plane.registry.records import Proposal, Task
from control_plane.reviewing import expiry
from control_plane.reviewing.waiting import ANYBODY, is_aged
from control_plane.tables.lifecycle import EmergencyRow, OriginRow, WindowRow
from control_plane.tables.registry import ProposalRow, ReleaseRow, RevisionRow, StatementRow
from control_plane.tables.reviewing import ChangeRow, ContributorRow, OpeningRow, RequestRow, WaitingRow, WriterRow
from edge_runtime.core.approval import APPROVING
from edge_runtime.core.errors import InvalidDocument

__all__ = ["STATES", "Search", "find_proposals", "inbox"]

STATES = ("open", "scheduled", "suspended", "rejected", "expired", "released", "closed")
MOST = 500
_WORDS_AT_ONCE = 100
RELEASING, AUTHORING = "release-manager", "author"
Rows = list[tuple[ProposalRow, RevisionRow]]


@dataclass(frozen=True, slots=True)
class Search:
    """What a proposal must match, everything that is given; nothing given matches every proposal.

    state, channel    as it is now
    author            person id
    kind, name        of an entry that it changes
    words             words of its title, all of them
    waiting_for       person id: only what this person can move on
    before            only lower numbers: continues an earlier search
    limit             at most so many
    """

    state: str = ""
    channel: str = ""
    author: str = ""
    kind: str = ""
    name: str = ""
    words: str = ""
    waiting_for: str = ""
    before: int | None = None
    limit: int = 100


def find_proposals(plane: ControlPlane, search: Search) -> tuple[Proposal, ...]:
    """Return the proposals that match, newest first.

    Raises:
        InvalidDocument: there is no such state or channel, or words without a letter or digit.
        NotFound: nobody has that person id.
    """
    if search.state and search.state not in STATES:
        raise InvalidDocument(f"expected one of the states {', '.join(STATES)}, got another")
    limit = max(1, min(search.limit, MOST))
    with db.read(plane.engine) as session:
        conditions = _conditions(plane, session, search)
        reasons: list[ColumnElement[bool]] = []
        if search.waiting_for:
            me = _Me.of(plane, session, search.waiting_for)
            reasons = [condition for _, condition in _reasons(plane, session, me)]
        if search.words:
            wanted = [*conditions, or_(*reasons)] if reasons else conditions
            rows: Rows = list(islice(_by_words(plane, session, search, conditions=wanted), limit))
        else:
            rows = (
                _with_any(session, reasons, conditions, limit=limit) if reasons else _rows(session, conditions, limit)
            )
        return _records(plane, session, rows)


def inbox(plane: ControlPlane, person: str, *, limit: int = 100) -> tuple[Task, ...]:
    """Return the proposals that this person can move on now, and how; first those they were asked about.

    Raises:
        NotFound: there is no such person.
    """
    with db.read(plane.engine) as session:
        me = _Me.of(plane, session, person)
        asked = _is_asked(me)
        mine = or_(col(RequestRow.person) == me.id, col(RequestRow.role).in_(me.roles))
        waits = select(RequestRow.leaf).where(col(RequestRow.ended).is_(None), mine).limit(1)
        reasons = list(_reasons(plane, session, me))
        found: dict[int, tuple[str, bool]] = {}
        for first in (True, False) if session.exec(waits).first() is not None else (False,):
            for why, condition in reasons:
                if len(found) < limit:
                    for number in _numbers(session, [condition, asked] if first else [condition], limit):
                        found.setdefault(number, (why, first))
        chosen = dict(islice(found.items(), limit))
        rows = {row[0].number: row for row in _rows(session, [col(ProposalRow.number).in_(chosen)], limit)}
        records = _records(plane, session, [rows[number] for number in chosen])
        days = _days(session, {number: why for number, (why, _) in chosen.items()})
        return tuple(
            Task(record, why, requested=first, due=days.get(record.number))
            for record, (why, first) in zip(records, chosen.values(), strict=True)
        )


@dataclass(frozen=True, slots=True)
class _Me:
    """Whose inbox it is, and the roles that they hold now."""

    id: str
    roles: tuple[str, ...]

    @classmethod
    def of(cls, plane: ControlPlane, session: Session, person: str) -> _Me:
        row = rights.find_row(session, person)
        return cls(row.id, held_roles(session, row, plane.now()))


def _reasons(plane: ControlPlane, session: Session, me: _Me) -> Iterator[tuple[str, ColumnElement[bool]]]:
    """Yield each reason why a proposal waits for somebody, with what it then fulfils; the most pressing first."""
    state = col(ProposalRow.state)
    is_open, current, aged = state == "open", _is_current(plane, session), is_aged(plane, session)
    wrote = _wrote(me)
    approving = [role for role in me.roles if role in APPROVING]
    if approving:
        yield "review-release", and_(state == "released", _is_unreviewed(), ~wrote, ~_wrote_content(me), ~_signed(me))
    if RELEASING in me.roles:
        yield "release", and_(is_open, current, _waits("release"), ~aged)
        yield "reschedule", and_(state == "suspended", current)
    if AUTHORING in me.roles:
        yield "return", and_(state == "released", _ends_unprepared())
    if approving:
        roles = [*approving, ANYBODY]
        mine = and_(_waits("approve", roles), ~wrote, ~_wrote_content(me), ~_signed(me))
        yield "approve", and_(is_open, current, mine, ~aged)
    yield "check", and_(is_open, current, or_(_waits("check"), and_(aged, ~_waits("edit"))))
    yield "edit", and_(state.in_(("open", "rejected", "suspended")), wrote, or_(~current, _waits("edit")))
    yield "review", and_(is_open, _is_asked(me), ~wrote, ~_signed(me), ~_opened(me))


def _is_current(plane: ControlPlane, session: Session) -> ColumnElement[bool]:
    bases = []
    for channel in plane.settings.channels:
        live = live_release(session, channel)
        base = live.digest if live else ""
        bases.append(and_(col(ProposalRow.channel) == channel, col(RevisionRow.base) == base))
    return or_(*bases)


def _waits(what: str, roles: list[str] | None = None) -> ColumnElement[bool]:
    query = select(WaitingRow.proposal).where(WaitingRow.what == what)
    return col(ProposalRow.number).in_(query.where(col(WaitingRow.role).in_(roles)) if roles else query)


def _is_unreviewed() -> ColumnElement[bool]:
    """Return whether a proposal became a break-glass release that is still to be reviewed."""
    query = select(ReleaseRow.proposal).where(
        EmergencyRow.channel == ReleaseRow.channel,
        EmergencyRow.number == ReleaseRow.number,
        col(EmergencyRow.closed).is_(None),
    )
    return col(ProposalRow.number).in_(query)


def _ends_unprepared() -> ColumnElement[bool]:
    """Return whether a proposal began a trial that is to end with a return, which nobody has proposed yet."""
    other = ProposalRow.__table__.alias()  # type: ignore[attr-defined]
    prepared = select(OriginRow.proposal).where(
        OriginRow.proposal == other.c.number,
        OriginRow.act == "return",
        other.c.channel == ProposalRow.channel,
        other.c.state.in_(expiry.LIVING),
    )
    ending = select(WindowRow.proposal).where(WindowRow.then == "return", WindowRow.outcome == "")
    return and_(col(ProposalRow.number).in_(ending), ~exists(prepared))


def _days(session: Session, whys: Mapping[int, str]) -> dict[int, datetime]:
    """Return by when the reviews and the returns among some tasks are due."""
    reviewed = select(ReleaseRow.proposal, EmergencyRow.due).where(
        EmergencyRow.channel == ReleaseRow.channel, EmergencyRow.number == ReleaseRow.number
    )
    ending = select(WindowRow.proposal, WindowRow.ends_at)
    found: dict[int, datetime] = {}
    for why, query, number in (
        ("review-release", reviewed, col(ReleaseRow.proposal)),
        ("return", ending, col(WindowRow.proposal)),
    ):
        numbers = [one for one, said in whys.items() if said == why]
        found.update(session.exec(query.where(number.in_(numbers))).all() if numbers else ())
    return found


def _is_asked(me: _Me) -> ColumnElement[bool]:
    mine = or_(col(RequestRow.person) == me.id, col(RequestRow.role).in_(me.roles))
    return col(ProposalRow.number).in_(select(RequestRow.proposal).where(col(RequestRow.ended).is_(None), mine))


def _wrote(me: _Me) -> ColumnElement[bool]:
    revision = RevisionRow.__table__.alias()  # type: ignore[attr-defined]
    edited = select(revision.c.revision).where(revision.c.proposal == ProposalRow.number, revision.c.editor == me.id)
    before = select(ContributorRow.person).where(
        ContributorRow.proposal == ProposalRow.number, ContributorRow.person == me.id
    )
    return or_(exists(edited), exists(before))


def _wrote_content(me: _Me) -> ColumnElement[bool]:
    query = select(WriterRow.person).where(
        ChangeRow.proposal == ProposalRow.number, WriterRow.digest == ChangeRow.digest, WriterRow.person == me.id
    )
    return exists(query)


def _signed(me: _Me) -> ColumnElement[bool]:
    query = select(StatementRow.id).where(
        StatementRow.manifest == RevisionRow.digest,
        StatementRow.person == me.id,
        col(StatementRow.act).in_(("approve", "reject")),
    )
    return exists(query)


def _opened(me: _Me) -> ColumnElement[bool]:
    return exists(select(OpeningRow.leaf).where(OpeningRow.manifest == RevisionRow.digest, OpeningRow.person == me.id))


def _conditions(plane: ControlPlane, session: Session, search: Search) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if search.state:
        found.append(col(ProposalRow.state) == search.state)
    if search.channel:
        found.append(col(ProposalRow.channel) == plane.on(search.channel))
    if search.author:
        found.append(col(ProposalRow.author) == rights.find_row(session, search.author).id)
    if search.before is not None:
        found.append(col(ProposalRow.number) < search.before)
    if search.kind or search.name:
        changes = select(ChangeRow.proposal)
        changes = changes.where(ChangeRow.kind == search.kind) if search.kind else changes
        changes = changes.where(ChangeRow.name == search.name) if search.name else changes
        found.append(col(ProposalRow.number).in_(changes))
    return found


def _by_words(
    plane: ControlPlane, session: Session, search: Search, *, conditions: list[ColumnElement[bool]]
) -> Iterator[tuple[ProposalRow, RevisionRow]]:
    """Yield the proposals whose titles have all words, newest first: the entries that proposed them do."""
    words = word_terms(search.words, word_key(plane))
    if not words:
        raise InvalidDocument("expected words of letters or digits, got none")
    entries = find(session, Wanted(tuple(sorted({term("act", "proposed"), *words}))))
    while part := list(islice(entries, _WORDS_AT_ONCE)):
        yield from _rows(session, [*conditions, col(ProposalRow.leaf).in_(part)], len(part))


def _with_any(
    session: Session, reasons: list[ColumnElement[bool]], conditions: list[ColumnElement[bool]], *, limit: int
) -> Rows:
    """Return the newest proposals with one of some reasons.

    One statement for all of them would look at every proposal that has one: so each reason is asked for by itself, and
    once there are enough, only among what is newer.
    """
    newest: list[int] = []
    for reason in reasons:
        wanted = [*conditions, reason]
        if len(newest) == limit:
            wanted.append(col(ProposalRow.number) > newest[-1])
        newest = sorted({*newest, *_numbers(session, wanted, limit)}, reverse=True)[:limit]
    return _rows(session, [col(ProposalRow.number).in_(newest)], limit)


def _numbers(session: Session, conditions: list[ColumnElement[bool]], limit: int) -> list[int]:
    return list(session.exec(_newest(select(ProposalRow.number), conditions, limit)))


def _rows(session: Session, conditions: list[ColumnElement[bool]], limit: int) -> Rows:
    needed = load_only(RevisionRow.digest, RevisionRow.base, RevisionRow.editor)  # type: ignore[arg-type]
    return list(session.exec(_newest(select(ProposalRow, RevisionRow).options(needed), conditions, limit)))


def _newest(query: Any, conditions: list[ColumnElement[bool]], limit: int) -> Any:
    current = ProposalRow.number == RevisionRow.proposal, ProposalRow.revision == RevisionRow.revision
    return query.where(*current, *conditions).order_by(col(ProposalRow.number).desc()).limit(limit)


def _records(plane: ControlPlane, session: Session, rows: Rows) -> tuple[Proposal, ...]:
    titles = store.titles(plane, session, (proposal for proposal, _ in rows))
    return tuple(store.proposal_record(proposal, revision, titles[proposal.number or 0]) for proposal, revision in rows)
