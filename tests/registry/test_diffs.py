"""Diffs: nothing that changed is missing, nothing that stayed is shown as changed, and it can be read."""

from __future__ import annotations

import itertools
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from control_plane.diffs.words import FieldDiff, Span, as_text, diff_closures, diff_texts, field_texts
from control_plane.sources.closures import freeze
from edge_runtime.core import canonical
from tests.starter import LIBRARY

KEYS = st.sampled_from(["a", "id", "name", "x.y", "[0]"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(st.characters(codec="utf-8"), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["a", "b", "rules", "a.b", ""]), _JSON, max_size=4)
WORDS = st.lists(st.sampled_from(["you", "will", " ", "\n", ".", "plan", "é", "", "  "]), max_size=40).map("".join)


def joined(spans: tuple[Span, ...], other: str) -> str:
    """Return what stayed and what was added or removed, as one text."""
    return "".join(span.text for span in spans if span.op in {"same", other})


@given(WORDS, WORDS)
def test_spans_give_both_texts_back(before: str, after: str) -> None:
    """Same and removed are the text before, same and added the text after, to the last blank."""
    spans = diff_texts(before, after)
    assert (joined(spans, "removed"), joined(spans, "added")) == (before, after)
    assert all(span.text for span in spans)
    assert all(a.op != b.op for a, b in itertools.pairwise(spans)), "neighbours are merged"


@given(DOCUMENTS, DOCUMENTS)
def test_diff_is_empty_only_for_the_same_bytes(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Whatever differs in a closure shows: type, order and presence included; what is equal does not."""
    old, new = canonical.encode(before), canonical.encode(after)
    diffs = diff_closures(old, new)
    assert bool(diffs) == (old != new)
    for diff in diffs:
        assert joined(diff.spans, "removed") == field_texts(old).get(diff.field, "")
        assert joined(diff.spans, "added") == field_texts(new).get(diff.field, "")


def test_words_are_shown_whole() -> None:
    """Neighbouring changed words are one change, and no word is cut up."""
    assert diff_texts("Where do you want to start?", "Where would you like to start?") == (
        Span("same", "Where "),
        Span("removed", "do"),
        Span("added", "would"),
        Span("same", " you "),
        Span("removed", "want"),
        Span("added", "like"),
        Span("same", " to start?"),
    )
    assert diff_texts("one two.", "three four.") == (
        Span("removed", "one two"),
        Span("added", "three four"),
        Span("same", "."),
    )


def test_new_closure_is_all_added() -> None:
    """Without a version before, everything is new."""
    source = next(source for source in LIBRARY if source.name == "micro-session" and source.kind == "prompt")
    diffs = diff_closures(None, freeze(source, LIBRARY))
    assert {span.op for diff in diffs for span in diff.spans} == {"added"}
    assert "fill.checkpoint.what" in {diff.field for diff in diffs}


def test_rules_go_by_their_ids() -> None:
    """A rule put before others does not make all of them look changed."""
    rule = {"because": "b", "when": {}, "at_most": "device"}
    before = canonical.encode({"rules": [{"id": "one", **rule}, {"id": "two", **rule}]})
    after = canonical.encode({"rules": [{"id": "new", **rule}, {"id": "one", **rule}, {"id": "two", **rule}]})
    fields = [diff.field for diff in diff_closures(before, after)]
    assert fields == ["rules", "rules[new].at_most", "rules[new].because", "rules[new].id", "rules[new].when"]


def test_terminal_text_marks_changes_and_cuts_the_rest() -> None:
    """A terminal shows what was and what is; long text around it is cut."""
    long = "word " * 100
    spans = (Span("same", long), Span("removed", "old"), Span("added", "new"), Span("same", long))
    shown = as_text([FieldDiff("reply", spans)])
    assert shown.startswith("reply:\n     \u2026 ")
    assert "-[old]+[new]" in shown
    assert len(shown) < 200
    assert as_text([]) == ""


def test_attack_escape_sequences_do_not_reach_the_terminal() -> None:
    """A closure cannot move the cursor of whoever reviews it."""
    assert "\x1b" not in as_text(diff_closures(None, canonical.encode({"a\x1b": "\x1b[2J"})))


def test_large_texts_are_compared_in_good_time() -> None:
    """The longest text that a closure may hold is compared within seconds."""
    before, after = "a b c d " * 2500, "b d a e " * 2500
    begin = time.perf_counter()
    spans = diff_texts(before, after)
    assert time.perf_counter() - begin < 5
    assert joined(spans, "added") == after
