"""Holds and settings that a restored database lacks, put back from the entries of the log that speak of them.

An entry names them by digest; whom a hold is on, or what a setting was set to, is whatever has that digest.
Promises: a hold whose person is not found covers everybody, so nothing is erased that was held.
Does not: read the log (see `verifying.restore`), or destroy keys (see `erasing`).
"""

from __future__ import annotations

from sqlmodel import Session, select

from audit.acts import Act
from audit.record import LeafRecord
from control_plane.keeping.retention import LEAST_DAYS, MOST_DAYS
from control_plane.tables.registry import HoldRow, PersonRow, SettingRow
from control_plane.texts.holds import EVERYBODY
from control_plane.texts.values import DEFAULTS, OFF, hold_digest, setting_digest

__all__ = ["put_back"]


def put_back(session: Session, record: LeafRecord) -> None:
    """Put back the hold or the setting of which an entry speaks, as the entry says it."""
    name = record.object.name
    if record.act is Act.HOLD_PLACED and session.get(HoldRow, name) is None:
        person = _held(session, name, record.object.digest)
        session.add(HoldRow(id=name, person=person, placed=record.seq, at=record.at))
    elif record.act is Act.HOLD_LIFTED:
        row = session.get(HoldRow, name)
        if row is not None:
            row.lifted = record.seq
    elif record.act is Act.SETTINGS_CHANGED and name in DEFAULTS:
        value = _set_to(name, record.after)
        if value is not None:
            session.merge(SettingRow(name=name, value=value, leaf=record.seq))
    session.flush()


def _held(session: Session, hold: str, digest: str) -> str:
    people = (EVERYBODY, *session.exec(select(PersonRow.id)))
    return next((person for person in people if hold_digest(hold, person) == digest), EVERYBODY)


def _set_to(name: str, digest: str) -> str | None:
    values = ("on", OFF, *map(str, range(LEAST_DAYS, MOST_DAYS + 1)))
    return next((value for value in values if setting_digest(name, value) == digest), None)
