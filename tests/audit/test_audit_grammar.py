"""The one expression for a leaf says what a JSON parser and one rule after the other say."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit import InvalidFormat
from audit.canonical import parse_canonical
from audit.record import Act, Auth, Client, LeafRecord, Outcome, Retention, check_leaf, encode_leaf, parse_leaf
from tests.audit.audit_logs import record
from tests.audit.audit_records import IMPLIED, RECORDS

DATA = encode_leaf(record(3))


def slow_seq(data: bytes) -> int | None:
    """The seq of an entry of version 2 as a JSON parser and one rule after the other find it; None if refused.

    Written apart from the expression that the package uses, from the same table of members.
    """
    try:
        leaf = parse_canonical(data)
        flat = {name: value for name, value in leaf.items() if not isinstance(value, dict)}
        for member, names in PARTS.items():
            assert list(leaf[member]) == names
            flat |= {f"{member}.{name}": value for name, value in leaf[member].items()}
        assert set(leaf) == MEMBERS | set(PARTS)
        assert type(flat["seq"]) is type(flat["prev"]) is int
        assert -1 <= flat.pop("prev") < flat["seq"]
        holds = flat.pop("holds")
        assert isinstance(holds, list)
        assert holds == sorted(set(holds))
        assert len(holds) <= 100
        assert all(re.fullmatch(NAME, hold) for hold in holds)
        seq = flat.pop("seq")
        at = datetime.strptime(flat["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        assert f"{at:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0") == flat.pop("at")
        assert IMPLIED.get(flat["act"], flat["outcome"]) == flat["outcome"]
        assert set(flat) == set(RULES)
        assert all(re.fullmatch(RULES[name], value) for name, value in flat.items())
    except (AssertionError, AttributeError, InvalidFormat, KeyError, TypeError, ValueError):
        return None
    return int(seq)


PARTED = ("actor", "object", "reason", "signature")
WORD, NAME = "[a-z][a-z0-9-]{0,63}", "[A-Za-z0-9][A-Za-z0-9._:/#@+=~-]{0,127}"
SHA, HMAC = "(sha256:[0-9a-f]{64})?", "(hmac-sha256:[0-9a-f]{64})?"
RULES = {
    "act": "|".join(Act),
    "outcome": "|".join(Outcome),
    "clock": "server",
    "format": "mentorplane-leaf/2",
    "id": "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "organisation": NAME,
    "retention": "|".join(Retention),
    "tier": "(R[0-4])?",
    "actor.auth": "|".join(Auth),
    "actor.client": "|".join(Client),
    "actor.id": NAME,
    "actor.name": HMAC,
    "actor.role": WORD,
    "actor.session": SHA,
    "object.digest": SHA,
    "object.kind": WORD,
    "object.version": "(0|[1-9][0-9]{0,15})?",
    "reason.code": f"({WORD})?",
    "reason.text": HMAC,
    "signature.meaning": f"({WORD})?",
    "signature.key": SHA,
    "signature.statement": SHA,
    **dict.fromkeys(("before", "after", "diff", "manifest", "policy", "checks", "models"), SHA),
    **dict.fromkeys(("channel", "subject", "ticket", "actor.behalf", "object.name"), f"({NAME})?"),
}
PARTS = {part: sorted(n.partition(".")[2] for n in RULES if n.startswith(f"{part}.")) for part in PARTED}
MEMBERS = {name for name in RULES if "." not in name} | {"at", "holds", "prev", "seq"}


@given(RECORDS, st.data())
def test_the_one_expression_agrees_with_a_json_parser(leaf: LeafRecord, data: st.DataObject) -> None:
    """Whatever is done to the bytes of an entry, the fast reader accepts it if and only if the slow one does."""
    entry = bytearray(encode_leaf(leaf))
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(entry) - 1))
        end = at + data.draw(st.integers(0, 3))
        entry[at:end] = data.draw(st.sampled_from(SPLICES) | st.binary(max_size=2))
    try:
        fast: int | None = check_leaf(bytes(entry))
    except InvalidFormat:
        fast = None
    assert fast == slow_seq(bytes(entry))


SPLICES = [
    b"",
    b'"',
    b"\\",
    b" ",
    b"\n",
    b",",
    b"0",
    b"9",
    b"-",
    b"A",
    b"[]",
    b'"x"',
    b'"x","w"',
    b"\xc3\xa9",
    b"{}",
    b"02-30",
    b"R5",
]


@pytest.mark.parametrize("member", sorted(RULES))
@pytest.mark.parametrize(
    "value",
    [
        *("", "x", "A", "a b", "done", "refused", "x" * 129, "7", "07", "\n", "x\n", "\u00e9", '"'),
        *(f"{kind}:{'a' * 64}" for kind in ("sha256", "hmac-sha256")),
        *(3, -1, None, True),
        *([], {}),
    ],
    ids=repr,
)
def test_each_member_is_judged_alike_by_both_readers(member: str, value: Any) -> None:
    """Each member with each kind of value is accepted by the fast reader if and only if by the slow one."""
    outer, _, inner = member.partition(".")
    document = json.loads(DATA)
    if inner:
        document[outer][inner] = value
    else:
        document[outer] = value
    data = rfc8785.dumps(document)
    try:
        fast: int | None = check_leaf(data)
    except InvalidFormat:
        fast = None
    assert fast == slow_seq(data)
    assert (fast is None) or encode_leaf(parse_leaf(data)) == data
