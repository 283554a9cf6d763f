"""Policy documents: one record, one byte string; anything else is refused with a reason."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.policy import (
    DEFAULT_VOCABULARY,
    FORMAT,
    Condition,
    Layer,
    Policy,
    Route,
    Rule,
    encode_policy,
    layer_document,
    parse_policy,
    policy_document,
    read_layer,
    read_policy,
    read_rules,
    read_vocabulary,
    rule_document,
    verify_rule,
    vocabulary_digest,
    vocabulary_document,
)
from tests.conftest import examples
from tests.core.policy.policy_world import SMALL, SMALL_DOCUMENT, Document, layers_documents

RULE: Document = {
    "id": "health-stays-on-device",
    "because": "health statements are special-category data (GDPR Art. 9)",
    "when": {"labels": {"any_of": ["health"]}},
    "at_most": "device",
    "require": ["no-telemetry"],
}
FILED: Document = {"folder": "", "owner": "", "review_by": "", "tags": []}
DOCUMENT: Document = {
    "format": FORMAT,
    "name": "organisation",
    **FILED,
    "vocabulary": vocabulary_document(DEFAULT_VOCABULARY),
    "vocabulary_from": {"name": "standard", "digest": vocabulary_digest(DEFAULT_VOCABULARY)},
    "ceiling": "cloud",
    "rules": [RULE],
}


def test_the_records_are_what_the_document_says() -> None:
    """The design's own example becomes these very records."""
    rule = Rule(
        "health-stays-on-device",
        "health statements are special-category data (GDPR Art. 9)",
        (Condition("labels", "any_of", ("health",)),),
        Route.DEVICE,
        ("no-telemetry",),
    )
    assert read_policy(DOCUMENT) == Policy(DEFAULT_VOCABULARY, Layer("organisation", Route.CLOUD, (rule,)))


@examples(100)
@given(layers_documents)
def test_round_trip_is_byte_exact(documents: list[Document]) -> None:
    """Encoding what was parsed gives the same bytes, and parsing what was encoded the same record."""
    for layer in documents:
        source = {"name": "standard", "digest": vocabulary_digest(SMALL)}
        data = canonical.encode(
            {"format": FORMAT, **FILED, "vocabulary": SMALL_DOCUMENT, "vocabulary_from": source, **layer}
        )
        policy = parse_policy(data)
        assert encode_policy(policy) == data
        assert read_policy(policy_document(policy)) == policy
        assert read_layer(layer_document(policy.layer), SMALL) == policy.layer
        assert read_rules(map(rule_document, policy.layer.rules), SMALL) == policy.layer.rules


def test_no_flipped_byte_is_read_as_the_same_policy() -> None:
    """Every single-byte change is refused or gives another record: nothing in a document is ignored."""
    source = {"name": "standard", "digest": vocabulary_digest(SMALL)}
    small = {**DOCUMENT, "vocabulary": SMALL_DOCUMENT, "vocabulary_from": source}
    data = canonical.encode(small)
    policy = parse_policy(data)
    draw = random.Random(3)
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1 << draw.randrange(7)
        try:
            assert parse_policy(bytes(flipped)) != policy
        except InvalidDocument:
            continue


def test_default_vocabulary_round_trips() -> None:
    """The default vocabulary reads back from its own document, attribute for attribute."""
    assert read_vocabulary(vocabulary_document(DEFAULT_VOCABULARY)) == DEFAULT_VOCABULARY
    names = [attribute.name for attribute in DEFAULT_VOCABULARY.attributes]
    assert names == sorted(names)


def _put(*path: Any) -> Callable[[Document], None]:
    *way, last, value = path

    def edit(document: Document) -> None:
        for step in way:
            document = document[step]
        document[last] = value

    return edit


def _drop(*path: Any) -> Callable[[Document], None]:
    *way, last = path

    def edit(document: Document) -> None:
        for step in way:
            document = document[step]
        del document[last]

    return edit


