"""Sentences: lists stay apart, broken lines go together."""

from __future__ import annotations

import pytest

from edge_runtime.core.reader.sentences import sentence_spans


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_a_line_that_an_editor_broke_goes_on(line_break: str) -> None:
    """A long line goes on in the next; a blank line, a list mark or a short line ends the sentence."""
    long = "word " * 13 + "end"
    text = line_break.join([long, "of it. Then more.", "", long, "", "next", "short", long, "- listed"])

    found = [text[span.start : span.end] for span in sentence_spans(text)]

    assert found == [f"{long}{line_break}of it.", "Then more.", long, "next", "short", long, "listed"]
