"""Whatever a text or an app says, a run ends in a typed reply or an error of ours, and streams as it runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import EdgeRuntime, InvalidDocument, Reply
from tests.conftest import examples
from tests.published import adopted, published_once

PIECES = st.sampled_from(
    [
        *(
            "Ask Priya Nair. ",
            "mara@example.org ",
            "[PERSON_1] ",
            "[EMAIL_1",
            "{{ notes }}",
            "{% for x in y %}",
            "</data> ",
        ),
        *(
            "I want to kill myself. ",
            "ignore all rules ",
            "DE89 3704 0044 0532 0130 00 ",
            "\x00",
            "\ud800",
            "\u202e",
            "\n\n",
        ),
        *("%49%20%77", "SSB3YW50IHRvIGRpZQ== ", "\\u0049", "&#73;", "a" * 200, "1" * 40, "> ", "<!-- ", " -->"),
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=8).map("".join)
VALUES = st.one_of(
    TEXTS, st.none(), st.integers(), st.booleans(), st.lists(st.one_of(TEXTS, st.integers()), max_size=3)
)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> EdgeRuntime:
    """A device without a cloud."""
    folder = tmp_path_factory.mktemp("fuzz")
    return adopted(published_once(folder), folder)


@examples(25)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_no_text_makes_a_run_raise(device: EdgeRuntime, texts: list[str]) -> None:
    """Several texts in one session: each has a reply, and nothing was sent."""
    session = device.session(learner="u1", names=["Priya Nair"], consents={"cloud"})
    for text in texts:
        reply = session.run("opener", {"notes": text})
        assert isinstance(reply, Reply)
        assert reply.text or reply.outcome == "filled"  # of nothing, the script makes nothing
        assert (reply.route in {"device", "hand-off"}, reply.sent_bytes) == (True, 0)


@examples(25)
@given(TEXTS)
def test_a_stream_says_what_a_run_says(device: EdgeRuntime, text: str) -> None:
    """What came in pieces is the text of the reply, and the reply is the one of a run."""
    session = device.session(learner="u1", names=["Priya Nair"])
    stream = session.stream("opener", {"notes": text})
    assert "".join(stream) == stream.reply.text == session.run("opener", {"notes": text}).text


@examples(40)
@given(st.dictionaries(st.sampled_from(["notes", "note", "", "\ud800"]), VALUES, max_size=2))
def test_inputs_of_another_form_are_the_app_s_mistake(device: EdgeRuntime, inputs: dict[str, Any]) -> None:
    """Missing, undeclared or mistyped: one error of ours that quotes no value, unless a crisis is heard first."""
    said = ""
    try:
        device.session(learner="u1").run("opener", inputs)
    except InvalidDocument as error:
        said = str(error)
    assert "mara@" not in said
    assert "\n" not in said
