"""From JSON to records: what a record says of its members is what comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from control_plane.client.errors import BadAnswer
from control_plane.client.forms import decode, encode
from control_plane.reviewing import own_keys
from control_plane.reviewing.material import Material
from tests.server.acts import Acts


@dataclass(frozen=True)
class Named:
    """Members by name, in both ways that records say it."""

    mapped: Mapping[str, int]
    named: dict[str, tuple[int, ...]]


def test_members_by_name_are_read_however_the_record_says_it() -> None:
    """`dict` and `Mapping` are both read, and a wrong member is named by its place."""
    assert decode(Named, {"mapped": {"a": 1}, "named": {"b": [2, 3]}}) == Named({"a": 1}, {"b": (2, 3)})
    with pytest.raises(BadAnswer, match=r"answer\.named\.b\[0\]"):
        decode(Named, {"mapped": {}, "named": {"b": ["x"]}})


def test_what_an_own_key_decides_about_comes_over_http(acts: Acts) -> None:
    """The record that `approve --key --server` fetches is the one that the server sent."""
    acts.check(2)
    made = own_keys.material_of(acts.plane, 2)
    assert decode(Material, json.loads(json.dumps(encode(made)))) == made
