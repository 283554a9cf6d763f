"""The last scan finds a raw value in whatever clothes it leaves."""

from __future__ import annotations

import base64
import json
import unicodedata
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.reader import TextReader
from edge_runtime.core.redaction import PlaceholderTable, find_raw_values, redact

NOTE = (
    "Zo\u00eb Sharma and Will Stone, zoe@example.com, +44 7700 900123, DE89 3704 0044 0532 0130 00, "
    "4111 1111 1111 1111, on Project Orion, typed [PERSON_7]."
)
READER = TextReader(names=("Zo\u00eb Sharma", "Will Stone"), terms=("Project Orion",))
REDACTED, TABLE = redact(NOTE, READER.read(NOTE), PlaceholderTable())
VALUES = {
    "Zo\u00eb Sharma": "PERSON",
    "Sharma": "PERSON",
    "zoe@example.com": "EMAIL",
    "+44 7700 900123": "PHONE",
    "DE89 3704 0044 0532 0130 00": "BANK",
    "4111 1111 1111 1111": "CARD",
    "Project Orion": "TERM",
}
CLOTHES = {
    "plain": lambda v: v,
    "capitals": str.upper,
    "small": str.lower,
    "no blanks": lambda v: v.replace(" ", ""),
    "hyphens": lambda v: v.replace(" ", "-"),
    "line break": lambda v: v.replace(" ", "\r\n"),
    "invisible": lambda v: v[0] + "\u200b" + v[1:],
    "url": lambda v: urllib.parse.quote(v, safe=""),
    "url plus": urllib.parse.quote_plus,
    "every byte in url": lambda v: "".join(f"%{b:02x}" for b in v.encode()),
    "json": json.dumps,
    "every letter in json": lambda v: "".join(f"\\u{ord(c):04X}" for c in v),
    "json in json": lambda v: json.dumps(json.dumps({"a": v})),
    "base64 0": lambda v: base64.b64encode(f"id:{v} end".encode()).decode(),
    "base64 1": lambda v: base64.b64encode(f"id: {v} end".encode()).decode(),
    "base64 2": lambda v: base64.b64encode(f"id:  {v} end".encode()).decode(),
    "base64 for url": lambda v: base64.urlsafe_b64encode(f"\u00ff\u00fe {v} \u00ff".encode()).decode().rstrip("="),
    "base64 in lines": lambda v: base64.encodebytes(f"{'x' * 50} {v} {'y' * 50}".encode()).decode(),
    "json in base64": lambda v: base64.b64encode(json.dumps({"a": v}).encode()).decode(),
    "fullwidth": lambda v: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in v),
    "decomposed": lambda v: unicodedata.normalize("NFD", v),
    "invisible everywhere": "\u200d\u2060".join,
    "letter by letter": " ".join,
    "dots": lambda v: ".".join(v.replace(" ", "")),
    "bars": lambda v: " | ".join(v.replace(" ", "")),
    "cut in two by a blank": lambda v: f"{v[:2]} {v[2:]}",
    "cut in two by a line": lambda v: f"{v[:-2]}\n{v[-2:]}",
    "cut in two by a sign": lambda v: f"{v[:3]}/{v[3:]}",
    "hex": lambda v: v.encode().hex(),
    "hex in capitals": lambda v: v.encode().hex().upper(),
    "hex at an odd place": lambda v: f"a{v.encode().hex()}",
    "hex in pairs": lambda v: v.encode().hex(" "),
    "hex with colons": lambda v: v.encode().hex(":"),
    "hex of a program": lambda v: "".join(f"\\x{b:02x}" for b in v.encode()),
    "hex as numbers": lambda v: ", ".join(f"0x{b:02x}" for b in v.encode()),
    "quoted-printable": lambda v: "".join(f"={b:02X}" for b in v.encode()),
    "references": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "references in hex": lambda v: "".join(f"&#x{ord(c):x};" for c in v),
    "named references": lambda v: v.replace("\u00eb", "&euml;").replace("@", "&commat;").replace(" ", "&nbsp;"),
    "base64 of two bytes a letter": lambda v: base64.b64encode(f" {v} ".encode("utf-16-le")).decode(),
    "hex in base64": lambda v: base64.b64encode(v.encode().hex().encode()).decode(),
    "references in json": lambda v: json.dumps("".join(f"&#{ord(c)};" for c in v)),
    "url of base64": lambda v: urllib.parse.quote(base64.b64encode(f"{v}?".encode()).decode(), safe=""),
}


