"""People: sealed keys, lock-out, tokens; and seeding, which goes through the same doors."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from control_plane import db, ledger, verifying
from control_plane.accounts import passphrases, people, presence, retiring, tokens
from control_plane.accounts.people import NewPerson
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.plane import ControlPlane
from control_plane.seed import seed
from control_plane.tables.accounts import TokenRow
from control_plane.tables.registry import PersonRow
from control_plane.turns import Line
from edge_runtime.core import dsse
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, newest, refused, state_of, whose
from tests.server.conftest import CHANGE
from tests.server.library import library


def test_a_key_opens_under_its_passphrase_only(empty: ControlPlane) -> None:
    """The opened key is the one in the keyring; another passphrase opens nothing."""
    key = passphrases.open_key(empty, "ada", "ada has a secret")
    with db.read(empty.engine) as session:
        [person] = people.keyring(session).values()
    assert dsse.public_bytes(key) == person.key
    with pytest.raises(Refused):
        passphrases.open_key(empty, "ada", "ada has a secret ")


def test_a_sealed_key_does_not_open_for_somebody_else(acts: Acts) -> None:
    """A sealed key that is moved to another person's row does not open: the seal covers the id."""
    with db.write(acts.plane.engine) as session:
        tom, ines = (session.get(PersonRow, acts.id(login)) for login in ("tom", "ines"))
        assert tom is not None
        assert ines is not None
        ines.sealed_key = tom.sealed_key
    with pytest.raises(Refused):
        passphrases.open_key(acts.plane, acts.id("ines"), acts.passphrase("tom"))


def test_wrong_passphrases_lock_out_for_a_while(empty: ControlPlane, clock: object) -> None:
    """After five wrong ones even the right one is refused, the log says so, and time heals."""
    for _ in range(5):
        with pytest.raises(Refused, match="passphrase"):
            passphrases.sign_in(empty, "ada", "guess guess")
    with pytest.raises(Refused, match="locked out"):
        passphrases.sign_in(empty, "ada", "ada has a secret")
    assert people.find_person(empty, "ada").locked
    assert [leaf.act for leaf in ledger.search(empty, limit=1)] == ["signed-in-failed"]
    clock.advance(seconds=empty.settings.locked_for_s + 1)  # type: ignore[attr-defined]
    assert passphrases.sign_in(empty, "ada", "ada has a secret") == people.find_person(empty, "ada").id


def test_a_right_passphrase_forgives_the_wrong_ones_before(empty: ControlPlane) -> None:
    """Only wrong ones in a row count."""
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(Refused):
                passphrases.sign_in(empty, "ada", "guess guess")
        passphrases.sign_in(empty, "ada", "ada has a secret")
    assert not people.find_person(empty, "ada").locked


def test_attack_finding_out_whether_a_login_exists(empty: ControlPlane) -> None:
    """No login, a wrong passphrase and a locked person get the very same answer, and each costs one derivation."""
    said = set()
    for login in ("nobody", *["ada"] * 6):  # the last one finds ada locked out
        with pytest.raises(Refused) as answer:
            passphrases.sign_in(empty, login, "guess guess")
        said.add((str(answer.value), answer.value.hint, type(answer.value)))
    assert len(said) == 1
    assert people.find_person(empty, "ada").locked
    logged = [(leaf.actor, leaf.act) for leaf in ledger.search(empty, limit=6)]
    assert logged == [*[(people.find_person(empty, "ada").id, "signed-in-failed")] * 5, ("system", "signed-in-failed")]


def test_attack_filling_the_log_with_logins_that_nobody_has(empty: ControlPlane, clock: object) -> None:
    """So many unknown logins are logged in a minute, and no more."""
    clock.now = clock.now.replace(second=0)  # type: ignore[attr-defined]
    size = newest(empty).seq
    for number in range(passphrases.UNKNOWN_PER_MINUTE + 5):
        with pytest.raises(Refused):
            passphrases.sign_in(empty, f"nobody{number}", "guess guess")
    assert newest(empty).seq == size + passphrases.UNKNOWN_PER_MINUTE
    clock.advance(seconds=60)  # type: ignore[attr-defined]
    with pytest.raises(Refused):
        passphrases.sign_in(empty, "nobody", "guess guess")
    assert newest(empty).seq == size + passphrases.UNKNOWN_PER_MINUTE + 1


def test_tokens_are_stored_hashed(empty: ControlPlane) -> None:
    """A token leads to its person; its text is nowhere in the database; another text is refused."""
    token = tokens.issue_token(empty, "ada")
    assert whose(empty, token) == "ada"
    with db.read(empty.engine) as session:
        assert session.get(TokenRow, token) is None
    assert not any(token.encode() in path.read_bytes() for path in empty.settings.home.glob("registry.db*"))
    with refused(empty, Refused):
        tokens.acting_for(empty, token + "x")


def test_enrolment_is_for_administrators_and_logins_are_unique(acts: Acts) -> None:
    """Whoever is no administrator enrols nobody; a taken login, a short passphrase, an unknown role are refused."""
    new = NewPerson("kim", "Kim", ("facilitator",))
    with refused(acts.plane, Refused, logged="enrol"):
        people.enrol(acts.plane, new, actor=acts.id("tom"))
    with refused(acts.plane, Conflict):
        people.enrol(acts.plane, replace(new, login="tom"), actor=acts.id("lena"))
    for bad in (
        replace(new, roles=("king",)),
        replace(new, roles=()),
        replace(new, login="Kim!"),
        replace(new, name=""),
    ):
        with refused(acts.plane, InvalidDocument):
            people.enrol(acts.plane, bad, actor=acts.id("lena"))
    with refused(acts.plane, InvalidDocument):
        people.enrol_all(acts.plane, [(new, "short")])
    kim = people.enrol(acts.plane, new, actor=acts.id("lena")).person
    assert (kim.id[:2], "kim" in kim.id) == ("p-", False)
    with pytest.raises(NotFound):
        people.find_person(acts.plane, "nobody")


