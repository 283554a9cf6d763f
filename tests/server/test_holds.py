"""Legal holds and retention: nothing that is held is erased or expires, and the log speaks first of every setting."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import text
from typer.testing import CliRunner

from audit.acts import Act
from audit.record import LeafObject
from control_plane import db, verifying
from control_plane.accounts import people
from control_plane.errors import NotFound, Refused
from control_plane.evidence.search import read
from control_plane.keeping import erasing, holding
from control_plane.keeping.keepers import Asking
from control_plane.keeping.retention import change_setting, setting, settings
from control_plane.ledger.search import Query
from control_plane.plane import ControlPlane
from control_plane.tables.registry import SettingRow
from control_plane.texts.holds import Hold, list_holds
from control_plane.texts.values import DEFAULTS, READING_LOG
from edge_runtime.core.errors import InvalidDocument
from tests.command_table import program
from tests.server.acts import Acts, newest, refused
from tests.server.conftest import Clock
from tests.server.test_texts import erase, keys_of, records

WHY = "case 7, ordered by the court"


def place(acts: Acts, login: str, *, by: str = "ruth", **options: str) -> Hold:
    """Place a hold as a demo person."""
    given = {"reason": WHY, "passphrase": acts.passphrase(by), **options}
    return holding.hold(acts.plane, login, asking=Asking(by=acts.id(by), **given))


def lift(acts: Acts, identity: str, *, by: str = "ruth", **options: str) -> Hold:
    """Lift a hold as a demo person."""
    given = {"reason": "the case is closed", "passphrase": acts.passphrase(by), **options}
    return holding.lift_hold(acts.plane, identity, asking=Asking(by=acts.id(by), **given))


def switch(acts: Acts, name: str, value: str, *, by: str = "ruth", **options: str) -> int:
    """Change a setting as a demo person."""
    given = {"reason": "decided with the works council", "passphrase": acts.passphrase(by), **options}
    return change_setting(acts.plane, name, value, asking=Asking(by=acts.id(by), **given))


@pytest.mark.databases
@pytest.mark.parametrize("whom", ["tom", ""])
def test_nothing_under_a_hold_is_erased(acts: Acts, whom: str) -> None:
    """A hold on the person, or on everybody, refuses the erasure and leaves an entry that says so; lifting frees it."""
    made = place(acts, whom)
    with refused(acts.plane, Refused, f"under {made.id}", logged="erase-under-hold"):
        erase(acts, "tom")
    last = newest(acts.plane)
    assert (last.object.name, last.actor.behalf) == (acts.id("tom"), acts.id("tom"))
    assert last.holds == (made.id,)
    assert people.find_person(acts.plane, "tom").name == "Tom Baptiste"
    lift(acts, made.id)
    assert erase(acts, "tom").keys
    assert verifying.verify(acts.plane).ok


def test_a_hold_on_somebody_else_holds_nobody_else(acts: Acts) -> None:
    """A hold covers the texts of the person it is on."""
    place(acts, "ines")
    assert erase(acts, "tom").keys


@pytest.mark.databases
def test_entries_name_the_holds_that_cover_them(acts: Acts) -> None:
    """What is written while holds are in force names them, sorted; what is written before and after does not."""
    first, second = place(acts, "maya"), place(acts, "", ticket="CASE-7")
    acts.check()
    assert newest(acts.plane).holds == (first.id, second.id)
    lift(acts, second.id)
    acts.check()
    assert newest(acts.plane).holds == (first.id,)
    lift(acts, first.id)
    acts.check()
    assert newest(acts.plane).holds == ()


def test_holds_are_entries_of_the_log(acts: Acts) -> None:
    """Placing and lifting say who, which hold, why as a commitment, and on what request."""
    made = place(acts, "tom", ticket="CASE-7")
    placed = newest(acts.plane)
    assert (placed.act, placed.object.name, placed.seq) == (Act.HOLD_PLACED, made.id, made.placed)
    assert (placed.ticket, placed.reason.code, placed.reason.text[:5]) == ("CASE-7", "on-a-person", "hmac-")
    ended = lift(acts, made.id)
    lifted = newest(acts.plane)
    assert (lifted.act, lifted.seq, lifted.prev) == (Act.HOLD_LIFTED, ended.lifted, placed.seq)
    assert lifted.object == placed.object
    assert list_holds(acts.plane) == ()
    assert list_holds(acts.plane, lifted=True) == (ended,)


@pytest.mark.parametrize("attempt", ["hold", "lift-hold", "change-setting"])
def test_only_keepers_hold_and_set(acts: Acts, attempt: str) -> None:
    """Whoever is neither in compliance nor an administrator is refused, and the log says so."""
    made = place(acts, "tom")
    with refused(acts.plane, Refused, "role compliance or administrator", logged=attempt):
        if attempt == "hold":
            place(acts, "ines", by="remy")
        elif attempt == "lift-hold":
            lift(acts, made.id, by="remy")
        else:
            switch(acts, READING_LOG, "off", by="remy")


def test_mistakes_hold_nothing(acts: Acts) -> None:
    """No reason, a ticket that is none, nobody of that name, and a hold that is not in force are refused."""
    for bad in ({"reason": " "}, {"ticket": "two words"}):
        with refused(acts.plane, InvalidDocument):
            place(acts, "tom", **bad)
    with refused(acts.plane, NotFound):
        place(acts, "nobody")
    made = place(acts, "tom")
    lift(acts, made.id)
    for identity in (made.id, "hold-99"):
        with refused(acts.plane, NotFound):
            lift(acts, identity)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM hold",
        "UPDATE hold SET lifted = 3",
        "UPDATE hold SET person = '{ines}'",
        "UPDATE hold SET placed = 1",
    ],
)
def test_attack_a_hold_that_goes_behind_the_log(acts: Acts, sql: str) -> None:
    """A hold that was taken away or changed in the database is named."""
    made = place(acts, "tom")
    with db.write(acts.plane.engine) as session:
        session.connection().execute(text(sql.format(ines=acts.id("ines"))))
    assert f"{made.id}: not what the log says of this hold" in verifying.verify(acts.plane).problems


@pytest.mark.databases
def test_a_setting_changes_with_its_entry_only(acts: Acts) -> None:
    """Switching something off is logged with what it was before; both are one transaction."""
    assert settings(acts.plane) == DEFAULTS
    entry = switch(acts, READING_LOG, "off")
    last = newest(acts.plane)
    assert (last.seq, last.act, last.object.name, last.reason.code) == (
        entry,
        Act.SETTINGS_CHANGED,
        READING_LOG,
        "switched-off",
    )
    assert settings(acts.plane)[READING_LOG] == "off"
    switch(acts, READING_LOG, "on")
    again = newest(acts.plane)
    assert (again.before, again.reason.code) == (last.after, "switched-on")
    assert verifying.verify(acts.plane).ok


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retention.access", "29"),
        ("retention.access", "36501"),
        ("retention.access", "-5"),
        ("retention.access", "on"),
        ("retention.access", "\u0663\u0660\u0660"),
        (READING_LOG, "400"),
        (READING_LOG, ""),
        ("audit-log", "off"),
    ],
)
def test_no_other_setting_is_accepted(acts: Acts, name: str, value: str) -> None:
    """The log itself cannot be switched off, and a period has bounds."""
    with refused(acts.plane, InvalidDocument):
        switch(acts, name, value)


@pytest.mark.parametrize("value", ["on", "off"])
def test_reading_is_logged_unless_that_was_switched_off(acts: Acts, value: str) -> None:
    """A search leaves an entry, or none once an entry says that this was switched off; it finds the same."""
    size = switch(acts, READING_LOG, value) + 1
    found = read(acts.plane, acts.id("ruth"), Query(act="proposed"))
    assert len(found) == 2
    assert len(records(acts.plane)) == size + (value == "on")


def test_attack_a_setting_changed_behind_the_log(acts: Acts) -> None:
    """A setting that was changed in the database is named, and so is one that was put back."""
    with db.write(acts.plane.engine) as session:
        session.add(SettingRow(name=READING_LOG, value="off", leaf=1))
    assert f"setting {READING_LOG}: not what the log says that it was set to" in verifying.verify(acts.plane).problems
    switch(acts, READING_LOG, "off")
    assert verifying.verify(acts.plane).ok
    with db.write(acts.plane.engine) as session:
        session.connection().execute(text("DELETE FROM setting"))
    assert f"setting {READING_LOG}: not what the log says that it was set to" in verifying.verify(acts.plane).problems


@pytest.mark.databases
def test_a_restored_database_holds_and_keeps_what_the_log_says(acts: Acts) -> None:
    """Holds and settings that an older copy of the database lacks come back with the entries, and hold at once."""
    plane = acts.plane
    tom, everybody, lifted = place(acts, "tom"), place(acts, ""), place(acts, "ines")
    lift(acts, lifted.id)
    lift(acts, everybody.id)
    switch(acts, "retention.access", "60")
    switch(acts, READING_LOG, "off")
    before, wanted = list_holds(plane, lifted=True), settings(plane)
    with db.write(plane.engine) as session:
        session.connection().execute(text("DELETE FROM hold"))
        session.connection().execute(text("DELETE FROM setting"))
    assert not verifying.verify(plane).ok
    with db.write(plane.engine) as session:
        assert erasing.replay(session, records(plane)) == 0
    assert (list_holds(plane, lifted=True), settings(plane)) == (before, wanted)
    assert verifying.verify(plane).ok
    with refused(plane, Refused, f"under {tom.id}", logged="erase-under-hold"):
        erase(acts, "tom")


def test_a_hold_on_somebody_who_is_not_found_holds_everybody(acts: Acts) -> None:
    """If whom a hold is on cannot be told any more, it covers everybody, and the check says that it differs."""
    made = place(acts, "tom")
    lost = replace(newest(acts.plane), object=LeafObject("hold", made.id, "sha256:" + "0" * 64))
    with db.write(acts.plane.engine) as session:
        session.connection().execute(text("DELETE FROM hold"))
        erasing.replay(session, [lost])
    assert [one.person for one in list_holds(acts.plane)] == [""]
    with refused(acts.plane, Refused, made.id, logged="erase-under-hold"):
        erase(acts, "ines")
    assert f"{made.id}: not what the log says of this hold" in verifying.verify(acts.plane).problems


def living(plane: ControlPlane, person: str) -> set[tuple[str, str]]:
    """Return class and month of a person's keys that are not destroyed."""
    return {(row.retention, row.month) for row in keys_of(plane, person) if row.erased_by is None}


