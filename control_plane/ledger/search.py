"""Searching the log by what its entries say: a look from inside, which leaves no entry.

Whoever reads the log for a person goes through `evidence.search`, which checks who asks and logs the reading.
Promises: what is returned is what the bytes say; where they themselves can be held against the filter (act, actor,
channel, period, manifest) an index that was changed can hide an entry and cannot put another in its place.
Does not: vouch for the index (see `verify`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import bindparam, text
from sqlmodel import Session

from audit.errors import AuditError
from audit.record import LeafRecord, parse_leaf
from control_plane import db
from control_plane.index.lookup import Wanted, find
from control_plane.index.terms import term, word_key, word_terms
from control_plane.plane import ControlPlane
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["MAX_RESULTS", "LedgerLeaf", "Query", "records_of", "search", "search_in"]

MAX_RESULTS = 1000
_LEAST_BATCH = 20
_VERSION = re.compile(r"sha256:[0-9a-f]{64}|[^@\s]+@[0-9]+")
_ENTRIES = text("SELECT seq, data FROM leaf WHERE seq IN :indexes ORDER BY seq DESC").bindparams(
    bindparam("indexes", expanding=True)
)


@dataclass(frozen=True, slots=True)
class LedgerLeaf:
    """One entry of the log, with its exact bytes."""

    index: int
    act: str
    actor: str
    role: str
    kind: str
    name: str
    digest: str
    manifest: str
    at: datetime
    data: bytes
    outcome: str = ""
    channel: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What an entry must match, everything that is given; no filter matches every entry.

    act, channel    as the entry says
    actor           person id of who did it, or of the person it was done for
    name            name of anything it concerns (prompt, person, "proposal-2", "release-production-2"), or any digest
                    in it
    version         a version of what it concerns: "name@epoch", or its digest
    manifest        digest of the manifest concerned
    release         number of the release whose manifest is concerned, on `channel` or else on the usual one
    words           words that the reason has, all of them, if it is not erased
    since, until    from this time on, before that time
    before          only entries below this index: continues an earlier search
    limit           at most so many entries
    """

    act: str = ""
    actor: str = ""
    name: str = ""
    version: str = ""
    channel: str = ""
    manifest: str = ""
    release: int | None = None
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 100


def search(
    plane: ControlPlane,
    *,
    act: str = "",
    actor: str = "",
    name: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
    before: int | None = None,
) -> tuple[LedgerLeaf, ...]:
    """Return entries that match everything given, newest first; `before` continues an earlier search."""
    query = Query(act=act, actor=actor, name=name, since=since, until=until, limit=limit, before=before)
    with db.read(plane.engine) as session:
        return search_in(plane, session, query)


def search_in(plane: ControlPlane, session: Session, query: Query) -> tuple[LedgerLeaf, ...]:
    """Return the entries that match a query, newest first, in the caller's transaction.

    Raises:
        InvalidDocument: words without a letter or digit.
        Unavailable: an entry, or the index, is not what was written.
    """
    terms = _terms(plane, session, query)
    if terms is None:
        return ()
    limit = max(1, min(query.limit, MAX_RESULTS))
    indexes = find(session, Wanted(terms, query.since, query.until, query.before))
    found: list[LedgerLeaf] = []
    while len(found) < limit:
        batch = list(islice(indexes, max(limit - len(found), _LEAST_BATCH)))
        if not batch:
            break
        found += (_hit(record, data) for record, data in records_of(session, batch) if _matches(record, query))
    return tuple(found[:limit])


def _terms(plane: ControlPlane, session: Session, query: Query) -> tuple[bytes, ...] | None:
    """Return the terms that an entry must have; None if there can be no such entry."""
    given = {"act": query.act, "actor": query.actor, "channel": query.channel, "digest": query.manifest}
    found = {term(kind, value) for kind, value in given.items() if value}
    if query.version and not _VERSION.fullmatch(query.version):
        raise InvalidDocument("expected a version such as micro-session@2, or its digest, got something else")
    for value, kind in ((query.name, "name"), (query.version, "version")):
        if value:
            found.add(term("digest" if value.startswith("sha256:") else kind, value))
    if query.words:
        words = word_terms(query.words, word_key(plane))
        if not words:
            raise InvalidDocument("expected words of letters or digits, got none")
        found |= words
    if query.release is not None:
        manifest = _manifest_of(session, query.channel or plane.channel, query.release)
        if not manifest:
            return None
        found.add(term("digest", manifest))
    return tuple(sorted(found))


def _manifest_of(session: Session, channel: str, release: int) -> str:
    """Return the digest of the manifest that the log says was released under a number; "" if none was."""
    terms = (term("act", "released"), term("name", f"release-{channel}-{release}"))
    for record, _ in records_of(session, list(islice(find(session, Wanted(terms)), 1))):
        return record.manifest
    return ""


def records_of(session: Session, indexes: list[int]) -> Iterator[tuple[LeafRecord, bytes]]:
    """Yield entries as their bytes say them; the other columns of their rows only serve to find them."""
    for seq, data in session.connection().execute(_ENTRIES, {"indexes": indexes}):
        try:
            yield parse_leaf(data), data
        except (AuditError, AttributeError, TypeError) as error:  # SQLite lets a text stand there
            raise Unavailable(f"expected entry {seq} as it was logged, got other bytes") from error


def _matches(record: LeafRecord, query: Query) -> bool:
    wanted = ((query.act, record.act), (query.channel, record.channel))
    if any(value and value != said for value, said in wanted):
        return False
    if query.actor and query.actor not in {record.actor.id, record.actor.behalf}:
        return False
    return not (query.since and record.at < query.since) and not (query.until and record.at >= query.until)


def _hit(record: LeafRecord, data: bytes) -> LedgerLeaf:
    target = record.object
    return LedgerLeaf(
        record.seq,
        record.act,
        record.actor.id,
        record.actor.role,
        target.kind,
        target.name,
        target.digest,
        record.manifest,
        record.at,
        data,
        outcome=record.outcome,
        channel=record.channel,
        version=target.version,
    )