WHEN = ("rules", 0, "when")
IN_RULE = "rule health-stays-on-device: "


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            _put(*WHEN, "labels", {"at_least": "health"}),
            IN_RULE + "expected all_of or any_of for the sensitivity labels",
        ),
        (_put(*WHEN, "labels", {"none_of": ["health"]}), IN_RULE + "expected all_of or any_of"),
        (_put(*WHEN, "labels", {"missing_any_of": ["health"]}), IN_RULE + "expected all_of or any_of"),
        (_put(*WHEN, "tier", {"below": "R3"}), IN_RULE + "expected at_least for the sensitivity tier, got below"),
        (_put(*WHEN, "tier", {"at_most": "R3"}), IN_RULE + "expected at_least for the sensitivity tier, got at_most"),
        (_put(*WHEN, "consents", {"any_of": ["cloud"]}), IN_RULE + "expected missing_all_of or missing_any_of"),
        (_put(*WHEN, "agreement", {"at_least": 3}), IN_RULE + "expected below for the permission agreement"),
        (_put(*WHEN, "mood", {"any_of": ["low"]}), IN_RULE + "expected an attribute of the vocabulary, got mood"),
        (_put(*WHEN, "labels", {"any_of": ["weather"]}), IN_RULE + "expected a value of labels, got weather"),
        (_put(*WHEN, "tier", {"at_least": "R9"}), IN_RULE + "expected a value of tier, got R9"),
        (_put(*WHEN, "tier", {"at_least": 3}), IN_RULE + "expected a value of tier, got 3"),
        (_put(*WHEN, "agreement", {"below": True}), IN_RULE + "expected a value of agreement, got bool"),
        (_put(*WHEN, "agreement", {"below": 1000}), IN_RULE + "expected a value of agreement, got 1000"),
        (_put(*WHEN, "labels", {"any_of": []}), IN_RULE + "expected at least one value for labels, got none"),
        (_put(*WHEN, "labels", {"any_of": ["health", "health"]}), IN_RULE + "expected each value of labels once"),
        (_put(*WHEN, "labels", {"any_of": "health"}), IN_RULE + "expected a list after any_of for labels, got str"),
        (_put(*WHEN, "labels", {"any_of": [["health"]]}), IN_RULE + "expected a value of labels, got list"),
        (_put(*WHEN, "tier", {"at_least": ["R3"]}), IN_RULE + "expected a single value after at_least for tier"),
        (_put(*WHEN, "tier", {"at_least": "R0"}), IN_RULE + "expected a value above R0 for tier"),
        (_put(*WHEN, "agreement", {"below": 0}), IN_RULE + "expected a value above 0 for agreement"),
        (_put(*WHEN, "labels", {}), IN_RULE + "expected one test for labels"),
        (_put(*WHEN, "labels", {"any_of": ["health"], "all_of": ["legal"]}), IN_RULE + "expected one test for labels"),
        (_put(*WHEN, "labels", "health"), IN_RULE + "expected one test for labels"),
        (_put("rules", 0, "when", []), IN_RULE + "expected an object in member 'when'"),
        (_put("rules", 0, "at_most", "moon"), IN_RULE + "expected one of block, device, redacted, cloud"),
        (_put("rules", 0, "at_most", ["device"]), IN_RULE + "expected one of block, device, redacted, cloud"),
        (_put("rules", 0, "require", []), IN_RULE + "expected names, each once"),
        (_put("rules", 0, "require", ["a", "a"]), IN_RULE + "expected names, each once"),
        (_put("rules", 0, "require", ["No Telemetry"]), IN_RULE + "expected a name"),
        (_put("rules", 0, "because", ""), IN_RULE + "expected text of 1 to 500 characters"),
        (_put("rules", 0, "because", "two\nlines"), IN_RULE + "expected one line of text"),
        (_put("rules", 0, "because", "  "), IN_RULE + "expected one line of text"),
        (_put("rules", 0, "else", "cloud"), IN_RULE + "expected no member 'else'"),
        (_drop("rules", 0, "because"), IN_RULE + "expected member 'because', got none"),
        (_drop("rules", 0, "id"), "rule number 1: expected member 'id', got none"),
        (_put("rules", 0, "id", "Health"), "rule number 1: expected a name"),
        (_put("rules", 0, "id", "ceiling"), "rule ceiling: expected an id other than ceiling"),
        (_put("rules", 0, "health"), "rule number 1: expected an object, got str"),
        (_put("rules", [RULE, RULE]), IN_RULE + "expected each id once, got it twice"),
        (_put("rules", {}), "expected a list of at most 1000 members in member 'rules'"),
        (_put("rules", [RULE] * 1001), "expected a list of at most 1000 members in member 'rules'"),
        (_put("ceiling", "moon"), "expected one of block, device, redacted, cloud in member 'ceiling'"),
        (_put("name", ""), "expected a name"),
        (_put("format", "mentorplane-policy/1"), "expected format mentorplane-policy/2"),
        (_put("selector", {}), "expected no member 'selector'"),
        (_drop("vocabulary"), "expected member 'vocabulary', got none"),
    ],
)
def test_a_malformed_policy_is_refused(edit: Callable[[Document], None], message: str) -> None:
    """Each thing that the lattice cannot express is refused, with the rule and what was expected."""
    document = copy.deepcopy(DOCUMENT)
    edit(document)
    with pytest.raises(InvalidDocument) as caught:
        read_policy(document)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ([], "vocabulary: expected an object, got list"),
        ({"sensitivities": {}}, "vocabulary: expected member 'permissions'"),
        ({**SMALL_DOCUMENT, "selectors": {}}, "vocabulary: expected no member 'selectors'"),
        ({"permissions": {"x": {"set": ["a"]}}, "sensitivities": {"x": {"set": ["a"]}}}, "got both"),
        ({"permissions": {}, "sensitivities": {"X": {"set": ["a"]}}}, "expected a lower-case attribute name"),
        ({"permissions": {}, "sensitivities": {"x": {}}}, "vocabulary: x: expected an object of one of"),
        ({"permissions": {}, "sensitivities": {"x": {"of": ["a"]}}}, "vocabulary: x: expected an object of one of"),
        ({"permissions": {}, "sensitivities": {"x": {"set": []}}}, "vocabulary: x: expected a list of 1 to 64"),
        ({"permissions": {}, "sensitivities": {"x": {"levels": ["a"]}}}, "vocabulary: x: expected a list of 2 to 64"),
        ({"permissions": {}, "sensitivities": {"x": {"set": ["a", "a"]}}}, "vocabulary: x: expected each value once"),
        ({"permissions": {}, "sensitivities": {"x": {"set": [1]}}}, "vocabulary: x: expected a value of letters"),
        ({"permissions": {}, "sensitivities": {"x": {"set": ["?a"]}}}, "vocabulary: x: expected a value of letters"),
        ({"permissions": {}, "sensitivities": {"x": {"maximum": 0}}}, "vocabulary: x: expected a maximum of 1 to"),
        ({"permissions": {}, "sensitivities": {"x": {"maximum": True}}}, "vocabulary: x: expected a maximum of 1 to"),
        ({"permissions": {}, "sensitivities": {"x": {"maximum": 10**6}}}, "vocabulary: x: expected a maximum of 1 to"),
    ],
)
def test_a_malformed_vocabulary_is_refused(vocabulary: Any, message: str) -> None:
    """A vocabulary that is ambiguous, empty or without bounds is refused."""
    with pytest.raises(InvalidDocument) as caught:
        read_vocabulary(vocabulary)
    assert message in str(caught.value)


