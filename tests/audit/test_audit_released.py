"""What a device asks of the entry of a release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit.canonical import canonical
from audit.errors import AuditError, InvalidFormat, NotProven
from audit.record import FORMAT, FORMAT_1, parse_leaf
from audit.released import verify_released

VECTORS = Path(__file__).parents[1] / "vectors" / "mentorplane"
MANIFEST = "sha256:" + "ab" * 32


def entries() -> list[bytes]:
    """Return an entry of each version that records a release of `MANIFEST`, made from a golden one."""
    found = []
    for file in sorted(VECTORS.glob("leaf*.json")):
        document = json.loads(file.read_bytes())
        if document.get("format") in {FORMAT, FORMAT_1}:
            document |= {"act": "released", "manifest": MANIFEST}
            document |= {"outcome": "done"} if "outcome" in document else {}
            found.append(canonical(document))
    return found


def test_entries_of_every_version_are_read() -> None:
    """Each version that `record` reads is known here too, and the other way round."""
    assert {parse_leaf(entry).format for entry in entries()} == {FORMAT, FORMAT_1}
    for entry in entries():
        verify_released(entry, MANIFEST)


@pytest.mark.parametrize(
    "change",
    [
        {"act": "approved"},
        {"act": "withdrawn"},
        {"manifest": ""},
        {"manifest": "sha256:" + "00" * 32},
        {"format": "mentorplane-leaf/3"},
        {"format": {}},
    ],
)
def test_another_entry_is_refused(change: dict[str, object]) -> None:
    """Another act, another manifest, a version that is not known."""
    for entry in entries():
        with pytest.raises(NotProven):
            verify_released(canonical({**json.loads(entry), **change}), MANIFEST)


def test_a_release_that_was_refused_is_no_release() -> None:
    """The outcome counts where the version says one."""
    [entry] = [entry for entry in entries() if b'"outcome"' in entry]
    with pytest.raises(NotProven):
        verify_released(canonical({**json.loads(entry), "outcome": "refused"}), MANIFEST)


def test_anything_else_is_refused() -> None:
    """Other spellings, other values, no JSON at all."""
    for entry in entries():
        for wrong in (entry + b" ", entry[:-1], b"[]", b"", b"null", b'"released"', entry.replace(b'","', b'", "', 1)):
            with pytest.raises(AuditError):
                verify_released(wrong, MANIFEST)
    with pytest.raises(InvalidFormat):
        verify_released(b"\xff", MANIFEST)
