"""The description of the reader's model: read strictly, and refused where it promises what it does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.reader.model import parse_reader_model
from tests.vectors.generate_kinds import reader


def changed(**members: object) -> bytes:
    """Return the example with other members; `None` leaves one out."""
    document = {**reader(), **members}
    return canonical.encode({name: value for name, value in document.items() if value is not None})


def test_the_first_stage_may_be_none() -> None:
    """A model without a gate reads every sentence."""
    assert parse_reader_model(changed()).gate is not None
    assert parse_reader_model(changed(gate={})).gate is None


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"thresholds": {}}, "at least one"),
        ({"thresholds": {"PLANET": 5000}}, "what the model has"),
        ({"thresholds": {"PERSON": 0}}, "from 1 to 10000"),
        ({"scores": []}, "measured score"),
        ({"self_test": []}, "self-test of at least one line"),
        ({"entities": ["PERSON", "PERSON"]}, "each once"),
        ({"labels": ["Crisis"]}, "each once"),
        ({"parts": ["WHO", "WHY"]}, "WHO, WHAT, WHEN"),
        ({"entities": ["WHO"], "thresholds": {"WHO": 1}}, "got one twice"),
        ({"overlap_tokens": 128}, "less than half"),
        ({"tokenizer": None}, "'tokenizer'"),
        ({"emotion": 1}, "no member"),
    ],
)
def test_what_does_not_fit_is_refused(members: dict[str, Any], expected: str) -> None:
    """Each rule of the format has an error that says what was expected."""
    with pytest.raises(InvalidDocument, match=expected):
        parse_reader_model(changed(**members))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda probe: probe["labels"].update(joy=[0, 1]),
        lambda probe: probe["labels"].update(crisis=[2, 1]),
        lambda probe: probe["labels"].update(crisis=[0, 10_001]),
        lambda probe: probe["labels"].update(crisis=5),
        lambda probe: probe["entities"].append(["PLANET", 0, 1]),
        lambda probe: probe["entities"].append(["PERSON", 1, 1]),
        lambda probe: probe["parts"].append(["PERSON", 0, 1]),
        lambda probe: probe["parts"].append(["WHO", 0]),
    ],
)
def test_a_self_test_asks_for_what_the_model_has(spoil: Callable[[dict[str, Any]], None]) -> None:
    """A test of another label, of no place or without bounds would test nothing."""
    document = reader()
    spoil(document["self_test"][0])
    with pytest.raises(InvalidDocument, match="expected"):
        parse_reader_model(canonical.encode(document))
