"""Drafts: saved without a signature, seen by those invited only, and what they become."""

from __future__ import annotations

import pytest
from sqlmodel import select

from control_plane import db
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.keeping.erasing import erase
from control_plane.keeping.keepers import Asking
from control_plane.overview import queries
from control_plane.registry.discussed import DraftInfo
from control_plane.reviewing import drafts
from control_plane.tables.reviewing import WriterRow
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, newest, refused, state_of
from tests.server.library import CASES, CLOSING, OPENER, script

FILES = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}


def save(acts: Acts, login: str = "maya", **options: object) -> DraftInfo:
    """Save a draft as a demo person."""
    given = {"files": FILES, "title": "A friendlier end", **options}
    return drafts.save_draft(acts.plane, acts.id(login), **given)  # type: ignore[arg-type]


def test_a_draft_holds_files_of_several_kinds_which_need_not_read_yet(acts: Acts) -> None:
    """What is saved comes back as it was, with what stands in its way; the log says nothing, nobody can approve it."""
    before = newest(acts.plane)
    files = {**FILES, "cases/opener.yaml": CASES, "half.yaml": "kind: prompt\nname:"}
    made = save(acts, files=files)
    assert newest(acts.plane) == before
    shown = drafts.show_draft(acts.plane, acts.id("maya"), made.id)
    assert (shown.files, shown.info.title, shown.info.revision) == (files, "A friendlier end", 1)
    assert {one.path for one in shown.problems} == {"half.yaml"}
    assert [one.number for one in queries.list_proposals(acts.plane)] == [2, 1]


def test_versions_stay_and_a_save_on_an_older_one_is_a_conflict(acts: Acts) -> None:
    """Two people who save at once do not overwrite each other, and each version can be read again."""
    made = save(acts)
    other = {OPENER: script("opener", fill="Now {{ work }}.")}
    drafts.update_draft(acts.plane, acts.id("maya"), made.id, files=other, revision=1)
    with refused(acts.plane, Conflict, "version 2"):
        drafts.update_draft(acts.plane, acts.id("maya"), made.id, files=FILES, revision=1)
    shown = [drafts.show_draft(acts.plane, acts.id("maya"), made.id, revision=n).files for n in (1, 2)]
    assert shown == [FILES, other]


def test_nobody_but_the_author_and_who_is_invited_sees_a_draft(acts: Acts) -> None:
    """Not even an administrator; whoever is invited sees and saves it, and only its author invites or proposes."""
    made, lena = save(acts), acts.id("lena")
    for attempt in (
        lambda: drafts.show_draft(acts.plane, lena, made.id),
        lambda: drafts.update_draft(acts.plane, lena, made.id, files=FILES, revision=1),
        lambda: drafts.discard_draft(acts.plane, lena, made.id),
    ):
        with refused(acts.plane, NotFound):
            attempt()
    assert drafts.list_drafts(acts.plane, lena) == ()
    drafts.invite(acts.plane, acts.id("maya"), made.id, persons=["lena"])
    assert [one.id for one in drafts.list_drafts(acts.plane, lena)] == [made.id]
    for attempt in (
        lambda: drafts.invite(acts.plane, lena, made.id, persons=["tom"]),
        lambda: drafts.propose_draft(acts.plane, lena, made.id, passphrase=acts.passphrase("lena")),
    ):
        with refused(acts.plane, Refused, "author of the draft"):
            attempt()


@pytest.mark.databases
def test_a_draft_becomes_a_proposal_by_its_authors_signature(acts: Acts) -> None:
    """The proposal has its files and its title; the draft is over."""
    made = save(acts)
    proposal = drafts.propose_draft(acts.plane, acts.id("maya"), made.id, passphrase=acts.passphrase("maya"))
    assert (proposal.title, proposal.author, newest(acts.plane).act) == (
        "A friendlier end",
        acts.id("maya"),
        "proposed",
    )
    shown = drafts.list_drafts(acts.plane, acts.id("maya"), ended=True)
    assert [one.proposal for one in shown] == [proposal.number]
    with refused(acts.plane, Conflict, "not over"):
        drafts.propose_draft(acts.plane, acts.id("maya"), made.id, passphrase=acts.passphrase("maya"))


