"""How long texts are kept, and what of the record may be switched: settings that the log speaks of first.

Promises: a setting takes effect only with the entry that says who changed it from what to what, which is appended
before it in the same transaction; what nobody set has its default (see `values`).
Does not: destroy anything (see `erasing`), or let the log itself be switched off.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from audit.record import Act, LeafObject
from control_plane import db, ledger, texts
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.keeping.keepers import Asking, require_keeper
from control_plane.plane import ControlPlane
from control_plane.tables.registry import SettingRow
from control_plane.texts.values import DEFAULTS, OFF, READING_LOG, setting_digest
from edge_runtime.core.errors import InvalidDocument

__all__ = ["change_setting", "is_expired", "setting", "settings"]

LEAST_DAYS, MOST_DAYS = 30, 36_500


def setting(session: Session, name: str) -> str:
    """Return the value of a setting in force."""
    row = session.get(SettingRow, name)
    return DEFAULTS[name] if row is None else row.value


def settings(plane: ControlPlane) -> dict[str, str]:
    """Return every setting in force, by name."""
    with db.read(plane.engine) as session:
        return {name: setting(session, name) for name in sorted(DEFAULTS)}


def change_setting(plane: ControlPlane, name: str, value: str, *, asking: Asking) -> int:
    """Change a setting and return the entry of the log that says so.

    A proof by an own key is for `doing("change-setting", name, value)`.

    Raises:
        InvalidDocument: an unknown name or value, no reason, one that is too long, or a ticket that is none.
        NotFound: no such person.
        Refused: who asks is neither in compliance nor an administrator, or a wrong passphrase.
    """
    _require_value(name, value)
    target = LeafObject("setting", name)
    attempt = Attempt("change-setting", target)
    role, auth = require_keeper(plane, asking, attempt=attempt, what=(name, value))
    with rights.acting(plane, asking.by, role) as session:
        before = setting(session, name)
        event = ledger.Event(
            Act.SETTINGS_CHANGED,
            asking.by,
            role,
            auth,
            target,
            before=setting_digest(name, before),
            after=setting_digest(name, value),
            code=_code(before, value),
            reason=texts.say(plane, asking.reason),
            ticket=asking.ticket,
        )
        # INVARIANT: the entry is appended before the setting changes; nobody sees either without the other.
        entry = ledger.append(plane, session, event)
        session.merge(SettingRow(name=name, value=value, leaf=entry))
        return entry


def is_expired(session: Session, retention: str, month: str, *, now: datetime) -> bool:
    """Return whether texts of a class and month, "2026-01", are to be kept no longer."""
    days = setting(session, f"retention.{retention}")
    if days == OFF:
        return False
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]), 12)  # the month after it
    return (now - datetime(year, number + 1, 1, tzinfo=now.tzinfo)).days >= int(days)


def _require_value(name: str, value: str) -> None:
    if name not in DEFAULTS:
        raise InvalidDocument(f"expected a setting out of {', '.join(sorted(DEFAULTS))}")
    if name == READING_LOG:
        if value not in {"on", OFF}:
            raise InvalidDocument("expected on or off")
    elif value != OFF and not (value.isascii() and value.isdigit() and LEAST_DAYS <= int(value) <= MOST_DAYS):
        raise InvalidDocument(f"expected {LEAST_DAYS} to {MOST_DAYS} days, or off")


def _code(before: str, value: str) -> str:
    if value == OFF:
        return "switched-off"
    return "switched-on" if before == OFF else "changed"
