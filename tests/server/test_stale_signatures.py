"""Attacks with what was signed before: by a key that is retired since, or by somebody who lost their say.

Two people grant a role, let somebody have a new key, and say that somebody leaves. The first of the two counts for
days, but only as long as they could still say it, with the key that they have now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from control_plane import db
from control_plane.accounts import retiring
from control_plane.accounts.people import NewPerson, enrol
from control_plane.custody.keyfile import create_key, open_key
from control_plane.errors import Refused
from control_plane.granting import grants
from control_plane.granting.grants import GrantRecord
from control_plane.signing import require_own
from control_plane.tables.accounts import GrantRow
from edge_runtime.core import dsse
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.grants import open_grant
from tests.server.acts import Acts, newest, refused
from tests.server.conftest import CHEAP
from tests.server.keyholders import SECRET, fresh
from tests.server.keyholders import enrol as take_key
from tests.server.library import RULES
from tests.server.test_grants import KIM, delegate, propose, sign
from tests.server.test_retiring import NEW, code_of, leave


def retired(acts: Acts) -> None:
    """Retire ruth's key."""
    given = {"reason": "lost", "passphrase": acts.passphrase("lena")}
    retiring.retire_key(acts.plane, acts.id("lena"), "ruth", **given)


def renewed(acts: Acts) -> None:
    """Retire ruth's key, let her have a new one, and grant her everything anew."""
    retired(acts)
    codes = " ".join(code_of(acts, "ruth", by) for by in ("lena", "sam"))
    retiring.enrol_key(acts.plane, codes, NEW)
    sign(acts, "sam", propose(acts, "lena", "ruth", "compliance"))


def ended(acts: Acts) -> None:
    """End what ruth holds."""
    grant = f"{acts.id('ruth')}.compliance"
    grants.end(acts.plane, acts.id("lena"), grant, reason="left the team", passphrase=acts.passphrase("lena"))


def gone(acts: Acts) -> None:
    """Have two people sign that ruth leaves."""
    for by in ("lena", "sam"):
        leave(acts, "ruth", by=by)


def taken(acts: Acts) -> None:
    """Have ruth take a key to herself, because she fears that hers is known."""
    folder = acts.plane.settings.home
    take_key(
        acts,
        create_key(folder / "ruth.key", person=acts.id("ruth"), passphrase=SECRET, cost=CHEAP),
        passphrase=acts.passphrase("ruth"),
    )


@pytest.mark.parametrize("what", [retired, renewed, ended, gone, taken])
def test_attack_a_grant_signed_first_with_a_stolen_key(acts: Acts, what: Callable[[Acts], None]) -> None:
    """What was signed before the key was retired, or its holder lost their say, takes a new first signature."""
    acts.enrol("kim", "facilitator", passphrase=KIM)
    made = propose(acts, "ruth", "kim", "facilitator")
    what(acts)
    with refused(acts.plane, Refused, "first signature that still counts"):
        sign(acts, "lena", made)
    again = propose(acts, "sam", "kim", "facilitator")
    assert sign(acts, "lena", again).state == "in-force"


@pytest.mark.parametrize("what", [retired, renewed, ended, gone, taken])
def test_attack_a_code_made_with_a_stolen_key(acts: Acts, what: Callable[[Acts], None]) -> None:
    """A code for a new key is good only while its maker could still make it."""
    retiring.retire_key(acts.plane, acts.id("lena"), "tom", reason="lost", passphrase=acts.passphrase("lena"))
    stolen = code_of(acts, "tom", "ruth")
    what(acts)
    mine = code_of(acts, "tom", "lena")
    with refused(acts.plane, Refused, "codes of two people"):
        retiring.enrol_key(acts.plane, f"{stolen} {mine}", NEW)
    assert retiring.enrol_key(acts.plane, f"{mine} {code_of(acts, 'tom', 'sam')}", NEW).login == "tom"


