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
from edge_runtime.core.redaction import PlaceholderTable, find_raw_values, redact
from edge_runtime.proving.canaries import KINDS, SENSE, WAYS, Maker
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
    """What a proof plants cannot be known before; every kind stands where it is said to, written in many ways."""
    texts, planted = write_corpus(400, Random(1))
    _, others = write_corpus(200, Random(2))

    assert {canary.value for canary in planted} & {canary.value for canary in others} == set()
    written = {(planted[place.canary].kind, place.way) for text in texts for place in text.places}
    assert {kind for kind, _ in written} == set(KINDS)
    assert all({way for one, way in written if one == kind} >= {*WAYS} for kind in ("name", "health", "account"))
    assert all(len({way for one, way in written if one == kind}) > 5 for kind in KINDS if kind != "split number")
    assert any(text.crisis for text in texts)
    search = Search(planted)
    for text in texts[: drawn(60)]:
        for place in text.places:
            said = text.turns[place.turn][place.start : place.end]
            assert place.canary in search.find(said), (place.way, said)


def test_what_is_planted_is_covered_or_refused() -> None:
    """What a proof holds the runtime to is what the product promises, however it is written and in how many turns."""
    texts, planted = write_corpus(drawn(80), Random(11))
    search = Search(planted)
    for text in texts:
        reader, table = TextReader(names=text.names, terms=text.terms), PlaceholderTable()
        for known in (*text.names, *text.terms):
            _, table = redact(known, reader.read(known), table)
        for said in text.turns:
            covered, table = redact(said, reader.read(said), table)
            left = search.find(covered.text)
            assert not left or find_raw_values(covered.text.encode(), table), (covered.text, left)


def test_what_only_its_sense_tells_is_planted_only_where_it_is_asked_for() -> None:
    """By default the app is told all that no form gives away, so that a proof promises no more than the product."""
    usual, known = write_corpus(40, Random(3))
    _, sensed = write_corpus(40, Random(3), untold=True)

    assert all(canary.guard != SENSE for canary in known)
    assert {canary.kind for canary in sensed if canary.guard == SENSE} == {"health", "other name"}
    told = {value for text in usual for value in (*text.names, *text.terms)}
    assert {canary.value for canary in known if canary.told} == told
