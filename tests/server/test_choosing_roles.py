"""In which role somebody acts of whom several fit: they say so, nobody chooses for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audit.record import parse_leaf
from control_plane import ledger, verifying
from control_plane.accounts import people
from control_plane.cli import app
from control_plane.custody.saying import Wish, derive_words
from control_plane.errors import Refused
from control_plane.granting import grants
from control_plane.keeping import holding
from control_plane.keeping.keepers import Asking
from control_plane.lifecycle import rollout, withdrawing
from control_plane.reviewing import own_keys, requested, review, threads
from control_plane.signing import Words
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, newest, refused
from tests.server.keyholders import fresh, live

ROLES = ("administrator", "author", "compliance", "safety-owner")
SECRET = "zoe has a secret"


@pytest.fixture
def zoe(acts: Acts) -> str:
    """Zoe, who may stop things in two roles, and keep texts in two."""
    [made] = people.enrol_all(acts.plane, [(people.NewPerson("zoe", "Zoe", ROLES), SECRET)])
    return made.id


def withdrawn_as(acts: Acts) -> str:
    """Return the role in which the last withdrawal was signed."""
    return parse_leaf(next(iter(ledger.search(acts.plane, act="withdrawn"))).data).actor.role


def test_attack_a_server_that_chooses_in_which_role_somebody_withdraws(acts: Acts, zoe: str) -> None:
    """Without a role nothing is signed; with one that is named, it is that; one that is not theirs is refused."""
    given: dict[str, Any] = {"target": "opener", "reason": "it hurt somebody", "passphrase": SECRET}
    with refused(acts.plane, InvalidDocument, "several fit: compliance, safety-owner"):
        withdrawing.withdraw(acts.plane, zoe, **given)
    with refused(acts.plane, InvalidDocument, "out of"):
        withdrawing.withdraw(acts.plane, zoe, **given, role="author")
    with refused(acts.plane, Refused, "facilitator", logged="withdraw"):
        withdrawing.withdraw(acts.plane, zoe, **given, role="facilitator")
    with refused(acts.plane, InvalidDocument, "several fit"):
        withdrawing.withdraw_channel(acts.plane, zoe, channel="production", reason="x", passphrase=SECRET)
    with refused(acts.plane, InvalidDocument, "several fit"):
        rollout.halt(acts.plane, zoe, release=1, reason="x", passphrase=SECRET)
    withdrawing.withdraw(acts.plane, zoe, **given, role="safety-owner")
    assert withdrawn_as(acts) == "safety-owner"
    assert verifying.verify(acts.plane).ok


def test_who_keeps_texts_in_two_roles_says_in_which(acts: Acts, zoe: str) -> None:
    """So for holds, as for whatever else compliance and administrators do to texts."""
    given: dict[str, Any] = {"by": zoe, "reason": "a case", "passphrase": SECRET}
    with refused(acts.plane, InvalidDocument, "several fit: compliance, administrator"):
        holding.hold(acts.plane, "tom", asking=Asking(**given))
    with refused(acts.plane, InvalidDocument, "out of"):
        holding.hold(acts.plane, "tom", asking=Asking(**given, role="safety-owner"))
    holding.hold(acts.plane, "tom", asking=Asking(**given, role="administrator"))
    assert newest(acts.plane).actor.role == "administrator"


def test_a_grant_that_ended_leaves_no_ambiguity(acts: Acts, zoe: str) -> None:
    """Of what they are enrolled with, what they hold now comes first: one that is left is the one."""
    [ended] = [one for one in grants.list_grants(acts.plane, person="zoe") if one.role == "compliance"]
    grants.end(acts.plane, zoe, ended.id, reason="over", passphrase=SECRET)
    withdrawing.withdraw(acts.plane, zoe, target="opener", reason="x", passphrase=SECRET)
    assert withdrawn_as(acts) == "safety-owner"


def test_attack_words_in_another_role_than_was_chosen(acts: Acts, tmp_path: Path) -> None:
    """Whoever signs with their own key and named a role signs for that one alone."""
    own = fresh(acts, tmp_path, "safety-owner", "compliance")

    def asked(role: str) -> Words:
        given = {"target": "opener", "reason": "x", "role": role}
        return own_keys.unsigned(
            lambda proof: withdrawing.withdraw(acts.plane, own.person, passphrase=proof, **given),  # type: ignore[arg-type]
            Words,
        )

    wish = Wish("withdraw", own.person, "production", "opener", role="safety-owner")
    assert derive_words(asked("safety-owner"), wish, lambda channel: live(acts, channel))
    with pytest.raises(Refused, match="role"):
        derive_words(asked("compliance"), wish, lambda channel: live(acts, channel))


def test_a_command_says_which_roles_fit(acts: Acts, zoe: str) -> None:
    """`--role` names one; without it the answer names those that fit."""
    env = {"MENTORPLANE_PASSPHRASE": SECRET, "MENTORPLANE_HOME": str(acts.plane.settings.home)}
    env["DATABASE_URL"] = acts.plane.settings.database_url
    asked = ["withdraw", "opener", "--reason", "x", "--as", "zoe", "--json"]
    first = CliRunner().invoke(app, asked, env=env)
    assert (first.exit_code, "compliance, safety-owner" in first.stderr) == (3, True), first.output
    then = CliRunner().invoke(app, [*asked, "--role", "compliance"], env=env)
    assert (then.exit_code, json.loads(then.stdout)["name"]) == (0, "opener"), then.output


def test_attack_a_log_that_says_in_which_role_somebody_asked_or_spoke(acts: Acts, zoe: str) -> None:
    """Who asks for a review says in which role; what takes no role is logged in none of several."""
    with refused(acts.plane, InvalidDocument, "several fit: author, administrator"):
        requested.request(acts.plane, zoe, 2, persons=["tom"])
    with refused(acts.plane, InvalidDocument, "several fit: author, administrator"):
        requested.end_request(acts.plane, zoe, 2, person="tom")
    requested.request(acts.plane, zoe, 2, persons=["tom"], my_role="administrator")
    assert newest(acts.plane).actor.role == "administrator"
    review.check(acts.plane, zoe, 2)
    assert newest(acts.plane).actor.role == "participant"
    for person, role in ((zoe, "participant"), (acts.id("tom"), "facilitator")):
        threads.comment(acts.plane, person, 2, text="why?")
        assert newest(acts.plane).actor.role == role
