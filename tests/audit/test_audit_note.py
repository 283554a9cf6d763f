"""Signed notes: the published good and bad notes and keys, and one meaning per byte string."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import AuditError, InvalidFormat, NotProven
from audit.note import (
    MAX_SIGNATURES,
    Algorithm,
    Note,
    Signer,
    add_signatures,
    open_note,
    parse_note,
    parse_vkey,
    sign_note,
)
from tests.audit.audit_logs import VECTORS

CASES: dict[str, Any] = json.loads((VECTORS / "signed_note.json").read_bytes())
GOOD_VKEY: str = CASES["signer"]["vkey"]
UNSAFE_SIGNER = Signer("PeterNeumann", base64.b64decode(CASES["signer"]["skey"].split("+", 4)[4])[1:])
TEXT: str = CASES["good"][0]["text"]
NOTE: bytes = CASES["good"][0]["note"].encode()


@pytest.mark.parametrize("case", CASES["good"])
def test_good_note_opens_with_its_text_and_keys(case: dict[str, Any]) -> None:
    """A published note opens; known keys verify, unknown ones are ignored; it encodes to the same bytes."""
    data = case["note"].encode()
    opened = open_note(data, [parse_vkey(vkey) for vkey in case["vkeys"]])
    assert opened.text == case["text"]
    keys = [f"{one.verifier.name}+{one.verifier.key_id.hex()}" for one in opened.verified]
    assert keys == case["verified"]
    assert opened.names == tuple(key.split("+")[0] for key in case["verified"])
    assert parse_note(data).encode() == data


def test_signing_reproduces_the_published_bytes() -> None:
    """Ed25519 is deterministic, so signing the text gives the published note; the seed is not in the repr."""
    assert sign_note(TEXT, [UNSAFE_SIGNER]) == NOTE
    assert UNSAFE_SIGNER.verifier.vkey == GOOD_VKEY
    assert "seed" not in repr(UNSAFE_SIGNER)


@pytest.mark.parametrize("kind", ["no_known_key", "known_key_bad_signature", "ambiguous_keys"])
def test_note_that_proves_nothing_is_refused(kind: str) -> None:
    """No known key, a failing signature of a known key, and a key known twice are refused."""
    case = CASES[kind]
    with pytest.raises(NotProven):
        open_note(case["note"].encode(), [parse_vkey(vkey) for vkey in case["vkeys"]])


@pytest.mark.parametrize("case", CASES["malformed"], ids=lambda case: case["why"])
def test_malformed_note_is_refused(case: dict[str, Any]) -> None:
    """Each published malformed note is refused while parsing."""
    if parts := case.get("note_parts"):
        data = (parts["text"] + parts["separator"] + parts["line"] * parts["times"]).encode()
    elif "note_base64" in case:
        data = base64.b64decode(case["note_base64"])
    else:
        data = case["note"].encode()
    with pytest.raises(InvalidFormat):
        parse_note(data)


@pytest.mark.parametrize("vkey", [case["vkey"] for case in CASES["bad_vkeys"] if case["vkey"]])
def test_bad_vkey_is_refused(vkey: str) -> None:
    """A key of another length or algorithm, or with a key id not its own, is refused."""
    with pytest.raises(InvalidFormat):
        parse_vkey(vkey)


def test_every_part_and_every_raised_byte_of_a_vkey_is_refused() -> None:
    """No proper substring of a key, and no copy with one byte raised by one, is a key."""
    size = len(GOOD_VKEY)
    bad = [GOOD_VKEY[a:b] for a in range(size) for b in range(a, size + 1) if b - a < size]
    bad += [GOOD_VKEY[:i] + chr(ord(GOOD_VKEY[i]) + 1) + GOOD_VKEY[i + 1 :] for i in range(size)]
    for vkey in bad:
        with pytest.raises(InvalidFormat):
            parse_vkey(vkey)
    assert parse_vkey(GOOD_VKEY).vkey == GOOD_VKEY


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace(b"JnAM=", b"JnAN="),  # the same signature with non-zero trailing bits
        lambda note: note.replace(b"JnAM=", b"JnAM"),
        lambda note: note.replace(b" x08go", b"  x08go"),
        lambda note: note.replace(b" x08go", b" x08\rgo"),
        lambda note: note.replace(b"\xe2\x80\x94 ", b"- "),
        lambda note: note.replace(b"PeterNeumann ", "Peter\u2028Neumann ".encode()),
        lambda note: note.replace(b"PeterNeumann ", "Peter\u0085Neumann ".encode()),
        lambda note: note.replace(b"PeterNeumann ", b"Peter+Neumann "),
        lambda note: note + b"\n",
        lambda note: note + "\u2014 a AAAA\n".encode(),  # a key id and no signature
        lambda _: b"",
        lambda _: b"a" * 1_000_001,
    ],
)
def test_python_leniency_is_not_ours(change: Any) -> None:
    """What the standard library would let pass (bits, blanks, line ends, dashes) is refused."""
    changed = change(NOTE)
    assert changed != NOTE
    with pytest.raises(InvalidFormat):
        open_note(changed, [parse_vkey(GOOD_VKEY)])


def test_line_separators_other_than_newline_do_not_end_a_line_of_text() -> None:
    """U+2028, U+0085 and blank lines may stand in a text, and it comes back whole."""
    text = "one\u2028two\u0085three\n\nfour\n"
    assert open_note(sign_note(text, [UNSAFE_SIGNER]), [UNSAFE_SIGNER.verifier]).text == text


def test_attack_every_flipped_byte_of_a_note() -> None:
    """No byte of a signed note can change without the note being refused."""
    verifier = parse_vkey(GOOD_VKEY)
    for at in range(len(NOTE)):
        for mask in (0x01, 0x20, 0x80):
            changed = NOTE[:at] + bytes([NOTE[at] ^ mask]) + NOTE[at + 1 :]
            with pytest.raises(AuditError):
                open_note(changed, [verifier])


def test_attack_signature_of_a_known_key_twice() -> None:
    """A known key counts once: a repeated line is refused, whoever added it."""
    line = NOTE.partition(b"\n\n")[2]
    with pytest.raises(NotProven):
        open_note(add_signatures(NOTE, line), [parse_vkey(GOOD_VKEY)])


def test_attack_plain_signature_passed_off_as_a_cosignature() -> None:
    """A type 04 key does not accept a plain signature under its key id, nor one without its time."""
    signer = Signer("w", b"\x07" * 32, Algorithm.COSIGNATURE)
    plain = Signer("w", b"\x07" * 32).sign(TEXT).blob
    for blob in (plain, b"\0" * 8 + plain, b"\xff" * 8 + plain, b"\0" * 8):
        line = signer.sign(TEXT, time_s=1)
        forged = Note(TEXT, (type(line)(line.name, line.key_id, blob),)).encode()
        with pytest.raises(NotProven):
            open_note(forged, [signer.verifier])


@pytest.mark.parametrize(
    "lines", [b"", b"\n", b"text\n", "\u2014 n\u00e9 AAAAAAA=\n".encode("utf-16"), b"\xe2\x80\x94 n\xff AAAAAAA=\n"]
)
def test_only_signature_lines_can_be_added(lines: bytes) -> None:
    """What a witness returns is parsed as strictly as a note, so it cannot add to the text."""
    with pytest.raises(InvalidFormat):
        add_signatures(NOTE, lines)


def test_misuse_of_a_signer_is_refused() -> None:
    """Bad names, seeds, texts, times and numbers of signers never produce a note."""
    cosigner = Signer("w", b"\x07" * 32, Algorithm.COSIGNATURE)
    for make in (
        lambda: Signer("a b", b"\x07" * 32),
        lambda: Signer("a+b", b"\x07" * 32),
        lambda: Signer("", b"\x07" * 32),
        lambda: Signer("a", b"\x07" * 31),
        lambda: sign_note("no newline", [UNSAFE_SIGNER]),
        lambda: sign_note("tab\t\n", [UNSAFE_SIGNER]),
        lambda: sign_note(TEXT, []),
        lambda: sign_note(TEXT, [UNSAFE_SIGNER] * (MAX_SIGNATURES + 1)),
        lambda: sign_note(TEXT, [cosigner]),
        lambda: cosigner.sign(TEXT, time_s=-1),
        lambda: UNSAFE_SIGNER.sign(TEXT, time_s=1),
    ):
        with pytest.raises(ValueError, match="expected"):
            make()


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n")).map(lambda s: s + "\n")


@given(TEXTS)
def test_any_text_signs_and_opens(text: str) -> None:
    """A note of any allowed text round-trips, and opens to that text."""
    data = sign_note(text, [UNSAFE_SIGNER])
    assert parse_note(data).encode() == data
    assert open_note(data, [UNSAFE_SIGNER.verifier]).text == text


@given(st.binary(max_size=200))
def test_any_bytes_raise_invalid_format_or_round_trip(data: bytes) -> None:
    """Parsing raises nothing but `InvalidFormat`."""
    for candidate in (data, b"text\n\n" + data, b"text\n\n\xe2\x80\x94 " + data + b"\n"):
        try:
            note = parse_note(candidate)
        except InvalidFormat:
            continue
        assert note.encode() == candidate
