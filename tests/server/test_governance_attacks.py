"""Attacks on a release that nobody entitled approved: between two steps, by what comes back, around a review."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from audit.record import Act
from control_plane import db, ledger, verifying
from control_plane.accounts import passphrases, people
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.granting import delegations, grants
from control_plane.lifecycle import withdrawing
from control_plane.overview import queries
from control_plane.registry import store
from control_plane.reviewing import closing, review
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.manifest import parse_manifest
from tests.server.acts import ROLE, Acts, refused
from tests.server.conftest import Clock, Stage
from tests.server.library import CLOSING, script
from tests.server.test_channels import entry, promoted, released, rolled_back, with_pilot
from tests.server.test_library import written
from tests.server.test_lifecycle import broken, reviewed
from tests.vectors import generate_kinds

GERMAN = "Sie nutzen einen Assistenten. Nur was Sie erlauben, verlässt dieses Gerät."


def ended(acts: Acts, login: str, by: str = "ruth") -> None:
    """End what somebody holds."""
    for one in grants.list_grants(acts.plane, person=login, now_only=True):
        grants.end(acts.plane, acts.id(by), one.id, reason="left", passphrase=acts.passphrase(by))


@pytest.mark.attack("approval after the grant ended")
def test_attack_a_role_that_ends_between_the_question_and_the_signature(acts: Acts) -> None:
    """What somebody holds is asked in the transaction that signs: a grant that ended meanwhile approves nothing."""
    acts.check()
    key = passphrases.open_key(acts.plane, acts.id("tom"), acts.passphrase("tom"))
    ended(acts, "tom")
    verdict = review.Verdict(2, "facilitator", "x", acts.seen())
    for act in (Act.APPROVED, Act.REJECTED):
        with refused(acts.plane, Refused, match="holds the role"), ledger.act(acts.plane) as session:
            review.decide(acts.plane, session, verdict, actor=acts.id("tom"), act=act, key=key)


def test_attack_approvals_that_come_back_with_the_text_before_the_edit(acts: Acts) -> None:
    """What an edit voided stays void, also if somebody else brings the very same manifest back, with other cases."""
    closing = script("closing", tier="R1", fill="Goodbye, {{ work }}.")
    live = queries.show_prompt(acts.plane, "closing").source
    acts.check()
    acts.approve("tom")
    acts.approve("ines")
    before = acts.seen()
    acts.edit("maya", 2, {CLOSING: closing})
    with refused(acts.plane, Conflict, match="before"):
        acts.edit("lena", 2, {CLOSING: live})
    assert acts.seen() != before


def test_attack_one_mandate_that_reviews_a_release_twice(after: Callable[[Stage], Acts]) -> None:
    """Who approved a break-glass release, or reviewed it, does not do so again through a delegate."""
    acts = after(broken)
    kim = people.NewPerson("kim", "Kim", ("facilitator", "compliance"))
    people.enrol_all(acts.plane, [(kim, "kim has a secret")])
    ended(acts, "kim")
    reviewed(acts, "tom", "facilitator")
    for login in ("ruth", "tom"):
        away = {"reason": "away", "passphrase": acts.passphrase(login), "until": acts.plane.now() + timedelta(days=7)}
        delegations.delegate(acts.plane, acts.id(login), person="kim", role=ROLE[login], **away)
        with refused(acts.plane, Refused, match="or their delegate's"):
            reviewed(acts, "kim", ROLE[login], "kim has a secret")
    with refused(acts.plane, Refused, match="role in which people approve"):
        reviewed(acts, "remy", "release-manager")


def test_attack_a_rollback_that_undoes_nothing_while_a_review_is_overdue(
    after: Callable[[Stage], Acts], clock: Clock
) -> None:
    """Only going back as a whole, to before the break-glass release, goes around the review that it ends."""
    acts = after(broken)
    released(acts, acts.propose("lena", {CLOSING: script("closing", tier="R1", fill="Bye {{ work }}.")}).number)
    clock.advance(days=8)
    for login, to, only in (("maya", 2, ""), ("lena", 1, "closing")):
        made = rolled_back(acts, to, login, only=only)
        acts.approve_fully(made.number)
        with refused(acts.plane, Refused, match="reviewed in time"):
            acts.release(made.number)


def test_attack_a_translation_with_other_rules_is_promoted_alone(after: Callable[[Stage], Acts]) -> None:
    """What comes from another channel must fit what is there: a translation has the original's contract here, too."""
    acts = after(with_pilot)
    bolder = script("closing", tier="R1", placement="cloud", fill="Bye {{ work }}.")
    released(acts, acts.propose("lena", {CLOSING: bolder}, channel="pilot").number)
    of = f"translation_of: {{name: closing, digest: '{entry(acts, 'closing', 'pilot').digest}'}}"
    german = bolder.replace("name: closing", f"name: closing.de\n{of}").replace("locale: en", "locale: de")
    german = german.replace("You are using an assistant. Only what you approve leaves this device.", GERMAN)
    released(acts, acts.propose("lena", {"scripts/closing.de.yaml": german}, channel="pilot").number)
    for names in (["closing.de"], ["opener", "closing.de"]):
        with refused(acts.plane, InvalidDocument, match="translation differs in texts only"):
            promoted(acts, source="pilot", names=names)
    assert promoted(acts, source="pilot", names=["closing", "closing.de"]).state == "open"


