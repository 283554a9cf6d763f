"""What was live on a channel at a moment: which versions, under which policy and models, by whose approval.

Promises: answers come from entries of the log, and from manifests and signed statements whose digests those entries
name, never from columns that somebody may change; each claim carries the index of the entry that evidences it; a
reading is an entry of the log itself.
A release counts from the second of its own entry on; of two in the same second the later in the log counts. Something
is withdrawn from the second of its withdrawal on, in every release that still holds that content, until the withdrawal
is lifted. Approvals of a version are those of the release that brought it, also where later releases only carry it on.
Does not: know what a device ran, which may have been offline; its own receipts say that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from sqlmodel import Session

from audit.record import Act, Auth, LeafRecord
from control_plane import db, texts
from control_plane.errors import NotFound
from control_plane.evidence.search import encode_query, note_reading
from control_plane.index.concerned import manifest_of, statements_of
from control_plane.index.lookup import Wanted, find
from control_plane.index.terms import term
from control_plane.ledger.search import records_of
from control_plane.plane import ControlPlane
from control_plane.texts.sealing import NAME
from edge_runtime.core import canonical
from edge_runtime.core.errors import Unavailable
from edge_runtime.core.manifest import Entry, Manifest, changed_entries

__all__ = ["AsOf", "Deed", "Live", "as_of"]

SHOWN_KINDS = ("handoff", "prompt")
_APPROVALS = 500


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did something, evidenced by the entry at `index`; name and reason as far as they are not erased, else ""."""

    index: int
    act: str
    person: str
    name: str
    role: str
    meaning: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Live:
    """One entry of the release that was live: its version, who approved it, and whether it was withdrawn by then."""

    kind: str
    name: str
    epoch: int
    digest: str
    tier: str
    author: str
    since_release: int
    released: Deed
    approved: tuple[Deed, ...]
    withdrawn: Deed | None


@dataclass(frozen=True, slots=True)
class AsOf:
    """What was live at `at`; `release` is 0, and all else empty, before the first release of the channel.

    `rollback_to` is the number of the release that this one names as the one to go back to, 0 if none.
    """

    at: datetime
    channel: str
    release: int = 0
    manifest: str = ""
    released: Deed | None = None
    rollback_to: int = 0
    policies: tuple[Live, ...] = ()
    models: tuple[dict[str, str | int], ...] = ()
    entries: tuple[Live, ...] = ()


def as_of(
    plane: ControlPlane, actor: str, *, at: datetime, channel: str = "", name: str = "", auth: Auth = Auth.TOKEN
) -> AsOf:
    """Return what was live on a channel at a moment, after logging that the actor asked.

    Args:
        plane: the control plane.
        actor: person id; `ledger.SYSTEM` for whoever works on the server itself.
        at: the moment; the whole of its second counts.
        channel: "" for the usual one.
        name: only the prompt or hand-off of this name.
        auth: how the actor had authenticated.

    Raises:
        NotFound: no such person, or nothing of that name was live then.
        InvalidDocument: there is no such channel.
        Unavailable: a manifest or statement that an entry names is gone or changed.
    """
    moment, on = at.astimezone(UTC).replace(microsecond=0), plane.on(channel)
    asked = encode_query({"as_of": moment, "channel": on, "name": name}, key=b"")
    own = note_reading(plane, actor, canonical.digest(asked), auth=auth)
    with db.read(plane.engine) as session:
        look = _Look(plane, session, moment, on, below=own)
        release = look.newest(term("act", Act.RELEASED))
        if release is None:
            if name:
                raise NotFound("expected the name of something that was live then, got another")
            return AsOf(moment, on)
        return _answer(look, release, name=name)


@dataclass(frozen=True, slots=True)
class _Look:
    """Where to look: entries of one channel up to a moment, and below the entry of this reading."""

    plane: ControlPlane
    session: Session
    at: datetime
    channel: str
    below: int

    def all(self, *terms: bytes) -> Iterator[LeafRecord]:
        """Yield entries that have some terms, newest first."""
        # INVARIANT: times are whole seconds, so one microsecond on is after all of this second and before the next.
        until = self.at.replace(microsecond=1)
        wanted = Wanted((term("channel", self.channel), *terms), until=until, before=self.below)
        found = find(self.session, wanted)
        while batch := list(islice(found, _APPROVALS)):
            for record, _ in records_of(self.session, batch):
                if record.at <= self.at and record.channel == self.channel:
                    yield record

    def newest(self, *terms: bytes) -> LeafRecord | None:
        """Return the newest entry that has some terms."""
        return next(self.all(*terms), None)

    def manifest(self, release: LeafRecord) -> Manifest:
        """Return the manifest that an entry says was released."""
        return _require(manifest_of(self.session, release.manifest), release)


