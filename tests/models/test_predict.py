"""From shares of tokens to spans, and thresholds that keep what they promise."""

from __future__ import annotations

import numpy as np

from models.data.example import Example, Mark
from models.names import ENTITY_TAGS, LABELS, PART_TAGS, PARTS
from models.predict import Predicted, spans_of, tags_of_words
from models.thresholds import choose_thresholds, rescored, touched_share
from models.tokens import UNKNOWN, tag_numbers

LIMITS = [("PERSON", 0.5), ("ORG", 0.5)]


def predicted(text: str, labels: dict[str, float], person: float = 0.0) -> Predicted:
    """Return what a model says of a text of one word: how much of a person it is, and its labels."""
    entities = np.zeros((1, len(ENTITY_TAGS)), np.float32)
    entities[0, 0], entities[0, 1] = 1 - person, person
    parts = np.zeros((1, len(PART_TAGS)), np.float32)
    return Predicted(
        text=text,
        entities=tags_of_words(text, [(0, len(text))], entities),
        parts=tags_of_words(text, [(0, len(text))], parts),
        labels=np.array([labels.get(name, 0.0) for name in LABELS], np.float32),
    )


def test_pieces_make_words_and_words_make_spans() -> None:
    """A word is what its pieces are in the mean; one that goes on joins the one before it; one that begins does not."""
    text, offsets = "ask Priyanka Raman Tom", [(0, 3), (4, 9), (9, 12), (13, 18), (19, 22)]
    shares = np.zeros((5, 5), np.float32)
    shares[1, 1], shares[2, 2], shares[3, 2], shares[4, 1] = 0.9, 0.2, 0.9, 0.9
    found = spans_of(text, tags_of_words(text, offsets, shares), LIMITS)
    assert [(kind, text[start:end]) for kind, start, end in found] == [("PERSON", "Priyanka Raman"), ("PERSON", "Tom")]
    shares[1, 1] = 0.7
    found = spans_of(text, tags_of_words(text, offsets, shares), LIMITS)
    assert [text[start:end] for _, start, end in found] == ["Raman", "Tom"]
    assert spans_of("", tags_of_words("", [], shares[:0]), LIMITS) == []


def test_a_word_below_its_limit_is_nothing() -> None:
    """The likeliest kind counts only if it reaches its limit."""
    tags = tags_of_words("ab cd", [(0, 2), (3, 5)], np.array([[0.5, 0.4, 0, 0.1, 0], [0.9, 0.1, 0, 0, 0]], np.float32))
    assert spans_of("ab cd", tags, LIMITS) == []
    assert spans_of("ab cd", tags, [("PERSON", 0.4), ("ORG", 0.4)]) == [("PERSON", 0, 2)]


def test_tags_of_tokens_follow_marks() -> None:
    """The first token of a mark begins it, the others go on; special tokens and unjudged examples have no tag."""
    offsets = [(0, 0), (0, 3), (4, 9), (9, 12), (0, 0)]
    tags = tag_numbers(offsets, [Mark("PERSON", 4, 12)], ENTITY_TAGS)
    assert tags == (UNKNOWN, 0, ENTITY_TAGS.index("B-PERSON"), ENTITY_TAGS.index("I-PERSON"), UNKNOWN)
    assert tag_numbers(offsets, None, PART_TAGS) == (UNKNOWN,) * 5


def test_thresholds_keep_their_promises() -> None:
    """Crisis is set below every case but the lowest fiftieth, injection above all but a fiftieth of the harmless."""
    examples, read = [], []
    for number in range(200):
        text, share = f"w{number}", (number + 1) / 201
        holds = {"crisis": number >= 100, "injection": number >= 150, "worry": number >= 80}
        judged = {"lang": "en", "family": "f", "voice": "chat", "parts": (), "labels": holds}
        examples.append(Example(text=text, entities=(Mark("PERSON", 0, len(text)),) if number > 50 else (), **judged))
        read.append(predicted(text, dict.fromkeys(holds, share), share))
    chosen = {one.name: one for one in choose_thresholds(examples, read)}
    assert set(chosen) == {"crisis", "injection", "worry", "PERSON", *PARTS}, "nothing is known of the others"
    assert (chosen["crisis"].metric, chosen["crisis"].score) == ("recall", 1.0)
    harmless = [share for share in (number / 201 for number in range(1, 151)) if share >= chosen["injection"].threshold]
    assert 0 < len(harmless) <= 3
    assert chosen["worry"].score > 0.99
    names = {one.name: one.threshold for one in chosen.values()}
    assert touched_share(examples, [one.found_entities(names) for one in read]) <= 0.07
    assert {one.name: one.score for one in rescored(examples, read, list(chosen.values()))} == {
        name: one.score for name, one in chosen.items()
    }
