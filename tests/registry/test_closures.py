"""Closures: frozen bytes depend on what was written and on nothing else, and a device can read them."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from control_plane.sources.closures import CLOSURE_KINDS, check_closure, freeze
from control_plane.sources.parsing import Source, SourceError, parse_source
from edge_runtime.core import canonical
from edge_runtime.core.contract import check_output, parse_inputs
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.include import parse_include, passage_digest
from edge_runtime.core.policy import parse_policy
from edge_runtime.core.prompt import parse_prompt
from edge_runtime.core.vocabulary import parse_vocabulary
from tests.conftest import examples
from tests.starter import LIBRARY

OPENER = next(source for source in LIBRARY if source.name == "compliment-first-opener" and source.kind == "prompt")
CLOSED = [source for source in LIBRARY if source.kind in CLOSURE_KINDS]


def include(name: str, text: str) -> Source:
    """Return an include."""
    document = {"kind": "include", "format": "mentorplane-include/1", "name": name, "title": name, "tier": "R1"}
    return Source("include", name, {**document, "locale": "en", "text": text}, f"includes/{name}.yaml")


def script(fallback: str, *includes: str, instruction: str = "Ask about {{ recent_work }}.") -> Source:
    """Return the opener with other texts and includes."""
    changes = {
        "disclosure": "An assistant.",
        "instruction": instruction,
        "fallback": fallback,
        "includes": list(includes),
    }
    return replace(OPENER, document={**OPENER.document, **changes})


@pytest.mark.parametrize("source", CLOSED, ids=lambda source: f"{source.kind}-{source.name}")
def test_every_source_of_the_library_freezes(source: Source) -> None:
    """What comes with the product can be released: canonical bytes that a device reads."""
    data = freeze(source, LIBRARY)
    document = canonical.parse(data, max_bytes=200_000)
    assert "kind" not in document
    assert b"{% include" not in data
    check_closure(source.kind, data)


def test_includes_are_resolved_recursively_and_named() -> None:
    """A text stands in place of its include, and the closure says which includes went into it."""
    outer, inner = include("outer", 'A {% include "inner" %} C\n'), include("inner", "B\n")
    prompt = parse_prompt(freeze(script('<{% include "outer" %}>', "outer"), [inner, outer]))
    assert prompt.fallback == "<A B C>"
    digests = (("inner", passage_digest("inner", "B")), ("outer", passage_digest("outer", "A B C")))
    assert prompt.includes == digests
    shared = parse_include(freeze(outer, [inner, outer]))
    assert (shared.text, shared.includes) == ("A B C", digests[:1])


def test_a_changed_include_changes_the_digest() -> None:
    """Nobody can change a shared passage without changing what people sign."""
    source = script('{% include "one" %}', "one")
    assert freeze(source, [include("one", "a")]) != freeze(source, [include("one", "b")])


def test_attack_cyclic_include_is_refused_and_named() -> None:
    """Includes that name one another are refused, and the message shows the way round."""
    cycle = [include("a", '{% include "b" %}'), include("b", '{% include "c" %}'), include("c", '{% include "a" %}')]
    with pytest.raises(SourceError, match="includes without a cycle, got 'a' -> 'b' -> 'c' -> 'a'"):
        freeze(script('{% include "a" %}', "a"), cycle)


def test_missing_include_is_named_with_the_one_that_wants_it() -> None:
    """An include that nobody wrote is refused, at the line of the script."""
    with pytest.raises(
        SourceError, match=r"yaml:\d+: expected an include 'gone', got none of that name \(named by 'a'\)"
    ):
        freeze(script('{% include "a" %}', "a"), [include("a", '{% include "gone" %}')])


def test_attack_includes_too_deep_or_too_large_are_refused() -> None:
    """A chain of includes has an end, and so has the text that doubling would make."""
    chain = [include(f"n{i}", f'{{% include "n{i + 1}" %}}') for i in range(20)]
    with pytest.raises(SourceError, match="at most 8 deep"):
        freeze(script('{% include "n0" %}', "n0"), chain)
    with pytest.raises(SourceError, match=r"yaml:\d+: expected at most 100000 characters"):
        freeze(script('{% include "a" %}' * 60, "a"), [include("a", "x" * 2000)])
    doubling = [include(f"n{i}", f'{{% include "n{i + 1}" %}}' * 40) for i in range(7)] + [include("n7", "x" * 1000)]
    with pytest.raises(SourceError, match="at most 100000 characters"):
        freeze(script('{% include "n0" %}', "n0"), doubling)


@pytest.mark.parametrize("text", ["{{ secret }}", "{{ recent_work|tojson }}", "{% if recent_work %}", "{{ "])
def test_attack_include_cannot_bring_in_what_the_script_may_not_use(text: str) -> None:
    """Templates are checked again once the includes stand in them."""
    with pytest.raises(SourceError, match="once includes are in place, in instruction"):
        freeze(script("Hello.", "a", instruction='Ask. {% include "a" %}'), [include("a", text)])


def test_attack_two_includes_cannot_form_a_template_together() -> None:
    """Pieces that are harmless alone are refused if they are a template once they stand side by side."""
    pieces = [include("a", "{"), include("b", "{ recent_work }}")]
    with pytest.raises(SourceError, match="plain text once includes are in place"):
        freeze(script('{% include "a" %}{% include "b" %}', "a", "b"), pieces)


def test_filing_an_include_elsewhere_changes_no_script() -> None:
    """The digest that a script names is of the passage: a tag or an owner of it costs no approval of scripts."""
    source, passage = script('{% include "one" %}', "one"), include("one", "a")
    filed = replace(passage, document={**passage.document, "folder": "shared", "tags": ["b", "a"], "owner": "author"})
    assert freeze(source, [filed]) == freeze(source, [passage])
    assert freeze(filed) != freeze(passage)
    assert parse_include(freeze(filed)).filing.tags == ("a", "b")


def test_cases_are_not_released() -> None:
    """Everything that people write becomes a closure, but for cases."""
    cases = next(source for source in LIBRARY if source.kind == "cases")
    with pytest.raises(InvalidDocument, match="got cases"):
        freeze(cases, LIBRARY)


def test_a_policy_takes_its_words_from_a_vocabulary() -> None:
    """The words stand in the policy's closure with their name and digest; a missing vocabulary is told at its line."""
    policy = next(source for source in LIBRARY if source.kind == "policy")
    words = next(source for source in LIBRARY if source.kind == "vocabulary")
    parsed = parse_policy(freeze(policy, [words]))
    assert parsed.vocabulary == parse_vocabulary(freeze(words)).vocabulary
    assert parsed.vocabulary_name == "standard"
    refiled = replace(words, document={**words.document, "folder": "elsewhere"})
    assert freeze(policy, [refiled]) == freeze(policy, [words])
    with pytest.raises(SourceError, match=r"organisation\.yaml:\d+: expected a vocabulary 'standard', got none"):
        freeze(policy, ())


