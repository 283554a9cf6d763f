"""Within one transaction the same question is asked once, and never answered with what was before a change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import Session, delete, select, text

from control_plane import db
from control_plane.errors import Conflict
from control_plane.plane import ControlPlane
from control_plane.tables.registry import CheckRow, SourceRow, VersionRow
from tests.server.library import OPENER


def change_row(session: Session) -> None:
    """Change a row that the session holds, and write nothing yet."""
    session.exec(select(SourceRow).where(SourceRow.path == OPENER)).one().text = "another"


def change_in_bulk(session: Session) -> None:
    """Delete rows without reading them."""
    session.exec(delete(SourceRow))


def change_by_text(session: Session) -> None:
    """Change rows by a statement that is written as text."""
    session.exec(text("UPDATE source SET text = 'another'"))  # type: ignore[call-overload]


def change_others(session: Session) -> None:
    """Change rows of another table."""
    session.exec(delete(CheckRow))
    session.exec(select(VersionRow)).first().tier = "R3"  # type: ignore[union-attr]
    session.flush()


def _delete_and_fail(plane: ControlPlane) -> None:
    with db.write(plane.engine) as session:
        change_in_bulk(session)
        assert asked(session) == []
        raise Conflict("expected this to be rolled back")


def asked(session: Session, *, tables: bool = True) -> list[str]:
    """Return the texts of all sources as one question, with a mark that tells one answer from another."""
    of = (SourceRow,) if tables else ()
    return db.once(session, "texts", lambda: [row.text for row in session.exec(select(SourceRow))], of=of)


@pytest.mark.parametrize("change", [change_row, change_in_bulk, change_by_text])
def test_what_the_transaction_changes_is_asked_again(plane: ControlPlane, change: Callable[[Session], None]) -> None:
    """Whatever way a table is written to, what depends on it is forgotten."""
    with db.write(plane.engine) as session:
        before = asked(session)
        assert asked(session) is before
        change(session)
        assert asked(session) != before


def test_what_cannot_matter_is_kept(plane: ControlPlane) -> None:
    """Another table's rows change no answer; what names no table is asked each time."""
    with db.write(plane.engine) as session:
        before = asked(session)
        change_others(session)
        assert asked(session) is before
        assert asked(session, tables=False) is not before


def test_nothing_is_kept_beyond_a_transaction(plane: ControlPlane) -> None:
    """The next transaction asks for itself, also after one that was rolled back."""
    with db.read(plane.engine) as session:
        before = asked(session)
    with pytest.raises(Conflict):
        _delete_and_fail(plane)
    with db.write(plane.engine) as session:
        assert asked(session) == before
        assert asked(session) is not before
