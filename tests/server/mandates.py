"""Who may act in which role, at random: delegations, hand-overs, keys that are lost, renewed or taken home.

The model keeps its own list of mandates and says by it alone for whom somebody acts at a moment; it shares no function
with the product. `governance` asks it about every signature.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from control_plane.accounts import people, retiring
from control_plane.custody.deciding import Decision, derive, sign_decision
from control_plane.custody.keyfile import KeyFile, create_key, open_key
from control_plane.granting import grants
from control_plane.overview import handover
from control_plane.reviewing import own_keys
from edge_runtime.core.errors import MentorplaneError
from tests.server.acts import ROLE, Acts
from tests.server.conftest import CHEAP, Clock
from tests.server.keyholders import SALT, enrol, live
from tests.server.test_grants import delegate, propose, sign
from tests.server.test_retiring import code_of

UMA = ("facilitator", "compliance")
"""What Uma is eligible for: she is enrolled and holds nothing, until somebody hands over or delegates."""
ABSENT = {"tom": "facilitator", "ruth": "compliance"}
DAYS_GRANTED = 56


@dataclass
class Mandate:
    """That somebody may act in a role: from when to when, and for whom if that is delegated.

    One that follows another waits until its holder takes over.
    """

    id: str
    person: str
    role: str
    since: datetime
    until: datetime
    behalf: str = ""
    follows: str = ""
    ended: bool = False


def staffed(acts: Acts, clock: Clock) -> None:
    """Leave a seeded home with somebody who can stand in for others."""
    acts.enrol("uma", *UMA, passphrase="uma has a secret")


class Mandates(RuleBasedStateMachine):
    """People who come, go, stand in for each other and lose their keys."""

    acts: Acts
    clock: Clock
    home: Path

    def begin(self) -> None:
        """Note who holds what at the beginning."""
        uma = people.find_person(self.acts.plane, "uma").id
        self.acts.people["uma"] = {"id": uma, "login": "uma", "passphrase": "uma has a secret"}
        now = self.clock()
        until = now + timedelta(days=DAYS_GRANTED)
        self.mandates = [
            Mandate(f"{self.acts.id(login)}.{role}", login, role, now, until) for login, role in ROLE.items()
        ]
        self.keyless: set[str] = set()
        self.files: dict[str, KeyFile] = {}

    def acts_for(self, login: str, role: str) -> str:
        """Return for whom somebody acts in a role now: themselves, somebody who is away, or nobody ("")."""
        now = self.clock()
        current = [
            one
            for one in self.mandates
            if one.role == role and not one.ended and not one.follows and one.since <= now < one.until
        ]
        own = {one.person for one in current if not one.behalf}
        if login in own - {one.behalf for one in current}:
            return login
        return next((one.behalf for one in current if one.person == login and one.behalf in own), "")

    def sign(self, login: str, number: int, role: str) -> None:
        """Approve as somebody, with whichever key is theirs."""
        if login not in self.files:
            self.acts.approve(login, number, role=role)
            assert login not in self.keyless, "a key that is retired signs nothing"
            return
        file, plane = self.files[login], self.acts.plane
        one = derive(own_keys.material_of(plane, number), live(self.acts))
        key = open_key(file, "a phrase of one's own")
        signed = sign_decision(one, Decision("approve", file.person, role, "read"), key, salt=SALT, at=plane.now())
        given = {"envelope": signed["envelope"], "reason": signed["reason"], "salt": SALT}
        own_keys.take_statement(plane, file.person, number, **given)

    @rule(login=st.sampled_from(sorted(ABSENT)), days=st.sampled_from([3, 20]))
    def delegate(self, login: str, days: int) -> None:
        """Somebody is away, and lets Uma act for them."""
        role, now = ABSENT[login], self.clock()
        until = now + timedelta(days=days)
        with suppress(MentorplaneError):
            made = delegate(self.acts, login, "uma", role, days=days)
            own = [one for one in self.mandates if (one.person, one.role, one.behalf) == (login, role, "")]
            assert any(not (one.ended or one.follows) and one.since <= now and until <= one.until for one in own)
            assert login not in self.keyless
            self.mandates.append(Mandate(made.id, "uma", role, now, until, behalf=login))

    @rule(login=st.sampled_from(sorted(ABSENT)))
    def come_back(self, login: str) -> None:
        """Whoever was away ends the delegation."""
        mine = [one for one in self.mandates if one.behalf == login and not one.ended]
        with suppress(MentorplaneError, IndexError):
            who, secret = self.acts.id(login), self.acts.passphrase(login)
            grants.end(self.acts.plane, who, mine[-1].id, reason="back", passphrase=secret)
            mine[-1].ended = True

    @rule(login=st.sampled_from(sorted(ABSENT)), days=st.sampled_from([20, 56]))
    def name_successor(self, login: str, days: int) -> None:
        """Two others grant Uma the role of somebody, which she holds once she took over."""
        role, second = ABSENT[login], "sam"
        mine = [one for one in self.mandates if (one.person, one.role) == (login, role)]
        with suppress(MentorplaneError):
            made = self.granted("uma", role, second, days=days, previous=mine[-1].id)
            until = self.clock() + timedelta(days=days)
            self.mandates.append(Mandate(made, "uma", role, self.clock(), until, follows=mine[-1].id))

    def granted(self, person: str, role: str, second: str, **options: object) -> str:
        """Let Lena and somebody else sign a grant, and return its id."""
        made = sign(self.acts, second, propose(self.acts, "lena", person, role, **options))
        assert second not in self.keyless
        return made.id

    @rule()
    @precondition(lambda self: any(one.follows for one in self.mandates))
    def take_over(self) -> None:
        """Uma takes note of what is open, and holds the role from now on; who held it before does not."""
        one = next(one for one in self.mandates if one.follows)
        with suppress(MentorplaneError):
            digest = handover.checklist(self.acts.plane, one.id).digest
            secret = self.acts.passphrase("uma")
            handover.acknowledge(self.acts.plane, self.acts.id("uma"), one.id, digest=digest, passphrase=secret)
            assert not one.ended
            assert self.clock() < one.until
            for before in self.mandates:
                before.ended |= before.id == one.follows
            one.follows = ""

    @rule(login=st.sampled_from(["tom", "ines", "uma"]))
    def lose_key(self, login: str) -> None:
        """Lena retires the key of somebody who forgot their passphrase: all that it could do is over."""
        given = {"reason": "forgotten", "passphrase": self.acts.passphrase("lena")}
        with suppress(MentorplaneError):
            retiring.retire_key(self.acts.plane, self.acts.id("lena"), login, **given)
            self.keyless.add(login)
            self.files.pop(login, None)
            for one in self.mandates:
                one.ended |= login in {one.person, one.behalf}

    @rule(both=st.booleans())
    @precondition(lambda self: bool(self.keyless))
    def recover_key(self, both: bool) -> None:
        """Somebody gets a new key by the codes of two people; one code alone lets nobody in."""
        login, secret = min(self.keyless), f"a new secret, number {len(self.mandates)}"
        with suppress(MentorplaneError):
            codes = [code_of(self.acts, login, by) for by in ("lena", "sam")]
            retiring.enrol_key(self.acts.plane, " ".join(codes if both else codes[:1]), secret)
            assert both, "one person alone lets nobody in as somebody else"
            self.keyless.remove(login)
            self.acts.people[login] = {**self.acts.people[login], "passphrase": secret}

    @rule(login=st.sampled_from(["tom", "ines"]))
    def take_key_home(self, login: str) -> None:
        """Somebody takes their key to themselves: the server signs nothing for them any more."""
        path = self.home / f"{login}-{len(list(self.home.glob('*.key')))}.key"
        file = create_key(path, person=self.acts.id(login), passphrase="a phrase of one's own", cost=CHEAP)
        with suppress(MentorplaneError):
            enrol(self.acts, file, passphrase=self.acts.passphrase(login))
            assert login not in self.keyless
            self.files[login] = file
