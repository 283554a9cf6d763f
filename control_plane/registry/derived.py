"""Proposals whose content was approved somewhere before: promotion, rollback, return.

    promotion   the very entries that are live on one channel, for another: same content, epoch and author
    rollback    what an earlier release of the channel held, as a new release with new epochs; perhaps of one entry only
    return      what the usual channel has, for a channel on which a trial ended; with new epochs where they would fall

Promises: each is a proposal like any other, with checks and approvals on its own channel; who wrote the content, where
and when ever, does not approve it; no epoch falls; what is withdrawn comes back only where the proposal lifts the
withdrawal by name, which takes the quorum of a loosening; what comes fits what is there, as a change that somebody
writes must; an edit without files makes the same anew on what is live.
Does not: carry what was approved on one channel over to another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session, col, func, select

from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.affected import Key, parsed, using
from control_plane.registry.coherence import verify_coherence
from control_plane.registry.drafts import STAGES, Draft, SourceFile, candidate_of, version_after
from control_plane.registry.live import live_manifest
from control_plane.registry.withdrawals import stopped_anywhere, withdrawal_rows, withdrawals_of
from control_plane.sources.closures import SCRIPTS
from control_plane.sources.parsing import Source
from control_plane.tables.registry import ReleaseRow, RevisionRow, SourceRow, VersionRow
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import Entry, Manifest, changed_entries, manifest_digest, parse_manifest
from edge_runtime.core.model import parse_model_card

__all__ = ["Derived", "derive"]

EXAMPLES = ("cases", "recordings")


@dataclass(frozen=True, slots=True)
class Derived:
    """A draft with the sources that come along, those that go, and the entries that its maker signs as author."""

    draft: Draft
    files: tuple[SourceFile, ...]
    removed: tuple[Key, ...]
    signs: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a channel is to hold: entries by key, the manifest whose settings count, and what is lifted."""

    entries: dict[Key, Entry]
    settings: Manifest
    lifts: tuple[str, ...]


def derive(
    plane: ControlPlane, session: Session, channel: str, *, actor: str, act: str, spec: Mapping[str, Any]
) -> Derived:
    """Return the draft that an act makes of what is live on a channel now.

    Raises:
        NotFound: there is no such release or entry, or nothing is live.
        Conflict: an epoch would fall, or scripts that share a passage would be torn apart.
        Refused: something of it is withdrawn.
        InvalidDocument: nothing would change, or it does not fit what the channel has (see `coherence`).
    """
    base, digest = live_manifest(session, channel)
    if act == "promotion":
        made = _promoted(session, base, channel, source=str(spec["source"]), names=spec["names"])
    elif act == "rollback":
        made = _rolled_back(plane, session, base, spec=spec, actor=actor)
    else:
        made = _returned(session, base, usual=str(spec["source"]), actor=actor)
    draft = _draft(plane, session, channel, base=(base, digest), wanted=made)
    _refuse_withdrawn(plane, session, draft)
    origin = channel if act == "rollback" else str(spec["source"])
    at = int(spec["release"]) if act == "rollback" else None
    files = _sources(session, origin, draft.introduced, release=at)
    _refuse_torn(session, draft, files)
    _verify_coherence(session, (base, digest), draft, files=files, goes_back=act != "promotion")
    before = {entry.key for entry in (base.entries if base else ())}
    removed = tuple(sorted(before - {entry.key for entry in draft.manifest.entries}))
    signs = tuple(entry for entry in draft.introduced if entry.author == actor and act != "promotion")
    return Derived(draft, files, removed, signs)


def _promoted(session: Session, base: Manifest | None, channel: str, *, source: str, names: Collection[str]) -> _Wanted:
    theirs, _ = live_manifest(session, source)
    if theirs is None or source == channel:
        raise NotFound("expected another channel with a release to promote from, got one without")
    chosen = {entry.key: entry for entry in theirs.entries if not names or entry.name in names}
    if missing := set(names) - {entry.name for entry in chosen.values()}:
        raise NotFound(f"expected names of what is live on {source}, got {min(missing)!r}")
    held = {entry.key: entry for entry in base.entries} if base else {}
    if names:
        chosen |= _includes_of(session, theirs, chosen.values())
    for key, entry in chosen.items():
        old = held.get(key)
        if old is not None and old != entry and old.epoch >= entry.epoch:
            raise Conflict(
                f"expected {entry.kind} {entry.name!r} to be newer on {source}, got version {entry.epoch} there and "
                f"version {old.epoch} on {channel}",
                hint=f"propose on {source} what {channel} has, then promote",
            )
    entries = held | chosen if names else chosen
    settings = base if base and names else theirs
    return _Wanted(dict(entries), settings, base.lifts if base else ())


