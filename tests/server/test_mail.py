"""Mail: whoever signed is told, by a real SMTP server, with nothing in it but a kind of act, a time and a link."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlmodel import select

from control_plane import db, ledger
from control_plane.accounts import addresses, invitations, retiring
from control_plane.keeping import erasing
from control_plane.mail.delivering import deliver_due
from control_plane.reviewing.requested import request
from control_plane.settings import Mail
from control_plane.tables.mail import MailRow
from tests.server.acts import Acts
from tests.server.conftest import Clock


class Inbox:
    """What the server took; `refuse` makes it say no."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], Message]] = []
        self.refuse = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Take a message, or refuse it."""
        if self.refuse:
            return "451 not now"
        self.got.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 taken"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    """An SMTP server on the loopback address."""
    handler = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # the controller wants to know its port before it listens
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


@pytest.fixture
def mailing(acts: Acts, inbox: tuple[Inbox, int]) -> Acts:
    """The demo people, on a plane with that mail server; each has an address."""
    mail = Mail("127.0.0.1", inbox[1], "mentorplane@example.org", starttls=False)
    settings = replace(acts.plane.settings, mail=mail, public_url="https://prompts.example.org")
    for login, person in acts.people.items():
        addresses.set_address(acts.plane, person["id"], login, address=f"{login}@example.org")
    return Acts(replace(acts.plane, settings=settings))


@pytest.mark.databases
def test_each_use_of_a_key_is_told_to_its_signer(mailing: Acts, inbox: tuple[Inbox, int]) -> None:
    """One message for each signature, to its signer alone; no name, title, reason or digest in it, only a link."""
    mailing.approve_fully()
    assert deliver_due(mailing.plane) == len(inbox[0].got) > 1
    assert deliver_due(mailing.plane) == 0
    texts = [person["name"] for person in mailing.people.values()] + ["clearer", "really", "opener", mailing.seen()]
    for to, message in inbox[0].got:
        assert to[0].endswith("@example.org")
        assert message["Subject"] == "Your signature was used"
        text = message.as_string()
        assert "https://prompts.example.org/audit/entries/" in text
        assert [one for one in texts if one in text.replace(to[0], "")] == []
    with db.read(mailing.plane.engine) as session:
        told = {row.person for row in session.exec(select(MailRow))}
    assert len(told) == len({to[0] for to, _ in inbox[0].got})


def test_a_reviewer_is_told_that_they_are_asked(mailing: Acts, inbox: tuple[Inbox, int]) -> None:
    """A request to review is a link to the proposal."""
    request(mailing.plane, mailing.people["maya"]["id"], 2, persons=["tom"], roles=["facilitator"])
    deliver_due(mailing.plane)
    [(to, message)] = inbox[0].got
    assert to == ["tom@example.org"]
    assert "https://prompts.example.org/proposals/2" in message.as_string()


def test_what_the_mail_server_refuses_is_sent_again(mailing: Acts, inbox: tuple[Inbox, int], clock: Clock) -> None:
    """A no for now is tried again later, also after the server was away."""
    inbox[0].refuse = True
    mailing.approve_fully()
    tried = deliver_due(mailing.plane)
    assert tried > 0
    assert inbox[0].got == []
    inbox[0].refuse = False
    clock.advance(hours=1)
    assert deliver_due(mailing.plane) == len(inbox[0].got) == tried


def test_an_address_that_was_erased_gets_nothing(mailing: Acts, inbox: tuple[Inbox, int]) -> None:
    """The address is looked up when the message goes out: after an erasure there is none."""
    mailing.approve_fully()
    erasing.erase(mailing.plane, "tom", by=mailing.id("ruth"), reason="asked", passphrase=mailing.passphrase("ruth"))
    while deliver_due(mailing.plane):
        pass
    to = {address for addresses, _ in inbox[0].got for address in addresses}
    assert "ines@example.org" in to
    assert "tom@example.org" not in to
    with db.read(mailing.plane.engine) as session:
        assert "waiting" not in {row.state for row in session.exec(select(MailRow))}


def test_without_a_mail_server_nothing_is_kept(acts: Acts) -> None:
    """Who names no mail server has no outbox that grows."""
    acts.approve_fully()
    assert deliver_due(acts.plane) == 0
    with db.read(acts.plane.engine) as session:
        assert session.exec(select(MailRow)).all() == []


def test_attack_a_mail_server_that_offers_no_encryption(mailing: Acts, inbox: tuple[Inbox, int]) -> None:
    """Where STARTTLS is asked for and not offered, nothing is said: no address, no password."""
    mail = replace(mailing.plane.settings.mail, starttls=True)  # type: ignore[type-var]
    secure = Acts(replace(mailing.plane, settings=replace(mailing.plane.settings, mail=mail)))
    secure.approve_fully()
    assert deliver_due(secure.plane) > 0
    assert inbox[0].got == []


def test_attack_an_administrator_diverts_somebodys_mail(mailing: Acts, inbox: tuple[Inbox, int]) -> None:
    """Old and new address are told, with no code, name or address; nobody comes in by it; the log holds no address."""
    plane, passphrase = mailing.plane, mailing.passphrase("lena")
    addresses.set_address(plane, mailing.id("lena"), "remy", address="evil@example.org", passphrase=passphrase)
    assert deliver_due(plane) == 2
    assert sorted(to[0] for to, _ in inbox[0].got) == ["evil@example.org", "remy@example.org"]
    for to, message in inbox[0].got:
        text = message.as_string().replace(f"To: {to[0]}", "")
        assert "https://prompts.example.org/audit/entries/" in text
        assert [one for one in ("code", "invitation", "evil@", "remy@", "Lena", "Remy") if one in text] == []
    inbox[0].got.clear()
    retiring.retire_key(plane, mailing.id("lena"), "tom", reason="forgotten", passphrase=passphrase)
    code = invitations.invite(plane, mailing.id("lena"), "tom", purpose=invitations.NEW_KEY, present=passphrase)
    assert deliver_due(plane) == 1  # a code is handed over, never mailed; whose key it was is told
    [(to, message)] = inbox[0].got
    assert (to, message["Subject"]) == (["tom@example.org"], "The key that signs for you was changed")
    assert code not in message.as_string()
    assert all(b"example.org" not in entry.data for entry in ledger.search(plane, act="address-set"))
    inbox[0].got.clear()
    addresses.remove_address(plane, mailing.id("lena"), "remy", passphrase=passphrase)
    deliver_due(plane)
    assert [to for to, _ in inbox[0].got] == [["evil@example.org"]]
