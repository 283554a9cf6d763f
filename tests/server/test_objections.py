"""Objections and rejections: one blocks until it is taken back or the content changes, wherever the content goes."""

from __future__ import annotations

import pytest
from sqlmodel import text

from control_plane import db, verifying
from control_plane.errors import Conflict, Refused
from control_plane.overview import batches, queries
from control_plane.registry.discussed import Anchor, Objection
from control_plane.reviewing import closing, objections, proposals, threads
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import ROLE, Acts, newest, refused
from tests.server.library import CLOSING, OPENER, script


def object_to(acts: Acts, login: str, number: int = 2, **options: object) -> Objection:
    """Object as a demo person."""
    given = {"role": ROLE[login], "reason": "this may hurt", "manifest": acts.seen(number), **options}
    return objections.object_to(acts.plane, acts.id(login), number, **given)  # type: ignore[arg-type]


def take_back(acts: Acts, login: str, number: int = 2) -> None:
    """Take back as a demo person."""
    objections.take_back(acts.plane, acts.id(login), number, present=acts.passphrase(login), reason="settled")


@pytest.mark.databases
def test_one_objection_blocks_until_it_is_taken_back(acts: Acts) -> None:
    """However many approved, nothing is released while somebody objects; only the objector takes it back."""
    acts.approve_fully()
    object_to(acts, "sam")
    assert not queries.show_proposal(acts.plane, 2).ready
    with refused(acts.plane, Refused, "nobody to object"):
        acts.release()
    with refused(acts.plane, Conflict, "of the same person's"):
        take_back(acts, "ruth")
    take_back(acts, "sam")
    assert newest(acts.plane).act == "objection-taken-back"
    assert acts.release().number == 2
    assert verifying.verify(acts.plane).problems == ()


def test_an_edit_of_the_content_settles_an_objection(acts: Acts) -> None:
    """What was objected to is no more, so the objection does not stand."""
    object_to(acts, "sam", anchor=Anchor("prompt", "opener", 3))
    acts.edit("maya", 2, {OPENER: script("opener", fill="Now {{ work }}."), "cases/opener.yaml": _cases()})
    [shown] = queries.show_proposal(acts.plane, 2).objections
    assert not shown.standing
    acts.approve_fully()
    assert acts.release().number == 2


def _cases() -> str:
    from tests.server.library import CASES

    return CASES.replace("You did the checklist.", "Now the checklist.")


def test_attack_a_rebase_does_not_shake_an_objection_off(acts: Acts) -> None:
    """Another base is no other content: the objection to it stands on the new revision."""
    other = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    object_to(acts, "sam", other.number)
    acts.approve_fully()
    acts.release()
    proposals.rebase(acts.plane, acts.id("maya"), other.number, passphrase=acts.passphrase("maya"))
    acts.approve_fully(other.number)
    with refused(acts.plane, Refused, "nobody to object"):
        acts.release(other.number)


def test_attack_back_and_forth_does_not_shake_an_objection_off(acts: Acts) -> None:
    """Whoever edits the content away and back meets the objection again."""
    files = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}
    other = acts.propose("maya", files)
    object_to(acts, "sam", other.number)
    acts.edit("maya", other.number, {CLOSING: script("closing", tier="R1", fill="Thanks, {{ work }}.")})
    with refused(acts.plane, Conflict, "before"):
        acts.edit("maya", other.number, files)
    acts.edit("lena", other.number, files)
    acts.approve_fully(other.number)
    with refused(acts.plane, Refused, "nobody to object"):
        acts.release(other.number)


def test_attack_a_duplicate_or_a_new_proposal_meets_the_objection(acts: Acts) -> None:
    """The same content proposed anew, by whomever, is blocked by the same objection."""
    files = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}
    other = acts.propose("maya", files)
    object_to(acts, "sam", other.number)
    closing.close(acts.plane, acts.id("maya"), other.number)
    again = acts.propose("lena", files)
    assert [one.standing for one in queries.show_proposal(acts.plane, again.number).objections] == [True]
    acts.approve_fully(again.number)
    with refused(acts.plane, Refused, "nobody to object"):
        acts.release(again.number)


