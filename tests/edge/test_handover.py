"""P6 on a device: a crisis in whatever was typed gets the way to a person first, whatever else is wrong."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime, NotTrusted
from edge_runtime.core import canonical
from edge_runtime.core.handoff import handoff_text
from edge_runtime.core.not_yet import not_yet_text
from edge_runtime.home import holding
from tests.published import Published, fingerprint
from tests.recording_cloud import Cloud
from tests.simulator import prompt_document

NOTES = "Priya Nair called. We agreed that I will write to mara@example.org by Thursday. The talk was good."
CRISIS = "The work is fine. I have been thinking about killing myself."
SITUATION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["situation"],
    "properties": {"situation": {"type": "string", "enum": ["self", "other"], "x-data-class": "R0"}},
}


def test_a_crisis_gets_the_hand_off_first_with_no_model_call(edge: EdgeRuntime, cloud: Cloud) -> None:
    """P6: the static text comes first, nothing is sent; neither reply nor receipt says what else the text held."""
    session = edge.session(learner="u1", names=["Priya Nair"], consents={"cloud"})
    assert session.read(f"{NOTES} {CRISIS}").entities

    reply = session.run("opener", {"notes": f"{NOTES} {CRISIS}"})

    assert (reply.route, reply.outcome, reply.sent_bytes) == ("hand-off", "handed-off", 0)
    assert reply.text == handoff_text("en", "self").text
    assert (reply.findings, reply.receipt, edge.receipts.count()) == ((), None, 0)
    assert cloud.requests == []


def test_a_hand_off_waits_for_no_lock_and_leaves_a_count(edge: EdgeRuntime, tmp_path: Path) -> None:
    """P6: while somebody else holds every lock of the home the text comes; one dot for each is all that stays."""
    home = tmp_path / "home"
    before = fingerprint(home)
    with holding(home / "receipts.lock", "receipts", timeout_s=1), holding(home / "lock", "home", timeout_s=1):
        replies = [edge.session(learner="u1").run("private", {"notes": CRISIS}) for _ in range(2)]
    assert {(reply.text, reply.problems) for reply in replies} == {(handoff_text("en", "self").text, ())}
    assert edge.tallies.hand_offs.settle(10) == 0
    assert (home / "hand-offs").read_bytes() == b".."
    assert {name for name in fingerprint(home) if name not in before} <= {"hand-offs", "lock", "receipts.lock"}


def test_a_disk_that_hangs_keeps_nobody_from_the_hand_off(edge: EdgeRuntime, tmp_path: Path) -> None:
    """P6: the file of the count lets nobody write to it; the texts come, one thread waits, all are counted later."""
    os.mkfifo(tmp_path / "home" / "hand-offs")
    texts = {edge.session(learner="u1").run("private", {"notes": CRISIS}).text for _ in range(3)}
    assert texts == {handoff_text("en", "self").text}
    assert [thread.name for thread in threading.enumerate()].count("mentorplane-count") == 1
    assert edge.tallies.hand_offs.settle(0) == 3
    with (tmp_path / "home" / "hand-offs").open("rb") as file:
        assert edge.tallies.hand_offs.settle(10) == 0
        assert file.read() == b"..."


def test_a_crisis_is_heard_where_no_prompt_can_run(published: Published, tmp_path: Path) -> None:
    """P6: with nothing adopted, a withdrawn prompt or a wrong name, the hand-off still comes."""
    empty = EdgeRuntime.open(tmp_path / "empty", trust=published.trust)

    reply = empty.session(learner="u1", locale="de").run("no-such-prompt", {"notes": CRISIS})

    assert reply.text == handoff_text("de", "self").text


@pytest.mark.parametrize("source", [None, "http://127.0.0.1:1/edge"])
def test_a_device_that_adopted_nothing_yet_says_so(published: Published, tmp_path: Path, source: str | None) -> None:
    """P5: at the very first start with the server away the README's five lines give a reply, and nothing runs.

    What asks for an approved prompt itself is refused as ever; the first release that comes is used at once.
    """
    edge = EdgeRuntime.open(tmp_path / "empty", trust=published.trust, source=source)
    assert edge.refresh().ok is False
    session = edge.session(learner="u1", locale="fr-CA", consents={"cloud"})
    reply = session.run("private", {"notes": "an ordinary day"})
    assert (reply.outcome, reply.route, reply.release, reply.receipt) == ("not-adopted", "block", 0, None)
    assert (reply.disclosure, reply.sent_bytes, reply.findings) == (None, 0, ())
    assert reply.text == not_yet_text("fr") != not_yet_text("en")
    assert "refresh()" in reply.problems[0]
    assert not (tmp_path / "empty" / "receipts.jsonl").exists()
    for act in (session.decide, session.render, session.preview):
        with pytest.raises(NotTrusted, match="none yet"):
            act("private", {"notes": "an ordinary day"})
    assert edge.refresh(str(published.folder)).ok
    assert session.run("private", {"notes": "an ordinary day"}).outcome == "filled"


def test_the_person_may_go_on_after_the_hand_off(edge: EdgeRuntime) -> None:
    """P6: after the hand-off text the person may choose to go on, and not before it was shown."""
    session = edge.session(learner="u1")

    replies = [session.run("private", {"notes": CRISIS}, go_on=True) for _ in range(2)]

    assert [reply.outcome for reply in replies] == ["handed-off", "filled"]


def test_what_somebody_says_in_a_crisis_never_leaves(edge: EdgeRuntime, cloud: Cloud) -> None:
    """P6: also after going on, with every consent and a policy without a rule for it, the text stays on the device."""
    session = edge.session(learner="u1", consents={"cloud"})
    session.run("opener", {"notes": CRISIS})

    reply = session.run("opener", {"notes": CRISIS}, go_on=True)

    assert (reply.route, cloud.requests) == ("device", [])
    assert "crisis-never-leaves" in {reason.rule for reason in reply.reasons}


LATER = "Now I have taken all the pills. I want to die."


@pytest.mark.parametrize(
    "notes",
    [
        LATER,
        f"{CRISIS} {LATER}",
        f"{CRISIS} I have been thinking about killing myself.",
        f"User: {CRISIS}\n\nUser: {LATER}",
    ],
)
def test_attack_a_new_crisis_behind_the_one_that_the_person_went_on_with(edge: EdgeRuntime, notes: str) -> None:
    """P6: going on holds for what was said then; what is new, or is said once more, gets the hand-off text first."""
    session = edge.session(learner="u1")
    assert session.run("private", {"notes": CRISIS}).outcome == "handed-off"
    assert session.run("private", {"notes": CRISIS}, go_on=True).outcome == "filled"

    reply = session.run("private", {"notes": notes}, go_on=True)

    assert (reply.outcome, reply.text) == ("handed-off", handoff_text("en", "self").text)
    assert session.run("private", {"notes": notes}, go_on=True).outcome == "filled"


def test_a_conversation_goes_on_after_the_hand_off(edge: EdgeRuntime) -> None:
    """A chat repeats what was said and what the person was given; nothing in it is new, so it goes on on the device."""
    session = edge.session(learner="u1")
    given = session.run("private", {"notes": CRISIS}).text
    chat = f"User: {CRISIS}\n\nAssistant: {given}\n\nUser: I called them. Let us go on with the plan."

    reply = session.run("private", {"notes": chat[:2000]}, go_on=True)

    assert (reply.route, reply.outcome) == ("device", "filled")


@pytest.mark.parametrize(
    "inputs",
    [
        {"notes": [{"role": "user", "content": [{"type": "text", "text": CRISIS}]}]},
        {"notes": ({"a": {CRISIS}},)},
        {"notes": [[[CRISIS]], 7]},
        {"notes": {"turns": {CRISIS: 1}}},
        {"notes": CRISIS + " x" * 20_000},
        {"notes": "x " * 120_000 + CRISIS},
        {"notes": CRISIS, "undeclared": "y"},
        {"notes": ["an ordinary line", CRISIS]},
        {"other": CRISIS},
    ],
)
def test_a_crisis_is_heard_before_any_contract(edge: EdgeRuntime, inputs: dict[str, object]) -> None:
    """P6: too long, undeclared or mistyped: what the host got wrong does not keep a person from the hand-off."""
    assert edge.session(learner="u1").run("private", inputs).text == handoff_text("en", "self").text


def test_a_crisis_of_somebody_else_gets_its_own_text(edge: EdgeRuntime) -> None:
    """P6: the text fits the situation."""
    reply = edge.session(learner="u1").run("private", {"notes": "My sister says she will kill herself."})

    assert reply.text == handoff_text("en", "other").text


@pytest.mark.parametrize(
    "broken", [{"fill": {"summary": {"extract": "summary", "from": "x", "at_most": 1}}}, {"reply": " "}]
)
def test_a_broken_hand_off_in_a_release_does_not_silence_it(
    edge: EdgeRuntime, published: Published, broken: dict[str, object]
) -> None:
    """P6: if the approved text fails or is blank, the one compiled into the package comes."""
    document = prompt_document("help", tier="R4", placement="device", **broken)
    published.release({("handoff", "help"): canonical.encode(document)})
    assert edge.refresh().ok

    assert edge.session(learner="u1").run("private", {"notes": CRISIS}).text == handoff_text("en", "self").text


@pytest.mark.parametrize(("locale", "is_approved"), [("en", True), ("en-GB", True), ("de", False), ("", False)])
def test_an_approved_hand_off_is_for_its_own_language(
    edge: EdgeRuntime, published: Published, locale: str, *, is_approved: bool
) -> None:
    """P6: an approved text serves its locale and its regions; another language gets the text of the package."""
    approved = "Please call Ada, who is there for you."
    document = prompt_document("help", tier="R4", placement="device", inputs=SITUATION, reply=approved)
    published.release(
        {("handoff", "help"): canonical.encode({**document, "fill": {"summary": []}, "instruction": "-"})}
    )
    assert edge.refresh().ok

    text = edge.session(learner="u1", locale=locale).run("private", {"notes": CRISIS}).text

    assert text.strip() == (approved if is_approved else handoff_text(locale, "self").text.strip())
