"""Which sources an edit freezes anew: those that it brings, and whatever shares a passage or words with them.

Promises: a changed or removed include touches every script and include that uses it, through other includes too; a
changed vocabulary every policy that takes its words from it; only those are read. Does not: freeze (see `closures`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from sqlmodel import Session, col, select

from control_plane.sources.closures import SCRIPTS
from control_plane.sources.parsing import INCLUDE, Source, parse_source
from control_plane.tables.registry import SourceRow

__all__ = ["SHARED", "Key", "parsed", "shared_sources", "using"]

Key = tuple[str, str]
SHARED = ("include", "vocabulary")
USERS = {"include": (*SCRIPTS, "include"), "vocabulary": ("policy",)}
"""Which kinds of sources use what is shared."""


@lru_cache(maxsize=1024)
def parsed(data: bytes, path: str) -> Source:
    """Return the source that a file holds; sources are read only, so the same bytes are read once."""
    return parse_source(data, path)


def shared_sources(
    session: Session, channel: str, edited: Mapping[Key, Source], *, removed: Iterable[Key] = ()
) -> list[Source]:
    """Return the includes and vocabularies as they are after an edit."""
    live = select(SourceRow).where(SourceRow.channel == channel, col(SourceRow.kind).in_(SHARED))
    found = {(row.kind, row.name): parsed(row.text.encode(), row.path) for row in session.exec(live)}
    found |= {key: source for key, source in edited.items() if key[0] in SHARED}
    gone = set(removed)
    return [source for key, source in found.items() if key not in gone]


def using(session: Session, channel: str, changed: Iterable[Key]) -> list[Source]:
    """Return the live sources that use one of the changed includes or vocabularies, directly or through others."""
    wanted = {key for key in changed if key[0] in SHARED}
    if not wanted:
        return []
    kinds = {kind for key in wanted for kind in USERS[key[0]]}
    query = select(SourceRow).where(SourceRow.channel == channel, col(SourceRow.kind).in_(kinds))
    rows = {(row.kind, row.name): row for row in session.exec(query)}
    found: dict[Key, SourceRow] = {}
    while more := {key: row for key, row in rows.items() if key not in found and _names(row) & wanted}:
        found |= more
        wanted |= more.keys()
    return [parsed(row.text.encode(), row.path) for row in found.values()]


def _names(row: SourceRow) -> set[Key]:
    """Return what a source may use: read from its text, so that thousands of scripts need not be read as YAML."""
    if row.kind == "policy":
        return {("vocabulary", parsed(row.text.encode(), row.path).document["vocabulary"])}
    return {("include", name) for name in INCLUDE.findall(row.text)}
