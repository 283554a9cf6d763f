"""Whatever arrives, parsers refuse with one error of ours, templates render or are refused, and redaction is undone.

Documents are spoilt where it may hurt: a member replaced, removed, added or doubled in something that was valid. `make
fuzz` draws two hundred times as many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core import canonical
from edge_runtime.core.approval import parse_rules
from edge_runtime.core.errors import InvalidDocument, MentorplaneError
from edge_runtime.core.manifest import parse_manifest
from edge_runtime.core.policy import parse_policy
from edge_runtime.core.prompt import parse_prompt
from edge_runtime.core.reader import Entity, Labels, Reading, TextReader
from edge_runtime.core.reader.model import parse_reader_model
from edge_runtime.core.redaction import PlaceholderTable, redact, restore
from edge_runtime.core.release import parse_release, parse_withdrawals
from edge_runtime.core.template import check_template, delimit, render
from edge_runtime.core.trustfile import parse_trust
from tests.conftest import examples
from tests.edge import tiny_reader
from tests.simulator import CHANNEL, Organisation

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.text(max_size=8),
    st.sampled_from(["", "R2", "/2"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
Parser = Callable[[bytes], object]


@cache
def documents() -> dict[str, tuple[Parser, bytes]]:
    """Return a valid document of each kind that a device reads, and what reads it."""
    organisation = Organisation()
    manifest = organisation.release(organisation.base_documents())
    organisation.withdraw("prompt", "opener")
    delivery = organisation.deliver()
    found = organisation.base_documents()
    return {
        "trust": (parse_trust, delivery.trust),
        "release": (parse_release, delivery.release),
        "withdrawals": (lambda data: parse_withdrawals(data, CHANNEL), delivery.withdrawals),
        "manifest": (parse_manifest, manifest.encode()),
        "policy": (parse_policy, found["policy", "organisation"]),
        "approval rules": (parse_rules, found["approval-rules", "approval-rules"]),
        "prompt": (parse_prompt, found["prompt", "opener"]),
        "reader": (parse_reader_model, canonical.encode(tiny_reader.document())),
    }


KINDS = ("trust", "release", "withdrawals", "manifest", "policy", "approval rules", "prompt", "reader")


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value at which something stands: what holds it, and its name or number there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for name, member in inside for place in ((value, name), *places(member))]


def spoil(data: bytes, draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """Return a document with something replaced, removed, added or doubled in one of its lines."""
    lines = data.split(b"\n")
    number = draw(st.integers(0, len(lines) - 1))
    document = json.loads(lines[number])
    for _ in range(draw(st.integers(1, 2))):
        held = places(document)
        if not held:
            break
        holder, name = held[draw(st.integers(0, len(held) - 1))]
        how = draw(st.sampled_from(["replace", "remove", "add", "double"]))
        if how == "remove":
            del holder[name]
        elif how == "replace":
            holder[name] = draw(JSON)
        elif isinstance(holder, dict):
            holder[draw(st.text(max_size=6))] = holder[name] if how == "double" else draw(JSON)
        else:
            holder.append(holder[name] if how == "double" else draw(JSON))
    spoilt = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    lines[number] = spoilt.encode("utf-8", "replace")
    return b"\n".join(lines)


@pytest.mark.parametrize("kind", KINDS)
def test_every_parser_has_its_document(kind: str) -> None:
    """The counterpart: what is spoilt below was valid."""
    parse, data = documents()[kind]
    assert parse(data) is not None


@pytest.mark.parametrize("kind", KINDS)
@examples(30)
@given(st.data())
def test_a_spoilt_document_is_refused_or_read(kind: str, data: st.DataObject) -> None:
    """No document makes a parser fail otherwise than by an error of ours in one short line."""
    parse, valid = documents()[kind]
    said = ""
    try:
        parse(spoil(valid, data.draw))
    except MentorplaneError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 400


@examples(60)
@given(st.sampled_from(KINDS), st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_refused(kind: str, data: bytes) -> None:
    """What is no document of ours is refused by every parser, in the same way."""
    with pytest.raises(MentorplaneError):
        documents()[kind][0](data)


TEMPLATE = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *("{{", "}}", "{%", "%}", "{#", "#}", "{{ notes }}", "{{ notes|upper }}", "{{ lines|join(', ') }}"),
                *(
                    "{% if notes %}",
                    "{% else %}",
                    "{% endif %}",
                    "{% for line in lines %}",
                    "{% endfor %}",
                    "{{ line }}",
                ),
                *("{{ task.title }}", "{{ loop.index }}", "{{ lines|first }}", "{{ 1 + 1 }}", "{{ notes.__class__ }}"),
                *("{% set x = 1 %}", "{% raw %}", "{% endraw %}", "{{ notes[0] }}", "{{ self }}", "{{ n|length }}"),
                *("-%}", "{%-", "|", ".", "(", ")", "'", '"', "\\", "\x00", "\n", "not ", "in ", "and ", "==", "notes"),
            ]
        ),
        st.text(max_size=4),
    ),
    max_size=8,
).map("".join)
VARIABLES = st.fixed_dictionaries(
    {
        "notes": st.one_of(st.text(max_size=12), st.just("{{ 6 * 7 }}{% for x in y %}")),
        "lines": st.lists(st.text(max_size=5), max_size=3),
        "task": st.dictionaries(st.sampled_from(["title", "items", "__class__"]), st.text(max_size=5), max_size=2),
        "n": st.integers(0, 9),
    }
)


@examples(80)
@given(TEMPLATE, VARIABLES)
def test_any_template_renders_or_is_refused(source: str, variables: dict[str, Any]) -> None:
    """A template is refused when it is checked or when it meets its values, with one error; values are never run."""
    try:
        check_template(source, variables)
        text = render(source, variables)
    except InvalidDocument:
        return
    assert "42" not in text or "42" in source + json.dumps(variables)


@given(
    st.text(max_size=40), st.lists(st.sampled_from(["<data", "</data ", "< / DATA", "\n", "m1", ">", "x"]), max_size=9)
)
def test_no_text_closes_its_own_mark(text: str, pieces: list[str]) -> None:
    """Whatever an untrusted text holds, there is one line that opens it and one that closes it."""
    wrapped = delimit({"notes": text + "".join(pieces)}, ["notes"], "m1")["notes"]
    marks = re.findall(r"(?i)<\s*/?\s*data\b", wrapped)
    assert marks == ([] if not wrapped else ["<data", "</data"])


READER = TextReader(names=("Priya Sharma", "Tom Baker", "Will"), terms=("C++",))
PIECES = st.sampled_from(
    [
        *("Priya", "PRIYA'S", "Sharmas", "Tom", "will", "C++", "[PERSON_1]", "[PERSON_", "1]", "[EMAIL_1]", "\\u0050"),
        *("a@b.example", "DE89 3704 0044 0532 0130 00", "+44 7700 900123", "dG9tQGV4YW1wbGUub3Jn", "%74om%40x.example"),
        *(
            "\uff30riya",
            "\u200b",
            "\u0301",
            "\u0130",
            "\u1e9e",
            "\ufb03",
            "\U0001f469\u200d\U0001f4bb",
            "\ud800",
            "\n",
            " ",
        ),
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=3), st.text("[]_1PERSON ", max_size=8)), max_size=10).map("".join)


@examples(60)
@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_restoring_undoes_redaction_whatever_a_text_holds(texts: list[str]) -> None:
    """Half surrogates, ligatures, look-alikes, codes: every text of a session comes back letter by letter."""
    table = PlaceholderTable()
    made = []
    for text in texts:
        redacted, table = redact(text, READER.read(text), table)
        made.append(redacted)
    assert [restore(redacted, table).text for redacted in made] == texts


@given(
    TEXTS, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from(["PERSON", "ORG"])), max_size=6)
)
def test_what_a_model_says_wrongly_does_no_harm(text: str, places: list[tuple[int, int, str]]) -> None:
    """Findings that overlap, are empty or cut a letter from its accent: covered, and undone."""
    inside = [(min(a, b, len(text)), min(max(a, b), len(text)), kind) for a, b, kind in places]
    entities = tuple(Entity(kind, start, end, "encoder") for start, end, kind in inside)
    reading = Reading(len(text), entities, Labels(None, "none", "", None), (), None, frozenset())
    redacted, table = redact(text, reading, PlaceholderTable())
    assert restore(redacted, table).text == text
    assert all(redacted.text[span.start : span.end] == span.placeholder for span in redacted.spans)