def _require(manifest: Manifest | None, release: LeafRecord) -> Manifest:
    if manifest is None:
        raise Unavailable(
            f"expected the manifest that entry {release.seq} names, got none of its digest",
            hint="the database was changed from outside; see `mentorplane audit verify`",
        )
    return manifest


def _answer(look: _Look, release: LeafRecord, *, name: str) -> AsOf:
    manifest = look.manifest(release)
    shown = [entry for entry in manifest.entries if entry.kind in SHOWN_KINDS and name in {"", entry.name}]
    if not shown:
        raise NotFound("expected the name of something that was live then, got another")
    policies = [entry for entry in manifest.entries if entry.kind == "policy"]
    stories = _Stories(look)
    return AsOf(
        look.at,
        look.channel,
        manifest.number,
        release.manifest,
        released=stories.deed(release),
        rollback_to=manifest.rollback_to,
        policies=tuple(stories.live(entry, release) for entry in policies),
        models=tuple(model.as_json() for model in manifest.models),
        entries=tuple(stories.live(entry, release) for entry in shown),
    )


class _Stories:
    """How entries came to be live. Releases and their approvals are read once, however many entries they brought."""

    def __init__(self, look: _Look) -> None:
        self._look = look
        self._approvals: dict[str, tuple[tuple[LeafRecord, frozenset[Entry]], ...]] = {}
        self._deeds: dict[int, Deed] = {}

    def live(self, entry: Entry, release: LeafRecord) -> Live:
        """Return the story of an entry of a release."""
        brought, manifest = self._brought(entry, release)
        approved = [record for record, covered in self._approved(brought) if entry in covered]
        withdrawn = self._look.newest(term("digest", entry.digest), term("act", Act.WITHDRAWN))
        lifted = self._look.newest(term("digest", entry.digest), term("act", Act.WITHDRAWAL_LIFTED))
        if withdrawn is not None and lifted is not None and lifted.seq > withdrawn.seq:
            withdrawn = None
        return Live(
            entry.kind,
            entry.name,
            entry.epoch,
            entry.digest,
            entry.tier,
            entry.author,
            since_release=manifest.number,
            released=self.deed(brought),
            approved=tuple(self.deed(record) for record in reversed(approved)),
            withdrawn=None if withdrawn is None else self.deed(withdrawn),
        )

    def deed(self, record: LeafRecord) -> Deed:
        """Return who did what an entry says, with name and reason if they can still be read."""
        if record.seq not in self._deeds:
            opened = _texts(self._look, [record])
            name, reason = opened.get(record.seq, ("", ""))
            self._deeds[record.seq] = Deed(
                record.seq,
                record.act,
                record.actor.id,
                name,
                record.actor.role,
                record.signature.meaning,
                record.at,
                reason,
            )
        return self._deeds[record.seq]

    def _brought(self, entry: Entry, release: LeafRecord) -> tuple[LeafRecord, Manifest]:
        """Return the release that brought an entry just so: the newest up to this one that changed it."""
        terms = (term("act", Act.RELEASED), term("version", f"{entry.name}@{entry.epoch}"))
        for record in self._look.all(*terms):
            if record.seq <= release.seq:
                manifest = self._look.manifest(record)
                base = _require(manifest_of(self._look.session, manifest.base), record) if manifest.base else None
                if entry in changed_entries(manifest, base):
                    return record, manifest
        raise Unavailable(
            f"expected an entry of the log that brought {entry.kind} {entry.name!r}, got none",
            hint="`mentorplane audit reindex` makes the index anew; see `mentorplane audit verify`",
        )

    def _approved(self, brought: LeafRecord) -> Sequence[tuple[LeafRecord, frozenset[Entry]]]:
        """Return the approvals of a release, newest first, each with the entries that its statement covers."""
        if brought.manifest not in self._approvals:
            terms = (term("act", Act.APPROVED), term("digest", brought.manifest))
            records = [r for r in self._look.all(*terms) if r.manifest == brought.manifest and r.seq < brought.seq]
            statements = statements_of(self._look.session, {record.signature.statement for record in records})
            found = []
            for record in records:
                statement = statements.get(record.signature.statement)
                if statement is None or statement.person != record.actor.id or statement.act != "approve":
                    raise Unavailable(
                        f"expected the statement that entry {record.seq} names, got none of its digest and person",
                        hint="the database was changed from outside; see `mentorplane audit verify`",
                    )
                found.append((record, frozenset(statement.entries)))
            self._approvals[brought.manifest] = tuple(found)
        return self._approvals[brought.manifest]


def _texts(look: _Look, records: Sequence[LeafRecord]) -> dict[int, tuple[str, str]]:
    """Return name and reason behind entries, each "" if it is erased or was never given."""
    found: dict[int, tuple[str, str]] = {}
    for opening in texts.reveal(look.session, look.plane, [record.seq for record in records]):
        name, reason = found.get(opening.seq, ("", ""))
        found[opening.seq] = (opening.text, reason) if opening.field == NAME else (name, opening.text)
    return found
