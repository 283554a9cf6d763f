"""What can still be opened: reasons by entry, display names by person, openings for evidence.

Promises: a text whose key was destroyed is never shown, and the entry that says so is; every text that is returned
decrypted as what was stored for that very entry; nothing is opened while the database lacks published entries, which
may say that it is erased (see `openness`).
Does not: check who may read, or log that somebody did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sqlmodel import Session, col, select

from audit.openings import Opening
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow, TextKeyRow, TextRow
from control_plane.texts.openness import is_open
from control_plane.texts.sealing import NAME, REASON, Said, open_name, open_text, unwrap

__all__ = ["display_names", "erased_words", "erasures", "reasons", "reveal", "shown_reasons"]

_AT_ONCE = 500


def erased_words(entry: int) -> str:
    """Return what stands in place of a text that was erased."""
    return f"erased by entry {entry}"


def reveal(session: Session, plane: ControlPlane, seqs: Iterable[int]) -> tuple[Opening, ...]:
    """Return what opens the commitments of these entries, as far as it is not erased, by index and field."""
    found: list[Opening] = []
    for part in _parts_to_open(session, plane, seqs):
        named = select(LeafRow.seq, TextKeyRow).where(LeafRow.subject == TextKeyRow.id, col(LeafRow.seq).in_(part))
        names: dict[str, Said] = {}
        for seq, key in session.exec(named.where(col(TextKeyRow.erased_by).is_(None), TextKeyRow.name != "")):
            said = names.get(key.id) or names.setdefault(key.id, open_name(plane, key))
            found.append(Opening(seq, NAME, said.text, said.salt))
        found += [Opening(row.leaf, row.field, said.text, said.salt) for row, said in _reasons(session, plane, part)]
    return tuple(sorted(found, key=lambda one: (one.seq, one.field)))


def reasons(session: Session, plane: ControlPlane, seqs: Iterable[int]) -> dict[int, str]:
    """Return the reasons given for these entries by index, those that are not erased."""
    parts = _parts_to_open(session, plane, seqs)
    return {row.leaf: said.text for part in parts for row, said in _reasons(session, plane, part)}


def erasures(session: Session, seqs: Iterable[int]) -> dict[int, int]:
    """Return, for each of these entries whose texts are erased, the entry that says so."""
    found = {}
    for part in _parts(seqs):
        query = select(LeafRow.seq, TextKeyRow.erased_by).where(LeafRow.subject == TextKeyRow.id)
        rows = session.exec(query.where(col(LeafRow.seq).in_(part), col(TextKeyRow.erased_by).is_not(None)))
        found.update({seq: event for seq, event in rows if event is not None})
    return found


def shown_reasons(session: Session, plane: ControlPlane, seqs: Iterable[int]) -> dict[int, str]:
    """Return the reasons of these entries as people read them: the text, or which entry erased it."""
    wanted = tuple(seqs)
    erased = {seq: erased_words(event) for seq, event in erasures(session, wanted).items()}
    return erased | reasons(session, plane, wanted)


def display_names(session: Session, plane: ControlPlane, people: Iterable[str] | None = None) -> dict[str, str]:
    """Return the display names of these people, or of all, as people read them: the name, or which entry erased it."""
    query = select(TextKeyRow).order_by(col(TextKeyRow.at).desc(), TextKeyRow.id)
    query = query if people is None else query.where(col(TextKeyRow.person).in_(tuple(people)))
    newest: dict[str, TextKeyRow] = {}
    erased: dict[str, int] = {}
    for row in session.exec(query):
        if row.erased_by is not None:
            erased[row.person] = max(row.erased_by, erased.get(row.person, -1))
        elif row.name:
            newest.setdefault(row.person, row)
    if newest and not is_open(plane, session):
        newest.clear()
    names = {person: open_name(plane, row).text for person, row in newest.items()}
    return {person: erased_words(event) for person, event in erased.items()} | names


def _reasons(session: Session, plane: ControlPlane, part: Sequence[int]) -> Iterator[tuple[TextRow, Said]]:
    query = select(TextRow, TextKeyRow).where(TextRow.key == TextKeyRow.id, col(TextRow.leaf).in_(part))
    keys: dict[str, bytes] = {}
    for row, key in session.exec(query.where(col(TextKeyRow.erased_by).is_(None), TextRow.field == REASON)):
        opened = keys.get(key.id) or keys.setdefault(key.id, unwrap(plane, key))
        yield row, open_text(opened, row)


def _parts_to_open(session: Session, plane: ControlPlane, seqs: Iterable[int]) -> Iterator[list[int]]:
    """Yield indexes in parts; none while nothing may be opened, which is asked if there is anything to open."""
    for number, part in enumerate(_parts(seqs)):
        if number == 0 and not is_open(plane, session):
            return
        yield part


def _parts(seqs: Iterable[int]) -> Iterator[list[int]]:
    remaining = iter(seqs)
    while part := list(islice(remaining, _AT_ONCE)):
        yield part
