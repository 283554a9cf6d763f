"""The search of a proof finds canaries however they are written, and nothing else."""

from __future__ import annotations

import base64
import gzip
import json
import quopri
import urllib.parse
import zlib
from random import Random

import pytest

from edge_runtime.core.reader import TextReader
from edge_runtime.proving.canaries import FORM, KINDS, TEXT, WAYS, Maker
from edge_runtime.proving.corpus import write_corpus
from edge_runtime.proving.search import Search
from tests.conftest import drawn

WRITTEN = {
    **{name: lambda value, write=write: write(value).encode() for name, write in WAYS.items()},
    "small letters": lambda value: value.lower().encode(),
    "in a header": lambda value: b"POST / HTTP/1.1\r\nTrace: " + value.encode() + b"\r\n\r\n",
    "JSON": lambda value: json.dumps({"a": [f"x{value}y"]}).encode(),
    "JSON in JSON": lambda value: json.dumps(json.dumps([WAYS["JSON escapes"](value)])).encode(),
    "base64 shifted": lambda value: base64.b64encode(b"ab" + value.encode() + b"cd"),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(b"?>" + value.encode()),
    "base64 wrapped": lambda value: base64.encodebytes(b"a" * 50 + b" " + value.encode()),
    "base64 twice": lambda value: base64.b64encode(base64.b64encode(b"ab" + value.encode())),
    "hex in capitals": lambda value: value.encode().hex(" ").upper().encode(),
    "UTF-16": lambda value: value.encode("utf-16"),
    "a form": lambda value: urllib.parse.urlencode({"a": value}).encode(),
    "quoted-printable": lambda value: quopri.encodestring(("é" + value).encode()),
    "gzip": lambda value: b"head" + gzip.compress(value.encode()),
    "zlib": lambda value: zlib.compress(b"x" * 9 + value.encode()),
    "letters apart": lambda value: " ".join(value).encode(),
    "lines": lambda value: "\n".join(value.split()).encode(),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_a_canary_is_found_however_it_is_written(way: str) -> None:
    """Codes at any alignment, one inside another, and what stands between its letters."""
    maker = Maker(Random(7))
    for kind in KINDS:
        if kind != "half a number":
            maker.make(kind)
    search = Search(maker.made)
    for canary in maker.made:
        assert canary.number in search.find(WRITTEN[way](canary.value)), (canary.kind, canary.value)


def test_each_part_of_a_name_counts() -> None:
    """Half a name in a log is a leak."""
    maker = Maker(Random(1))
    name = maker.make("name")
    assert all(Search(maker.made).find(part.upper()) == {0} for part in name.parts)


def test_nothing_is_found_where_nothing_is() -> None:
    """Texts of one proof hold no canary of another, nor do digests, times and numbers that are longer."""
    _, planted = write_corpus(40, Random(1))
    others, _ = write_corpus(40, Random(2))
    search = Search(planted)
    for text in others:
        for turn in text.turns:
            assert search.find(turn) == frozenset()
    birth = next(canary for canary in planted if canary.kind == "birth")
    digits = birth.value.replace(".", "")
    assert search.find(birth.value) == {birth.number}
    assert search.find(f"1{digits}") == search.find(f"{digits} 4711") == frozenset()


def test_no_two_proofs_plant_the_same() -> None:
    """What a proof plants cannot be known before; every kind is planted, and stands where it is said to."""
    texts, planted = write_corpus(200, Random())
    _, others = write_corpus(200, Random())

    assert {canary.value for canary in planted} & {canary.value for canary in others} == set()
    assert {canary.kind for canary in planted} == set(KINDS)
    assert any(text.crisis for text in texts)
    search = Search(planted)
    for text in texts[: drawn(60)]:
        for place in text.places:
            written = text.turns[place.turn][place.start : place.end]
            assert place.canary in search.find(written), (place.way, written)


def test_the_reader_finds_every_canary_that_has_a_form() -> None:
    """What the proof holds the runtime to is what its reader promises: form and checksum, however it is written."""
    texts, planted = write_corpus(drawn(80), Random(11))
    for text in texts:
        reader = TextReader(names=text.names, terms=text.terms)
        for turn, said in enumerate(text.turns):
            found = [(one.start, one.end) for one in reader.read(said).entities]
            for place in (
                one for one in text.places if one.turn == turn and planted[one.canary].guard in {FORM, "told"}
            ):
                covered = any(start < place.end and place.start < end for start, end in found)
                assert covered, (planted[place.canary].kind, place.way, said[place.start : place.end])
    assert {planted[place.canary].guard for text in texts for place in text.places} >= {FORM, TEXT}