@pytest.mark.databases
def test_texts_expire_by_class_and_month(acts: Acts, clock: Clock) -> None:
    """What is older than its class is kept is erased by the installation, with an entry for each key; names go on."""
    plane, tom = acts.plane, acts.id("tom")
    assert erasing.expire(plane).keys == ()
    size = len(records(plane))
    month = f"{clock.now:%Y-%m}"
    clock.advance(days=730 + 31)
    done = erasing.expire(plane)
    assert living(plane, tom) == {("governance", month)}
    entries = records(plane)[size:]
    assert [leaf.seq for leaf in entries] == list(done.entries)
    assert {(leaf.act, leaf.actor.id, leaf.reason.code) for leaf in entries} == {(Act.ERASED, "system", "expired")}
    clock.advance(days=3650)
    erasing.expire(plane)
    assert living(plane, tom) == {("governance", f"{clock.now:%Y-%m}")}
    assert people.find_person(plane, "tom").name == "Tom Baptiste"
    assert erasing.expire(plane).keys == ()
    assert verifying.verify(plane).ok


def test_a_period_counts_from_the_end_of_the_month(acts: Acts, clock: Clock) -> None:
    """Texts of a month are kept for the whole period after it."""
    switch(acts, "retention.security", "30")
    year, month = divmod(clock.now.year * 12 + clock.now.month, 12)
    turn = datetime(year, month + 1, 1, tzinfo=UTC)  # when the next month begins
    clock.now = turn + timedelta(days=30, seconds=-1)
    assert erasing.expire(acts.plane).keys == ()
    clock.advance(seconds=1)
    assert erasing.expire(acts.plane).keys