def test_attack_words_that_are_not_those_of_the_named_vocabulary_are_refused() -> None:
    """A policy cannot name one vocabulary and carry the words of another."""
    policy = next(source for source in LIBRARY if source.kind == "policy")
    document = canonical.parse(freeze(policy, LIBRARY), max_bytes=200_000)
    document["vocabulary"]["sensitivities"]["labels"]["set"].remove("health")
    document["rules"] = []
    with pytest.raises(InvalidDocument, match="the digest of the words"):
        check_closure("policy", canonical.encode(document))


@pytest.mark.parametrize(
    ("name", "value"),
    [("tier", "R9"), ("author", "me"), ("approval", "yes"), ("output", {"$ref": "file:///etc/passwd"})],
)
def test_what_a_device_refuses_is_not_frozen(name: str, value: object) -> None:
    """A source made by hand, past the schema, still meets the device's own functions."""
    with pytest.raises(InvalidDocument):
        freeze(replace(OPENER, document={**OPENER.document, name: value}), LIBRARY)


TOOL = {"name": "remind", "description": "Reminds.", "parameters": {"type": "object"}}
RESULTS = {"type": "string", "x-data-class": "R2"}


def with_tools(**changes: object) -> Source:
    """Return the opener with a tool, and members changed."""
    inputs = OPENER.document["inputs"]
    inputs = {**inputs, "properties": {**inputs["properties"], "tool_results": RESULTS}}
    base = script("None.", instruction="{{ recent_work }} {{ tool_results }}").document
    return replace(OPENER, document={**base, "inputs": inputs, "tools": [TOOL], **changes})


def test_tools_and_validators_are_part_of_what_people_sign() -> None:
    """They stand in the closure as they were written, and change its digest."""
    validators = {"reply_lacks": ["boss"]}
    data = freeze(with_tools(validators=validators), LIBRARY)
    prompt = parse_prompt(data)
    assert ([tool.name for tool in prompt.tools], prompt.validators) == (["remind"], validators)
    assert data != freeze(with_tools(), LIBRARY)