def test_attack_a_first_key_by_a_code_of_a_stolen_key(acts: Acts, tmp_path: Path) -> None:
    """Whoever had the administrator's key does not come in as whom she enrolled, once she has another."""
    made = enrol(acts.plane, NewPerson("kim", "Kim", ("author",)), actor=acts.id("lena"))
    lena = create_key(tmp_path / "lena.key", person=acts.id("lena"), passphrase=SECRET, cost=CHEAP)
    take_key(acts, lena, passphrase=acts.passphrase("lena"))
    with refused(acts.plane, Refused, "still good"):
        retiring.enrol_key(acts.plane, made.code, KIM)


@pytest.mark.parametrize("what", [renewed, ended])
def test_attack_a_departure_signed_first_with_a_stolen_key(acts: Acts, what: Callable[[Acts], None]) -> None:
    """Nobody goes by a first signature that does not count any more: the next one is the first."""
    assert not leave(acts, "tom", by="ruth")
    what(acts)
    for by, done in (("lena", False), ("sam", True)):
        assert leave(acts, "tom", by=by) == done


def test_attack_a_retired_key_of_ones_own_signs_on(acts: Acts, tmp_path: Path) -> None:
    """Retiring a key that its holder keeps ends it too: nothing that it signs is taken any more."""
    file = fresh(acts, tmp_path)
    made = propose(acts, "lena", "tom", "facilitator")
    with db.read(acts.plane.engine) as session:
        envelope = dsse.parse_envelope(session.get_one(GrantRow, made.id).envelope)
    own = dsse.sign(envelope.payload, envelope.payload_type, open_key(file, SECRET))
    with db.read(acts.plane.engine) as session:
        require_own(session, file.person, own)
    given = {"reason": "lost", "passphrase": acts.passphrase("lena")}
    retiring.retire_key(acts.plane, acts.id("lena"), file.person, **given)
    with db.read(acts.plane.engine) as session, pytest.raises(Refused, match="own alone"):
        require_own(session, file.person, own)


def test_attack_a_row_of_terms_signed_years_ahead(acts: Acts) -> None:
    """Roles are for a time: nobody signs the terms of years to come today, nor one that began before."""
    for after, days in ((57, 56), (8, 7), (20_000, 56), (-1, 56)):
        with refused(acts.plane, InvalidDocument, "beginning"):
            propose(acts, "lena", "tom", "facilitator", since=acts.plane.now() + timedelta(days=after), days=days)
    for after, days in ((57, 1), (20_000, 1), (-1, 7)):
        with refused(acts.plane, InvalidDocument, "begins within"):
            delegate(acts, "tom", "maya", "facilitator", after=after, days=days)
    later = acts.plane.now() + timedelta(days=50)
    assert propose(acts, "lena", "tom", "facilitator", since=later).until == later + timedelta(days=56)


def test_attack_a_longer_term_signed_before_the_rules_allow_less(acts: Acts) -> None:
    """What the approval rules allow is asked of the second signature as well."""
    made = propose(acts, "lena", "tom", "facilitator")
    number = acts.propose("lena", {"approval-rules.yaml": RULES.replace("grant_days: 56", "grant_days: 7")}).number
    acts.approve_fully(number)
    for login in ("ruth", "sam"):
        acts.approve(login, number)
    acts.release(number)
    with refused(acts.plane, Refused, "as many days"):
        sign(acts, "ruth", made)


def test_why_a_role_is_granted_is_part_of_what_is_signed(acts: Acts) -> None:
    """The terms hold the commitment that the log has of the first signer's reason; both sign it."""

    def reason(made: GrantRecord) -> str:
        with db.read(acts.plane.engine) as session:
            return open_grant(dsse.parse_envelope(session.get_one(GrantRow, made.id).envelope)).reason

    made = propose(acts, "lena", "tom", "facilitator")
    said = newest(acts.plane).reason.text
    assert said
    assert reason(made) == reason(sign(acts, "ruth", made)) == said
