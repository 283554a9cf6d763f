"""Proposing and editing: what is stored, and what is refused without a trace."""

from __future__ import annotations

import pytest

from control_plane import ledger, verifying
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.overview import queries
from control_plane.plane import ControlPlane
from control_plane.reviewing import proposals
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, refused
from tests.server.library import CASES, CLOSING, OPENER, STANCE, library, script, stance


def test_a_proposal_changes_only_what_it_names(acts: Acts) -> None:
    """The changed entry gets the next epoch and its editor as author; every other entry stays as it is live."""
    made = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Thanks for {{ work }}.")})
    live = queries.live_manifest(acts.plane)
    assert live is not None
    [change] = queries.show_proposal(acts.plane, made.number).changes
    assert (change.name, change.epoch, change.author) == ("closing", 2, acts.id("maya"))
    assert change.before == live.find("prompt", "closing").digest  # type: ignore[union-attr]
    assert [diff.field for diff in change.diff] == ["fill.message"]


def test_a_changed_include_changes_every_script_that_uses_it(acts: Acts) -> None:
    """An include is an entry of its own, and governed through the scripts that it is resolved into as well."""
    made = acts.propose("maya", {STANCE: stance("Listen first.")})
    changed = {change.name for change in queries.show_proposal(acts.plane, made.number).changes}
    assert changed == {"opener", "closing", "stance"}


def test_a_stale_base_is_refused(acts: Acts) -> None:
    """A proposal that says it looked at another release than the live one is a conflict."""
    with refused(acts.plane, Conflict):
        acts.propose("maya", {CLOSING: script("closing")}, base="sha256:" + "0" * 64)


def test_the_live_base_is_accepted(acts: Acts) -> None:
    """Naming the live release as base is no conflict."""
    base = queries.list_releases(acts.plane)[0].manifest
    assert acts.propose("maya", {CLOSING: script("closing")}, base=base).base == base


def test_what_is_live_already_is_refused(acts: Acts) -> None:
    """Identical content is not a change."""
    with refused(acts.plane, InvalidDocument):
        acts.propose("maya", library())


def test_the_same_proposal_twice_is_refused(acts: Acts) -> None:
    """The very same change by the same author, proposed while it is open, is a conflict."""
    files = {CLOSING: script("closing", tier="R1")}
    acts.propose("maya", files)
    with refused(acts.plane, Conflict):
        acts.propose("maya", files)


def test_one_name_in_two_files_is_refused(acts: Acts) -> None:
    """A proposal holds each thing once."""
    with refused(acts.plane, InvalidDocument, r"each prompt once.* in a\.yaml and b\.yaml"):
        acts.propose("maya", {"a.yaml": script("closing"), "b.yaml": script("closing", fill="Hm, {{ work }}.")})


def test_a_name_of_another_kind_is_refused(acts: Acts) -> None:
    """A prompt cannot take the name of a hand-off: names are what apps call."""
    with refused(acts.plane, Conflict):
        acts.propose("maya", {"x.yaml": script("reach-a-person")})


def test_a_file_that_does_not_read_stores_nothing(acts: Acts) -> None:
    """A mistake is told with its file and line, and leaves no trace."""
    with refused(acts.plane, InvalidDocument, "x.yaml"):
        acts.propose("maya", {"x.yaml": script("closing", fill="{{ undeclared }}")})


@pytest.mark.parametrize("login", ["tom", "remy"])
def test_only_authors_propose(acts: Acts, login: str) -> None:
    """A person without the role of an author is refused."""
    with refused(acts.plane, Refused, "role author", logged="propose"):
        acts.propose(login, {CLOSING: script("closing")})


def test_an_unknown_person_is_not_found(acts: Acts) -> None:
    """An actor that nobody knows is not found, and nothing is stored."""
    with refused(acts.plane, NotFound):
        proposals.propose(acts.plane, "p-nobody", files={CLOSING: script("closing")}, title="x", passphrase="x")


def test_a_stale_proposal_is_rebased_by_an_edit(acts: Acts) -> None:
    """After another release an edit, even an empty one, puts the change on top of it with the next epoch."""
    other = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    acts.approve_fully()
    acts.release()
    assert queries.show_proposal(acts.plane, other.number).stale
    with refused(acts.plane, Conflict):
        acts.approve("tom", other.number)
    edited = acts.edit("maya", other.number, {})
    detail = queries.show_proposal(acts.plane, other.number)
    assert (edited.revision, detail.stale) == (2, False)
    acts.approve_fully(other.number)
    acts.release(other.number)
    live = queries.live_manifest(acts.plane)
    assert live is not None
    assert (live.number, live.find("prompt", "opener").epoch, live.find("prompt", "closing").epoch) == (3, 2, 2)  # type: ignore[union-attr]


