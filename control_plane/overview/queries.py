"""Questions about the registry, for pages, HTTP and the command line. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from control_plane import db, texts
from control_plane.diffs.meaning import Meaning, meaning_of
from control_plane.diffs.settings import settings_meaning
from control_plane.diffs.words import FieldDiff, diff_closures
from control_plane.errors import NotFound
from control_plane.lifecycle.releases import release_record
from control_plane.overview import listing
from control_plane.overview.course import course_of
from control_plane.plane import ControlPlane
from control_plane.registry import drafts, live, store
from control_plane.registry.records import (
    Change,
    Missing,
    PromptDetail,
    PromptInfo,
    Proposal,
    ProposalDetail,
    Release,
    Signature,
    Task,
    VersionInfo,
    Withdrawal,
)
from control_plane.registry.withdrawals import withdrawal_record, withdrawal_rows, withdrawn_digests
from control_plane.reviewing import conflicts, expiry, objections, requested
from control_plane.tables.registry import ProposalRow, ReleaseRow, RevisionRow, SourceRow, StatementRow, VersionRow
from control_plane.tables.reviewing import ThreadRow
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.manifest import Entry, Manifest, changed_entries, parse_manifest

__all__ = [
    "diff_prompt",
    "inbox",
    "list_entries",
    "list_prompts",
    "list_proposals",
    "list_releases",
    "list_withdrawals",
    "live_manifest",
    "show_prompt",
    "show_proposal",
    "show_source",
]

MAX_CLOSURE_BYTES = 200_000
_VERSIONS = (
    select(VersionRow)
    .where(
        VersionRow.channel == bindparam("channel"),
        VersionRow.kind == bindparam("kind"),
        VersionRow.name == bindparam("name"),
    )
    .order_by(col(VersionRow.epoch).desc())
)
"""Put together once, as it is asked in each request."""
SCRIPTS = ("handoff", "prompt")


def live_manifest(plane: ControlPlane, *, channel: str = "") -> Manifest | None:
    """Return the manifest in force on a channel, "" for the usual one; None before its first release."""
    with db.read(plane.engine) as session:
        return live.live_manifest(session, plane.on(channel))[0]


def list_entries(plane: ControlPlane, *, channel: str = "") -> tuple[PromptInfo, ...]:
    """Return every governed entry of the live release, sorted by kind and name."""
    with db.read(plane.engine) as session:
        manifest, _ = live.live_manifest(session, plane.on(channel))
        stopped = withdrawn_digests(session, plane.on(channel))
        entries = manifest.entries if manifest else ()
        return tuple(_info(entry, _document(session, entry.digest), stopped) for entry in entries)


def list_prompts(plane: ControlPlane, *, channel: str = "") -> tuple[PromptInfo, ...]:
    """Return the scripts of the live release: prompts and hand-offs."""
    return tuple(info for info in list_entries(plane, channel=channel) if info.kind in SCRIPTS)


def show_prompt(plane: ControlPlane, name: str, *, channel: str = "") -> PromptDetail:
    """Return a live entry with its content, its source and its versions; scripts first if a name is two things.

    Raises:
        NotFound: nothing live has that name.
    """
    with db.read(plane.engine) as session:
        entry = _find_live(session, plane.on(channel), name)
        document = _document(session, entry.digest)
        source = session.get(SourceRow, (plane.on(channel), *entry.key))
        return PromptDetail(
            _info(entry, document, withdrawn_digests(session, plane.on(channel))),
            document,
            source.text if source else "",
            source.path if source else "",
            history=tuple(
                VersionInfo(row.epoch, row.digest, row.author, row.channel, row.release, row.at)
                for row in _versions(session, plane.on(channel), entry.key)
            ),
        )


def show_source(plane: ControlPlane, kind: str, name: str, *, channel: str = "") -> drafts.SourceFile:
    """Return the live YAML of a source of any kind, such as `cases` or `include`.

    Raises:
        NotFound: nothing live has that kind and name.
    """
    with db.read(plane.engine) as session:
        row = session.get(SourceRow, (plane.on(channel), kind, name))
        if row is None:
            raise NotFound(f"expected the name of a live source of kind {kind!r}, got another")
        return drafts.SourceFile(row.kind, row.name, row.path, row.text)


def diff_prompt(
    plane: ControlPlane, name: str, *, before: str | None = None, after: str | None = None, channel: str = ""
) -> tuple[FieldDiff, ...]:
    """Return what differs between two versions, by digest; the live one against the one before it by default.

    Raises:
        NotFound: nothing live has that name, or a digest is not of one of its versions.
    """
    with db.read(plane.engine) as session:
        entry = _find_live(session, plane.on(channel), name)
        digests = [row.digest for row in _versions(session, plane.on(channel), entry.key)]
        for wanted in (before, after):
            if wanted and wanted not in digests:
                raise NotFound(f"expected the digest of a version of {entry.name!r}, got another")
        new = after or entry.digest
        older = digests[digests.index(new) + 1 :]
        old = before or (older[0] if older else None)
        return diff_closures(store.closure(session, old) if old else None, store.closure(session, new))


def list_proposals(plane: ControlPlane, *, state: str | None = None, channel: str = "") -> tuple[Proposal, ...]:
    """Return proposals, newest first; of one state or channel if it is given: open, rejected or released."""
    query = select(ProposalRow, RevisionRow).where(
        ProposalRow.number == RevisionRow.proposal, ProposalRow.revision == RevisionRow.revision
    )
    if state:
        query = query.where(ProposalRow.state == state)
    if channel:
        query = query.where(ProposalRow.channel == plane.on(channel))
    with db.read(plane.engine) as session:
        rows = session.exec(query.order_by(col(ProposalRow.number).desc())).all()
        titles = store.titles(plane, session, (proposal for proposal, _ in rows))
        return tuple(
            store.proposal_record(proposal, revision, titles[proposal.number or 0]) for proposal, revision in rows
        )


def show_proposal(plane: ControlPlane, number: int) -> ProposalDetail:
    """Return a proposal with all that is needed to decide about it.

    Raises:
        NotFound: there is none of that number.
    """
    with db.read(plane.engine) as session:
        proposal, revision = store.find_proposal(session, number)
        is_open = proposal.state in expiry.LIVING
        stale = is_open and store.is_stale(session, revision)
        checks = store.checks_of(session, revision.digest)
        missing = _missing(plane, session, revision) if is_open and not stale else ()
        course = course_of(plane, session, proposal, revision=revision)
        living = proposal.state not in {"released", "closed"}
        return ProposalDetail(
            proposal=store.record(plane, session, proposal, revision=revision),
            changes=tuple(_changes(session, revision)),
            checks=checks,
            signatures=_signatures(plane, session, revision),
            missing=missing,
            stale=stale,
            ready=is_open and not course.hindrance,
            objections=objections.objections_to(plane, session, revision),
            requested=requested.requests_of(session, number),
            underneath=conflicts.underneath(session, proposal.channel, revision) if living else (),
            conflicts=conflicts.find_conflicts(session, proposal.channel, revision) if living else (),
            threads=len(session.exec(select(ThreadRow.id).where(ThreadRow.proposal == number)).all()),
            course=course,
            settings=_settings(session, revision),
        )


def _settings(session: Session, revision: RevisionRow) -> tuple[str, ...]:
    found = settings_meaning(store.base_of(session, revision), parse_manifest(revision.manifest))
    return tuple(one.sentence for one in found)


def inbox(plane: ControlPlane, person: str) -> tuple[Task, ...]:
    """Return the proposals that this person can move on now, and how; first those they were asked about."""
    return listing.inbox(plane, person)


def list_releases(plane: ControlPlane, *, channel: str = "") -> tuple[Release, ...]:
    """Return all releases of a channel, newest first."""
    with db.read(plane.engine) as session:
        query = select(ReleaseRow).where(ReleaseRow.channel == plane.on(channel))
        rows = session.exec(query.order_by(col(ReleaseRow.number).desc()))
        return tuple(release_record(row, parse_manifest(row.manifest)) for row in rows)


def list_withdrawals(plane: ControlPlane, *, channel: str = "") -> tuple[Withdrawal, ...]:
    """Return all withdrawals on a channel, newest first."""
    with db.read(plane.engine) as session:
        rows = withdrawal_rows(session, plane.on(channel))
        shown = texts.shown_reasons(session, plane, (row.leaf for row in rows))
        return tuple(withdrawal_record(row, shown.get(row.leaf, "")) for row in reversed(rows))


def _missing(plane: ControlPlane, session: Session, revision: RevisionRow) -> tuple[Missing, ...]:
    _, missing = store.shortfalls(plane, session, revision)
    found = dict.fromkeys(
        Missing(
            f"{short.entry.kind} {short.entry.name}" if short.entry else "the release",
            short.people,
            short.roles,
            short.because,
        )
        for short in missing
    )
    named = {(one.what, one.people) for one in found if one.roles}
    # The floor asks for people in any role; where the rules ask for as many in certain roles, that says it all.
    return tuple(one for one in found if one.roles or not any(w == one.what and n >= one.people for w, n in named))


def _changes(session: Session, revision: RevisionRow) -> Iterable[Change]:
    manifest = parse_manifest(revision.manifest)
    row = session.exec(select(ReleaseRow).where(ReleaseRow.digest == revision.base)).first()
    base = parse_manifest(row.manifest) if row else None
    before = {entry.key: entry for entry in base.entries} if base else {}
    files = {(file["kind"], file["name"]): file for file in revision.files}
    for entry in changed_entries(manifest, base):
        old = before.get(entry.key)
        file = files.get(entry.key, {})
        yield Change(
            kind=entry.kind,
            name=entry.name,
            tier=entry.tier,
            epoch=entry.epoch,
            digest=entry.digest,
            author=entry.author,
            before=old.digest if old else "",
            diff=_diff(session, old, entry),
            source=file.get("text", ""),
            path=file.get("path", ""),
            meaning=_meaning(session, old, entry),
        )
    for key in sorted(before.keys() - {entry.key for entry in manifest.entries}):
        old = before[key]
        yield Change(
            old.kind, old.name, old.tier, old.epoch, "", old.author, old.digest, _diff(session, old, None), "", ""
        )


def _meaning(session: Session, old: Entry | None, new: Entry) -> tuple[Meaning, ...]:
    return meaning_of(new.key, store.closure(session, old.digest), store.closure(session, new.digest)) if old else ()


def _diff(session: Session, old: Entry | None, new: Entry | None) -> tuple[FieldDiff, ...]:
    before = store.closure(session, old.digest) if old else None
    return diff_closures(before, store.closure(session, new.digest) if new else None)


def _signatures(plane: ControlPlane, session: Session, revision: RevisionRow) -> tuple[Signature, ...]:
    query = select(StatementRow).where(StatementRow.proposal == revision.proposal).order_by(col(StatementRow.id))
    rows = session.exec(query).all()
    shown = texts.shown_reasons(session, plane, (row.leaf for row in rows))
    return tuple(
        Signature(
            row.person,
            row.role,
            row.act,
            shown.get(row.leaf, ""),
            row.at,
            row.manifest,
            void=row.manifest != revision.digest,
        )
        for row in rows
    )


def _find_live(session: Session, channel: str, name: str) -> Entry:
    manifest, _ = live.live_manifest(session, channel)
    found = [entry for entry in (manifest.entries if manifest else ()) if entry.name == name]
    if not found:
        raise NotFound(
            "expected the name of something live, got another", hint="`mentorplane library list` names the prompts"
        )
    return next((entry for entry in found if entry.kind in SCRIPTS), found[0])


def _versions(session: Session, channel: str, key: tuple[str, str]) -> Iterable[VersionRow]:
    kind, name = key
    return session.exec(_VERSIONS, params={"channel": channel, "kind": kind, "name": name}).all()


def _document(session: Session, digest: str) -> JsonObject:
    return canonical.parse(store.closure(session, digest), max_bytes=MAX_CLOSURE_BYTES)


def _info(entry: Entry, document: JsonObject, stopped: frozenset[str]) -> PromptInfo:
    return PromptInfo(
        kind=entry.kind,
        name=entry.name,
        title=str(document.get("title", entry.name)),
        tier=entry.tier,
        placement=str(document.get("placement", "")),
        locale=str(document.get("locale", "")),
        epoch=entry.epoch,
        digest=entry.digest,
        author=entry.author,
        withdrawn=entry.digest in stopped,
    )
