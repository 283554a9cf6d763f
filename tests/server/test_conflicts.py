"""What changes underneath a proposal, closing, duplicating, expiring, and batches."""

from __future__ import annotations

import pytest

from control_plane import ledger, verifying
from control_plane.errors import Conflict, Refused
from control_plane.overview import batches, queries
from control_plane.registry.discussed import BatchItem
from control_plane.registry.records import Proposal
from control_plane.reviewing import closing, conflicts, expiry, proposals
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import ROLE, Acts, newest, refused
from tests.server.conftest import Clock
from tests.server.library import CLOSING, OPENER, STANCE, script, stance

BYE = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}
MINE = script("opener").replace("Think about one", "Think of one")


def rebase(acts: Acts, number: int, **options: object) -> Proposal:
    """Rebase as the author."""
    secret = acts.passphrase("maya")
    return proposals.rebase(acts.plane, acts.id("maya"), number, passphrase=secret, **options)  # type: ignore[arg-type]


def overtaken(acts: Acts, files: dict[str, str]) -> int:
    """Propose files, then release the proposal that changes the opener's fill underneath them."""
    made = acts.propose("maya", files)
    acts.approve_fully()
    acts.release()
    return made.number


@pytest.mark.databases
def test_a_stale_proposal_rebases_in_one_act_when_its_files_do_not_conflict(acts: Acts) -> None:
    """Nothing of it changed underneath: one act, as an edit, puts it on top; approvals before it are void."""
    made = acts.propose("maya", BYE)
    acts.check(made.number)
    acts.approve("ines", made.number)
    acts.approve_fully()
    acts.release()
    detail = queries.show_proposal(acts.plane, made.number)
    assert (detail.stale, detail.underneath, detail.conflicts) == (True, (), ())
    done = rebase(acts, made.number)
    detail = queries.show_proposal(acts.plane, made.number)
    assert (done.revision, detail.stale) == (2, False)
    assert [one.void for one in detail.signatures if one.act == "approve"] == [True]
    with refused(acts.plane, InvalidDocument):
        rebase(acts, made.number)


def test_attack_a_rebase_undoes_what_was_released_meanwhile(acts: Acts) -> None:
    """Another file on top of one that was released meanwhile is refused, by rebase and by edit, and both are shown."""
    number = overtaken(acts, {OPENER: MINE})
    detail = queries.show_proposal(acts.plane, number)
    assert [(one.kind, one.name) for one in detail.underneath] == [("prompt", "opener")]
    [found] = detail.conflicts
    assert (found.base, found.mine) == (script("opener"), MINE)
    assert found.theirs == queries.show_source(acts.plane, "prompt", "opener").text
    with refused(acts.plane, Conflict, "prompt 'opener'"):
        rebase(acts, number)
    with refused(acts.plane, Conflict, "prompt 'opener'"):
        acts.edit("maya", number, BYE)


def test_changes_in_other_lines_are_merged_if_that_is_asked(acts: Acts) -> None:
    """The merged text has both changes; it is an edit like any other."""
    number = overtaken(acts, {OPENER: MINE})
    [found] = conflicts.conflicts_of(acts.plane, number)
    assert found.merged is not None
    assert "You really did" in found.merged
    assert "Think of one" in found.merged
    rebase(acts, number, merged=True)
    [change] = queries.show_proposal(acts.plane, number).changes
    assert change.source == found.merged


def test_a_file_written_anew_resolves_its_conflict(acts: Acts) -> None:
    """Whoever saw the live text and writes the file again has resolved it."""
    number = overtaken(acts, {OPENER: MINE})
    acts.edit("maya", number, {OPENER: MINE})
    assert queries.show_proposal(acts.plane, number).conflicts == ()


def test_an_include_underneath_shows_the_scripts_that_use_it(acts: Acts) -> None:
    """A passage that changed underneath is no file of the proposal, but what it changes is another by now."""
    made = acts.propose("maya", {STANCE: stance("Listen first.")})
    other = acts.propose("lena", {OPENER: MINE})
    acts.check(made.number)
    for login in ("tom", "ines"):
        acts.approve(login, made.number)
    acts.release(made.number)
    detail = queries.show_proposal(acts.plane, other.number)
    assert ([one.name for one in detail.underneath], detail.conflicts) == (["opener"], ())


def test_a_closed_proposal_is_over(acts: Acts) -> None:
    """Only its author closes it; then nobody checks, approves, edits or releases it."""
    acts.check()
    with refused(acts.plane, Refused, "author of the proposal"):
        closing.close(acts.plane, acts.id("lena"), 2)
    assert closing.close(acts.plane, acts.id("maya"), 2, reason="not needed").state == "closed"
    assert newest(acts.plane).act == "abandoned"
    attempts = (acts.check, lambda: acts.approve("tom"), acts.release, lambda: acts.edit("maya", 2, BYE))
    for attempt in attempts:
        with refused(acts.plane, Refused, "closed"):
            attempt()
    assert verifying.verify(acts.plane).problems == ()