def test_an_edit_of_an_older_revision_is_a_conflict(acts: Acts) -> None:
    """Two people who edit at once do not overwrite each other."""
    acts.edit("maya", 2, {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}, revision=1)
    with refused(acts.plane, Conflict):
        acts.edit("lena", 2, {OPENER: script("opener", fill="Now {{ work }}.")}, revision=1)


def test_an_edit_that_changes_nothing_is_refused(acts: Acts) -> None:
    """An empty edit of a proposal that is not stale changes nothing, so approvals are not voided by it."""
    with refused(acts.plane, InvalidDocument):
        acts.edit("maya", 2, {})


WRONG = script("opener", fill="Now {{ work }}.")
RIGHT = CASES.replace("You did the checklist.", "Now the checklist.")


def test_forgotten_cases_are_added_by_an_edit(acts: Acts) -> None:
    """Cases alone change no manifest: they are stored, checks run anew, and the log still verifies at each step."""
    made = acts.propose("maya", {OPENER: WRONG})
    assert acts.check(made.number)["cases"] == "failed"
    edited = acts.edit("maya", made.number, {"cases/opener.yaml": RIGHT})
    assert (edited.revision, edited.state, edited.manifest) == (2, "open", made.manifest)
    assert queries.show_proposal(acts.plane, made.number).checks == ()
    assert ledger.search(acts.plane, limit=1)[0].act == "edited"
    assert verifying.verify(acts.plane).problems == ()
    assert acts.check(made.number)["cases"] == "passed"
    acts.approve("tom", made.number)
    acts.approve("ines", made.number)
    acts.release(made.number)
    assert "Now the checklist." in queries.show_source(acts.plane, "cases", "opener").text
    assert verifying.verify(acts.plane).problems == ()


def test_cases_alone_come_from_the_author_before_anybody_approves(acts: Acts) -> None:
    """Somebody who did not sign the manifest, and cases that change after an approval, are refused."""
    with refused(acts.plane, Refused, "who wrote this revision"):
        acts.edit("lena", 2, {"cases/opener.yaml": RIGHT})
    acts.check()
    acts.approve("tom")
    with refused(acts.plane, Refused, "before anybody approved"):
        acts.edit("maya", 2, {"cases/opener.yaml": RIGHT})


def test_the_same_change_names_the_proposal_that_has_it(acts: Acts) -> None:
    """Proposing what an open proposal holds already says which one, also if other cases come along."""
    acts.propose("maya", {OPENER: WRONG})
    with refused(acts.plane, Conflict, "got that of proposal 3"):
        acts.propose("maya", {OPENER: WRONG, "cases/opener.yaml": RIGHT})


@pytest.mark.parametrize("title", ["two\nlines", "a\x00b", "bell\x07", "a\u2028b", "\x1b[31mred"])
def test_a_title_is_one_line_of_text(acts: Acts, title: str) -> None:
    """Line breaks and control characters in a title are refused."""
    with refused(acts.plane, InvalidDocument, "without control characters"):
        acts.propose("maya", {OPENER: WRONG}, title=title)


def test_a_cycle_of_includes_names_the_file_that_makes_it(acts: Acts) -> None:
    """The file that its author just wrote is named, not only the live script that uses it."""
    with refused(acts.plane, InvalidDocument, r"includes/stance\.yaml:\d+: .*without a cycle"):
        acts.propose("maya", {STANCE: stance("'{% include \"stance\" %}'")})


def test_a_released_proposal_cannot_be_edited(acts: Acts) -> None:
    """What is released stays as it was approved."""
    with refused(acts.plane, Refused):
        acts.edit("maya", 1, {CLOSING: script("closing", fill="Bye, {{ work }}.")})


def test_an_entry_can_be_removed_and_its_epoch_never_falls(acts: Acts) -> None:
    """A removed prompt that comes back has a higher epoch than it ever had."""
    gone = acts.propose("maya", {}, remove=[("prompt", "closing")])
    acts.check(gone.number)
    for login in ("tom", "ruth", "sam"):
        acts.approve(login, gone.number)
    acts.release(gone.number)
    assert "closing" not in {prompt.name for prompt in queries.list_prompts(acts.plane)}
    back = acts.propose("maya", {CLOSING: library()[CLOSING]})
    [change] = queries.show_proposal(acts.plane, back.number).changes
    assert change.epoch == 2


def test_the_plane_fixture_is_seeded(plane: ControlPlane) -> None:
    """What the other tests build on: one release, one open proposal."""
    assert [p.state for p in queries.list_proposals(plane)] == ["open", "released"]