def test_attack_a_model_comes_along_without_its_file_being_named(after: Callable[[Stage], Acts]) -> None:
    """The files that a release names are those of the models that it has, whichever channel they come from."""
    acts = after(with_pilot)
    text = written("model", generate_kinds.model())
    made = acts.propose("lena", {"model.yaml": text}, channel="pilot")
    released(acts, made.number, ("ruth", "sam", "tom", "ines", "nora"))
    made = promoted(acts, source="pilot", names=["topics"])
    with db.read(acts.plane.engine) as session:
        manifest = parse_manifest(store.find_proposal(session, made.number)[1].manifest)
    assert [model.name for model in manifest.models] == ["topics"]


@pytest.mark.parametrize("change", [{"placement": "cloud"}, {"tier": "R1"}, {"x-data-class: R1": "x-data-class: R0"}])
def test_attack_one_person_withdraws_a_prompt_for_a_looser_one(acts: Acts, change: dict[str, str]) -> None:
    """Stopping takes one person, loosening a quorum: what runs instead is bound as strictly as what is stopped."""
    looser = script("second", fill="Second {{ work }}.", **{k: v for k, v in change.items() if ":" not in k})
    for old, new in change.items():
        looser = looser.replace(old, new) if ":" in old else looser
    released(acts, acts.propose("lena", {"scripts/second.yaml": looser}).number)
    given = {"target": "opener", "reason": "x", "passphrase": acts.passphrase("tom"), "replacement": "second"}
    with refused(acts.plane, Refused, match="bound as strictly"):
        withdrawing.withdraw(acts.plane, acts.id("tom"), **given)


@pytest.mark.parametrize("number", [2**63, 2**400, 0, -(2**63) - 1])
def test_attack_a_rollback_to_a_number_that_no_database_holds(acts: Acts, number: int) -> None:
    """A release that cannot be there is not there, however large its number."""
    with refused(acts.plane, NotFound, match="number of a release"):
        rolled_back(acts, number, "lena")


def test_a_removal_that_was_closed_is_approved_anew_where_another_proposes_it(acts: Acts) -> None:
    """A removal has one manifest, whoever proposes it: what was signed of a closed one does not count.

    One signature of each person is enough of it all the same.
    """
    first = acts.propose("maya", {}, remove=[("prompt", "closing")])
    acts.approve_fully(first.number)
    closing.close(acts.plane, acts.id("maya"), first.number)
    second = acts.propose("lena", {}, remove=[("prompt", "closing")])
    assert second.manifest == first.manifest
    with refused(acts.plane, Refused, match="lacks"):
        acts.release(second.number)
    acts.approve_fully(second.number)
    with refused(acts.plane, Refused, match="one signature"):
        acts.approve("tom", second.number)
    assert acts.release(second.number).number == 2
    assert verifying.verify(acts.plane).ok
