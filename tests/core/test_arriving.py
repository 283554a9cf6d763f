"""Answers while they arrive: what may be told of one is the beginning of what it will say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.arriving import Arriving
from edge_runtime.core.template import render
from tests.conftest import examples

TEMPLATES = (
    "{{ text }}\n{% for line in lines %}- {{ line }}\n{% endfor %}{{ number }} {{ when.day }}",
    "{% for x in lines %}{{ loop.index }} {{ x }}{% if not loop.last %}; {% endif %}{% endfor %}{{ lines|length }}",
    "{{ text|trim }}{% if not lines %}none{% endif %} {{ text }}",
    "{{ lines|length }} {{ lines|join(', ') }} {{ lines|first }} {{ text|upper }} {{ text|capitalize }}",
    "{% if text == 'a' %}yes{% else %}{{ text }}{% endif %} {% if when.day %}{{ when.day }}{% endif %}{{ lines|last }}",
    "{{ given }}: {% for line in lines %}{{ line|trim }} {% endfor %}{{ number }}{{ text }}",
)
TEXTS = st.lists(
    st.sampled_from(
        ["a", "One. ", "Two! ", "é ", "\n", "\\", '"', "\\n", "{", "}", "]", " ", "[PERSON_1]", "\U0001f600"]
    )
).map("".join)
OUTPUTS = st.fixed_dictionaries(
    {
        "text": TEXTS,
        "lines": st.lists(TEXTS, min_size=1, max_size=4),
        "number": st.integers(-99, 9999),
        "when": st.fixed_dictionaries({"day": TEXTS, "hours": st.lists(st.integers(0, 9), max_size=2)}),
    }
)


@pytest.mark.parametrize("template", TEMPLATES)
@examples(25)
@given(output=OUTPUTS, data=st.data())
def test_what_is_told_early_is_the_beginning_of_the_whole(
    template: str, output: dict[str, object], data: st.DataObject
) -> None:
    """Whatever the template, the order of members and the cuts: nothing that was told is taken back."""
    values = {"given": "x"}
    whole = render(template, {**values, **output})
    names = data.draw(st.permutations(list(output)))
    answer = "Sure: " + json.dumps(
        {name: output[name] for name in names},
        ensure_ascii=data.draw(st.booleans()),
        indent=data.draw(st.sampled_from([None, 1])),
    )
    size = data.draw(st.integers(1, 9))
    arriving = Arriving(template, values)
    told = ""
    for at in range(0, len(answer), size):
        arriving.feed(answer[at : at + size])
        prefix = arriving.prefix()
        assert whole.startswith(prefix)
        assert prefix.startswith(told)
        told = prefix
    assert told == whole


def test_whole_sentences_of_a_text_are_told_while_it_goes_on() -> None:
    """A full stop is an end where a blank follows: an address is not cut; a list is told member by member."""
    arriving = Arriving("{{ text }}", {})
    arriving.feed('{"text": "Write to mara@example.')
    assert arriving.prefix() == ""
    arriving.feed("org. Then")
    assert arriving.prefix() == "Write to mara@example.org."
    listing = Arriving("{% for line in lines %}{{ line }}\n{% endfor %}!", {})
    listing.feed('{"lines": ["one", "two", "thr')
    assert listing.prefix() == "one\ntwo\n"


@pytest.mark.parametrize(
    "answer", ["", "no json", "[1, 2]", '{1: "x"}', '{"a": }', '{"text": "x", "text": "y"}', "}{{"]
)
def test_what_is_no_object_tells_nothing_wrong(answer: str) -> None:
    """Garbage, or a member said twice: nothing more is told, and nothing fails."""
    arriving = Arriving("{{ text }}", {})
    for character in answer:
        arriving.feed(character)
        assert arriving.prefix() in {"", "x"}