def test_what_is_held_or_kept_does_not_expire(acts: Acts, clock: Clock) -> None:
    """A hold keeps a person's texts beyond their period, and "off" keeps those of a class."""
    tom, ines = acts.id("tom"), acts.id("ines")
    before = living(acts.plane, tom)
    place(acts, "tom")
    switch(acts, "retention.governance", "off")
    clock.advance(days=5000)
    erasing.expire(acts.plane)
    assert living(acts.plane, tom) == before
    assert {retention for retention, _ in living(acts.plane, ines)} == {"governance"}
    assert verifying.verify(acts.plane).ok


def test_erased_people_get_no_key_when_their_texts_expire(acts: Acts, clock: Clock) -> None:
    """Expiry brings no name back that was erased."""
    erase(acts, "tom")
    clock.advance(days=5000)
    erasing.expire(acts.plane)
    assert living(acts.plane, acts.id("tom")) == set()
    assert people.find_person(acts.plane, "tom").name.startswith("erased by entry")


def run(acts: Acts, *args: str, code: int = 0, who: str = "ruth") -> object:
    """Run a command of `mentorplane audit` with --json and return its answer."""
    acts.plane.engine.dispose()
    home = str(acts.plane.settings.home)
    environ = {"MENTORPLANE_PASSPHRASE": acts.passphrase(who), "DATABASE_URL": acts.plane.settings.database_url}
    result = CliRunner().invoke(program(), ["audit", *args, "--home", home, "--json"], env=environ)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


