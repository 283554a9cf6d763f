"""Drafts: what somebody works on before they propose it, saved without a signature, version by version.

A draft is no act of governance: nobody can check, approve or release it, so the log says nothing of it and saving one
costs one durable transaction. It becomes a proposal by its author's signature.
Promises: only the author and whom they invited see it; a save on an older version than the present one is refused;
each version stays as it was saved; whoever saved one is excluded from approving what it becomes. A file need not read
yet: what stands in the way is said when the draft is shown. The title is encrypted under the author's key.
Does not: sign, or freeze anything (see `reviewing.proposals`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, or_, select

from audit.record import LeafObject
from control_plane import db
from control_plane.accounts import people, rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.registry.discussed import DraftInfo, DraftProblem, SavedDraft
from control_plane.registry.drafts import MAX_FILES, read_files
from control_plane.registry.live import live_manifest
from control_plane.registry.records import Proposal
from control_plane.reviewing import proposals
from control_plane.reviewing.contents import changes_of
from control_plane.signing import Elsewhere
from control_plane.tables.registry import ReleaseRow, TextKeyRow
from control_plane.tables.reviewing import DraftGuestRow, DraftRow, DraftVersionRow
from control_plane.texts.reading import erased_words
from control_plane.texts.sealing import current_key, open_aside, seal_aside
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import parse_manifest

__all__ = [
    "discard_draft",
    "invite",
    "list_drafts",
    "propose_draft",
    "save_draft",
    "show_draft",
    "uninvite",
    "update_draft",
]

RETENTION = "governance"
MAX_PATH_LENGTH, MAX_BYTES = 300, 4_000_000
MAX_OPEN, MAX_VERSIONS, MAX_GUESTS = 500, 10_000, 50
Files = Mapping[str, str]
Keys = Sequence[tuple[str, str]]


def save_draft(
    plane: ControlPlane, actor: str, *, files: Files, title: str, remove: Keys = (), channel: str = ""
) -> DraftInfo:
    """Save a new draft; see `update_draft` for a further version of one.

    Args:
        plane: the control plane.
        actor: person id of its author.
        files: YAML text by path; it need not read yet.
        title: what the change is, in a line.
        remove: kind and name of entries that go.
        channel: where it is for; "" for the usual one.

    Raises:
        InvalidDocument: a title that is none, too many files, or there is no such channel.
        Refused: the actor is not an author.
        Conflict: they have as many drafts as can be.
        NotFound: there is no such person.
    """
    on = plane.on(channel)
    proposals.require_title(title)
    _require_files(files, remove)
    rights.require_role(plane, actor, ("author",), attempt=_attempt())
    with db.write(plane.engine) as session:
        rights.require_still(plane, session, actor, role="author")
        mine = select(DraftRow.id).where(DraftRow.author == actor, col(DraftRow.ended).is_(False))
        if len(session.exec(mine.limit(MAX_OPEN)).all()) >= MAX_OPEN:
            raise Conflict(f"expected fewer than {MAX_OPEN} drafts, got as many", hint="discard one")
        key, now = current_key(plane, session, actor, retention=RETENTION), plane.now()
        row = DraftRow(channel=on, author=actor, revision=1, title_key=key.id, title=b"", at=now, saved_at=now)
        session.add(row)
        session.flush()
        row.title = seal_aside(plane, key, title.strip(), place=_place(row))
        version = _add_version(plane, session, row, editor=actor, files=files, remove=remove)
        return _info(row, version, title.strip())


def update_draft(
    plane: ControlPlane,
    actor: str,
    identity: int,
    *,
    files: Files,
    revision: int,
    title: str | None = None,
    remove: Keys = (),
) -> DraftInfo:
    """Save a further version of a draft: its files and removals as a whole, in place of those before.

    Args:
        plane: the control plane.
        actor: person id of its author, or of somebody they invited.
        identity: number of the draft.
        files: YAML text by path.
        revision: the version that the actor looked at.
        title: a new one, of the author's; None to keep it.
        remove: kind and name of entries that go.

    Raises:
        NotFound: there is no such draft that they may see.
        Conflict: it was saved meanwhile, or it is over.
        Refused: the actor is not an author, or gives a title to somebody else's draft.
        InvalidDocument: as for `save_draft`.
    """
    _require_files(files, remove)
    if title is not None:
        proposals.require_title(title)
    rights.require_role(plane, actor, ("author",), attempt=_attempt())
    with db.write(plane.engine) as session:
        rights.require_still(plane, session, actor, role="author")
        row = _visible(session, identity, actor)
        _require_present(row, revision)
        if title is not None:
            _require_author(row, actor)
            key = current_key(plane, session, actor, retention=RETENTION)
            row.title_key, row.title = key.id, seal_aside(plane, key, title.strip(), place=_place(row))
        if row.revision >= MAX_VERSIONS:
            raise Conflict(f"expected fewer than {MAX_VERSIONS} versions of a draft, got as many")
        row.revision, row.saved_at = row.revision + 1, plane.now()
        version = _add_version(plane, session, row, editor=actor, files=files, remove=remove)
        return _info(row, version, _title(plane, session, row))


def show_draft(plane: ControlPlane, actor: str, identity: int, *, revision: int | None = None) -> SavedDraft:
    """Return a draft as it was saved, the newest version if none is named, with what stands in its way.

    Raises:
        NotFound: there is no such draft that they may see, or no such version.
    """
    with db.read(plane.engine) as session:
        row = _visible(session, identity, rights.find_row(session, actor).id)
        version = session.get(DraftVersionRow, (identity, revision or row.revision))
        if version is None:
            raise NotFound("expected a version of the draft, got another")
        guests = session.exec(select(DraftGuestRow.person).where(DraftGuestRow.draft == identity))
        return SavedDraft(
            _info(row, version, _title(plane, session, row)),
            version.editor,
            dict(version.files),
            removed=tuple((kind, name) for kind, name in version.removed),
            guests=tuple(sorted(guests)),
            problems=_problems(version.files),
        )


def list_drafts(plane: ControlPlane, actor: str, *, channel: str = "", ended: bool = False) -> tuple[DraftInfo, ...]:
    """Return the drafts that somebody may see, last saved first; those that are over as well if asked."""
    with db.read(plane.engine) as session:
        person = rights.find_row(session, actor).id
        invited = select(DraftGuestRow.draft).where(DraftGuestRow.person == person)
        query = select(DraftRow, DraftVersionRow).where(
            or_(DraftRow.author == person, col(DraftRow.id).in_(invited)),
            DraftVersionRow.draft == DraftRow.id,
            DraftVersionRow.revision == DraftRow.revision,
        )
        query = query.where(DraftRow.channel == plane.on(channel)) if channel else query
        query = query if ended else query.where(col(DraftRow.ended).is_(False))
        rows = session.exec(query.order_by(col(DraftRow.saved_at).desc(), col(DraftRow.id).desc()))
        return tuple(_info(row, version, _title(plane, session, row)) for row, version in rows)


def invite(plane: ControlPlane, actor: str, identity: int, *, persons: Sequence[str]) -> tuple[str, ...]:
    """Let people see and edit a draft; return everybody who is invited.

    Raises:
        NotFound: no such draft or person.
        Refused: the actor did not begin it.
        Conflict: it is over, or as many are invited as can be.
    """
    return _change_guests(plane, actor, identity, add=persons)


def uninvite(plane: ControlPlane, actor: str, identity: int, *, persons: Sequence[str]) -> tuple[str, ...]:
    """Let people no longer see a draft; what they saved stays, and excludes them. Raises as `invite` does."""
    return _change_guests(plane, actor, identity, remove=persons)


def discard_draft(plane: ControlPlane, actor: str, identity: int) -> None:
    """Discard a draft with all its versions: its author's act.

    Raises:
        NotFound: there is no such draft that they may see.
        Refused: the actor did not begin it.
        Conflict: it was proposed.
    """
    rights.require_scope(plane, actor, attempt=_attempt())
    with db.write(plane.engine) as session:
        rights.require_still(plane, session, actor)
        row = _visible(session, identity, actor)
        _require_author(row, actor)
        if row.proposal is not None:
            raise Conflict("expected a draft that was not proposed, got one that was")
        for one in session.exec(select(DraftVersionRow).where(DraftVersionRow.draft == identity)).all():
            session.delete(one)
        for guest in session.exec(select(DraftGuestRow).where(DraftGuestRow.draft == identity)).all():
            session.delete(guest)
        session.flush()
        session.delete(row)


def propose_draft(
    plane: ControlPlane, actor: str, identity: int, *, passphrase: str | Elsewhere, revision: int | None = None
) -> Proposal:
    """Propose a draft, signed by its author; whoever saved a version of it is excluded from approving.

    Raises:
        NotFound: there is no such draft that they may see.
        Refused: the actor did not begin it; or as for `proposals.propose`.
        Conflict: it was saved meanwhile, is over, or stands on an older release; or as for `proposals.propose`.
        InvalidDocument: a file does not read, or nothing governed changes.
    """
    with db.read(plane.engine) as session:
        row = _visible(session, identity, actor)
        _require_author(row, actor)
        _require_present(row, revision)
        versions = session.exec(select(DraftVersionRow).where(DraftVersionRow.draft == identity)).all()
        newest = next(one for one in versions if one.revision == row.revision)
        return _propose(plane, row, newest, passphrase=passphrase, wrote={one.editor for one in versions})


def _propose(
    plane: ControlPlane, row: DraftRow, version: DraftVersionRow, *, passphrase: str | Elsewhere, wrote: set[str]
) -> Proposal:
    with db.read(plane.engine) as session:
        title = _title(plane, session, row)
        _refuse_overtaken(session, row.channel, version)
    return proposals.propose(
        plane,
        row.author,
        files=version.files,
        title=title,
        passphrase=passphrase,
        remove=[(kind, name) for kind, name in version.removed],
        channel=row.channel,
        origin=proposals.Origin(draft=row.id, revision=row.revision, contributors=wrote),
    )


def _refuse_overtaken(session: Session, channel: str, version: DraftVersionRow) -> None:
    """Refuse a draft of which the live release changed something since it was saved."""
    live, digest = live_manifest(session, channel)
    if version.base == digest:
        return
    row = session.exec(select(ReleaseRow).where(ReleaseRow.digest == version.base)).first()
    changed = set(changes_of(live, parse_manifest(row.manifest) if row else None)) if live else set()
    mine = {file.key for file in read_files(version.files)} | {(kind, name) for kind, name in version.removed}
    both = sorted(mine & changed)
    if both:
        raise Conflict(
            f"expected a draft of which nothing is released meanwhile, got {both[0][0]} {both[0][1]!r} that is",
            hint="look at the live text, then save the draft again",
        )


def _attempt() -> Attempt:
    return Attempt("draft", LeafObject("draft"))


def _place(row: DraftRow) -> str:
    return f"draft/{row.id}"


def _require_files(files: Files, remove: Keys) -> None:
    if len(files) + len(remove) > MAX_FILES or not (files or remove):
        raise InvalidDocument(f"expected 1 to {MAX_FILES} files and removals, got {len(files) + len(remove)}")
    if any(not 0 < len(path) <= MAX_PATH_LENGTH for path in files):
        raise InvalidDocument(f"expected paths of 1 to {MAX_PATH_LENGTH} characters")
    if sum(len(text) for text in files.values()) > MAX_BYTES:
        raise InvalidDocument(f"expected files of {MAX_BYTES} characters together at most")


def _require_present(row: DraftRow, revision: int | None) -> None:
    if row.ended:
        raise Conflict("expected a draft that is not over, got one that was proposed")
    if revision is not None and revision != row.revision:
        raise Conflict(f"expected version {row.revision} of the draft, got {revision}", hint="look again, then save")


def _require_author(row: DraftRow, actor: str) -> None:
    if row.author != actor:
        raise Refused("expected the author of the draft, got somebody they invited")


def _visible(session: Session, identity: int, person: str) -> DraftRow:
    row = session.get(DraftRow, identity)
    if row is None or (row.author != person and session.get(DraftGuestRow, (identity, person)) is None):
        raise NotFound("expected the number of a draft of one's own, or of one that one was invited to")
    return row


def _add_version(
    plane: ControlPlane, session: Session, row: DraftRow, *, editor: str, files: Files, remove: Keys
) -> DraftVersionRow:
    newest = select(ReleaseRow.digest).where(ReleaseRow.channel == row.channel)
    live = session.exec(newest.order_by(col(ReleaseRow.number).desc()).limit(1)).first()
    version = DraftVersionRow(
        draft=row.id or 0,
        revision=row.revision,
        editor=editor,
        base=live or "",
        files=dict(files),
        removed=[list(key) for key in remove],
        at=plane.now(),
    )
    session.add(version)
    session.flush()
    return version


def _title(plane: ControlPlane, session: Session, row: DraftRow) -> str:
    key = session.get(TextKeyRow, row.title_key)
    if key is None or key.erased_by is not None:
        return erased_words(key.erased_by if key and key.erased_by is not None else 0)
    return open_aside(plane, key, row.title, place=_place(row))


def _info(row: DraftRow, version: DraftVersionRow, title: str) -> DraftInfo:
    return DraftInfo(
        id=row.id or 0,
        channel=row.channel,
        title=title,
        author=row.author,
        revision=version.revision,
        base=version.base,
        saved_at=version.at,
        proposal=row.proposal,
    )


def _problems(files: Files) -> tuple[DraftProblem, ...]:
    from control_plane.registry.affected import parsed  # which reads YAML: not needed to save

    found = []
    for path, text in files.items():
        try:
            parsed(text.encode(), path)
        except InvalidDocument as error:
            places = getattr(error, "problems", ()) or (None,)
            found += [
                DraftProblem(path, one.line if one else 0, str(getattr(one, "expected", error) if one else error))
                for one in places
            ]
    return tuple(found)


def _change_guests(
    plane: ControlPlane, actor: str, identity: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> tuple[str, ...]:
    rights.require_scope(plane, actor, attempt=_attempt())
    wanted = {people.find_person(plane, one).id for one in add} - {actor}
    gone = {people.find_person(plane, one).id for one in remove}
    with db.write(plane.engine) as session:
        rights.require_still(plane, session, actor)
        row = _visible(session, identity, actor)
        _require_author(row, actor)
        _require_present(row, None)
        there = {one.person: one for one in session.exec(select(DraftGuestRow).where(DraftGuestRow.draft == identity))}
        if len(there.keys() | wanted) > MAX_GUESTS:
            raise Conflict(f"expected at most {MAX_GUESTS} people to be invited, got more")
        session.add_all(
            DraftGuestRow(draft=identity, person=one, at=plane.now()) for one in sorted(wanted - there.keys())
        )
        for one in gone & there.keys():
            session.delete(there[one])
        session.flush()
        return tuple(sorted((there.keys() | wanted) - gone))
