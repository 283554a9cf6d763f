"""Short ways to act as a demo person, and to see that nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import SQLModel, col, select

from audit.record import LeafRecord, parse_leaf
from control_plane import db
from control_plane.accounts import people, retiring, tokens
from control_plane.accounts.people import Person
from control_plane.api.inside import Inside
from control_plane.client.api import Operations
from control_plane.errors import NotFound
from control_plane.lifecycle import releases, withdrawing
from control_plane.plane import ControlPlane
from control_plane.registry import store
from control_plane.registry.records import Proposal, Release, Withdrawal
from control_plane.reviewing import proposals, review
from control_plane.scopes import Acting
from control_plane.tables.registry import LeafRow

ROLE = {
    "ines": "community-host",
    "lena": "administrator",
    "maya": "learning-designer",
    "nora": "employee-representative",
    "remy": "release-manager",
    "ruth": "compliance",
    "sam": "safety-owner",
    "tom": "facilitator",
}

_LOG_TABLES = {"audit_posting", "audit_span", "leaf", "log_head", "text_key"}


class Acts:
    """The demo people of a home."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        known = json.loads((plane.settings.home / "demo-people.json").read_bytes())["people"]
        self.people = {person["login"]: person for person in known}

    def id(self, login: str) -> str:
        """Return the person id behind a login."""
        return str(self.people[login]["id"])

    def passphrase(self, login: str) -> str:
        """Return a demo person's passphrase."""
        return str(self.people[login]["passphrase"])

    def enrol(self, login: str, *roles: str, passphrase: str) -> Person:
        """Enrol somebody as the administrator, and their key with the code that this gives."""
        made = people.enrol(self.plane, people.NewPerson(login, login.title(), roles), actor=self.id("lena"))
        return retiring.enrol_key(self.plane, made.code, passphrase)

    def propose(self, login: str, files: Mapping[str, str], **options: object) -> Proposal:
        """Propose as a demo person."""
        given = {"title": "A change", "passphrase": self.passphrase(login), **options}
        return proposals.propose(self.plane, self.id(login), files=files, **given)  # type: ignore[arg-type]

    def edit(self, login: str, number: int, files: Mapping[str, str], **options: object) -> Proposal:
        """Edit as a demo person."""
        given = {"passphrase": self.passphrase(login), **options}
        return proposals.edit(self.plane, self.id(login), number, files=files, **given)  # type: ignore[arg-type]

    def check(self, number: int = 2) -> dict[str, str]:
        """Run the checks and return their statuses by name."""
        return {result.name: result.status for result in review.check(self.plane, self.id("maya"), number)}

    def seen(self, number: int = 2) -> str:
        """Return the manifest digest that the proposal shows; one that is none for a proposal that is not there."""
        with suppress(NotFound), db.read(self.plane.engine) as session:
            return store.find_proposal(session, number)[1].digest
        return "sha256:"

    def approve(self, login: str, number: int = 2, **options: object) -> Proposal:
        """Approve as a demo person in their usual role, as the proposal is shown now."""
        given = {"role": ROLE.get(login), "reason": "it is clearer", "passphrase": self.passphrase(login), **options}
        given.setdefault("manifest", self.seen(number))
        return review.approve(self.plane, self.id(login), number, **given)  # type: ignore[arg-type]

    def reject(self, login: str, number: int = 2, **options: object) -> Proposal:
        """Reject as a demo person in their usual role, as the proposal is shown now."""
        given = {"role": ROLE[login], "reason": "not like this", "passphrase": self.passphrase(login), **options}
        given.setdefault("manifest", self.seen(number))
        return review.reject(self.plane, self.id(login), number, **given)  # type: ignore[arg-type]

    def release(self, number: int = 2, login: str = "remy") -> Release:
        """Release as the release manager."""
        return releases.release(self.plane, self.id(login), number)

    def approve_fully(self, number: int = 2) -> None:
        """Check a proposal and let the quorum of its tier approve it."""
        self.check(number)
        self.approve("tom", number)
        self.approve("ines", number)

    def withdraw(self, login: str, target: str) -> Withdrawal:
        """Withdraw as a demo person."""
        return withdrawing.withdraw(
            self.plane, self.id(login), target=target, reason="it hurt somebody", passphrase=self.passphrase(login)
        )


def whose(plane: ControlPlane, token: str) -> str:
    """Return the login of the person whose token this is; raises as `tokens.acting_for`."""
    return people.find_person(plane, tokens.acting_for(plane, token).person).login


def inside(plane: ControlPlane, person: str) -> Operations:
    """Return the client of a home, as a person."""
    return Operations(Inside(replace(plane, acting=Acting(person))))


def state_of(plane: ControlPlane, *, log: bool = True) -> dict[str, str]:
    """Return a fingerprint of every table and every published file; without `log`, as `but_log` would."""
    found = {}
    with db.read(plane.engine) as session:
        cursor = session.connection().connection.cursor()  # the driver's own: nothing maps rows that are only compared
        for name in sorted(SQLModel.metadata.tables.keys() - (set() if log else _LOG_TABLES)):
            cursor.execute(f"SELECT * FROM {name}")
            found[name] = hashlib.sha256("\n".join(sorted(map(repr, cursor.fetchall()))).encode()).hexdigest()
        cursor.close()
    for folder, below, names in os.walk(plane.site):
        if not log and folder == f"{plane.site}":
            below[:] = {*below} - {"log"}
        for name in names:
            path = Path(folder, name)
            found[f"{path}".removeprefix(f"{plane.site}{os.sep}")] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def but_log(state: Mapping[str, str]) -> dict[str, str]:
    """Return a fingerprint without what every entry of the log changes: the log, its index, keys of texts."""
    return {name: one for name, one in state.items() if name not in _LOG_TABLES and not name.startswith("log/")}


def newest(plane: ControlPlane) -> LeafRecord:
    """Return the last entry of the log."""
    with db.read(plane.engine) as session:
        return parse_leaf(session.exec(select(LeafRow.data).order_by(col(LeafRow.seq).desc()).limit(1)).one())


@contextmanager
def refused(
    plane: ControlPlane, kind: type[Exception], match: str | None = None, *, logged: str = ""
) -> Iterator[None]:
    """Expect an error of that kind, and that it changed nothing at all; with `logged`, but for one entry of the log.

    That entry says that this was attempted and refused.
    """
    before, size = state_of(plane, log=not logged), newest(plane).seq
    with pytest.raises(kind, match=match):
        yield
    assert state_of(plane, log=not logged) == before
    if not logged:
        return
    last = newest(plane)
    assert (last.seq, last.act, last.outcome, last.reason.code) == (size + 1, "refused", "refused", logged)
