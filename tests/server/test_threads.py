"""Threads: what is said about a proposal, where it stands after an edit, who resolved it, and requests to review."""

from __future__ import annotations

import pytest

from control_plane import ledger, verifying
from control_plane.errors import Conflict, NotFound, Refused
from control_plane.keeping.erasing import erase
from control_plane.keeping.keepers import Asking
from control_plane.overview import queries
from control_plane.registry.discussed import Anchor, Thread
from control_plane.reviewing import requested, threads
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, newest, refused
from tests.server.library import OPENER, script


def comment(acts: Acts, login: str = "tom", text: str = "why?", anchor: Anchor | None = None) -> Thread:
    """Begin a thread as a demo person."""
    return threads.comment(acts.plane, acts.id(login), 2, text=text, anchor=anchor)


def line_of(acts: Acts, text: str) -> int:
    """Return the number of the line of the proposed opener that begins so."""
    [change] = [one for one in queries.show_proposal(acts.plane, 2).changes if one.name == "opener"]
    return next(n for n, line in enumerate(change.source.split("\n"), 1) if line.strip().startswith(text))


@pytest.mark.databases
def test_a_thread_follows_its_lines_through_edits(acts: Acts) -> None:
    """Lines that move are found again by their text; lines that are gone are said to be, with what they were."""
    at = line_of(acts, "fallback")
    made = comment(acts, anchor=Anchor("prompt", "opener", at))
    assert (made.first, made.last, made.outdated) == (at, at, False)
    moved = script("opener", fill="You really did {{ work }}.").replace("tier:", "# a line more\ntier:")
    acts.edit("maya", 2, {OPENER: moved.replace("in one line", "in a line")})
    [thread] = threads.list_threads(acts.plane, 2)
    assert (thread.first, thread.outdated, thread.revision) == (at + 1, False, 1)
    acts.edit("maya", 2, {OPENER: script("opener").replace("Think about one", "Think of one")})
    [thread] = threads.list_threads(acts.plane, 2)
    assert (thread.first, thread.outdated) == (0, True)
    assert thread.quoted == ("fallback: Think about one piece of work.",)


def test_replies_are_new_and_resolving_says_who(acts: Acts) -> None:
    """A correction is another comment; a thread is resolved and reopened by people who are named."""
    made = comment(acts)
    threads.reply(acts.plane, acts.id("maya"), 2, thread=made.number, text="because of the feedback")
    done = threads.resolve(acts.plane, acts.id("maya"), 2, thread=made.number)
    assert [one.text for one in done.comments] == ["why?", "because of the feedback"]
    assert done.resolved_by == acts.id("maya")
    with refused(acts.plane, Conflict, "that is open"):
        threads.resolve(acts.plane, acts.id("tom"), 2, thread=made.number)
    assert threads.reopen(acts.plane, acts.id("tom"), 2, thread=made.number).resolved_by == ""
    assert newest(acts.plane).act == "thread-reopened"
    assert verifying.verify(acts.plane).problems == ()


def test_threads_block_nothing(acts: Acts) -> None:
    """An open question stops nobody: an objection does."""
    comment(acts)
    acts.approve_fully()
    assert acts.release().number == 2


def test_a_comment_is_a_text_that_can_be_erased(acts: Acts) -> None:
    """The log holds a commitment; once the person is erased, the comment says which entry erased it."""
    comment(acts, text="the phrase of a person")
    assert b"the phrase" not in b"".join(one.data for one in ledger.search(acts.plane, limit=5))
    erase(acts.plane, "tom", asking=Asking(by=acts.id("ruth"), reason="asked for", passphrase=acts.passphrase("ruth")))
    [thread] = threads.list_threads(acts.plane, 2)
    assert thread.comments[0].text.startswith("erased by entry")


@pytest.mark.parametrize(
    "anchor", [Anchor("prompt", "closing", 1), Anchor("prompt", "opener", 500), Anchor("prompt", "opener", 5, 3)]
)
def test_lines_that_are_not_there_are_not_found(acts: Acts, anchor: Anchor) -> None:
    """An anchor names lines of a file that the proposal writes."""
    with refused(acts.plane, NotFound):
        comment(acts, anchor=anchor)


def test_what_is_no_comment_is_refused(acts: Acts) -> None:
    """An empty or endless text, a thread of another proposal, a proposal that is not there."""
    for text in (" ", "x" * 2001):
        with refused(acts.plane, InvalidDocument):
            comment(acts, text=text)
    made = comment(acts)
    with refused(acts.plane, NotFound):
        threads.reply(acts.plane, acts.id("tom"), 1, thread=made.number, text="hm")
    with refused(acts.plane, NotFound):
        threads.comment(acts.plane, acts.id("tom"), 99, text="hm")


def test_who_is_asked_sees_it_first_until_they_signed(acts: Acts) -> None:
    """A request puts a proposal at the top of an inbox; a signature of the one who was asked ends it."""
    other = acts.propose("lena", {OPENER: script("opener", fill="Well, {{ work }}.")})
    acts.check(2)
    acts.check(other.number)
    requested.request(acts.plane, acts.id("maya"), 2, persons=["tom"], roles=["community-host"])
    for login in ("tom", "ines"):
        tasks = queries.inbox(acts.plane, acts.id(login))
        assert (tasks[0].proposal.number, tasks[0].requested) == (2, True)
    acts.approve("tom")
    assert [one.role for one in queries.show_proposal(acts.plane, 2).requested] == ["community-host"]
    requested.end_request(acts.plane, acts.id("maya"), 2, role="community-host")
    assert queries.show_proposal(acts.plane, 2).requested == ()


def test_nobody_is_asked_about_their_own_work_or_by_anybody(acts: Acts) -> None:
    """An author cannot review it; only who writes or releases asks; nobody twice, nobody unknown, no strange role."""
    ask = requested.request
    with refused(acts.plane, Conflict, "did not write"):
        ask(acts.plane, acts.id("lena"), 2, persons=["maya"], my_role="author")
    with refused(acts.plane, Refused, "role author", logged="request-review"):
        ask(acts.plane, acts.id("tom"), 2, persons=["ines"])
    with refused(acts.plane, InvalidDocument):
        ask(acts.plane, acts.id("maya"), 2, roles=["author"])
    ask(acts.plane, acts.id("maya"), 2, persons=["tom"])
    with refused(acts.plane, Conflict, "not asked yet"):
        ask(acts.plane, acts.id("maya"), 2, persons=["tom"])
