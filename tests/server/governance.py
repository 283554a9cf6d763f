"""People who govern at random, and a model that judges what comes out.

They propose, edit, rebase, check, approve, reject, object, take back, duplicate, close, let time pass, withdraw scripts
and whole channels, change the approval rules and release, on two channels; who may act in which role changes meanwhile
(see `mandates`). The model knows what each of them did and judges every release by brute force over people and roles;
it shares no function with the product.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlmodel import select

from control_plane import db, verifying
from control_plane.accounts import people
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.granting import grants
from control_plane.lifecycle.withdrawing import withdraw_channel
from control_plane.overview import queries
from control_plane.plane import open_plane
from control_plane.registry.live import rules_in_force
from control_plane.reviewing import closing, objections
from control_plane.tables.registry import ReleaseRow, SourceRow, StatementRow
from control_plane.tables.reviewing import BaseTextRow, WaitingRow
from edge_runtime.core.approval import read_signed
from edge_runtime.core.coverage import shortfalls
from edge_runtime.core.dsse import parse_envelope
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.manifest import parse_manifest
from tests.server.acts import ROLE, Acts
from tests.server.conftest import Clock, Template, copied
from tests.server.library import CASES, library
from tests.server.mandates import UMA, Mandates
from tests.server.ruling import FLOOR, NEEDS, RULES, TIERS, Files, Hasty, Known, Needs, change, content_of, is_quorum

AUTHORS = ("maya", "lena")
REVIEWERS = ("maya", "lena", "tom", "ines", "ruth", "sam")
CHANNELS = ("production", "pilot")
WORDS = ("Bye", "Thanks", "Well done")
DAYS_OPEN, DAYS_FRESH, DAYS_REVIEW = 60, 14, 7
LIVING = {"open", "scheduled", "suspended"}


class Governance(Mandates):
    """People acting in random order, and the model that judges what comes out."""

    template: Template
    server: str
    folder: Path
    made, released = 0, 0

    def __init__(self) -> None:
        super().__init__()
        type(self).made += 1
        self.home = self.folder / f"home-{self.made}"
        self.clock = Clock(now=self.template.now)
        self.around = copied(self.template, self.server, self.home)
        self.plane = open_plane(self.around.__enter__(), clock=self.clock)
        self.acts = Acts(self.plane)
        first = queries.show_proposal(self.plane, 2)
        changed = change_of_seed(self.acts)
        ends = first.proposal.at + timedelta(days=DAYS_OPEN)
        self.known: dict[int, Known] = {2: Known("production", changed, 1, ends, wrote={"maya"})}
        self.releases = {"production": 1, "pilot": 0}
        self.live: dict[str, Files] = {"production": dict(library()), "pilot": {}}
        self.writers: dict[str, set[str]] = {}
        self.objected: list[tuple[str, frozenset[tuple[str, str]]]] = []
        self.history: dict[tuple[str, int], Files] = {("production", 1): dict(library())}
        self.hasty: dict[str, list[Hasty]] = {"production": [], "pilot": []}
        self.stopped: dict[tuple[str, int], set[str]] = {}
        self.begin()
        self._wrote(changed, "maya")

    def teardown(self) -> None:
        """Whatever happened, the log tells it, and the model's live texts are the live texts."""
        assert verifying.verify(self.plane).problems == ()
        for channel in CHANNELS:
            with db.read(self.plane.engine) as session:
                rows = session.exec(select(SourceRow).where(SourceRow.channel == channel)).all()
            assert {row.path: row.text for row in rows} == self.live[channel]
        over = {number for number, one in self.known.items() if one.state in {"released", "closed"}}
        with db.read(self.plane.engine) as session:
            left = [*session.exec(select(WaitingRow.proposal)), *session.exec(select(BaseTextRow.proposal))]
        assert not over & set(left), "what is over waits for nothing and keeps no texts beside it"
        self.plane.close()
        self.around.__exit__(None, None, None)
        shutil.rmtree(self.home, ignore_errors=True)

    def _wrote(self, files: Files, login: str) -> None:
        for text in files.values():
            self.writers.setdefault(text, set()).add(login)

    def _pick(self, which: int) -> int:
        return sorted(self.known)[which % len(self.known)]

    def _is_stale(self, one: Known) -> bool:
        return one.base != self.releases[one.channel]

    def _keep(self, one: Known, login: str, files: Files) -> None:
        one.files, one.base = files if one.derived else {**one.files, **files}, self.releases[one.channel]
        one.wrote.add(login)
        one.approved, one.used, one.seen, one.checked = {}, set(), {}, None
        one.ends = self.plane.now() + timedelta(days=DAYS_OPEN)
        rejected = any(content == content_of(one) and kind == "reject" for kind, content in self._standing())
        one.state = "rejected" if rejected else "open"
        self._wrote(files, login)

    def _standing(self) -> Iterator[tuple[str, frozenset[tuple[str, str]]]]:
        for who, content in self.objected:
            yield who.split(":")[1], content

    @rule(
        login=st.sampled_from(AUTHORS),
        channel=st.sampled_from(CHANNELS),
        what=st.sampled_from(["opener", "closing", "policy", "rules"]),
        word=st.sampled_from(WORDS),
        emergency=st.sampled_from([False, False, True]),
    )
    def propose(self, login: str, channel: str, what: str, word: str, emergency: bool = False) -> None:
        """Somebody proposes, perhaps in haste; the first release of a channel brings the whole library."""
        files = change(what, word)
        whole = {**library(), **files} if not self.releases[channel] else files
        with suppress(MentorplaneError):
            made = self.acts.propose(login, whole, channel=channel, emergency=emergency)
            ends = self.plane.now() + timedelta(days=DAYS_OPEN)
            one = Known(channel, whole, self.releases[channel], ends, wrote={login}, emergency=emergency)
            self.known[made.number] = one
            self._wrote(whole, login)

    @rule(
        login=st.sampled_from(AUTHORS),
        which=st.integers(0, 9),
        what=st.sampled_from(["opener", "closing", "policy", "rules", ""]),
        word=st.sampled_from(WORDS),
    )
    def edit(self, login: str, which: int, what: str, word: str) -> None:
        """Somebody edits, or rebases where there is nothing to write."""
        number = self._pick(which)
        files = change(what, word) if what else {}
        with suppress(MentorplaneError):
            self.acts.edit(login, number, files)
            one = self.known[number]
            assert one.state not in {"released", "closed"}
            assert not (one.derived and files), "what derives from a release stays what it derives from"
            self._keep(one, login, self.derived_files(number, one) if one.derived else files)

    @rule(which=st.integers(0, 9), to=st.sampled_from(CHANNELS))
    def duplicate(self, which: int, to: str) -> None:
        """Lena proposes what another proposal has, also on the other channel."""
        number, secret = self._pick(which), self.acts.passphrase("lena")
        other = self.known[number]
        with suppress(MentorplaneError):
            made = closing.duplicate(
                self.plane, self.acts.id("lena"), number, title="The same", passphrase=secret, channel=to
            )
            ends = self.plane.now() + timedelta(days=DAYS_OPEN)
            one = Known(to, dict(other.files), self.releases[to], ends, wrote={"lena", *other.wrote})
            self.known[made.number] = one
            self._wrote(other.files, "lena")

    def derived_files(self, number: int, one: Known) -> Files:
        """Return what a proposal that derives from releases brings: a subclass whose people make such ones says it."""
        raise NotImplementedError

    @rule(which=st.integers(0, 9))
    def check(self, which: int) -> None:
        """Somebody runs the checks."""
        number = self._pick(which)
        with suppress(MentorplaneError):
            statuses = self.acts.check(number)
            self.known[number].checked = None if "failed" in statuses.values() else self.plane.now()

    @rule(login=st.sampled_from(REVIEWERS), which=st.integers(0, 9))
    def approve(self, login: str, which: int, role: str = "") -> None:
        """Somebody approves in their role."""
        number, role = self._pick(which), role or ROLE[login]
        one = self.known[number]
        with suppress(MentorplaneError):
            self.sign(login, number, role)
            whose = self.acts_for(login, role)
            assert whose, "nobody approves in a role that they do not hold"
            assert not {login, whose} & one.used, "nobody counts twice, by themselves or through somebody else"
            assert not {login, whose} & one.wrote, "nobody approves what they wrote a part of"
            assert not any(
                {login, whose} & self.writers.get(text, set()) for text in one.files.values() if self._is_new(one, text)
            )
            assert one.state in LIVING
            assert not self._is_stale(one)
            one.approved[login] = role
            one.used |= {login, whose}
            one.seen[login] = dict(one.files)

    @rule(role=st.sampled_from(UMA), which=st.integers(0, 9))
    def stand_in(self, role: str, which: int) -> None:
        """Uma approves in a role that was handed over or delegated to her."""
        self.approve("uma", which, role)

    def _is_new(self, one: Known, text: str) -> bool:
        return text not in self.live[one.channel].values() and "kind: cases" not in text

    @rule(login=st.sampled_from(["tom", "sam"]), which=st.integers(0, 9), signed=st.booleans())
    def object_or_reject(self, login: str, which: int, signed: bool) -> None:
        """Somebody objects, or rejects."""
        number = self._pick(which)
        one = self.known[number]
        with suppress(MentorplaneError):
            if signed:
                self.acts.reject(login, number)
                one.state = "rejected"
            else:
                seen, role = self.acts.seen(number), ROLE[login]
                objections.object_to(self.plane, self.acts.id(login), number, role=role, reason="no", manifest=seen)
            self.objected.append((f"{login}:{'reject' if signed else 'object'}", content_of(one)))

    @rule(login=st.sampled_from(["tom", "sam"]), which=st.integers(0, 9))
    def take_back(self, login: str, which: int) -> None:
        """Somebody takes back what they objected."""
        number = self._pick(which)
        one = self.known[number]
        with suppress(MentorplaneError):
            objections.take_back(self.plane, self.acts.id(login), number, present=self.acts.passphrase(login))
            mine = content_of(one)
            self.objected = [
                (who, content) for who, content in self.objected if not (who.startswith(login) and content == mine)
            ]
            if one.state == "rejected" and not any(c == mine and k == "reject" for k, c in self._standing()):
                one.state = "open"

    @rule(which=st.integers(0, 9))
    def close(self, which: int) -> None:
        """Maya closes a proposal of hers."""
        number = self._pick(which)
        with suppress(MentorplaneError):
            closing.close(self.plane, self.acts.id("maya"), number)
            self.known[number].state = "closed"

    @rule(login=st.sampled_from(["tom", "ines", "ruth"]))
    def give_up_a_role(self, login: str) -> None:
        """Somebody ends their own grant."""
        who, secret = self.acts.id(login), self.acts.passphrase(login)
        mine = [one for one in self.mandates if (one.person, one.role) == (login, ROLE[login]) and not one.ended]
        with suppress(MentorplaneError, IndexError):
            grants.end(self.plane, who, mine[0].id, reason="leaving", passphrase=secret)
            mine[0].ended = True

    @rule(days=st.sampled_from([1, 15, 41]))
    @precondition(lambda self: self.clock.now < self.template.now + timedelta(days=100))
    def let_time_pass(self, days: int) -> None:
        """Time passes: reports grow stale, proposals end, grants lapse after 56 days."""
        self.clock.advance(days=days)

    @rule(what=st.sampled_from(["closing", "opener"]))
    def withdraw(self, what: str) -> None:
        """Somebody withdraws what is live."""
        with suppress(MentorplaneError):
            self.acts.withdraw("sam", what)

    @rule(login=st.sampled_from(["ruth", "sam"]), channel=st.sampled_from(CHANNELS))
    def stop_a_channel(self, login: str, channel: str) -> None:
        """Somebody withdraws all of a channel: it takes two people, about the same release."""
        secret = self.acts.passphrase(login)
        with suppress(MentorplaneError):
            said = withdraw_channel(
                self.plane, self.acts.id(login), channel=channel, reason="it hurts", passphrase=secret
            )
            stopped = self.stopped.setdefault((channel, self.releases[channel]), set())
            assert login not in stopped
            stopped.add(login)
            assert said.missing == 2 - len(stopped)

    @rule(which=st.integers(0, 9), early=st.booleans())
    def everybody_looks(self, which: int, early: bool) -> None:
        """The checks are run, and everybody who may approves; some try to release it at once."""
        self.check(which)
        for login in REVIEWERS:
            self.approve(login, which)
        for role in UMA:
            self.stand_in(role, which)
        if early:
            self.release(which)

    @rule(which=st.integers(0, 9))
    def release(self, which: int) -> None:
        """The release manager tries: what comes out must be what a quorum approved, and nothing else."""
        number = self._pick(which)
        try:
            made = self.acts.release(number)
        except (Refused, Conflict, NotFound):
            return
        self._judge(self.known[number], made.number, state="open")

    def _tiers(self, one: Known) -> set[str]:
        before = self.live[one.channel]
        found = {TIERS[path] for path in one.files if path in TIERS and before.get(path) != one.files[path]}
        return found | ({"R4"} if not before else set())

    def _needs(self, one: Known) -> tuple[Needs, ...]:
        """Return what must be met: the rules live on the channel, or on its first release its own and all others'."""
        there = [self.live[channel][RULES] for channel in CHANNELS if self.live[channel]]
        before = self.live[one.channel]
        return tuple(NEEDS[text] for text in ([before[RULES]] if before else [one.files[RULES], *there]))

    def _may_go_out(self, one: Known) -> None:
        """Assert all that must hold of what is released or scheduled."""
        assert not self._is_stale(one), "nothing is put on top of what its approvers did not see"
        assert self.plane.now() < one.ends
        assert one.checked is not None
        assert self.plane.now() - one.checked <= timedelta(days=DAYS_FRESH)
        tiers = self._tiers(one)
        assert tiers or one.derived, "something changes"
        for needs in self._needs(one):
            asked = dict.fromkeys(tiers, needs.emergency) if one.emergency else needs.by_tier
            assert is_quorum(tiers, one.approved, asked), (tiers, one.approved)
        assert all(len(one.approved) >= FLOOR[tier] for tier in tiers), (tiers, one.approved)
        assert one.approved, "nobody releases alone"
        assert all(seen == one.files for seen in one.seen.values()), "approved parts never recombine"
        assert not any(content == content_of(one) for _, content in self._standing())
        late = [hasty for hasty in self.hasty[one.channel] if hasty.due <= self.plane.now()]
        assert all(one.undoes_after < hasty.number for hasty in late), "an overdue review blocks"

    def _judge(self, one: Known, number: int, *, state: str) -> None:
        assert one.state == state
        self._may_go_out(one)
        assert number == self.releases[one.channel] + 1
        self.hasty[one.channel] = [hasty for hasty in self.hasty[one.channel] if hasty.number <= one.undoes_after]
        if one.emergency:
            due = self.plane.now() + timedelta(days=DAYS_REVIEW)
            tiers, needs = frozenset(self._tiers(one)), self._needs(one)
            self.hasty[one.channel].append(Hasty(number, due, tiers, needs, one.wrote | one.used))
        self.live[one.channel] = {**self.live[one.channel], **one.files}
        self.history[one.channel, number] = dict(self.live[one.channel])
        self.releases[one.channel] = number
        type(self).released += 1
        one.state = "released"
        self._new_devices_take(one.channel, number)

    def _new_devices_take(self, channel: str, number: int) -> None:
        """Assert that what is released here is enough for a device that knows nothing before, too."""
        with db.read(self.plane.engine) as session:
            row = session.get(ReleaseRow, (channel, number))
            assert row is not None
            rows = [session.get(StatementRow, identity) for identity in row.statements]
            signed = read_signed([parse_envelope(one.envelope) for one in rows if one], people.keyring(session))
            manifest = parse_manifest(row.manifest)
            rules = [rules_in_force(session, channel)]
        floor = dict(self.plane.settings.floor)
        given = {"statements": signed, "rules": rules, "floor": floor, "before": None, "changes": None}
        assert shortfalls(manifest, row.digest, **given) == ()  # type: ignore[arg-type]


def change_of_seed(acts: Acts) -> Files:
    """Return the files of the proposal that a seeded home leaves open."""
    changes = queries.show_proposal(acts.plane, 2).changes
    cases = CASES.replace("You did the checklist.", "You really did the checklist.")
    return {change.path: change.source for change in changes} | {"cases/opener.yaml": cases}
