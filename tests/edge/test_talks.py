"""What runs of one conversation share, and the page that names all that a host sees of them."""

from __future__ import annotations

import re
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any

from edge_runtime import EdgeRuntime, Reply, Session, Stream
from tests.edge.answering import Fixed, Scripted, cut, said


def test_threads_of_one_session_share_one_table(edge: EdgeRuntime) -> None:
    """Runs at the same time: one placeholder for one person, one person for one placeholder, each reply its own."""
    people = [f"Person{chr(97 + n)} Name{chr(97 + n)}" for n in range(16)]
    session = edge.session(learner="u1", names=people, consents={"cloud"})
    start = threading.Barrier(8)
    told: dict[str, str] = {}

    class Echo(Scripted):
        def answer(self, ask: Any, wire: Any) -> Any:
            covered = ask.instruction.text.partition("met ")[2].partition(".")[0]
            yield from cut({"summary": [f"You met {covered}."]}, at_most=3)

    edge.routing = Fixed(Echo(said("")))
    replies: dict[tuple[int, str], str] = {}

    def work(number: int) -> None:
        start.wait()
        for person in people[number:] + people[:number]:
            replies[number, person] = session.run("opener", {"notes": f"I met {person}."}).text
            told.setdefault(person, session.redact(person).text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {person: text for (_, person), text in replies.items()} == {p: f"You met {p}." for p in people}
    assert all(text == f"You met {person}." for (_, person), text in replies.items())
    assert len(set(told.values())) == len(people)
    assert edge.receipts.verify() == 8 * len(people)


def test_a_session_that_continues_another_keeps_its_placeholders(edge: EdgeRuntime) -> None:
    """The same conversation with another consent: the same person, the same placeholder; a hand-off shown was shown."""
    first = edge.session(learner="u1", names=["Ada Fox"])
    covered = first.redact("Ada Fox").text
    first.run("private", {"notes": "I want to kill myself."})
    second = edge.session(learner="u1", names=["Ben Gray", "Ada Fox"], continues=first)

    assert second.redact("Ben Gray and Ada Fox").text.endswith(covered)
    assert second.run("private", {"notes": "I want to kill myself."}, go_on=True).outcome == "filled"


def test_one_page_names_all_that_a_host_sees() -> None:
    """What is public on a session, a stream or a reply stands on docs/runtime.md, which is one page."""
    page = (Path(__file__).parents[2] / "docs" / "runtime.md").read_text("utf-8")
    public = [name for kind in (Session, Stream) for name in vars(kind) if not name.startswith("_")]
    members = [field.name for field in fields(Reply)]  # type: ignore[arg-type]

    assert [name for name in (*public, *members) if not re.search(rf"\b{name}\b", page)] == []
    assert len(page.splitlines()) <= 100
