"""The log as a table: one CSV row for each entry, generated from the entry alone, and read back from it.

Promises:
1. The columns are `COLUMNS`, in this order, always; the first is the index of the entry, the last its leaf hash, so
   that every row leads to one leaf and to its proof.
2. RFC 4180: rows end in CRLF, and a cell with a comma, a quote or a line break is quoted.
3. No cell is a formula to a spreadsheet: one that begins with `=`, `+`, `-`, `@`, `'`, a tab or a carriage return gets
   a `'` before it. That is undone by taking one leading `'` away, so nothing is lost: `parse_rows` gives back what
   `row_of` was given.

Texts behind commitments are not in it: they may be erased one day, and the table would not be the same.

Source: RFC 4180; OWASP, CSV Injection.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from audit.errors import InvalidFormat
from audit.merkle import leaf_hash
from audit.record import FORMAT, LeafRecord

COLUMNS = (
    "index",
    "time",
    "act",
    "outcome",
    "actor",
    "role",
    "auth",
    "client",
    "behalf",
    "organisation",
    "channel",
    "object_kind",
    "object_name",
    "object_version",
    "object_digest",
    "before",
    "after",
    "diff",
    "manifest",
    "policy",
    "checks",
    "models",
    "tier",
    "ticket",
    "meaning",
    "key",
    "statement",
    "reason_code",
    "reason",
    "actor_name",
    "session",
    "retention",
    "holds",
    "subject",
    "previous",
    "clock",
    "id",
    "format",
    "leaf_hash",
)
HEADER = (",".join(COLUMNS) + "\r\n").encode()
_FORMAT = COLUMNS.index("format")
_RISKY = ("=", "+", "-", "@", "'", "\t", "\r")


def protect(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    >>> protect("=1+1"), protect("'"), protect("opener")
    ("'=1+1", "''", 'opener')
    """
    return "'" + cell if cell.startswith(_RISKY) else cell


def unprotect(cell: str) -> str:
    """Undo `protect`.

    >>> unprotect("'=1+1"), unprotect("opener")
    ('=1+1', 'opener')
    """
    return cell.removeprefix("'")


def row_of(leaf: LeafRecord, entry: bytes) -> tuple[str, ...]:
    """Return the cells of one entry in the order of `COLUMNS`, without protection; `entry` is its bytes."""
    actor, target, signature, reason = leaf.actor, leaf.object, leaf.signature, leaf.reason
    who = (actor.id, actor.role, actor.auth, actor.client, actor.behalf)
    what = (target.kind, target.name, target.version, target.digest)
    states = (leaf.before, leaf.after, leaf.diff, leaf.manifest, leaf.policy, leaf.checks, leaf.models)
    signed = (signature.meaning, signature.key, signature.statement)
    return (
        str(leaf.seq),
        leaf.at.isoformat()[:19] + "Z",
        leaf.act,
        leaf.outcome,
        *who,
        leaf.organisation,
        leaf.channel,
        *what,
        *states,
        leaf.tier,
        leaf.ticket,
        *signed,
        reason.code,
        reason.text,
        actor.name,
        actor.session,
        leaf.retention,
        " ".join(leaf.holds),
        leaf.subject,
        "" if leaf.prev < 0 else str(leaf.prev),
        leaf.clock,
        leaf.id,
        leaf.format,
        leaf_hash(entry).hex(),
    )


def csv_row(row: tuple[str, ...]) -> bytes:
    """Return one row as CSV."""
    if row[_FORMAT] == FORMAT:  # its alphabets hold nothing to quote and nothing to protect
        return (",".join(row) + "\r\n").encode()
    return csv_rows((row,))


def csv_rows(rows: Iterable[tuple[str, ...]]) -> bytes:
    """Return rows as CSV, without the header."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([*map(protect, row)] for row in rows)
    return out.getvalue().encode()


def parse_rows(data: bytes) -> Iterator[dict[str, str]]:
    """Yield the rows of a table by column, without protection: what `row_of` returned.

    Raises:
        InvalidFormat: it is not a table of this kind.
    """
    try:
        reader = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
        if next(reader, None) != list(COLUMNS):
            raise InvalidFormat("expected the columns of a table of entries, got others")
        for row in reader:
            if len(row) != len(COLUMNS):
                raise InvalidFormat(f"expected {len(COLUMNS)} cells in a row, got {len(row)}")
            yield dict(zip(COLUMNS, map(unprotect, row), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidFormat("expected a table in CSV and UTF-8, got something else") from error