ASKING = ("--as", "ruth", "--reason", WHY)


def test_holds_from_the_command_line(acts: Acts) -> None:
    """Place, list, be refused an erasure, lift, erase: each with its exit code and its door in the log."""
    made = run(acts, "hold", "place", "--person", "tom", *ASKING)
    assert isinstance(made, dict)
    assert newest(acts.plane).actor.client == "cli"
    assert run(acts, "hold", "list") == [made]
    assert run(acts, "erase", "tom", *ASKING, code=2) == {
        "keys": 2,
        "concerned": 2,
        "holds": ["hold-1"],
        "erased": False,
    }
    refusal = run(acts, "erase", "tom", *ASKING, "--yes", code=2)
    assert isinstance(refusal, dict)
    assert "hold-1" in refusal["error"]
    run(acts, "hold", "lift", "hold-1", *ASKING)
    done = run(acts, "erase", "tom", *ASKING, "--yes", "--ticket", "DSR-1")
    assert isinstance(done, dict)
    assert (done["erased"], len(done["keys"]), len(done["entries"])) == (True, 2, 2)
    run(acts, "hold", "place", *ASKING, code=3)
    run(acts, "hold", "lift", "hold-1", *ASKING, code=3)
    run(acts, "erase", "nobody", *ASKING, "--yes", code=3)


def test_retention_from_the_command_line(acts: Acts) -> None:
    """Show, set and apply; a value that is none is invalid."""
    assert run(acts, "retention", "show") == DEFAULTS
    made = run(acts, "retention", "set", "retention.access", "60", *ASKING)
    assert made == {"name": "retention.access", "value": "60", "entry": newest(acts.plane).seq}
    run(acts, "retention", "set", "retention.access", "6", *ASKING, code=3)
    assert run(acts, "retention", "apply") == {"keys": [], "entries": [], "concerned": 0}
    with db.read(acts.plane.engine) as session:
        assert setting(session, "retention.access") == "60"
