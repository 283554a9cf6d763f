"""Mail: whoever signed is told, by a real SMTP server, with nothing in it but a kind of act, a time and a link."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlmodel import select

from control_plane import db, ledger
from control_plane.accounts import addresses, invitations, retiring, sessions, tokens
from control_plane.accounts.presence import prove
from control_plane.custody.deciding import Decision, derive, sign_decision
from control_plane.custody.keyfile import open_key
from control_plane.errors import Conflict
from control_plane.evidence.filed import file_evidence
from control_plane.granting import grants, leaving
from control_plane.keeping import erasing, holding
from control_plane.keeping.keepers import Asking
from control_plane.mail.delivering import deliver_due
from control_plane.purposes import LOG_IN
from control_plane.reviewing import objections, own_keys
from control_plane.reviewing.requested import request
from control_plane.settings import Mail
from control_plane.tables.mail import MailRow
from tests.server.acts import Acts
from tests.server.conftest import Clock
from tests.server.keyholders import SALT, SECRET, fresh, live


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
    """One message for each, to its signer alone; no name, title, reason or digest in it, only a word and a link."""
    mailing.approve_fully()
    assert deliver_due(mailing.plane) == len(inbox[0].got) > 1
    assert deliver_due(mailing.plane) == 0
    texts = [person["name"] for person in mailing.people.values()] + ["clearer", "really", "opener", mailing.seen()]
    for to, message in inbox[0].got:
        assert to[0].endswith("@example.org")
        assert message["Subject"] == "Your key was used"
        text = message.as_string()
        assert "https://prompts.example.org/v1/audit/search?actor=p-" in text
        assert [one for one in texts if one in text.replace(to[0], "")] == []
    with db.read(mailing.plane.engine) as session:
        told = {row.person for row in session.exec(select(MailRow))}
    assert len(told) == len({to[0] for to, _ in inbox[0].got})


def uses(acts: Acts) -> dict[str, tuple[str, Callable[[], object]]]:
    """Return what a key is used for that signs nothing: by the word for it, by whom, and the act."""
    plane, by = acts.plane, acts.passphrase
    ruth, lena, tom = (acts.id(login) for login in ("ruth", "lena", "tom"))
    role = {"reason": "asked", "passphrase": by("ruth")}
    asking = Asking(ruth, "asked", by("ruth"))
    return {
        "sign-in": ("tom", lambda: sessions.sign_in(plane, "tom", by("tom"))),
        "issue-token": ("tom", lambda: tokens.issue(plane, tom, name="mine", passphrase=by("tom"))),
        "link-identity": ("tom", lambda: invitations.invite(plane, tom, "tom", purpose="sign-on", present=by("tom"))),
        "take-back": ("tom", lambda: objections.take_back(plane, tom, 2, present=by("tom"))),
        "end-grant": ("tom", lambda: grants.end(plane, tom, f"{tom}.facilitator", reason="x", passphrase=by("tom"))),
        "hold": ("ruth", lambda: holding.hold(plane, "tom", asking=Asking(by=ruth, **role))),
        "file-evidence": ("ruth", lambda: file_evidence(plane, "internal-audit", b"report", asking=asking)),
        "set-address": (
            "lena",
            lambda: addresses.set_address(plane, lena, "sam", address="s@x.org", passphrase=by("lena")),
        ),
        "retire-key": ("lena", lambda: retiring.retire_key(plane, lena, "sam", reason="x", passphrase=by("lena"))),
        "invite": ("lena", lambda: invitations.invite(plane, lena, "sam", purpose="new-key", present=by("lena"))),
        "leave": ("lena", lambda: leaving.retire_person(plane, lena, "sam", reason="x", present=by("lena"))),
        "erase": ("ruth", lambda: erasing.erase(plane, "sam", asking=Asking(by=ruth, **role))),
    }


def test_a_use_of_a_key_that_signs_nothing_is_told_too(mailing: Acts, inbox: tuple[Inbox, int]) -> None:
    """Whatever somebody shows for by their passphrase: one message to them, with the word of the act and no more."""
    seen = mailing.seen()
    objections.object_to(mailing.plane, mailing.id("tom"), 2, role="facilitator", reason="no", manifest=seen)
    for word, (login, act) in uses(mailing).items():
        deliver_due(mailing.plane)
        inbox[0].got.clear()
        act()
        deliver_due(mailing.plane)
        told = [message.as_string() for to, message in inbox[0].got if to == [f"{login}@example.org"]]
        assert [f"The key that signs for you was used ({word}) at" in text for text in told] == [True], word
        assert not any(secret in told[0] for secret in ("asked", "mine", "s@x.org", mailing.id("sam"), "proposal"))


def test_a_key_of_ones_own_is_told_of_each_proof_and_each_signature(
    mailing: Acts, inbox: tuple[Inbox, int], tmp_path: Path
) -> None:
    """A login, and an approval: one message each, though no server opened the key."""
    file = fresh(mailing, tmp_path)
    addresses.set_address(mailing.plane, file.person, file.person, address="noor@example.org")
    key = open_key(file, SECRET)
    proof = prove(key, person=file.person, purpose=LOG_IN, at=mailing.plane.now(), nonce=SALT)
    mailing.check()
    one = derive(own_keys.material_of(mailing.plane, 2), live(mailing))
    decision = Decision("approve", file.person, "facilitator", "read it here")
    signed = sign_decision(one, decision, key, salt=SALT, at=mailing.plane.now())
    given = {"envelope": signed["envelope"], "reason": signed["reason"], "salt": SALT}
    for word, act in {
        "log-in": lambda: tokens.log_in(mailing.plane, file.person, proof),
        "approve": lambda: own_keys.take_statement(mailing.plane, file.person, 2, **given),
    }.items():
        deliver_due(mailing.plane)
        inbox[0].got.clear()
        act()
        deliver_due(mailing.plane)
        [(to, message)] = inbox[0].got
        assert to == ["noor@example.org"]
        assert f"used ({word}) at" in message.as_string()


def test_attack_a_thief_tries_what_is_refused(mailing: Acts, inbox: tuple[Inbox, int]) -> None:
    """Who has somebody's passphrase and fails at something else has used the key: its holder is told all the same."""
    mailing.check()
    with pytest.raises(Conflict):
        mailing.approve("tom", manifest="sha256:another")
    assert deliver_due(mailing.plane) == 1
    [(to, message)] = inbox[0].got
    assert to == ["tom@example.org"]
    assert "used (approve) at" in message.as_string()


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
    erasing.erase(
        mailing.plane,
        "tom",
        asking=Asking(by=mailing.id("ruth"), reason="asked", passphrase=mailing.passphrase("ruth")),
    )
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
    assert deliver_due(plane) == 3
    assert sorted(to[0] for to, _ in inbox[0].got) == ["evil@example.org", "lena@example.org", "remy@example.org"]
    for to, message in inbox[0].got:
        text = message.as_string().replace(f"To: {to[0]}", "")
        assert "https://prompts.example.org/v1/audit/search?" in text
        assert [one for one in ("code", "invitation", "evil@", "remy@", "Lena", "Remy") if one in text] == []
    inbox[0].got.clear()
    retiring.retire_key(plane, mailing.id("lena"), "tom", reason="forgotten", passphrase=passphrase)
    code = invitations.invite(plane, mailing.id("lena"), "tom", purpose=invitations.NEW_KEY, present=passphrase)
    deliver_due(plane)
    [(to, message)] = [one for one in inbox[0].got if one[0] != ["lena@example.org"]]
    # A code is handed over, never mailed; whose key it was is told.
    assert (to, message["Subject"]) == (["tom@example.org"], "The key that signs for you was changed")
    assert not any(code in message.as_string() for _, message in inbox[0].got)
    assert all(b"example.org" not in entry.data for entry in ledger.search(plane, act="address-set"))
    inbox[0].got.clear()
    addresses.remove_address(plane, mailing.id("lena"), "remy", passphrase=passphrase)
    deliver_due(plane)
    assert sorted(to[0] for to, _ in inbox[0].got) == ["evil@example.org", "lena@example.org"]