def test_a_rule_of_too_many_disjuncts_is_refused() -> None:
    """The combinations that comparing would have to visit are bounded per rule."""
    values = [f"v{number}" for number in range(64)]
    names = ("a", "b", "c")
    vocabulary = read_vocabulary({"permissions": {}, "sensitivities": {name: {"set": values} for name in names}})
    conditions = tuple(Condition(name, "any_of", tuple(values)) for name in names)
    verify_rule(Rule("x", "r", conditions[:2], Route.DEVICE), vocabulary)
    with pytest.raises(InvalidDocument, match="rule x: expected at most 4096 combinations"):
        verify_rule(Rule("x", "r", conditions, Route.DEVICE), vocabulary)


def test_an_empty_when_is_always() -> None:
    """A rule without conditions is allowed, and so is a layer without rules."""
    (rule,) = read_rules([{**RULE, "when": {}}], DEFAULT_VOCABULARY)
    assert rule.when == ()
    assert read_layer({"name": "learner", "ceiling": "cloud", "rules": []}, DEFAULT_VOCABULARY).rules == ()


def test_errors_repeat_no_free_text() -> None:
    """A sentence where a name should stand is not repeated in the error."""
    secret = "Priya is leaving in May"
    for edit in (_put(*WHEN, "labels", {"any_of": [secret]}), _put(*WHEN, secret, {"any_of": ["x"]})):
        document = copy.deepcopy(DOCUMENT)
        edit(document)
        with pytest.raises(InvalidDocument) as caught:
            read_policy(document)
        assert "Priya" not in str(caught.value)
