"""Two people act at once: one acts, another ends the right to it just before the first one's transaction begins.

On real threads, each with a connection of its own: whoever acts has been asked already, and has opened their key. What
counts is what holds in the transaction that writes, so nothing comes of the act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select

from audit.record import Auth
from control_plane import db
from control_plane.accounts import invitations, people, retiring, rights, sessions, tokens
from control_plane.errors import Refused
from control_plane.evidence.filed import file_evidence
from control_plane.granting import grants, leaving
from control_plane.keeping import erasing, holding, retention
from control_plane.keeping.keepers import Asking
from control_plane.lifecycle import releases, scheduling, withdrawing
from control_plane.plane import ControlPlane, open_plane
from control_plane.reviewing import closing, drafts, objections, proposals, requested, threads
from control_plane.tables.accounts import GrantRow
from edge_runtime.core.errors import MentorplaneError
from tests.server.acts import Acts, state_of
from tests.server.conftest import Clock
from tests.server.library import CLOSING, script

KEYED = 3
"""Which write is the act's own, where a key is opened: a try is counted and settled before. Else it is the first."""
Act = Callable[[ControlPlane], object]

pytestmark = pytest.mark.usefixtures("sqlite_only")


@contextmanager
def paused(plane: ControlPlane, *, before: int) -> Iterator[tuple[Event, Event]]:
    """Let who writes through this plane stop before its n-th write begins, until they are told to go on."""
    reached, go, count = Event(), Event(), [0]

    def stop(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        count[0] += statement == "BEGIN IMMEDIATE"
        if statement == "BEGIN IMMEDIATE" and count[0] == before:
            reached.set()
            assert go.wait(60)

    event.listen(plane.engine, "before_cursor_execute", stop)
    yield reached, go
    event.remove(plane.engine, "before_cursor_execute", stop)


def came_of(acts: Acts, other: ControlPlane, act: Act, *, before: int, meanwhile: Callable[[], object]) -> object:
    """Return what comes of an act if something else is done meanwhile, and assert that it changed nothing else."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(act(other))
        except MentorplaneError as error:
            found.append(error)
        finally:
            reached.set()

    with paused(other, before=before) as (reached, go):
        thread = Thread(target=run)
        thread.start()
        assert reached.wait(60)
        try:
            assert not found, f"expected the act to come to its own write, got {found}"
            meanwhile()
            left = state_of(acts.plane)
        finally:
            go.set()
            thread.join()
    assert state_of(acts.plane) == left
    return found[0]


@contextmanager
def gone(acts: Acts, login: str) -> Iterator[Callable[[], None]]:
    """Give what says that somebody has left, and undo it at the end: the next case begins as this one did."""

    def say(entry: int | None) -> None:
        with db.write(acts.plane.engine) as session:
            rights.find_row(session, login).retired = entry

    yield lambda: say(0)
    say(None)


@contextmanager
def lapsed(acts: Acts, login: str) -> Iterator[Callable[[], None]]:
    """Give what ends all that somebody was granted, and undo it at the end."""
    now = acts.plane.now()

    def say(entry: int | None) -> None:
        with db.write(acts.plane.engine) as session:
            for row in session.exec(select(GrantRow).where(GrantRow.person == acts.id(login))):
                row.ended, row.ended_at = entry, now if entry is not None else None

    yield lambda: say(0)
    say(None)


def of_tom_and_others(acts: Acts) -> Iterator[tuple[str, int, Act]]:
    """Yield who acts, which write is the act's own, and the act: each takes somebody who is here."""
    by, me = acts.passphrase, acts.id
    tomorrow = acts.plane.now() + timedelta(days=1)
    change = {CLOSING: script("closing", tier="R1", fill="Bye {{ work }}.")}
    proposing: dict[str, Any] = {"files": change, "title": "x", "passphrase": by("maya")}
    yield "remy", 1, lambda p: releases.release(p, me("remy"), 2)
    yield "remy", 1, lambda p: scheduling.schedule(p, me("remy"), 2, at=tomorrow)
    yield "tom", 1, lambda p: threads.comment(p, me("tom"), 2, text="why?")
    yield "maya", 1, lambda p: drafts.save_draft(p, me("maya"), files=change, title="x")
    yield "maya", 1, lambda p: closing.close(p, me("maya"), 2)
    yield "maya", 1, lambda p: requested.request(p, me("maya"), 2, persons=["ruth"], roles=[])
    yield "maya", KEYED, lambda p: proposals.propose(p, me("maya"), **proposing)
    yield "maya", KEYED, lambda p: proposals.edit(p, me("maya"), 2, files=change, passphrase=by("maya"))
    yield "tom", KEYED, lambda p: withdrawing.withdraw(p, me("tom"), target="closing", reason="x", passphrase=by("tom"))
    yield "tom", KEYED, lambda p: tokens.issue(p, me("tom"), name="mine", passphrase=by("tom"))
    yield "tom", KEYED, lambda p: sessions.sign_in(p, "tom", by("tom"))
    yield "tom", KEYED, lambda p: tokens.log_in(p, "tom", by("tom"))
    yield "lena", 1, lambda p: people.enrol(p, people.NewPerson("kim", "Kim", ("author",)), actor=me("lena"))
    yield "ruth", KEYED, lambda p: leaving.retire_person(p, me("ruth"), "sam", reason="x", present=by("ruth"))


def of_ruth(acts: Acts) -> Iterator[tuple[int, Act]]:
    """Yield which write is the act's own, and the act: each takes a role that is granted for a time, or a say by it."""
    ruth, secret = acts.id("ruth"), acts.passphrase("ruth")
    why: dict[str, Any] = {"reason": "asked", "passphrase": secret}
    making = grants.Making("tom", "facilitator")
    made = grants.propose(acts.plane, acts.id("lena"), making, reason="x", passphrase=acts.passphrase("lena"))
    new: dict[str, Any] = {"purpose": invitations.NEW_KEY, "present": secret}
    objecting = {"role": "compliance", "reason": "no", "manifest": acts.seen()}
    yield 1, lambda p: objections.object_to(p, ruth, 2, **objecting)
    yield KEYED, lambda p: grants.propose(p, ruth, making, **why)
    yield KEYED, lambda p: grants.sign(p, ruth, made.id, digest=made.digest, **why)
    yield KEYED, lambda p: invitations.invite(p, ruth, "sam", **new)
    yield KEYED, lambda p: holding.hold(p, "tom", asking=Asking(by=ruth, **why))
    yield KEYED, lambda p: erasing.erase(p, "tom", asking=Asking(by=ruth, **why))
    yield KEYED, lambda p: retention.change_setting(p, "reading-log", "off", asking=Asking(by=ruth, **why))
    yield KEYED, lambda p: file_evidence(p, "dpia", b"text", asking=Asking(ruth, "asked", secret))


@pytest.fixture
def other(acts: Acts, clock: Clock) -> Iterator[ControlPlane]:
    """The same home, as another server opens it: a connection and a line of its own."""
    plane = open_plane(acts.plane.settings, clock=clock)
    yield plane
    plane.close()


def test_attack_acting_while_one_leaves(acts: Acts, other: ControlPlane) -> None:
    """Nothing comes of what somebody does whose departure is signed before their transaction begins."""
    acts.approve_fully()
    for login, before, act in of_tom_and_others(acts):
        with gone(acts, login) as leave:
            assert isinstance(came_of(acts, other, act, before=before, meanwhile=leave), Refused)


def test_attack_acting_while_a_grant_ends(acts: Acts, other: ControlPlane) -> None:
    """Nothing comes of what somebody does in a role, or by a say, that is ended before their transaction begins."""
    given = {"reason": "x", "passphrase": acts.passphrase("lena")}
    cases = list(of_ruth(acts))
    retiring.retire_key(acts.plane, acts.id("lena"), "sam", **given)
    for before, act in cases:
        with lapsed(acts, "ruth") as end:
            assert isinstance(came_of(acts, other, act, before=before, meanwhile=end), Refused)


def test_attack_acting_by_what_is_revoked_meanwhile(acts: Acts, other: ControlPlane) -> None:
    """A request that was let in does nothing once its token is revoked, or its session ended."""
    text = tokens.issue_token(acts.plane, acts.id("tom"))
    toms = tokens.list_tokens(acts.plane, person="tom")
    cookie = sessions.start(acts.plane, acts.id("tom"), auth=Auth.PASSPHRASE).cookie
    for digest, acting, meanwhile in (
        (
            tokens.token_digest(text),
            tokens.acting_for(acts.plane, text),
            lambda: [tokens.revoke(acts.plane, acts.id("tom"), one.id) for one in toms],
        ),
        (
            sessions.session_digest(cookie),
            sessions.acting_for(acts.plane, cookie),
            lambda: sessions.end(acts.plane, cookie),
        ),
    ):
        through = replace(other, token=digest, acting=acting)

        def act(_plane: ControlPlane, through: ControlPlane = through) -> object:
            return threads.comment(through, acts.id("tom"), 2, text="why?")

        assert isinstance(came_of(acts, other, act, before=1, meanwhile=meanwhile), Refused)
