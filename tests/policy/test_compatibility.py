"""Compatibility of contracts: exact against brute force, every break with an example that the validators confirm."""

from __future__ import annotations

from functools import cache
from itertools import combinations, product
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.policy.compatibility import MODES, Version, find_breaks
from control_plane.policy.compatibility.inputs import refused_calls
from control_plane.policy.compatibility.outputs import opened, unexpected_outputs
from edge_runtime.core.contract import InputContract, check_inputs, check_output, parse_inputs
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.prompt import Prompt
from tests.conftest import examples
from tests.policy.scripts import prompt

# --- inputs ----------------------------------------------------------------------------------------------------------

TEXTS = ["", "x", "y", "xx", "xxx"]
NUMBERS = [-1, 0, 1, 2, 3]
LISTS = [["x"] * count for count in range(4)]
VALUES = [None, *TEXTS, *NUMBERS, False, True, *LISTS]
CALLS = [
    {name: value for name, value in zip("ab", pair, strict=True) if value is not None}
    for pair in product(VALUES, repeat=2)
]


def _bounded(low: str, high: str, sizes: tuple[int, ...]) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(st.sampled_from([None, *sizes]), st.sampled_from([None, *sizes]))
    fitting = pairs.filter(lambda pair: None in pair or pair[0] <= pair[1])  # type: ignore[operator]
    return fitting.map(lambda pair: {k: v for k, v in zip((low, high), pair, strict=True) if v is not None})