def test_a_rejection_is_taken_back_by_who_rejected(acts: Acts) -> None:
    """A rejected proposal is open again once the rejection is taken back; its approvals are as they were."""
    acts.check()
    acts.approve("tom")
    acts.reject("sam")
    with refused(acts.plane, Refused, "open proposal"):
        acts.approve("ines")
    take_back(acts, "sam")
    assert queries.show_proposal(acts.plane, 2).proposal.state == "open"
    acts.approve("ines")
    assert acts.release().number == 2


def test_attack_a_rebase_does_not_reopen_what_was_rejected(acts: Acts) -> None:
    """A rejected proposal that is put on another base stays rejected: nothing of it changed."""
    other = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    acts.reject("sam", other.number)
    acts.approve_fully()
    acts.release()
    assert (
        proposals.rebase(acts.plane, acts.id("maya"), other.number, passphrase=acts.passphrase("maya")).state
        == "rejected"
    )


def test_authors_do_not_object_to_their_own(acts: Acts) -> None:
    """They edit or close it."""
    with refused(acts.plane, Refused, "did not write"):
        object_to(acts, "maya")


def test_whoever_has_no_such_role_does_not_object(acts: Acts) -> None:
    """A release manager, or somebody in a role that is not theirs, is refused."""
    with refused(acts.plane, InvalidDocument, "one of the roles"):
        object_to(acts, "remy")
    with refused(acts.plane, Refused, "role compliance", logged="object"):
        object_to(acts, "tom", role="compliance")


def test_an_objection_is_of_what_was_shown_once_and_with_a_reason(acts: Acts) -> None:
    """Another digest, a second one of the same person, or no reason: refused."""
    with refused(acts.plane, Conflict, "as it is now"):
        object_to(acts, "sam", manifest="sha256:" + "0" * 64)
    with refused(acts.plane, InvalidDocument, "text of 1"):
        object_to(acts, "sam", reason=" ")
    object_to(acts, "sam")
    with refused(acts.plane, Conflict, "one objection of each"):
        object_to(acts, "sam")


def test_attack_a_thread_that_is_an_objection_is_not_resolved_by_others(acts: Acts) -> None:
    """Its thread is settled by taking the objection back, and by nothing else."""
    made = object_to(acts, "sam")
    assert made.thread is not None
    with refused(acts.plane, Refused, "got an objection"):
        threads.resolve(acts.plane, acts.id("maya"), 2, thread=made.thread)
    threads.reply(acts.plane, acts.id("maya"), 2, thread=made.thread, text="what would help?")
    take_back(acts, "sam")
    [thread] = threads.list_threads(acts.plane, 2)
    assert (thread.objection, thread.resolved_by, len(thread.comments)) == (True, acts.id("sam"), 2)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM objection", "its objection is gone"),
        ("UPDATE objection SET taken_back = 1", "taken back otherwise"),
        ("UPDATE objection SET manifest = 'sha256:'", "says something else"),
        ("UPDATE comment SET person = (SELECT id FROM person WHERE login = 'tom')", "comment"),
        ("DELETE FROM comment", "its comment is gone"),
        ("UPDATE opening SET manifest = 'sha256:'", "opening"),
    ],
)
def test_attack_rows_that_block_are_changed_in_the_database(acts: Acts, change: str, told: str) -> None:
    """Whoever takes an objection, a comment or an opening out of the database, or changes one, is found out."""
    batches.open_proposal(acts.plane, acts.id("tom"), 2)
    object_to(acts, "sam")
    assert verifying.verify(acts.plane).problems == ()
    with db.write(acts.plane.engine) as session:
        session.connection().execute(text(change))
    assert any(told in one for one in verifying.verify(acts.plane).problems)
