"""Bodies of any form: read or refused in one line, and every text of a person in them is heard."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.prompt import read_prompt
from edge_runtime.serving.asking import CHANGES_NOTHING, ONLY, OURS, parse_question, read_body, texts_of
from edge_runtime.serving.errors import Refusal
from edge_runtime.serving.filling import inputs_of
from tests.simulator import prompt_document

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ROLES = st.sampled_from(["user", "assistant", "tool", "system", "developer", "function"]) | VALUES
PARTS = st.lists(st.fixed_dictionaries({"type": st.sampled_from(["text", "image_url"]), "text": VALUES}), max_size=2)
CALLS = st.lists(st.fixed_dictionaries({"function": st.dictionaries(st.sampled_from(["name", "arguments"]), VALUES)}))
MESSAGES = st.fixed_dictionaries(
    {"role": ROLES}, optional={"content": VALUES | PARTS, "tool_calls": VALUES | CALLS, "name": VALUES}
)
PERSON = st.dictionaries(st.sampled_from(["session", "learner", "names", "consents", "go_on", "locale", "x"]), VALUES)
BODIES = st.fixed_dictionaries(
    {"model": st.just("opener") | VALUES, "messages": st.lists(MESSAGES, max_size=3) | VALUES},
    optional={
        "inputs": st.dictionaries(st.sampled_from(["notes", "other"]), VALUES) | VALUES,
        "mentorplane": PERSON | VALUES,
        "tools": st.lists(st.fixed_dictionaries({"type": st.just("function"), "function": VALUES})) | VALUES,
        **dict.fromkeys(("stream", "stream_options", "tool_choice", "n", "response_format", "seed", "stop"), VALUES),
    },
)
PROMPT = read_prompt(prompt_document())


@given(BODIES)
def test_any_body_is_read_or_refused(body: dict[str, Any]) -> None:
    """Whatever a client sends: a question, whose messages all reach the input, or a refusal with a code."""
    said: Refusal | None = None
    try:
        question = parse_question(read_body(json.dumps(body).encode()))
        values = inputs_of(question, PROMPT)
    except Refusal as refused:
        said = refused
    if said is None:
        assert all(turn.text in values["notes"] for turn in question.turns)
    else:
        assert (bool(said.code), len(str(said).splitlines())) == (True, 1)


@given(VALUES, st.sampled_from(["messages", "inputs"]))
def test_every_text_is_heard(value: Any, member: str) -> None:
    """However it is nested, a text of the person is among those that are looked through for a crisis."""
    nested = [{"role": "user", "content": [value, {"deep": ["help me"]}]}]
    assert "help me" in texts_of({member: nested, "model": value})


def test_depth_is_no_way_around_being_heard() -> None:
    """As deep as JSON is read at all, a text is found, without recursion."""
    deep: Any = "help me"
    for _ in range(100_000):
        deep = [deep]
    assert texts_of({"messages": [{"role": "user", "content": deep}]}) == ("help me", "user")


def test_no_member_has_two_meanings() -> None:
    """Each known member is ours, or taken with few values, or taken without effect."""
    names = [*OURS, *CHANGES_NOTHING, *ONLY]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(CHANGES_NOTHING))
def test_what_is_taken_without_effect_changes_nothing(name: str) -> None:
    """A client that sends it asks the very same question."""
    body = {"model": "opener", "messages": [{"role": "user", "content": "A talk."}]}
    assert parse_question({**body, name: 3}) == parse_question(body)