def test_whoever_is_enrolled_chooses_the_first_passphrase_themselves(acts: Acts) -> None:
    """Until they use the code there is no key: nothing to sign with, or to sign in with; it is good once."""
    made = people.enrol(acts.plane, NewPerson("kim", "Kim", ("facilitator",)), actor=acts.id("lena"))
    for refusing in (
        lambda: passphrases.open_key(acts.plane, made.person.id, ""),
        lambda: passphrases.sign_in(acts.plane, "kim", ""),
        lambda: presence.require(acts.plane, made.person.id, "", purpose="x"),
    ):
        with pytest.raises(Refused):
            refusing()
    with refused(acts.plane, Conflict, match="with a key"):
        given = {"reason": "x", "passphrase": acts.passphrase("lena")}
        retiring.retire_key(acts.plane, acts.id("lena"), "kim", **given)
    with db.read(acts.plane.engine) as session:
        assert made.person.id not in people.keyring(session)
    assert verifying.verify(acts.plane).ok
    retiring.enrol_key(acts.plane, made.code, "kim has a secret")
    with db.read(acts.plane.engine) as session:
        assert people.keyring(session)[made.person.id].others == ()
    with refused(acts.plane, Refused, match="still good"):
        retiring.enrol_key(acts.plane, made.code, "lena knows this")
    assert passphrases.sign_in(acts.plane, "kim", "kim has a secret") == made.person.id
    report = verifying.verify(acts.plane)
    assert report.ok, report.problems


def test_seeding_twice_changes_nothing(acts: Acts) -> None:
    """A second run finds everything there."""
    before = state_of(acts.plane)
    assert not seed(acts.plane, library=library(), change=CHANGE)
    assert state_of(acts.plane) == before


def test_seeding_goes_on_where_it_stopped(acts: Acts) -> None:
    """With the tokens lost from the file, as after a crash before it was written, only those are made anew."""
    path = acts.plane.settings.home / "demo-people.json"
    document = json.loads(path.read_bytes())
    for person in document["people"]:
        del person["token"], person["id"]
    path.write_text(json.dumps(document))
    assert seed(acts.plane, library=library(), change=CHANGE)
    token = json.loads(path.read_bytes())["people"][0]["token"]
    assert whose(acts.plane, token) == "lena"


def test_seeding_refuses_a_registry_with_other_people(empty: ControlPlane) -> None:
    """A real installation is not seeded over."""
    with refused(empty, Refused):
        seed(empty, library=library())


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_secrets_on_disk_are_private(acts: Acts) -> None:
    """Keys and demo passphrases are readable by their owner only."""
    home = acts.plane.settings.home
    for path in (*(home / "keys").iterdir(), home / "demo-people.json"):
        assert path.stat().st_mode & 0o077 == 0, path.name


@pytest.mark.parametrize("right_at", [None, 39, 0])
def test_guesses_at_once_do_not_outnumber_the_limit(
    acts: Acts, monkeypatch: pytest.MonkeyPatch, right_at: int | None
) -> None:
    """Of forty tries at once five are made, as of forty in a row; a right one among the rest opens nothing later."""
    tom, made = acts.id("tom"), []
    plane = replace(acts.plane, line=Line(at_once=40, waiting=0))
    real = passphrases.unseal

    def counted(*given: object, **more: object) -> bytes:
        made.append(1)
        return real(*given, **more)  # type: ignore[arg-type]

    def attempt(number: int) -> bool:
        try:
            passphrases.open_key(plane, tom, acts.passphrase("tom") if number == right_at else f"guess {number}")
        except Refused:
            return False
        return True

    monkeypatch.setattr(passphrases, "unseal", counted)
    with ThreadPoolExecutor(40) as pool:
        opened = list(pool.map(attempt, range(40)))
    # A right try gives the tries that were counted before it back, as it does in a row.
    assert len(made) <= acts.plane.settings.wrong_passphrases * (1 + sum(opened))
    assert people.find_person(acts.plane, "tom").locked
    with pytest.raises(Refused, match="locked out"):
        passphrases.open_key(acts.plane, tom, acts.passphrase("tom"))


def test_the_last_try_allowed_may_be_right(empty: ControlPlane) -> None:
    """Four wrong ones and a right one open the key and leave nobody locked."""
    for _ in range(empty.settings.wrong_passphrases - 1):
        with pytest.raises(Refused):
            passphrases.open_key(empty, "ada", "guess guess")
    assert passphrases.open_key(empty, "ada", "ada has a secret")
    assert not people.find_person(empty, "ada").locked


def test_every_wrong_passphrase_is_logged(empty: ControlPlane) -> None:
    """The log says whose passphrase was guessed at, each time."""
    for tries in range(1, 4):
        with pytest.raises(Refused):
            passphrases.sign_in(empty, "ada", "guess guess")
        assert len(ledger.search(empty, act="signed-in-failed")) == tries