def _includes_of(session: Session, theirs: Manifest, chosen: Iterable[Entry]) -> dict[Key, Entry]:
    """Return the includes that scripts are made of, where they are entries themselves: they come along."""
    wanted: set[str] = set()
    for entry in chosen:
        if entry.kind in SCRIPTS:
            document = canonical.parse(store.closure(session, entry.digest), max_bytes=1_000_000)
            wanted |= {str(one["name"] if isinstance(one, dict) else one) for one in document.get("includes", [])}
    return {entry.key: entry for entry in theirs.entries if entry.kind == "include" and entry.name in wanted}


def _rolled_back(
    plane: ControlPlane, session: Session, base: Manifest | None, *, spec: Mapping[str, Any], actor: str
) -> _Wanted:
    channel, channels = (base.channel if base else ""), plane.settings.channels
    wanted = int(spec["release"])  # a database refuses to look for a number beyond what it can hold
    row = session.get(ReleaseRow, (channel, wanted)) if base and 1 <= wanted <= base.number else None
    if base is None or row is None:
        raise NotFound(f"expected the number of a release of the channel, got {wanted}")
    then = parse_manifest(row.manifest)
    held = {entry.key: entry for entry in base.entries}
    only = spec.get("only", "")
    past = {entry.key: entry for entry in then.entries if not only or entry.name == only}
    if only and not past:
        raise NotFound(f"expected the name of something in release {then.number}, got {only!r}")
    lift = bool(spec.get("lift", False))
    lifts = _lifting(session, base, past.values(), channels=channels) if lift else base.lifts
    stopped = withdrawals_of(session, channel).stopped(base.lifts) if lift else {}
    entries = held if only else {}
    for key, entry in past.items():
        old = held.get(key)
        same = old is not None and (old.digest, old.tier) == (entry.digest, entry.tier)
        if old is not None and same and entry.digest not in stopped:
            entries[key] = old
        else:
            entries[key] = entry._replace(epoch=_next_epoch(session, key), author=actor)
    return _Wanted(entries, base if only else then, lifts)


def _lifting(session: Session, base: Manifest, entries: Iterable[Entry], *, channels: Iterable[str]) -> tuple[str, ...]:
    """Return the withdrawals that are lifted, once those of these entries' contents, and of the channel, are too."""
    digests = {entry.digest for entry in entries}
    withdrawn = withdrawals_of(session, base.channel)
    found: set[str] = set()
    for channel in channels:  # of every channel: this release says of each that it knew of it
        stops = withdrawals_of(session, channel).stops
        found |= {stop.statement for digest in digests for stop in stops.get(digest, ())}
    if withdrawn.is_whole(base.lifts):
        found |= {one.statement for one in withdrawn.whole}
    if not found - set(base.lifts):
        raise InvalidDocument("expected something withdrawn to lift, got what is in use")
    return tuple(sorted({*base.lifts, *found}))


def _returned(session: Session, base: Manifest | None, *, usual: str, actor: str) -> _Wanted:
    theirs, _ = live_manifest(session, usual)
    if theirs is None or base is None:
        raise NotFound("expected releases on both channels, got none on one of them")
    held = {entry.key: entry for entry in base.entries}
    entries: dict[Key, Entry] = {}
    for entry in theirs.entries:
        old = held.get(entry.key)
        if old is not None and (old.digest, old.tier) == (entry.digest, entry.tier):
            entries[entry.key] = old
        elif entry.epoch >= _next_epoch(session, entry.key) - 1 and (old is None or entry.epoch > old.epoch):
            entries[entry.key] = entry
        else:
            entries[entry.key] = entry._replace(epoch=_next_epoch(session, entry.key), author=actor)
    return _Wanted(entries, theirs, base.lifts)


def _next_epoch(session: Session, key: Key) -> int:
    kind, name = key
    query = select(func.max(VersionRow.epoch)).where(VersionRow.kind == kind, VersionRow.name == name)
    return (session.exec(query).one() or 0) + 1


