"""The desk's note: what it finds, covers and decides, and the way to a person in a crisis."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edge_runtime import EdgeRuntime
from edge_runtime.core.handoff import handoff_text
from edge_runtime.desk import DeskServer, DeskSettings
from edge_runtime.encoder import find_encoder
from tests.edge import tiny_reader
from tests.published import Published
from tests.web.desks import NOTE, VALUES, call, note


@pytest.mark.parametrize(
    "members",
    [
        {"text": 1},
        {"text": "x" * 20_001},
        {"text": "\ud800"},
        {"names": "Priya"},
        {"names": ["x" * 201]},
        {"names": ["x"] * 201},
        {"consents": [1]},
        {"prompt": None},
        {"prompt": "no-such-script"},
    ],
)
def test_notes_of_another_form_are_refused(desk: DeskServer, members: dict[str, object]) -> None:
    """A mistyped or oversized member is named, its value never."""
    answer = call(desk, "/api/read", note(**members))

    assert answer.status == 400
    assert "Priya" not in answer.body.decode()


def test_a_note_is_marked_and_covered(desk: DeskServer) -> None:
    """Findings are marked in place, letter by letter, and the covered text holds none of their values."""
    answer = call(desk, "/api/read", note()).json

    assert "".join(piece["text"] for piece in answer["found"]) == NOTE
    marked = [(piece["text"], piece["label"]) for piece in answer["found"] if piece["label"]]
    assert marked == [
        ("Priya Raman", "person"),
        ("+44 20 7946 0018", "phone"),
        ("priya.raman@example.org", "e-mail"),
    ]
    assert [NOTE[s["start"] : s["end"]] for s in answer["spans"]] == [text for text, _ in marked]
    assert "".join(piece["text"] for piece in answer["covered"]) == answer["covered_text"]
    assert sum(piece["cover"] for piece in answer["covered"]) == 3
    assert [value for value in VALUES if value in answer["covered_text"]] == []


def test_consents_change_the_answer(desk: DeskServer) -> None:
    """Without consent nothing leaves and the rules say why; with every consent the covered text may."""
    without = call(desk, "/api/read", note()).json
    given = call(desk, "/api/read", note(consents=["cloud", "special-categories", "unchecked-text"])).json
    no_model = call(
        desk, "/api/read", note(consents=["cloud", "special-categories", "unchecked-text"], suppose_model=False)
    ).json

    assert (without["route"], given["route"], no_model["route"]) == ("device", "redacted", "device")
    assert "nothing leaves this device unless you said that the cloud may be used" in without["reasons"]
    assert "nothing leaves this device unless you said that the cloud may be used" not in given["reasons"]
    assert any("no cloud model" in reason for reason in no_model["reasons"])


def test_what_this_device_cannot_assess_is_said(desk: DeskServer) -> None:
    """Without a model for topics the note counts as sensitive, and the page says that this is why."""
    answer = call(desk, "/api/read", note(consents=["cloud"])).json

    assert answer["route"] == "device"
    assert any("no model for sensitive topics" in reason for reason in answer["reasons"])


def test_a_crisis_is_answered_with_a_person_first(desk: DeskServer) -> None:
    """P6: a crisis is a hand-off, whatever was consented to."""
    everything = note("I want to kill myself.", consents=["cloud", "special-categories", "unchecked-text"])
    answer = call(desk, "/api/read", everything).json

    assert answer["route"] == "hand-off"
    assert "hand-off text is shown first" in answer["reasons"][0]


@pytest.mark.parametrize("members", [{}, {"prompt": "no-such-script"}, {"names": ["!!!"]}])
def test_a_crisis_that_only_the_model_hears_gets_the_hand_off_text(
    desk: DeskServer, tmp_path: Path, members: dict[str, object]
) -> None:
    """P6: the page never says that a person comes first without the text that leads to one."""
    desk.answers._edge.encoder = find_encoder(str(tiny_reader.write(tmp_path / "reader")))
    answer = call(desk, "/api/read", note("My x will leave.") | members)

    assert (answer.status, answer.json["route"]) == (200, "hand-off")
    assert answer.json["handoff"] == handoff_text("en", "self").text


def test_what_the_model_does_not_read_is_said(desk: DeskServer, tmp_path: Path) -> None:
    """A device with a model does not say that it has none where a note is in another language."""
    desk.answers._edge.encoder = find_encoder(str(tiny_reader.write(tmp_path / "reader")))
    answer = call(desk, "/api/read", note("Ich habe mit dem Team gesprochen.", consents=["cloud"])).json

    assert any("no model for this note's language" in reason for reason in answer["reasons"])


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"prompt": "no-such-script"},
        {"prompt": None},
        {"names": ["!!!"]},
        {"names": "Priya"},
        {"text": "The sprint went well. " * 6_000 + "I want to kill myself."},
        {"text": "I want to kill myself. " + "The sprint went well. " * 20_000},
        {"text": "\ud800 I want to kill myself."},
    ],
)
def test_in_a_crisis_the_hand_off_text_comes_whatever_else_is_wrong(
    desk: DeskServer, members: dict[str, object]
) -> None:
    """P6: the answer carries the compiled-in text with any script, length or names, and says nothing leaves."""
    answer = call(desk, "/api/read", note("I want to kill myself.") | members)

    assert answer.status == 200
    assert answer.json["handoff"] == handoff_text("en", "self").text
    assert answer.json["route"] == "hand-off"


def test_without_a_release_a_crisis_still_gets_the_hand_off(published: Published, tmp_path: Path) -> None:
    """P6 holds on a device that never adopted anything, and the text fits a worry about somebody else."""
    edge = EdgeRuntime.open(tmp_path / "empty", trust=published.trust)
    with DeskServer(edge, DeskSettings()) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        answer = call(server, "/api/read", note("My sister says she will kill herself."))
        server.shutdown()
    assert answer.json["handoff"] == handoff_text("en", "other").text


def test_an_everyday_note_has_no_hand_off_text(desk: DeskServer) -> None:
    """Nobody is shown the hand-off without a reason."""
    assert call(desk, "/api/read", note()).json["handoff"] == ""


def test_names_without_a_letter_are_no_names(desk: DeskServer) -> None:
    """A half-typed name such as a comma or dash does not stop the reading."""
    answer = call(desk, "/api/read", note(names=["!!!", "-", "Priya Raman"]))

    assert answer.status == 200
    assert "Priya" not in answer.json["covered_text"]


@pytest.mark.parametrize("text", ["", "   ", " \n\t\u00a0"])
def test_a_note_of_blanks_is_no_note(desk: DeskServer, text: str) -> None:
    """Blanks alone get no verdict on what they name or need."""
    answer = call(desk, "/api/read", note(text)).json

    assert (answer["count_sentence"], answer["covered_sentence"]) == ("", "")