def test_attack_who_wrote_in_a_draft_approves_what_it_became(acts: Acts) -> None:
    """Whoever saved any version of the draft is excluded, although another signed the proposal."""
    made = save(acts, "lena")
    drafts.invite(acts.plane, acts.id("lena"), made.id, persons=["maya"])
    other = {CLOSING: script("closing", tier="R1", fill="Thanks, {{ work }}.")}
    drafts.update_draft(acts.plane, acts.id("maya"), made.id, files=other, revision=1)
    drafts.uninvite(acts.plane, acts.id("lena"), made.id, persons=["maya"])
    proposal = drafts.propose_draft(acts.plane, acts.id("lena"), made.id, passphrase=acts.passphrase("lena"))
    acts.check(proposal.number)
    [written] = [change.digest for change in queries.show_proposal(acts.plane, proposal.number).changes]
    with pytest.raises(Refused, match="not an author"):
        acts.approve("maya", proposal.number)
    with db.read(acts.plane.engine) as session:  # and wherever the content goes, as by a promotion
        assert acts.id("maya") in session.exec(select(WriterRow.person).where(WriterRow.digest == written)).all()


def test_a_draft_on_which_the_world_moved_is_looked_at_again(acts: Acts) -> None:
    """A release of what the draft writes is a conflict; one of other things is none."""
    mine = save(acts, files={OPENER: script("opener", fill="Now {{ work }}.")})
    other = save(acts)
    acts.approve_fully()
    acts.release()
    with refused(acts.plane, Conflict, "'opener'"):
        drafts.propose_draft(acts.plane, acts.id("maya"), mine.id, passphrase=acts.passphrase("maya"))
    assert drafts.propose_draft(acts.plane, acts.id("maya"), other.id, passphrase=acts.passphrase("maya")).number == 3


def test_a_wrong_passphrase_leaves_the_draft_a_draft(acts: Acts) -> None:
    """Nothing is proposed without the signature."""
    made = save(acts)
    with pytest.raises(Refused):
        drafts.propose_draft(acts.plane, acts.id("maya"), made.id, passphrase="something else")
    assert drafts.show_draft(acts.plane, acts.id("maya"), made.id).info.proposal is None


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"title": "two\nlines"}, InvalidDocument),
        ({"files": {}}, InvalidDocument),
        ({"files": {"x" * 301: "text"}}, InvalidDocument),
        ({"channel": "nowhere"}, InvalidDocument),
    ],
)
def test_what_is_no_draft_is_refused(acts: Acts, options: dict[str, object], wanted: type[Exception]) -> None:
    """A title in a line, some files, paths that fit, a channel that is there."""
    with refused(acts.plane, wanted):
        save(acts, **options)


def test_only_authors_save(acts: Acts) -> None:
    """A person without the role of an author is refused, and the log says so."""
    with refused(acts.plane, Refused, "role author", logged="draft"):
        save(acts, "tom")


def test_erasing_a_person_erases_the_titles_of_their_drafts(acts: Acts) -> None:
    """A title is a text of a person: it is encrypted, and gone with their key; the draft stays."""
    made = save(acts)
    erase(acts.plane, "maya", asking=Asking(by=acts.id("ruth"), reason="asked for", passphrase=acts.passphrase("ruth")))
    assert drafts.show_draft(acts.plane, acts.id("maya"), made.id).info.title.startswith("erased by entry")


def test_discarding_leaves_nothing(acts: Acts) -> None:
    """A discarded draft is gone with all its versions."""
    before = state_of(acts.plane)
    made = save(acts)
    drafts.update_draft(acts.plane, acts.id("maya"), made.id, files=FILES, revision=1, title="Another")
    drafts.discard_draft(acts.plane, acts.id("maya"), made.id)
    assert {name: one for name, one in state_of(acts.plane).items() if name != "text_key"} == {
        name: one for name, one in before.items() if name != "text_key"
    }
