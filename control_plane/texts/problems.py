"""Whether the texts, keys, holds and settings in the database are what the entries of the log say.

Promises: every commitment that neither opens nor was erased is named by its entry, and so is every key, hold and
setting that differs from what was logged; a line never holds a text.
Does not: change anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlmodel import Session, select

from audit.acts import Act
from audit.openings import ERASED_KIND, Opening, OpeningState, check_openings
from audit.record import LeafRecord
from control_plane.plane import ControlPlane
from control_plane.tables.registry import HoldRow, SettingRow, TextKeyRow, TextRow
from control_plane.texts.sealing import NAME, Said, open_name, open_text, unwrap
from control_plane.texts.values import DEFAULTS, hold_digest, setting_digest
from edge_runtime.core.errors import Unavailable

__all__ = ["problems"]


def problems(plane: ControlPlane, session: Session, leaves: Mapping[int, LeafRecord]) -> Iterator[str]:
    """Yield what differs between the entries of the log and what is kept beside them."""
    ordered = [leaves[index] for index in sorted(leaves)]
    keys = {row.id: row for row in session.exec(select(TextKeyRow))}
    yield from _keys(keys.values(), ordered)
    openings = [*_names(plane, keys, ordered), *_texts(plane, session, keys)]
    for one in check_openings(ordered, openings).states:
        if one.state in {OpeningState.MISSING, OpeningState.ALTERED}:
            yield f"entry {one.seq}: what is behind its {one.field} is {one.state}"
    yield from _holds(session, ordered)
    yield from _settings(session, ordered)


def _keys(rows: Iterable[TextKeyRow], leaves: Iterable[LeafRecord]) -> Iterator[str]:
    destroyed = {
        leaf.object.name: leaf.seq for leaf in leaves if leaf.act is Act.ERASED and leaf.object.kind == ERASED_KIND
    }
    for row in rows:
        event = destroyed.get(row.id)
        if row.erased_by != event:
            yield f"key {row.id}: not destroyed by the entry that the log says"
        if event is not None and (row.wrapped or row.name_data):
            yield f"key {row.id}: destroyed by entry {event}, and still there"


def _names(plane: ControlPlane, keys: Mapping[str, TextKeyRow], leaves: Iterable[LeafRecord]) -> Iterator[Opening]:
    opened: dict[str, Said | None] = {}
    for leaf in leaves:
        row = keys.get(leaf.subject)
        # A key of somebody else opens nothing: then the name is missing.
        if row is None or not leaf.actor.name or (row.person, row.retention) != (leaf.actor.id, leaf.retention):
            continue
        if row.id not in opened:
            opened[row.id] = _tried(plane, row)
        said = opened[row.id]
        if said is not None:
            yield Opening(leaf.seq, NAME, said.text, said.salt)


def _tried(plane: ControlPlane, row: TextKeyRow) -> Said | None:
    try:
        return open_name(plane, row) if row.erased_by is None else None
    except (Unavailable, UnicodeDecodeError):
        return None


def _texts(plane: ControlPlane, session: Session, keys: Mapping[str, TextKeyRow]) -> Iterator[Opening]:
    for row in session.exec(select(TextRow)):
        key = keys.get(row.key)
        try:
            said = open_text(unwrap(plane, key), row) if key is not None else Said("", b"")
        except (Unavailable, UnicodeDecodeError):
            said = Said("", b"")  # no commitment is made with an empty salt: it counts as altered
        yield Opening(row.leaf, row.field, said.text, said.salt)


def _holds(session: Session, leaves: Iterable[LeafRecord]) -> Iterator[str]:
    logged: dict[str, tuple[int, int | None, str]] = {}
    for leaf in leaves:
        if leaf.act is Act.HOLD_PLACED:
            logged[leaf.object.name] = (leaf.seq, None, leaf.object.digest)
        elif leaf.act is Act.HOLD_LIFTED and leaf.object.name in logged:
            placed, _, digest = logged[leaf.object.name]
            logged[leaf.object.name] = (placed, leaf.seq, digest)
    rows = session.exec(select(HoldRow)).all()
    stored = {row.id: (row.placed, row.lifted, hold_digest(row.id, row.person)) for row in rows}
    for name in sorted({*logged, *stored}):
        if logged.get(name) != stored.get(name):
            yield f"{name}: not what the log says of this hold"


def _settings(session: Session, leaves: Iterable[LeafRecord]) -> Iterator[str]:
    # An entry without a digest after is about a setting that no table keeps: whether an export is on.
    logged = {leaf.object.name: leaf.after for leaf in leaves if leaf.act is Act.SETTINGS_CHANGED and leaf.after}
    stored = {row.name: row.value for row in session.exec(select(SettingRow))}
    for name in sorted({*logged, *stored}):
        value = stored.get(name, DEFAULTS.get(name, ""))
        if logged.get(name, setting_digest(name, DEFAULTS.get(name, ""))) != setting_digest(name, value):
            yield f"setting {name}: not what the log says that it was set to"