def _chosen(values: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(lambda found: {"enum": found})


@st.composite
def inputs(draw: st.DrawFn, *, defaults: bool = True) -> dict[str, Any]:
    """Draw one declared input, bounds and choices together now and then; values beyond 3 look like those at 3."""
    kind = draw(st.sampled_from(["string", "integer", "boolean", "array"]))
    schema: dict[str, Any] = {"type": kind, "x-data-class": "R1"}
    if kind == "string":
        schema |= draw(_bounded("minLength", "maxLength", (0, 1, 2)))
        schema |= draw(st.just({}) | _chosen(TEXTS))
    elif kind == "integer":
        schema |= draw(_bounded("minimum", "maximum", (0, 1, 2)))
        schema |= draw(st.just({}) | _chosen(NUMBERS))
    elif kind == "array":
        schema |= {"items": {"type": "string"}} | draw(_bounded("minItems", "maxItems", (0, 1, 2)))
    if defaults and draw(st.booleans()):
        fitting = [v for v in VALUES if v is not None and _accepts(_contract({"a": schema}), {"a": v})]
        schema |= {"default": draw(st.sampled_from(fitting))} if fitting else {}
    return schema


@st.composite
def contracts(draw: st.DrawFn, *, defaults: bool = True) -> InputContract:
    """Draw a contract of up to two inputs."""
    properties = draw(st.dictionaries(st.sampled_from("ab"), inputs(defaults=defaults)))
    required = [name for name in sorted(properties) if draw(st.booleans())]
    return _contract(properties, required)


def _contract(properties: dict[str, Any], required: list[str] | None = None) -> InputContract:
    stated = {"required": required} if required is not None else {}
    return parse_inputs({"type": "object", "additionalProperties": False, "properties": properties, **stated})


def _accepts(contract: InputContract, call: dict[str, Any]) -> bool:
    try:
        check_inputs(contract, call)
    except InvalidDocument:
        return False
    return True


@examples(60)
@given(old=contracts(), new=contracts())
def test_refused_calls_are_exactly_those_that_brute_force_finds(old: InputContract, new: InputContract) -> None:
    """Something is found if and only if some call is taken by the one and refused by the other; each example is one."""
    found = list(refused_calls(old, new))
    assert bool(found) == any(_accepts(old, call) and not _accepts(new, call) for call in CALLS)
    for one in found:
        assert _accepts(old, dict(one.call))
        assert not _accepts(new, dict(one.call))


@examples(15)
@given(contract=contracts(defaults=False))
def test_a_device_takes_the_calls_that_the_schema_describes(contract: InputContract) -> None:
    """Without defaults, what a device accepts is what JSON Schema accepts: the contract is the published schema."""
    validator = jsonschema.Draft202012Validator(contract.schema)
    assert [_accepts(contract, call) for call in CALLS] == [validator.is_valid(call) for call in CALLS]


def test_inputs_are_told_one_by_one() -> None:
    """Each member that breaks callers is named, with the reason in the words of the device."""
    text = {"type": "string", "maxLength": 200, "x-data-class": "R1"}
    old = _contract({"gone": text, "narrow": text, "free": text, "same": text}, ["narrow"])
    new = _contract(
        {"narrow": {**text, "maxLength": 10}, "free": text, "same": text, "more": text}, ["narrow", "free", "more"]
    )
    found = {one.place: one.because for one in refused_calls(old, new)}
    assert found == {
        "gone": "input 'gone' is not taken",
        "narrow": "expected input 'narrow' to have 0 to 10 characters",
        "free": "input 'free' must be given",
        "more": "input 'more' must be given",
    }


def test_a_required_input_with_a_default_breaks_nobody() -> None:
    """A device fills the default in, so callers who never heard of the input go on working."""
    text = {"type": "string", "x-data-class": "R1", "default": "x"}
    assert list(refused_calls(_contract({}), _contract({"a": text}, ["a"]))) == []


# --- outputs ---------------------------------------------------------------------------------------------------------

ATOMS: list[Any] = [None, False, True, 0, 1, 2, 3, 0.5, 1.5, "", "x", "xx", "xxx", "y"]
FEW: list[Any] = [None, True, 0, 1, 0.5, "", "x"]


@cache
def _instances() -> list[Any]:
    """Return values enough to tell any two of the small schemas below apart."""
    lists = [list(pair) for count in range(4) for pair in product(FEW if count < 3 else [0, 1, "x"], repeat=count)]
    objects = [
        dict(pairs) for count in range(3) for names in combinations("ab", count) for pairs in _members(names, FEW)
    ]
    nested = [{"a": value} for value in [*lists[:60], *objects[:80]]] + [[value] for value in objects[:80]]
    return [*ATOMS, *lists, *objects, *nested]


def _members(names: tuple[str, ...], values: list[Any]) -> list[list[tuple[str, Any]]]:
    return [list(zip(names, chosen, strict=True)) for chosen in product(values, repeat=len(names))]


def leaves() -> st.SearchStrategy[Any]:
    """Draw small schemas of texts, numbers and the like."""
    types = st.sampled_from(["string", "integer", "number", "boolean", "null"])
    return st.one_of(
        types.map(lambda kind: {"type": kind}),
        st.tuples(types, types).filter(lambda two: two[0] != two[1]).map(lambda two: {"type": list(two)}),
        _bounded("minLength", "maxLength", (0, 1, 2)).map(lambda found: {"type": "string", **found}),
        _bounded("minimum", "maximum", (0, 1, 2)).map(lambda found: {"type": "integer", **found}),
        _bounded("minimum", "maximum", (0, 1, 2)).map(lambda found: {"type": "number", **found}),
        _chosen(["", "x", "y", 1, True, None]),
        st.sampled_from(["x", 1, None]).map(lambda value: {"const": value}),
        st.sampled_from([True, {}, {"type": "string", "enum": ["x", 1]}]),
    )


def schemas() -> st.SearchStrategy[Any]:
    """Draw small schemas of the part that is followed."""
    return st.recursive(leaves(), lambda inner: _listed(inner) | _object(inner), max_leaves=3)


def _listed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    counts = _bounded("minItems", "maxItems", (0, 1, 2))
    unique = st.sampled_from([{}, {"uniqueItems": True}])
    return st.tuples(inner, counts, unique).map(lambda t: {"type": "array", "items": t[0], **t[1], **t[2]})


def _object(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.dictionaries(st.sampled_from("ab"), inner)
    required = st.lists(st.sampled_from("ab"), unique=True).map(sorted)
    closed = st.sampled_from([{}, {"additionalProperties": False}])
    return st.tuples(members, required, closed).map(
        lambda t: {"type": "object", "properties": t[0], "required": t[1], **t[2]}
    )


@examples(80)
@given(promised=schemas(), given_=schemas())
def test_unexpected_outputs_are_exactly_those_that_brute_force_finds(promised: Any, given_: Any) -> None:
    """Something is found if and only if some output fits the one and not the other, opened; each example is one."""
    # The whole output of a script is an object, so the schemas stand in a member of one.
    before, after = (
        {"type": "object", "properties": {"m": s}, "required": ["m"], "additionalProperties": False}
        for s in (promised, given_)
    )
    found = list(unexpected_outputs(before, after))
    fits = jsonschema.Draft202012Validator(after).is_valid
    expected = jsonschema.Draft202012Validator(opened(before)).is_valid
    if any(fits(one) and not expected(one) for one in ({"m": value} for value in _instances())):
        assert found
    for one in found:
        assert one.output is not None
        assert check_output(after, one.output) == ()
        assert check_output(opened(before), one.output) != ()


OUTPUT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["text", "tags"],
    "properties": {
        "text": {"type": "string", "pattern": "^You ", "maxLength": 40},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1, "maxItems": 3},
        "note": {"type": "string"},
    },
}


def _output(**changed: Any) -> dict[str, Any]:
    return {**OUTPUT, "properties": {**OUTPUT["properties"], **changed}}


