"""E-mail addresses: encrypted under a person's own key, erased with their texts, in the log as a digest only."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from audit.record import parse_leaf
from control_plane import db, ledger, verifying
from control_plane.accounts import addresses, tokens
from control_plane.app import create_app
from control_plane.errors import NotFound, Refused
from control_plane.keeping import erasing, retention
from control_plane.keeping.keepers import Asking
from control_plane.plane import ControlPlane
from control_plane.tables.accounts import ContactRow
from control_plane.tables.registry import LeafRow
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, newest, refused
from tests.server.conftest import Clock
from tests.server.test_texts import traces

TOMS = "tom.baptiste@example.org"


@pytest.fixture
def known(acts: Acts) -> Acts:
    """The demo people, after Tom set his address."""
    addresses.set_address(acts.plane, acts.id("tom"), "tom", address=" Tom.Baptiste@Example.org ")
    return acts


def address(plane: ControlPlane, person: str) -> str:
    """Return a person's address."""
    with db.read(plane.engine) as session:
        return addresses.address_of(plane, session, person)


@pytest.mark.databases
def test_an_address_is_known_and_stands_nowhere_in_clear(known: Acts) -> None:
    """It reads back in small letters; no file of the home and no entry of the log has it."""
    assert address(known.plane, known.id("tom")) == TOMS
    last = newest(known.plane)
    assert (last.act, last.actor.id, last.object.name, last.reason.code) == (
        "address-set",
        known.id("tom"),
        known.id("tom"),
        "own",
    )
    assert traces(known.plane.settings.home, TOMS.encode()) == []
    assert verifying.verify(known.plane).problems == ()


def test_an_administrator_sets_and_removes_another_s(known: Acts) -> None:
    """With their passphrase; for whom it was done stands in the log."""
    given = {"passphrase": known.passphrase("lena")}
    addresses.set_address(known.plane, known.id("lena"), "tom", address="tom@example.org", **given)
    assert address(known.plane, known.id("tom")) == "tom@example.org"
    assert verifying.verify(known.plane).problems == ()
    addresses.remove_address(known.plane, known.id("lena"), "tom", **given)
    assert address(known.plane, known.id("tom")) == ""
    last = newest(known.plane)
    assert (last.act, last.actor.behalf, last.after) == ("address-removed", known.id("tom"), "")
    assert verifying.verify(known.plane).problems == ()
    with refused(known.plane, NotFound):
        addresses.remove_address(known.plane, known.id("tom"), "tom")


def test_attack_mail_of_somebody_else(known: Acts) -> None:
    """Nobody but an administrator who gives their passphrase redirects or ends another's mail."""
    with refused(known.plane, Refused, logged="set-address"):
        addresses.set_address(known.plane, known.id("ines"), "tom", address="ines@example.org")
    with refused(known.plane, Refused, logged="remove-address"):
        addresses.remove_address(known.plane, known.id("ines"), "tom")
    with pytest.raises(Refused, match="passphrase"):
        addresses.set_address(known.plane, known.id("lena"), "tom", address="lena@example.org", passphrase="not hers")
    assert address(known.plane, known.id("tom")) == TOMS


@pytest.mark.parametrize(
    "wrong", ["", "tom", "tom@", "@example.org", "a@b@c", "a b@example.org", "a@x\nBcc: b@x", "<a@x>", "ä@example.org"]
)
def test_what_is_no_address_is_refused(known: Acts, wrong: str) -> None:
    """Nothing that could be more than one address, or a further header of a message."""
    with refused(known.plane, InvalidDocument):
        addresses.set_address(known.plane, known.id("tom"), "tom", address=wrong)


@pytest.mark.databases
def test_erasing_a_person_s_texts_erases_the_address(known: Acts) -> None:
    """The row goes with its key, in every file, and all still verifies; a new one can be set afterwards."""
    with db.read(known.plane.engine) as session:
        [data] = session.exec(select(ContactRow.data)).all()
    erasing.erase(
        known.plane, "tom", asking=Asking(by=known.id("ruth"), reason="asked", passphrase=known.passphrase("ruth"))
    )
    assert address(known.plane, known.id("tom")) == ""
    assert traces(known.plane.settings.home, data) == []
    assert verifying.verify(known.plane).problems == ()
    addresses.set_address(known.plane, known.id("tom"), "tom", address=TOMS)
    assert address(known.plane, known.id("tom")) == TOMS
    assert verifying.verify(known.plane).problems == ()


def test_an_address_outlives_the_key_that_expires(known: Acts, clock: Clock) -> None:
    """It is no text of an act: it moves to a new key, and the log says so."""
    given = {"by": known.id("ruth"), "reason": "shorter", "passphrase": known.passphrase("ruth")}
    retention.change_setting(known.plane, "retention.governance", "30", asking=Asking(**given))
    clock.advance(days=100)
    assert erasing.expire(known.plane).keys != ()
    assert address(known.plane, known.id("tom")) == TOMS
    with db.read(known.plane.engine) as session:
        [_, data] = session.exec(select(LeafRow.data).where(LeafRow.act == "address-set").order_by(col(LeafRow.seq)))
    assert (parse_leaf(data).reason.code, parse_leaf(data).actor.id) == ("moved", ledger.SYSTEM)
    assert verifying.verify(known.plane).problems == ()


@pytest.mark.parametrize("change", ["data", "by", "gone"])
def test_attack_an_address_changed_behind_the_log(known: Acts, change: str) -> None:
    """Who has the database and changes an address, or who entered it, is found out."""
    with db.write(known.plane.engine) as session:
        row = session.get(ContactRow, known.id("tom"))
        assert row is not None
        if change == "gone":
            session.delete(row)
        else:
            setattr(row, change, b"another" if change == "data" else known.id("lena"))
    tom = known.id("tom")
    assert verifying.verify(known.plane).problems == (f"address of {tom}: not the one that was logged",)


def test_people_set_and_remove_theirs_over_http(known: Acts) -> None:
    """PUT and DELETE of one's own; a token without every scope does neither."""
    client = TestClient(create_app(known.plane.settings))
    headers = {"Authorization": f"Bearer {tokens.issue_token(known.plane, 'tom')}"}
    new = {"address": "tom@example.org"}
    assert client.put("/v1/people/me/address", json=new, headers=headers).status_code == 204
    assert address(known.plane, known.id("tom")) == "tom@example.org"
    reading = tokens.issue(known.plane, known.id("tom"), name="reading", passphrase=known.passphrase("tom")).text
    narrow = {"Authorization": f"Bearer {reading}"}
    assert client.delete("/v1/people/me/address", headers=narrow).status_code == 403
    assert client.put("/v1/people/me/address", json={"address": "x"}, headers=headers).status_code == 422
    assert client.delete("/v1/people/me/address", headers=headers).status_code == 204
    assert address(known.plane, known.id("tom")) == ""
    client.app.state.plane.close()  # type: ignore[attr-defined]