def test_attack_a_duplicate_carries_approvals_or_frees_its_authors(acts: Acts) -> None:
    """A duplicate has no approval, and whoever wrote the other one cannot approve it either."""
    acts.check()
    acts.approve("tom")
    made = closing.duplicate(acts.plane, acts.id("lena"), 2, title="The same", passphrase=acts.passphrase("lena"))
    assert [one.act for one in queries.show_proposal(acts.plane, made.number).signatures] == ["author"]
    acts.check(made.number)
    with pytest.raises(Refused, match="not an author"):
        acts.approve("maya", made.number)
    with refused(acts.plane, Refused, "lacks 2 more approvals"):
        acts.release(made.number)


def test_attack_who_wrote_the_very_content_approves_it_as_somebody_elses(acts: Acts) -> None:
    """Content that maya proposed once is hers whoever proposes it later, also after she closed hers."""
    made = acts.propose("maya", BYE)
    closing.close(acts.plane, acts.id("maya"), made.number)
    again = acts.propose("lena", BYE)
    acts.check(again.number)
    with pytest.raises(Refused, match="not an author"):
        acts.approve("maya", again.number)


@pytest.mark.databases
def test_an_expired_proposal_is_neither_approved_nor_released(acts: Acts, clock: Clock) -> None:
    """It ends once, by whoever comes across it; an edit opens it again with a new end."""
    acts.approve_fully()
    end = queries.show_proposal(acts.plane, 2).proposal.expires_at
    clock.now = end
    with pytest.raises(Refused, match="expired"):
        acts.release()
    assert queries.show_proposal(acts.plane, 2).proposal.state == "expired"
    entry = newest(acts.plane)
    assert (entry.act, entry.actor.id, entry.object.name) == ("expired", "system", "proposal-2")
    with refused(acts.plane, Refused, "expired"):
        acts.check()
    assert expiry.expire_due(acts.plane) == ()
    edited = acts.edit("maya", 2, BYE)
    assert (edited.state, edited.expires_at > end) == ("open", True)
    assert verifying.verify(acts.plane).problems == ()


def test_the_installation_ends_what_is_due_by_itself(acts: Acts, clock: Clock) -> None:
    """Nobody has to come by."""
    assert expiry.expire_due(acts.plane) == ()
    clock.advance(days=4000)
    assert expiry.expire_due(acts.plane) == (2,)


def batch(acts: Acts, login: str, numbers: tuple[int, ...], **options: object) -> tuple[Proposal, ...]:
    """Approve several proposals as a demo person."""
    items = [BatchItem(n, acts.seen(n), ROLE[login], "read it") for n in numbers]
    given = {"passphrase": acts.passphrase(login), **options}
    return batches.approve_batch(acts.plane, acts.id(login), items, **given)  # type: ignore[arg-type]


def test_one_re_authentication_signs_what_was_opened(acts: Acts) -> None:
    """Each item gets its own statement and entry of the log; opening says so once."""
    made = acts.propose("maya", BYE)
    numbers = (2, made.number)
    for number in numbers:
        acts.check(number)
        batches.open_proposal(acts.plane, acts.id("tom"), number)
        batches.open_proposal(acts.plane, acts.id("tom"), number)
    size = newest(acts.plane).seq
    batch(acts, "tom", numbers)
    assert [(one.act, one.index) for one in ledger.search(acts.plane, limit=3)] == [
        ("approved", size + 2),
        ("approved", size + 1),
        ("opened", size),
    ]
    assert verifying.verify(acts.plane).problems == ()


def test_attack_a_batch_with_something_that_was_not_opened(acts: Acts) -> None:
    """One item that was not opened, was opened before an edit, or is one's own: nothing of the batch is signed."""
    made = acts.propose("maya", BYE)
    for number in (2, made.number):
        acts.check(number)
    batches.open_proposal(acts.plane, acts.id("tom"), 2)
    with refused(acts.plane, Refused, f"proposal {made.number} to have been opened"):
        batch(acts, "tom", (2, made.number))
    batches.open_proposal(acts.plane, acts.id("tom"), made.number)
    acts.edit("maya", made.number, {CLOSING: script("closing", tier="R1", fill="Thanks, {{ work }}.")})
    acts.check(made.number)
    with refused(acts.plane, Refused, f"proposal {made.number} to have been opened"):
        batch(acts, "tom", (2, made.number))
    batches.open_proposal(acts.plane, acts.id("ines"), 2)
    with refused(acts.plane, Refused, "opened"):
        batch(acts, "tom", (made.number,))
    for numbers in ((), (2, 2)):
        with refused(acts.plane, InvalidDocument, "each once"):
            batch(acts, "tom", numbers)
