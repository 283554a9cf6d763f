"""Beginning an installation with custodians: its home, its people, and the order that puts both in force.

Promises: may be stopped anywhere and run again; the keys of root and targets were never on this machine.
Does not: release anything: that takes the people who are enrolled, as ever.
"""

from __future__ import annotations

from collections.abc import Callable

from control_plane.accounts import people
from control_plane.accounts.people import NewPerson
from control_plane.ceremony import preparing
from control_plane.ceremony.orders import Order
from control_plane.ceremony.pool import enrol_pool
from control_plane.ceremony.preparing import Custody
from control_plane.keys import make_keys
from control_plane.plane import Clock, open_plane, utc_now
from control_plane.settings import Settings

__all__ = ["begin"]


def begin(
    settings: Settings,
    custody: Custody,
    pool: tuple[NewPerson, ...],
    *,
    ask: Callable[[str], str],
    clock: Clock = utc_now,
) -> Order:
    """Make the home, enrol the people, and return the order for the first root and targets.

    Raises:
        Conflict: the home is one of another kind, or has other people.
        InvalidDocument: as for `enrol_pool`.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    if not (settings.home / "keys").exists():
        make_keys(settings.home / "keys", offline=True)
    plane = open_plane(settings, clock=clock)
    try:
        known = {person.login for person in people.list_people(plane)}
        if known != {one.login for one in pool}:  # else a run before was stopped after it enrolled them
            enrol_pool(plane, pool, ask)
        return preparing.first(plane, custody)
    finally:
        plane.close()