@pytest.mark.parametrize("clothes", CLOTHES)
@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_found_in_its_clothes(value: str, clothes: str) -> None:
    """Plain, folded, squeezed, escaped or encoded: the scan names the type of what is there."""
    outgoing = f'{{"messages": "Dear model, {CLOTHES[clothes](value)}, thanks"}}'
    assert VALUES[value] in find_raw_values(outgoing.encode(), TABLE)


def test_a_national_form_of_an_international_number_is_found() -> None:
    """The country code does not hide a number."""
    assert find_raw_values(b"call 07700-900-123", TABLE) == ("PHONE",)


@pytest.mark.parametrize(
    "text",
    [
        REDACTED.text,
        json.dumps({"model": "m", "messages": [{"role": "user", "content": REDACTED.text}]}),
        "What will you do next? Will it help to set a stone in motion?",
        "Sharmaji, Orionis, zoeexample, projects",
        "[PERSON_7] and [PERSON_1] and [TERM_1]",
        "Sha[PERSON_1]rma",
        "It wil l not set a sto ne in motion; shar [PERSON_1] ma",
        "4 1 1 1",
        base64.b64encode(b"nothing of interest in here at all").decode(),
        "",
    ],
)
def test_what_holds_no_value_may_leave(text: str) -> None:
    """Placeholders, look-alikes and ordinary words do not stop a send."""
    assert find_raw_values(text.encode(), TABLE) == ()


@pytest.mark.parametrize(
    "half", ["DE89 3704 004", "4 0532 0130 00", "DE 8 9 3 7 0 4 0 0 4", "4111 1111", "900 123", "00900123"]
)
def test_attack_a_number_is_said_in_two_turns(half: str) -> None:
    """Half of a number that is known counts as much as the whole: what is said in two turns leaves in neither."""
    kind = "BANK" if half[:2] in {"DE", "4 "} else "CARD" if half[0] == "4" else "PHONE"
    assert find_raw_values(f"The rest of it is {half}.".encode(), TABLE) == ((kind,) if half != "900 123" else ())


def test_attack_the_first_digit_of_an_amount_is_covered_and_the_rest_leaves() -> None:
    """Digits that stand apart behind the first, which alone was taken for an amount, are those of the value."""
    reader = TextReader(terms=("153,260.24",))
    _, table = redact("153,260.24", reader.read("153,260.24"), PlaceholderTable())
    said = "I earn \u00a31 5 3 , 2 6 0 . 2 4 a year."
    covered, table = redact(said, reader.read(said), table)
    assert find_raw_values(covered.text.encode(), table) != ()


@pytest.mark.parametrize(
    ("name", "prose", "split"),
    [
        ("Asher", "It was as her friend said.", "As-her said so."),
        ("Amit", "Here I am. It is late; I am it.", "A m i t said so."),
        ("Ina Berg", "She is in a day or two back.", "I.n.a said so."),
        ("Mila", "De mi la vida es buena.", "Mi\u200b-la said so."),
        ("Ann", "I can n ever say.", "A n n said so."),
    ],
)
def test_a_name_that_everyday_words_make_is_no_reason_to_refuse(name: str, prose: str, split: str) -> None:
    """Two words of a sentence that happen to make a name may leave; the name cut in two by a sign may not."""
    _, table = redact(name, TextReader(names=(name,)).read(name), PlaceholderTable())
    assert find_raw_values(prose.encode(), table) == ()
    assert find_raw_values(split.encode(), table) == ("PERSON",)


def test_an_everyday_name_counts_inside_a_sentence() -> None:
    """'Will' within a sentence is the person, at its beginning it may be the verb."""
    assert find_raw_values(b"yesterday Will agreed", TABLE) == ("PERSON",)
    assert find_raw_values(b"Will Stone agreed", TABLE) == ("PERSON",)


@given(st.binary(max_size=200))
def test_any_bytes_are_scanned(outgoing: bytes) -> None:
    """Whatever leaves, the scan gives an answer."""
    assert set(find_raw_values(outgoing, TABLE)) <= {"PERSON", "EMAIL", "PHONE", "BANK", "CARD", "TERM"}


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_redacted_text_passes_the_scan(before: str, after: str) -> None:
    """What `redact` made of a text with a name in it holds no raw value any more."""
    text = f"{before} Zo\u00eb Sharma {after}"
    redacted, table = redact(text, READER.read(text), TABLE)
    assert "PERSON" not in find_raw_values(redacted.text.encode("utf-8", "replace"), table)