@pytest.mark.parametrize(
    "changes",
    [
        {"instruction": "{{ recent_work }}"},
        {"tools": [{**TOOL, "parameters": {"type": "object", "$ref": "https://example.org"}}]},
        {"kind": "handoff", "tier": "R4", "placement": "device"},
    ],
)
def test_tools_that_could_not_work_are_refused(changes: dict[str, object]) -> None:
    """Results that no model would see, a schema from elsewhere, and tools of a text that leads to a person."""
    with pytest.raises(InvalidDocument):
        freeze(replace(with_tools(**changes), kind=str(changes.get("kind", "prompt"))), LIBRARY)


def test_policy_rule_beyond_the_vocabulary_is_refused_with_its_file() -> None:
    """A rule that the lattice cannot express never becomes a closure."""
    policy = next(source for source in LIBRARY if source.kind == "policy")
    rule = {"id": "x", "because": "y", "when": {"tier": {"below": "R3"}}, "at_most": "cloud"}
    with pytest.raises(SourceError, match=r"policies/organisation\.yaml:\d+: expected .*tier"):
        freeze(replace(policy, document={**policy.document, "rules": [rule]}), LIBRARY)


def test_bytes_do_not_depend_on_layout_or_order() -> None:
    """Other quoting, other order of members, other order of sources: the same digest."""
    for source in CLOSED:
        members = list(source.document.items())
        random.Random(7).shuffle(members)
        for text in (json.dumps(dict(members)), yaml.safe_dump(dict(members), allow_unicode=True, width=1000)):
            again = parse_source(text.encode(), "elsewhere.yaml")
            assert freeze(again, LIBRARY[::-1]) == freeze(source, LIBRARY)


def test_every_flipped_byte_is_refused_or_another_digest() -> None:
    """No change of a closure goes unseen: it does not read, or its digest is another."""
    data = freeze(OPENER, LIBRARY)
    for index in random.Random(1).sample(range(len(data)), 60):
        flipped = data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]
        assert canonical.digest(flipped) != canonical.digest(data)
        try:
            check_closure("prompt", flipped)
        except InvalidDocument:
            continue


@examples(30)
@given(st.text(st.characters(codec="utf-8", exclude_characters="{"), min_size=1, max_size=60))
def test_plain_texts_come_through_untouched(text: str) -> None:
    """A text without template marks stands in the closure exactly as it was written, with or without an include."""
    shared = include("a", text + "\n")
    assert parse_prompt(freeze(script(text), ())).fallback == text
    assert parse_prompt(freeze(script('{% include "a" %}', "a"), [shared])).fallback == text


@examples(30)
@given(st.permutations(LIBRARY), st.sampled_from(CLOSED))
def test_freezing_is_deterministic(sources: list[Source], source: Source) -> None:
    """The order in which sources are found changes nothing, and freezing changes no source."""
    before = json.dumps(source.document, sort_keys=True)
    assert freeze(source, sources) == freeze(source, LIBRARY)
    assert json.dumps(source.document, sort_keys=True) == before


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string"], "x-data-class": "R1"},
        {"type": "string", "x-data-class": "R1", "maxLength": "9"},
        {"type": "string", "x-data-class": "R1", "minLength": 9, "maxLength": 3},
        {"type": "string", "x-data-class": "R1", "enum": 5},
        {"type": "string", "x-data-class": "R1", "enum": [5]},
        {"type": "integer", "x-data-class": "R1", "minimum": 2, "default": 1},
        {"type": "boolean", "x-data-class": "R1", "default": "yes"},
    ],
)
def test_attack_input_schema_that_cannot_be_checked_is_refused(schema: dict[str, object]) -> None:
    """Bounds, choices and defaults of another type are a malformed document, not a failure of the device."""
    with pytest.raises(InvalidDocument, match="input schema"):
        parse_inputs({"type": "object", "additionalProperties": False, "properties": {"a": schema}})


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/nothing"},
        {"$dynamicRef": "http://127.0.0.1:9/schema"},
        {"$ref": "http://127.0.0.1:9/schema"},
        {"properties": {"a": {"pattern": "["}}},
    ],
)
def test_attack_output_schema_that_cannot_be_followed_fits_nothing(schema: dict[str, object]) -> None:
    """A schema that leads nowhere, in a circle or to the network makes a device refuse the output, not fail."""
    assert check_output(schema, {"a": "x"}) == ("# cannot be checked",)
