"""Reading the log for a person: who reads, and what they looked for, is itself an entry before anything is answered.

Promises: only a person who is enrolled here reads through a door, whatever their roles, and only who may read every
reason searches by the words of reasons, as each hit tells of one; the entry of a reading holds a
digest of the canonical query, in which words stand as their keyed hashes, so that the public log tells nobody what was
looked for and whoever holds the keys can show it; every hit carries its index, its exact bytes and its inclusion proof
under the published checkpoint; an answer covers the entries before its own.
Does not: verify the log (see `verifying.verify`), or show names and reasons (see `texts`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from audit.checkpoint import open_checkpoint
from audit.errors import AuditError
from audit.folder import folder_reader
from audit.proof import TlogProof
from audit.record import Act, Auth, LeafObject
from audit.tiles import TileReader
from control_plane import db, ledger
from control_plane.accounts import people, rights
from control_plane.accounts.rights import Attempt
from control_plane.errors import NotFound
from control_plane.index.terms import word_key, word_terms
from control_plane.keeping.keepers import KEEPERS
from control_plane.keeping.retention import setting
from control_plane.ledger.search import LedgerLeaf, Query, search_in
from control_plane.plane import ControlPlane
from control_plane.texts.values import OFF, READING_LOG
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["FORMAT", "Hit", "Query", "encode_query", "note_reading", "prove", "query_digest", "read"]

FORMAT = "mentorplane-audit-query/1"
_LOOKS = 3
READ_ROLE = "compliance"
"""The role that a reading is logged under if the person holds it; else the first of theirs."""


@dataclass(frozen=True, slots=True)
class Hit(LedgerLeaf):
    """An entry with its place in the log: its inclusion proof, in base64, under the checkpoint of `size` entries.

    `size` is 0 and there is no proof for an entry that is not published yet, after a crash or on a full disk.
    `tlog_proof` is the same as a C2SP proof file with the signed checkpoint in it, where it was asked for.
    """

    size: int = 0
    proof: tuple[str, ...] = ()
    tlog_proof: str = ""


def read(
    plane: ControlPlane, actor: str, query: Query, *, auth: Auth = Auth.TOKEN, proof_files: bool = False
) -> tuple[Hit, ...]:
    """Return the entries that match a query, newest first, after logging that the actor looked for them.

    Args:
        plane: the control plane.
        actor: person id; `ledger.SYSTEM` for whoever works on the server itself.
        query: what to look for; a next page is asked for by `before`, and is a reading of its own.
        auth: how the actor had authenticated.
        proof_files: give each hit its C2SP proof file as well.

    Raises:
        NotFound: there is no such person.
        Refused: words were asked for by somebody who is neither in compliance nor an administrator.
        InvalidDocument: words without a letter or digit, or a period that ends before it begins.
        Unavailable: an entry, the index or a tile is not what was written.
    """
    if query.since and query.until and query.until <= query.since:
        raise InvalidDocument("expected a period that ends after it begins")
    if query.words and not word_terms(query.words, word_key(plane)):
        raise InvalidDocument("expected words of letters or digits, got none")
    if query.words:
        rights.require_reader(plane, actor, KEEPERS, attempt=Attempt("search-words", LeafObject("audit-log"), auth))
    own = note_reading(plane, actor, query_digest(plane, query), auth=auth)
    below = own if query.before is None else min(own, query.before)
    given = {field.name: getattr(query, field.name) for field in fields(query)} | {"before": below}
    with db.read(plane.engine) as session:
        found = search_in(plane, session, Query(**given))
    return _with_proofs(plane, found, files=proof_files)


def prove(plane: ControlPlane, actor: str, index: int, *, auth: Auth = Auth.TOKEN) -> Hit:
    """Return one entry with its proof file, after logging that the actor read it.

    Raises:
        NotFound: there is no such entry, no such person, or it is not published yet.
    """
    asked = canonical.digest(encode_query({"entry": index}, key=word_key(plane)))
    with db.read(plane.engine) as session:
        found = search_in(plane, session, Query(before=index + 1, limit=1)) if index >= 0 else ()
    if not found or found[0].index != index:
        raise NotFound("expected an index of the log, got another")
    note_reading(plane, actor, asked, auth=auth)
    [hit] = _with_proofs(plane, found, files=True)
    if not hit.size:
        raise NotFound("expected the index of a published entry, got one that is not published yet")
    return hit


def query_digest(plane: ControlPlane, query: Query) -> str:
    """Return the digest of a query, as the entry of its reading has it."""
    return canonical.digest(encode_query(asdict(query), key=word_key(plane)))


def encode_query(asked: Mapping[str, object], *, key: bytes) -> bytes:
    """Return the canonical form of what is asked: only what was given, times in UTC, words as sorted keyed hashes."""
    said: canonical.JsonObject = {"format": FORMAT}
    for name, value in asked.items():
        if name == "words" and value:
            said[name] = sorted(one.hex() for one in word_terms(str(value), key))
        elif isinstance(value, datetime):
            said[name] = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        elif value is not None and value != "":
            said[name] = value
    return canonical.encode(said)


def note_reading(plane: ControlPlane, actor: str, query: str, *, auth: Auth = Auth.TOKEN) -> int:
    """Log that somebody reads the log, and what they ask as a digest; return the index of that entry.

    If logging that was switched off, return the index that the next entry will have.

    Raises:
        NotFound: there is no such person.
    """
    role = ledger.SYSTEM
    if actor == ledger.SYSTEM:
        auth = Auth.SYSTEM
    else:
        person = people.find_person(plane, actor)
        actor, role = person.id, READ_ROLE if READ_ROLE in person.roles else person.roles[0]
    event = ledger.Event(Act.AUDIT_READ, actor, role, auth, LeafObject("audit-log", digest=query))
    with ledger.act(plane) as session:
        if setting(session, READING_LOG) == OFF:  # which an entry of the log says, with who switched it off and why
            return ledger.next_index(session)
        return ledger.append(plane, session, event)


def _with_proofs(plane: ControlPlane, found: Sequence[LedgerLeaf], *, files: bool) -> tuple[Hit, ...]:
    """Return hits with proofs; another act may replace the checkpoint and its partial tiles meanwhile: look again."""
    for left in reversed(range(_LOOKS)):
        try:
            signed = ledger.checkpoint(plane)
            log = plane.keys.log
            published = open_checkpoint(signed, [log.verifier], log.name).checkpoint
            reader = TileReader(folder_reader(plane.site / "log"), size=published.size, root=published.root)
            return tuple(_proven(leaf, reader, signed=signed if files else b"") for leaf in found)
        except NotFound:
            return tuple(_hit(leaf) for leaf in found)
        except AuditError as error:
            if not left:
                raise Unavailable(
                    "expected published tiles that lead to the log's signed root, got others",
                    hint="see `mentorplane audit verify`",
                ) from error
    raise AssertionError


def _proven(leaf: LedgerLeaf, reader: TileReader, *, signed: bytes) -> Hit:
    if leaf.index >= reader.size:
        return _hit(leaf)
    hashes = reader.inclusion_proof(leaf.index)
    file = TlogProof(leaf.index, hashes, signed).encode().decode() if signed else ""
    return _hit(leaf, size=reader.size, proof=_base64(hashes), tlog_proof=file)


def _base64(hashes: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(base64.b64encode(value).decode() for value in hashes)


def _hit(leaf: LedgerLeaf, *, size: int = 0, proof: tuple[str, ...] = (), tlog_proof: str = "") -> Hit:
    given = {field.name: getattr(leaf, field.name) for field in fields(LedgerLeaf)}
    return Hit(**given, size=size, proof=proof, tlog_proof=tlog_proof)