def _draft(
    plane: ControlPlane, session: Session, channel: str, *, base: tuple[Manifest | None, str], wanted: _Wanted
) -> Draft:
    before, digest = base
    number = before.number + 1 if before else 1
    cards = (store.closure(session, entry.digest) for entry in wanted.entries.values() if entry.kind == "model")
    manifest = replace_manifest(
        wanted.settings,
        organisation=plane.organisation,
        channel=channel,
        number=number,
        base=digest,
        entries=tuple(sorted(wanted.entries.values())),
        models=tuple(sorted((parse_model_card(card).listed for card in cards), key=lambda model: model.name)),
        stages=before.stages if before else STAGES,
        rollback_to=number - 1,
        emergency=False,
        lifts=wanted.lifts,
        version=version_after(plane, before),
    )
    if before is not None and (manifest.entries, manifest.settings) == (before.entries, before.settings):
        raise InvalidDocument("expected a change of governed content, got what is live already")
    data = manifest.encode()
    return Draft(manifest, data, manifest_digest(data), changed_entries(manifest, before), closures={})


def replace_manifest(manifest: Manifest, **changes: Any) -> Manifest:
    """Return a manifest with some members changed."""
    from audit.frozen import replace as change

    return change(manifest, **changes)


def _refuse_withdrawn(plane: ControlPlane, session: Session, draft: Draft) -> None:
    stopped = stopped_anywhere(plane, session, lifts=draft.manifest.lifts)
    for entry in draft.introduced:
        if entry.digest in stopped:
            raise Refused(
                f"expected content that is in use, got {entry.kind} {entry.name!r}, which is withdrawn",
                hint="lift the withdrawal with it, which takes a quorum, or choose another version",
            )


def _sources(
    session: Session, channel: str, introduced: Iterable[Entry], *, release: int | None
) -> tuple[SourceFile, ...]:
    """Return the sources behind entries, with their cases and recordings: live ones, or those of an earlier release."""
    wanted: set[Key] = set()
    for entry in introduced:
        wanted |= {entry.key} | ({(kind, entry.name) for kind in EXAMPLES} if entry.kind in SCRIPTS else set())
    names = {name for _, name in wanted}
    if release is None:
        live = select(SourceRow).where(SourceRow.channel == channel, col(SourceRow.name).in_(names))
        rows = [(row.kind, row.name, row.path, row.text) for row in session.exec(live)]
        return tuple(SourceFile(*row) for row in sorted(rows) if (row[0], row[1]) in wanted)
    found: dict[Key, SourceFile] = {}
    earlier = select(RevisionRow).where(
        RevisionRow.digest == ReleaseRow.digest, ReleaseRow.channel == channel, ReleaseRow.number <= release
    )
    for row in session.exec(earlier.order_by(col(ReleaseRow.number).desc(), col(RevisionRow.revision).desc())):
        for file in row.files:
            source = SourceFile(**file)
            if source.key in wanted:
                found.setdefault(source.key, source)
        if wanted <= found.keys():
            break
    return tuple(found[key] for key in sorted(found))


def _refuse_torn(session: Session, draft: Draft, files: Collection[SourceFile]) -> None:
    """Refuse to bring a passage that other live scripts share in another version, without those scripts."""
    shared = [file.key for file in files if file.kind in {"include", "vocabulary"}]
    coming = {entry.key for entry in draft.manifest.entries if entry in draft.introduced}
    gone = {entry.key for entry in draft.manifest.entries}
    for source in using(session, draft.manifest.channel, shared):
        key = (source.kind, source.name)
        if key in gone and key not in coming:
            raise Conflict(
                f"expected every script that shares a passage to come along, got none of {source.name!r}",
                hint=f"name {source.name} too",
            )


def _verify_coherence(
    session: Session,
    base: tuple[Manifest | None, str],
    draft: Draft,
    *,
    files: Collection[SourceFile],
    goes_back: bool,
) -> None:
    """Verify that what comes from elsewhere fits what is here, as what somebody writes must."""
    texts = {file.key: file for file in files}
    changed = {
        entry.key: parsed(texts[entry.key].text.encode(), texts[entry.key].path)
        if entry.key in texts
        else Source(*entry.key, {})
        for entry in draft.introduced
    }
    manifest = draft.manifest
    entries = {entry.key: entry for entry in manifest.entries}
    candidate = candidate_of(
        session, manifest.channel, base, entries=entries, changed=changed, closures={}, lifts=manifest.lifts
    )
    verify_coherence(replace(candidate, goes_back=goes_back))


def has_lifted(session: Session, manifest: Manifest, base: Manifest | None) -> list[tuple[str, Entry]]:
    """Return the withdrawals that a manifest lifts anew, each with the entry it is of."""
    new = set(manifest.lifts) - set(base.lifts if base else ())
    found = []
    for row in withdrawal_rows(session, manifest.channel):
        if row.digest in new:
            found += [(row.digest, entry) for entry in store.entries_of(row)] or []
    return found
