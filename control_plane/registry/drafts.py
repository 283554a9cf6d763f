"""Drafts: from the sources that a proposal changes to the manifest that people sign.

Promises: entries that the change does not touch stay just as they are; a changed one gets the next epoch (counted over
all releases ever, on every channel), its tier from the document, and the editor as its author; a changed include
changes every script that uses it; one that changes nothing governed is refused. A draft is a value: nothing is stored.
Does not: check whether the change is good (see `policy.checks`). Source: DESIGN section 6, author and propose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session, func, select

from control_plane.errors import Conflict, NotFound
from control_plane.plane import ControlPlane
from control_plane.registry.affected import Key, parsed, shared_sources, using
from control_plane.registry.coherence import Candidate, verify_coherence
from control_plane.registry.live import live_manifest
from control_plane.registry.shelves import shelf_of
from control_plane.registry.withdrawals import withdrawals_of
from control_plane.sources.closures import CLOSURE_KINDS, SCRIPTS, freeze
from control_plane.sources.parsing import Source
from control_plane.tables.registry import ClosureRow, VersionRow
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.manifest import FORMAT, Entry, Manifest, Model, changed_entries, manifest_digest, parse_manifest
from edge_runtime.core.model import parse_model_card
from edge_runtime.core.rollout import verify_plan

__all__ = ["STAGES", "Draft", "Edit", "SourceFile", "candidate_of", "make_draft"]

STAGES = (100,)
FRESH_FOR_S = 24 * 3600
VALID_FOR_S = 14 * 24 * 3600
MAX_FILES = 1000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A YAML file as written, with the kind and name that it holds."""

    kind: str
    name: str
    path: str
    text: str

    @property
    def key(self) -> Key:
        """Kind and name."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody wants: files to write, entries to remove, and entries of an earlier revision by their authors.

    `stages` are the percentages by which it is rolled out; none: those of the release before.
    """

    channel: str
    editor: str
    files: tuple[SourceFile, ...]
    removed: tuple[Key, ...] = ()
    earlier: tuple[Entry, ...] = ()
    emergency: bool = False
    stages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest with its bytes and digest, and the closures that it introduces by digest."""

    manifest: Manifest
    data: bytes
    digest: str
    introduced: tuple[Entry, ...]
    closures: Mapping[str, bytes]


def read_files(files: Mapping[str, str | bytes]) -> tuple[SourceFile, ...]:
    """Return the files of a change, read strictly.

    Raises:
        InvalidDocument: a file does not read, or two hold the same thing; the message names file and line.
    """
    if len(files) > MAX_FILES:
        raise InvalidDocument(f"expected at most {MAX_FILES} files, got {len(files)}")
    found: dict[Key, SourceFile] = {}
    for path, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        source = parsed(data, path)
        file = SourceFile(source.kind, source.name, path, data.decode())
        if file.key in found:
            raise InvalidDocument(
                f"expected each {file.kind} once, got {file.name!r} in {found[file.key].path} and {path}"
            )
        found[file.key] = file
    return tuple(found.values())


def make_draft(plane: ControlPlane, session: Session, edit: Edit) -> Draft:
    """Return the draft that `edit` makes of the live release of its channel.

    Raises:
        InvalidDocument: a source does not freeze, does not fit what it names, or nothing governed would change.
        Conflict: a name is taken by an entry of another kind, or something that would go is still relied on.
        NotFound: an entry to remove is not there.
    """
    base, base_digest = live_manifest(session, edit.channel)
    entries = _without_removed(base, edit.removed)
    sources, shared = _sources(session, edit)
    locales = set(base.locales) if base else set()
    closures: dict[str, bytes] = {}
    changed: dict[Key, Source] = {}
    for key, source in sorted(sources.items()):
        _refuse_name_taken(source, entries)
        data = freeze(source, shared)
        entry = _next_entry(session, source, digest=canonical.digest(data), edit=edit)
        old = entries.get(key)
        if old is None or (old.digest, old.tier) != (entry.digest, entry.tier):
            entries[key], changed[key] = entry, source
            closures[entry.digest] = data
        locales |= {source.document["locale"]} if source.kind in SCRIPTS else set()
    before = (base, base_digest)
    lifts = base.lifts if base else ()
    candidate = candidate_of(
        session, edit.channel, before, entries=entries, changed=changed, closures=closures, lifts=lifts
    )
    verify_coherence(candidate)
    return _finish(plane, edit, before, entries=entries.values(), locales=locales, closures=closures)


def _without_removed(base: Manifest | None, removed: Iterable[Key]) -> dict[Key, Entry]:
    entries = {entry.key: entry for entry in base.entries} if base else {}
    for key in removed:
        if key[0] in CLOSURE_KINDS and entries.pop(key, None) is None:
            raise NotFound(f"expected an entry to remove, got none of the name {key[1]!r}")
    return entries


def _sources(session: Session, edit: Edit) -> tuple[dict[Key, Source], list[Source]]:
    """Return the sources that are to be frozen, and the includes and vocabularies they may use."""
    edited = {file.key: parsed(file.text.encode(), file.path) for file in edit.files if file.kind in CLOSURE_KINDS}
    users = using(session, edit.channel, (*edited, *edit.removed))
    found = {(source.kind, source.name): source for source in users}
    kept = {key: source for key, source in found.items() if key not in edit.removed}
    return kept | edited, shared_sources(session, edit.channel, edited, removed=edit.removed)


def candidate_of(
    session: Session,
    channel: str,
    base: tuple[Manifest | None, str],
    *,
    entries: Mapping[Key, Entry],
    changed: Mapping[Key, Source],
    closures: Mapping[str, bytes],
    lifts: Collection[str],
) -> Candidate:
    """Return a release as `coherence` looks at it.

    Args:
        session: a transaction.
        channel: of the release.
        base: the manifest that it follows, and its digest.
        entries: what it would have, by kind and name.
        changed: the sources of what is new or differs.
        closures: contents that are not stored yet, by digest.
        lifts: the withdrawals that it lifts.
    """

    def closure(digest: str) -> bytes:
        row = None if digest in closures else session.get(ClosureRow, digest)
        if digest not in closures and row is None:
            raise Unavailable("expected the closures of the live release in the database, got one less")
        return row.data if row else closures[digest]

    return Candidate(
        entries=entries,
        before={entry.key: entry for entry in base[0].entries} if base[0] else {},
        changed=changed,
        closure=closure,
        users=shelf_of(session, *base).users,
        withdrawn=frozenset(withdrawals_of(session, channel).stopped(lifts)),
    )


def _finish(
    plane: ControlPlane,
    edit: Edit,
    base: tuple[Manifest | None, str],
    *,
    entries: Iterable[Entry],
    locales: Iterable[str],
    closures: Mapping[str, bytes],
) -> Draft:
    before, digest = base
    number = before.number + 1 if before else 1
    manifest = Manifest(
        organisation=plane.organisation,
        channel=edit.channel,
        number=number,
        base=digest,
        entries=tuple(sorted(entries)),
        locales=tuple(sorted(locales)),
        stages=edit.stages or (before.stages if before else STAGES),
        models=_models(before, entries, closures),
        fresh_for_s=before.fresh_for_s if before else FRESH_FOR_S,
        valid_for_s=before.valid_for_s if before else VALID_FOR_S,
        rollback_to=number - 1,
        emergency=edit.emergency,
        lifts=before.lifts if before else (),
        version=version_after(plane, before),
    )
    verify_plan(manifest.stages)
    if before and (manifest.entries, manifest.stages) == (before.entries, before.stages):
        raise InvalidDocument("expected a change of governed content, got what is live already")
    data = manifest.encode()
    if parse_manifest(data) != manifest:
        raise InvalidDocument("expected a manifest that reads back the same")
    return Draft(manifest, data, manifest_digest(data), changed_entries(manifest, before), closures)


def version_after(plane: ControlPlane, before: Manifest | None) -> str:
    """Return the format of the manifest that follows: older devices may live on what came before."""
    return plane.settings.manifest_version or (before.version if before else FORMAT)


def _models(before: Manifest | None, entries: Iterable[Entry], closures: Mapping[str, bytes]) -> tuple[Model, ...]:
    """Return the files of the models among the entries: those that change as their closures say."""
    known = {model.name: model for model in before.models} if before else {}
    listed = []
    for entry in entries:
        if entry.kind == "model":
            data = closures.get(entry.digest)
            listed.append(parse_model_card(data).listed if data else known[entry.name])
    return tuple(sorted(listed, key=lambda model: model.name))


def _next_entry(session: Session, source: Source, *, digest: str, edit: Edit) -> Entry:
    query = select(func.max(VersionRow.epoch)).where(VersionRow.kind == source.kind, VersionRow.name == source.name)
    epoch = (session.exec(query).one() or 0) + 1
    tier = str(source.document.get("tier", "R4"))  # policy and approval rules state none: always the highest
    entry = Entry(source.kind, source.name, epoch, digest, tier, edit.editor)
    # What an earlier revision of the proposal holds just so keeps its author: their statement still covers it.
    return next((old for old in edit.earlier if old._replace(author=edit.editor) == entry), entry)


def _refuse_name_taken(source: Source, entries: Mapping[Key, Entry]) -> None:
    other = {"prompt": "handoff", "handoff": "prompt"}.get(source.kind)
    if other and (other, source.name) in entries:
        raise Conflict(f"expected a name that is free, got {source.name!r}, which is a {other}")
