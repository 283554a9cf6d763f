"""Material: all that somebody needs to sign where their own key is, without believing the server.

Promises: manifest and contents are the very bytes, whose digests are for the reader to derive.
Does not: say what was signed (see `own_keys`), or derive anything itself (see `custody.deciding`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sqlmodel import Session, col, select

from control_plane.plane import ControlPlane
from control_plane.registry import reports, store
from control_plane.registry.affected import SHARED
from control_plane.tables.registry import ProposalRow, RevisionRow, SourceRow
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.manifest import Entry, parse_manifest

__all__ = ["Material", "decide_on", "review_of", "sign_as_author"]


@dataclass(frozen=True, slots=True)
class Material:
    """All that somebody needs to decide about a proposal without believing the server.

    `manifest` and `closures` are the very bytes, as text: their digests are for the reader to derive. Cases,
    recordings and earlier contents are what the checks are given besides. Entries are named `kind name`.
    For the review of a release besides: `before`, the manifest that it stands on, with its contents among `closures`.
    For an author besides: the `title` that they sign, which entries they `sign` for, and the passages and words that
    files `share`, as they were written.
    """

    number: int
    revision: int
    state: str
    channel: str
    organisation: str
    manifest: str
    closures: dict[str, str]
    cases: dict[str, JsonObject]
    recordings: dict[str, JsonObject]
    earlier: dict[str, tuple[str, ...]]
    title: str = ""
    signs: tuple[str, ...] = ()
    shared: dict[str, str] = field(default_factory=dict)
    before: str = ""


def decide_on(plane: ControlPlane, session: Session, proposal: ProposalRow, *, revision: RevisionRow) -> Material:
    """Return what somebody needs to decide about a revision of a proposal."""
    candidate = reports.gather(session, revision)
    return Material(
        number=proposal.number or 0,
        revision=revision.revision,
        state=proposal.state,
        channel=proposal.channel,
        organisation=plane.organisation,
        manifest=revision.manifest.decode(),
        closures={digest: data.decode() for digest, data in candidate.closures.items()},
        cases=dict(candidate.cases),
        recordings=dict(candidate.recordings),
        earlier={f"{kind} {name}": found for (kind, name), found in candidate.earlier.items()},
    )


def review_of(plane: ControlPlane, session: Session, under: tuple[ProposalRow, RevisionRow]) -> Material:
    """Return what somebody needs to review a release that went out, and what it replaced."""
    proposal, revision = under
    material = decide_on(plane, session, proposal, revision=revision)
    manifest, base = parse_manifest(revision.manifest), store.base_of(session, revision)
    needed = {entry.digest for one in (manifest, base) if one for entry in one.entries}
    contents = reports.closures_of(session, needed - material.closures.keys())
    return replace(
        material,
        closures=material.closures | {digest: data.decode() for digest, data in contents.items()},
        before=base.encode().decode() if base is not None else "",
    )


def sign_as_author(
    plane: ControlPlane,
    session: Session,
    proposal: ProposalRow,
    *,
    revision: RevisionRow,
    title: str,
    signs: Iterable[Entry],
) -> Material:
    """Return what the author of a revision needs to sign it."""
    live = select(SourceRow).where(SourceRow.channel == proposal.channel, col(SourceRow.kind).in_(SHARED))
    shared = {f"{row.kind} {row.name}": row.text for row in session.exec(live)}
    shared |= {f"{file['kind']} {file['name']}": file["text"] for file in revision.files if file["kind"] in SHARED}
    gone = {f"{kind} {name}" for kind, name in revision.removed}
    return replace(
        decide_on(plane, session, proposal, revision=revision),
        title=title,
        signs=tuple(f"{entry.kind} {entry.name}" for entry in signs),
        shared={name: text for name, text in shared.items() if name not in gone},
    )
