"""Sentences: what a context, a rule or a change means, for people who approve it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from edge_runtime.core.policy import (
    DEFAULT_VOCABULARY,
    Condition,
    Context,
    Decision,
    Layer,
    Route,
    Rule,
    context_sentence,
    decision_sentence,
    layer_sentences,
    least_context,
    read_vocabulary,
    rule_sentence,
)
from tests.conftest import examples
from tests.core.policy.policy_world import SMALL, Document, all_contexts, build, layers_documents

EVERY_CONSENT = ", with every consent given"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "a text with nothing sensitive" + EVERY_CONSENT),
        ({"labels": frozenset({"legal", "health"})}, "a text about health and legal matters" + EVERY_CONSENT),
        (
            {"entities": frozenset({"PERSON", "EMAIL", "BANK"})},
            "a text that names a bank account, a person and an e-mail address" + EVERY_CONSENT,
        ),
        ({"crisis": "low_mood"}, "a text with signs of low mood" + EVERY_CONSENT),
        (
            {"tier": "R3", "staleness": "stale"},
            "a text for a prompt of tier R3 while the policy on the device is stale" + EVERY_CONSENT,
        ),
        ({"ai_streak": 4}, "a text after 4 exchanges with the assistant alone" + EVERY_CONSENT),
        ({"labels": None}, "a text whose labels nobody assessed" + EVERY_CONSENT),
        ({"consents": frozenset()}, "a text with nothing sensitive, with no consents given"),
        (
            {"consents": frozenset({"analytics", "experiment", "recognition", "special-categories", "unchecked-text"})},
            "a text with nothing sensitive, with every consent but cloud",
        ),
        (
            {"agreement": 2, "capabilities": frozenset({"local-model"})},
            "a text with nothing sensitive"
            + EVERY_CONSENT
            + ", under version 2 of the agreement, on a device without a cloud model",
        ),
        ({"agreement": 0}, "a text with nothing sensitive" + EVERY_CONSENT + ", with no agreement"),
    ],
)
def test_a_context_reads_as_a_sentence(values: dict[str, Any], sentence: str) -> None:
    """What a context names is said, and what is at its bottom is not."""
    assert context_sentence(least_context(DEFAULT_VOCABULARY, values), DEFAULT_VOCABULARY) == sentence


@pytest.mark.parametrize(
    ("when", "sentence"),
    [
        ((), "any text: it stays on the device, because so"),
        (
            (Condition("labels", "any_of", ("legal", "health")),),
            "a text about health or legal matters: it stays on the device, because so",
        ),
        (
            (Condition("labels", "all_of", ("legal", "health")),),
            "a text about health and legal matters: it stays on the device, because so",
        ),
        (
            (Condition("tier", "at_least", ("R3",)),),
            "a text for a prompt of at least tier R3: it stays on the device, because so",
        ),
        (
            (Condition("tier", "at_least", ("R4",)),),
            "a text for a prompt of tier R4: it stays on the device, because so",
        ),
        (
            (Condition("consents", "missing_any_of", ("cloud", "analytics")),),
            "any text, with analytics or cloud missing from the consents: it stays on the device, because so",
        ),
        (
            (Condition("agreement", "below", (3,)),),
            "any text, with version 3 of the agreement not yet accepted: it stays on the device, because so",
        ),
    ],
)
def test_a_rule_reads_as_a_sentence(when: tuple[Condition, ...], sentence: str) -> None:
    """When, at most, and why."""
    assert rule_sentence(Rule("x", "so", when, Route.DEVICE), DEFAULT_VOCABULARY) == sentence


def test_a_decision_and_a_layer_read_as_sentences() -> None:
    """Obligations are named after the route; a layer says its ceiling first."""
    assert decision_sentence(Decision(Route.DEVICE, ("b", "a"), (), ())) == "it stays on the device, with a and b"
    layer = Layer("prompt", Route.REDACTED, (Rule("x", "so", (), Route.BLOCK, ("no-telemetry",)),))
    assert layer_sentences(layer, DEFAULT_VOCABULARY) == (
        "any text: it leaves only after redaction",
        "any text: it is blocked, with no-telemetry, because so",
    )


def test_an_attribute_without_a_phrase_is_named_as_it_is() -> None:
    """An organisation's own attributes are readable, if plain."""
    vocabulary = read_vocabulary(
        {
            "sensitivities": {"client_names": {"set": ["acme", "globex"]}, "heat": {"levels": ["cold", "hot"]}},
            "permissions": {"sites": {"set": ["east", "west"]}, "seniority": {"maximum": 3}},
        }
    )
    values: dict[str, Any] = {
        "client_names": frozenset({"acme"}),
        "heat": "hot",
        "sites": frozenset({"east"}),
        "seniority": 1,
    }
    assert context_sentence(least_context(vocabulary, values), vocabulary) == (
        "a text with client names acme with heat hot, with seniority 1, with all of sites but west"
    )
    conditions = (Condition("heat", "at_least", ("hot",)), Condition("seniority", "below", (2,)))
    assert rule_sentence(Rule("x", "so", conditions, Route.DEVICE), vocabulary) == (
        "a text with heat hot, with seniority below 2: it stays on the device, because so"
    )


@examples(50)
@given(layers_documents)
def test_one_sentence_on_one_line(documents: list[Document]) -> None:
    """Every rule and context has one line of text without a leftover blank or bracket."""
    sentences = [line for layer in build(documents) for line in layer_sentences(layer, SMALL)]
    for sentence in sentences:
        assert sentence == " ".join(sentence.split())
        assert "{" not in sentence


def test_different_contexts_have_different_sentences() -> None:
    """No two assessed contexts of the small world read alike."""
    contexts = all_contexts(unassessed=False)
    assert len({context_sentence(context, SMALL) for context in contexts}) == len(contexts)


def test_a_context_without_permissions_is_readable() -> None:
    """A context that leaves everything out is described, not refused."""
    sentence = context_sentence(Context({}, {}), SMALL)
    assert (
        sentence
        == "a text whose labels nobody assessed whose tier nobody assessed, with no consents given, with no agreement"
    )