def test_what_stays_or_is_added_breaks_no_parser() -> None:
    """The same schema, a further member and a narrower one are all expected by a parser for the version before."""
    further = _output(more={"type": "integer"})
    narrower = _output(tags={"type": "array", "items": {"const": "a"}, "minItems": 1, "maxItems": 1})
    for after in (OUTPUT, further, narrower):
        assert list(unexpected_outputs(OUTPUT, after)) == []


@pytest.mark.parametrize(
    ("after", "place", "because"),
    [
        (
            _output(tags={**OUTPUT["properties"]["tags"], "minItems": 0}),
            "tags",
            "the number of members may be less than 1",
        ),
        (_output(tags={**OUTPUT["properties"]["tags"], "items": {"enum": ["a", "c"]}}), "tags.[]", 'it may be "c"'),
        (_output(note={"type": ["string", "null"]}), "note", "it may be nothing"),
    ],
)
def test_a_sample_makes_examples_where_a_pattern_stands_in_the_way(after: Any, place: str, because: str) -> None:
    """A break beside a member with a pattern is shown by varying an output that is known to fit."""
    sample = {"text": "You did it.", "tags": ["a"]}
    [one] = unexpected_outputs(OUTPUT, after, [sample])
    assert (one.place, one.because) == (place, because)
    assert one.output is not None
    [without] = unexpected_outputs(OUTPUT, after)
    assert (without.place, without.output) == (place, None)


def test_a_longer_list_is_shown_with_members_that_are_known_to_fit() -> None:
    """Where a pattern stands inside the members, an example repeats those of a sample."""
    before = _output(tags={"type": "array", "items": {"type": "string", "pattern": "^t"}, "maxItems": 1})
    after = _output(tags={"type": "array", "items": {"type": "string", "pattern": "^t"}, "maxItems": 2})
    [one] = unexpected_outputs(before, after, [{"text": "You did it.", "tags": ["to do"]}])
    assert one.output == {"text": "You did it.", "tags": ["to do", "to do"]}


@pytest.mark.parametrize(
    "after",
    [
        _output(text={"type": "string", "maxLength": 40}),
        _output(text={**OUTPUT["properties"]["text"], "pattern": "^Your "}),
    ],
)
def test_what_cannot_be_decided_counts_as_a_break(after: Any) -> None:
    """A pattern that goes or changes is told, with or without an example: nothing is passed over."""
    assert [one.place for one in unexpected_outputs(OUTPUT, after)] == ["text"]


# --- modes -----------------------------------------------------------------------------------------------------------


def _versions() -> tuple[Prompt, Prompt, Prompt]:
    text = {"type": "string", "maxLength": 200, "x-data-class": "R1"}
    oldest = prompt(inputs={"work": text, "mood": text}, required=["work"])
    before = prompt(inputs={"work": text}, required=["work"])
    new = prompt(inputs={"work": text, "when": text}, required=["work", "when"])
    return oldest, before, new


def test_modes_hold_the_versions_against_each_other_that_they_name() -> None:
    """Backward asks what breaks old callers, forward what breaks new ones; transitive forms ask every version."""
    oldest, before, new = _versions()
    earlier = [Version("release 2", before), Version("release 1", oldest)]
    told = {mode: sorted((b.direction, b.place, b.against) for b in find_breaks(new, earlier, mode)) for mode in MODES}
    back = [("backward", "when", "release 2")]
    forth = [("forward", "when", "release 2")]
    further = [("backward", "mood", "release 1"), ("backward", "when", "release 1")]
    assert told == {
        "none": [],
        "backward": back,
        "backward-transitive": sorted(back + further),
        "forward": forth,
        "forward-transitive": sorted([*forth, ("forward", "when", "release 1")]),
        "full": sorted(back + forth),
        "full-transitive": sorted(back + further + [*forth, ("forward", "when", "release 1")]),
    }


def test_a_new_required_input_and_a_removed_output_are_told_as_sentences() -> None:
    """People read who breaks, why, and an example."""
    _, before, _ = _versions()
    text = {"type": "string", "maxLength": 200, "x-data-class": "R1"}
    new = prompt(
        inputs={"work": text, "when": text},
        required=["work", "when"],
        output={"type": "object", "additionalProperties": False, "properties": {"note": {"type": "string"}}},
    )
    first, second = find_breaks(new, [Version("release 2", before)], "backward")
    assert first.sentence == (
        'the new version refuses a call that release 2 takes: input \'when\' must be given, as in {"work": ""}'
    )
    assert second.sentence == (
        "the new version may give what a reader of release 2 does not expect: in 'message' of the output, "
        "it may be missing, as in {}"
    )


def test_an_unknown_mode_is_refused() -> None:
    """A mode that is none is a mistake, never `none`."""
    _, before, new = _versions()
    with pytest.raises(ValueError, match="another mode"):
        find_breaks(new, [Version("release 2", before)], "Backward")
