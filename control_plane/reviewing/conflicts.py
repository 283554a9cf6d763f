"""What changed underneath a proposal since it began: by entry, and by file in three ways.

Each file of a proposal was taken over from a live text, its *base*. Where the live text is another by now (*theirs*)
and the proposal's (*mine*) is neither, the two conflict: putting mine on top would silently undo theirs.
Promises: nothing is decided by the order in which people act: every conflict is shown with all three texts, and stands
until somebody writes the file anew, having seen the live one. Does not: write anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session, col, delete, select

from control_plane import db
from control_plane.diffs.merging import merge
from control_plane.errors import Conflict
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.discussed import Conflicting, Underneath
from control_plane.registry.drafts import SourceFile
from control_plane.registry.live import live_manifest
from control_plane.tables.registry import ReleaseRow, RevisionRow, SourceRow
from control_plane.tables.reviewing import BaseTextRow, ChangeRow
from edge_runtime.core.manifest import parse_manifest

__all__ = ["conflicts_of", "find_conflicts", "forget_bases", "refuse_conflicts", "store_bases", "underneath"]

Key = tuple[str, str]


def conflicts_of(plane: ControlPlane, number: int) -> tuple[Conflicting, ...]:
    """Return the files of a proposal that conflict with the live release, sorted by kind and name.

    Raises:
        NotFound: there is no such proposal.
    """
    with db.read(plane.engine) as session:
        proposal, revision = store.find_proposal(session, number)
        if proposal.state in {"released", "closed"}:
            return ()
        return find_conflicts(session, proposal.channel, revision)


def find_conflicts(session: Session, channel: str, revision: RevisionRow) -> tuple[Conflicting, ...]:
    """Return the files of a revision that conflict with the live release of a channel."""
    rows = session.exec(select(BaseTextRow).where(BaseTextRow.proposal == revision.proposal))
    bases = {(row.kind, row.name): row.text for row in rows}
    mine: dict[Key, SourceFile | None] = dict.fromkeys((kind, name) for kind, name in revision.removed)
    mine |= {file.key: file for file in (SourceFile(**one) for one in revision.files)}
    live = _live(session, channel, mine)
    found = []
    for key, file in sorted(mine.items()):
        base, theirs = bases.get(key), live.get(key)
        text, theirs_text = file.text if file else None, theirs.text if theirs else None
        if key not in bases or theirs_text in {base, text}:
            continue  # taken over before bases were kept, or nobody else changed it, or both did so alike
        path = file.path if file else theirs.path if theirs else ""
        whole = base is not None and theirs_text is not None and text is not None
        merged = merge(str(base), str(text), str(theirs_text)) if whole else None
        found.append(Conflicting(*key, path, base=base, theirs=theirs_text, mine=text, merged=merged))
    return tuple(found)


def refuse_conflicts(session: Session, channel: str, revision: RevisionRow, *, written: Iterable[Key]) -> None:
    """Refuse to put a revision on the live release while files conflict that are not written anew.

    Raises:
        Conflict: some do; the message names them.
    """
    resolved = set(written)
    left = [one for one in find_conflicts(session, channel, revision) if (one.kind, one.name) not in resolved]
    if left:
        names = ", ".join(f"{one.kind} {one.name!r}" for one in left[:5])
        raise Conflict(
            f"expected files that nobody else changed meanwhile, got {len(left)} that conflict: {names}",
            hint=f"`mentorplane proposal conflicts {revision.proposal}` shows both sides; write those files anew",
        )


def store_bases(session: Session, channel: str, number: int, *, keys: Iterable[Key]) -> None:
    """Keep the live text under each file of a proposal: no file that conflicts is left (see `refuse_conflicts`)."""
    wanted = set(keys)
    session.exec(delete(BaseTextRow).where(col(BaseTextRow.proposal) == number))
    live = _live(session, channel, wanted)
    for kind, name in sorted(wanted):
        row = live.get((kind, name))
        session.add(BaseTextRow(proposal=number, kind=kind, name=name, text=row.text if row else None))
    session.flush()


def forget_bases(session: Session, number: int) -> None:
    """Let go of the texts under a proposal that is over."""
    session.exec(delete(BaseTextRow).where(col(BaseTextRow.proposal) == number))


def underneath(session: Session, channel: str, revision: RevisionRow) -> tuple[Underneath, ...]:
    """Return the entries that a revision changes and that are others on the live release than on its base."""
    live, digest = live_manifest(session, channel)
    if digest == revision.base:
        return ()
    row = session.exec(select(ReleaseRow).where(ReleaseRow.digest == revision.base)).first()
    began = parse_manifest(row.manifest) if row else None
    before = {entry.key: entry.digest for entry in began.entries} if began else {}
    now = {entry.key: entry.digest for entry in live.entries} if live else {}
    changes = session.exec(select(ChangeRow).where(ChangeRow.proposal == revision.proposal))
    return tuple(
        Underneath(kind, name, before.get((kind, name), ""), now.get((kind, name), ""))
        for kind, name in sorted((one.kind, one.name) for one in changes)
        if before.get((kind, name), "") != now.get((kind, name), "")
    )


def _live(session: Session, channel: str, keys: Iterable[Key]) -> dict[Key, SourceRow]:
    wanted = set(keys)
    names = sorted({name for _, name in wanted})
    found: dict[Key, SourceRow] = {}
    for start in range(0, len(names), 500):
        part = select(SourceRow).where(
            SourceRow.channel == channel, col(SourceRow.name).in_(names[start : start + 500])
        )
        found |= {(row.kind, row.name): row for row in session.exec(part)}
    return {key: row for key, row in found.items() if key in wanted}
