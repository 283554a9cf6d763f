"""Summaries are sentences of the text, in its order, agreed actions first."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.reader import Span
from edge_runtime.core.summary import Line, best_lines, summarise

NOTE = """We talked about the roadmap for the billing service. The weather was dreadful. Billing customers ask \
for a clear roadmap. I will send the draft roadmap to finance by Friday. Somebody had brought cake.
- We agreed to meet again in two weeks
- Lunch was late
The billing team worries about the roadmap and about customers."""


def lines(text: str, at_most: int) -> list[str]:
    return [text[span.start : span.end] for span in summarise(text, at_most=at_most)]


def test_agreed_actions_are_kept_and_small_talk_is_not() -> None:
    """With room for few lines, what was agreed and what is central remain."""
    assert lines(NOTE, 4) == [
        "We talked about the roadmap for the billing service.",
        "Billing customers ask for a clear roadmap.",
        "I will send the draft roadmap to finance by Friday.",
        "We agreed to meet again in two weeks",
    ]


@pytest.mark.parametrize(
    "agreed",
    [
        "I'll call the client.",
        "Next step is a short brief.",
        "She committed to a first draft.",
        "The draft is due soon.",
        "Ich werde den Entwurf schicken.",
        "Je vais envoyer le projet.",
        "Voy a enviar el borrador.",
        "Send the draft by EOD.",
        "Lisa \u00fcbernimmt den Entwurf.",
        "Wir haben uns auf einen Entwurf geeinigt.",
        "On a d\u00e9cid\u00e9 que Tom \u00e9crit.",
        "Nous sommes convenus d'un projet.",
        "Quedamos en que Tom llama.",
        "Ana se encarga del borrador.",
    ],
)
def test_one_line_is_the_agreed_one(agreed: str) -> None:
    """When only one line fits, it is the one with the agreed action."""
    assert lines(f"The budget matters. The budget is the budget. {agreed} Budget talk went on.", 1) == [agreed]


def test_what_a_model_calls_agreed_is_kept_without_a_cue() -> None:
    """A sentence that no cue marks is kept if a model says that it was agreed, or holds a commitment."""
    text = "The budget matters. The budget is the budget. Priya takes the client, fine by both. Budget talk went on."
    place = Span(text.index("Priya"), text.index(", fine"))
    (line,) = summarise(text, at_most=1, agreed=[place])
    assert text[line.start : line.end] == "Priya takes the client, fine by both."


def test_no_agreed_action_is_taken_for_another() -> None:
    """Agreed actions that differ in a number or a short name alone are all told."""
    text = " ".join(f"We agreed that {name} calls client {number}." for number, name in enumerate(("Tom", "Ann", "Bo")))
    assert len(lines(f"The budget matters. {text}", 3)) == len(lines(text, 5)) == 3


def test_what_a_model_calls_agreed_comes_before_cues() -> None:
    """Cues are guesses: they take no line from what a model found, and refusals are none."""
    text = "I will see. They will never agree. It is due. Priya takes the client, fine by both."
    place = Span(text.index("Priya"), len(text))
    (line,) = summarise(text, at_most=1, agreed=[place])
    assert line == place
    assert "They will never agree." not in lines(text, 2)


def test_lines_of_parts_keep_what_a_model_calls_agreed() -> None:
    """Where a summary is made of the summaries of parts, the model's word goes with the line."""
    told = [Line("Priya takes the client.", agreed=True), Line("The budget matters.", agreed=False)]
    said = [Line(f"The budget is {word}.", agreed=False) for word in ("the budget", "large", "due")]
    assert best_lines([*told, *said], at_most=1) == told[:1]


def test_what_was_said_already_gives_way_to_something_new() -> None:
    """Two sentences that say the same do not take two lines while something else is untold."""
    text = (
        "The launch budget worries finance people. The launch budget worries many finance people. "
        "Hiring slipped again. Finance people asked about the launch budget."
    )
    chosen = [text[span.start : span.end] for span in summarise(text, at_most=2)]
    assert chosen == ["The launch budget worries finance people.", "Hiring slipped again."]


def test_a_repeated_sentence_is_told_once() -> None:
    """The same words twice take one line."""
    assert lines("Roadmap first. Roadmap first. Budget second.", 3) == ["Roadmap first.", "Budget second."]


@given(st.text(), st.integers(1, 7))
def test_any_text_is_summarised(text: str, at_most: int) -> None:
    """Lines are places in the text, in order, without overlap, no more than asked for; the same text gives the same."""
    spans = summarise(text, at_most=at_most)
    assert len(spans) <= at_most
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    assert summarise(text, at_most=at_most) == spans


def test_a_text_without_words_has_no_summary() -> None:
    """Nothing comes of nothing."""
    assert summarise(" \n--- !!! \n", at_most=5) == ()


def test_no_lines_cannot_be_asked_for() -> None:
    """A summary of no lines is the host's mistake."""
    with pytest.raises(ValueError, match="expected at least one line, got 0"):
        summarise("Text.", at_most=0)
