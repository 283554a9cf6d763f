"""The table of entries: stable columns, no formulas, and nothing lost."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import InvalidFormat
from audit.merkle import leaf_hash
from audit.pack.table import COLUMNS, HEADER, csv_row, csv_rows, parse_rows, protect, row_of, unprotect
from audit.record import FORMAT_1, Act, Auth, LeafActor, LeafObject, LeafRecord, Outcome, encode_leaf
from tests.audit.audit_packs import START, entries, record


def test_columns_are_stable_and_begin_with_the_index() -> None:
    """Whoever reads the table by position reads the same in ten years."""
    assert COLUMNS[:4] == ("index", "time", "act", "outcome")
    assert (len(COLUMNS), COLUMNS[-1]) == (39, "leaf_hash")
    assert HEADER.endswith(b"\r\n")


def test_a_row_says_what_its_entry_says() -> None:
    """Every member of the record has a cell."""
    entry = entries(8)[7]
    row = dict(zip(COLUMNS, row_of(record(7), entry), strict=True))
    assert (row["index"], row["time"], row["previous"]) == ("7", "2026-03-01T16:00:00Z", "2")
    assert (row["act"], row["actor"], row["object_name"]) == ("checked", "p-0", "opening-2")
    assert row["leaf_hash"] == leaf_hash(entry).hex()


@given(st.text())
def test_protection_is_undone(text: str) -> None:
    """No cell can be taken for a formula, and each comes back as it was."""
    assert unprotect(protect(text)) == text
    assert not protect(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_any_row_comes_back(cells: list[str]) -> None:
    """RFC 4180 with quotes, commas and line breaks: what was written is read."""
    # A lone carriage return or NUL in a cell is no text that an entry can hold; readers of CSV disagree about both.
    row = tuple(cell.replace("\r", "").replace("\0", "") for cell in cells)
    [found] = parse_rows(HEADER + csv_rows([row]))
    assert tuple(found.values()) == row


def test_the_quick_way_writes_what_the_library_writes() -> None:
    """Rows of this version need no quoting, and are the same bytes."""
    for seq, entry in enumerate(entries(30)):
        row = row_of(record(seq), entry)
        assert csv_row(row) == csv_rows([row])


def test_an_entry_of_version_1_that_looks_like_a_formula_is_disarmed() -> None:
    """Names of the older version may hold commas and quotes."""
    old = LeafRecord(
        act=Act.APPROVED,
        outcome=Outcome.DONE,
        actor=LeafActor("p-1", "approver", Auth.PASSPHRASE),
        object=LeafObject("prompt", 'a"b,=1'),
        at=START,
        seq=0,
        retention="",
        clock="",
        format=FORMAT_1,
    )
    data = csv_row(row_of(old, encode_leaf(old)))
    assert b'"a""b,=1"' in data
    [row] = parse_rows(HEADER + data)
    assert row["object_name"] == 'a"b,=1'
    assert next(csv.reader(io.StringIO(data.decode())))[0] == "0"


def test_other_tables_are_refused() -> None:
    """Other columns, fewer cells, other bytes."""
    for data in (b"index,time\r\n", HEADER + b"1,2\r\n", b"\xff"):
        with pytest.raises(InvalidFormat):
            list(parse_rows(data))
