"""Evidence packs: a period, or all about one release, for somebody who trusts neither the server nor its operator.

A pack is made of the database's entries, and of the published hash tiles and checkpoints, which the database does not
hold: so one from a rewritten database does not verify, and names the entry.

Promises: `make_pack` verifies what it made before it hands it over, with the keys that an auditor would bring; the log
says that a pack was made, and which, before anybody has it; texts that are erased are reported as erased by which
entry, and are in no pack.
Does not: write files (see the command), or decide who may have a pack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, func, select

from audit.checkpoint import Checkpoint, parse_checkpoint
from audit.errors import AuditError
from audit.folder import folder_reader
from audit.merkle import Frontier
from audit.note import parse_note
from audit.openings import encode_openings
from audit.pack.check import PackReport, check_files, check_pack
from audit.pack.container import container_of
from audit.pack.make import (
    ERASED,
    ERASED_LEAF,
    ERASED_PROOF,
    NOTE,
    Material,
    Scope,
    pack_files,
    sign_pack,
    start_of,
    tiles_between,
)
from audit.pack.sample import MAX_NONCE_LENGTH
from audit.policy import Policy, evaluate
from audit.proof import prove_entry
from audit.record import Act, Auth, LeafObject
from audit.tiles import Read, TileReader, read_tile
from control_plane import checkpoints, db, ledger, texts
from control_plane.errors import NotFound
from control_plane.evidence.pack_release import release_files, release_stretch
from control_plane.evidence.report import report_files
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["MadePack", "PackRequest", "build_pack", "make_pack"]

_LOOKS_AHEAD = 2_000
"""How many checkpoints after the last entry are looked at for one that enough witnesses cosigned."""


@dataclass(frozen=True, slots=True)
class PackRequest:
    """What a pack is asked for: a period from `since` up to, not with, `until`, or a release; the auditor's nonce.

    The release is that of `channel`, "" for the usual one. Without `with_texts` names and reasons stay out, also those
    that are not erased.
    """

    since: datetime | None = None
    until: datetime | None = None
    release: int = 0
    channel: str = ""
    nonce: str = ""
    with_texts: bool = True


@dataclass(frozen=True, slots=True)
class MadePack:
    """A pack that verified: its files, the report, its digest, and the entry that says that it was made."""

    files: dict[str, bytes]
    report: PackReport
    digest: str
    leaf: int


def make_pack(
    plane: ControlPlane, request: PackRequest, *, actor: str = ledger.SYSTEM, auth: Auth = Auth.SYSTEM
) -> MadePack:
    """Return a pack that verifies, after the log says so.

    Args:
        plane: the control plane.
        request: what it is to be about.
        actor: person id of who asked for it; the installation itself otherwise.
        auth: how they had authenticated.

    Raises:
        NotFound: there are no entries in the period, no such release, or nobody of that id.
        InvalidDocument: a nonce that is none, or an end before the beginning.
        Unavailable: the entries in the database are not those that were logged; the message names one.
    """
    plain = build_pack(plane, request)
    keys = ledger.verifiers(plane)
    report = check_pack(container_of(plain), keys)
    _require_sound(report)
    shown = {path: data for path, data in plain.items() if path != NOTE}
    shown |= report_files(plain, report, made_at=plane.now())
    files = {**shown, NOTE: sign_pack(shown, plane.keys.log)}
    # The entries were checked above; what came since is two reports and a new note over all files.
    problems = tuple(check_files(container_of(files), keys))
    if problems:
        raise Unavailable(f"expected a pack that verifies, got: {problems[0]}")
    digest = canonical.digest(files[NOTE])
    leaf = _log_export(plane, request, digest, actor=actor, auth=auth)
    return MadePack(files, report, digest, leaf)


def _require_sound(report: PackReport) -> None:
    if report.ok:
        return
    first = [str(finding) for finding in report.findings]
    first += [f"missing: content of entry {index}" for index in report.contents.missing]
    first += [f"altered: content of entry {index}" for index in report.contents.altered]
    raise Unavailable(
        f"expected entries and texts as they were logged, got: {first[0]}",
        hint="the database was changed from outside; see `mentorplane audit verify`",
    )


def _log_export(plane: ControlPlane, request: PackRequest, digest: str, *, actor: str, auth: Auth) -> int:
    from control_plane.evidence.acting import role_of

    code = "pack-with-texts" if request.with_texts else "pack"
    with ledger.act(plane) as session:
        role = role_of(session, actor)
        event = ledger.Event(Act.EXPORTED, actor, role, auth, LeafObject("pack", digest=digest), code=code)
        return ledger.append(plane, session, event)


def build_pack(plane: ControlPlane, request: PackRequest) -> dict[str, bytes]:
    """Return the files of a pack, without reports and without checking what they say; see `make_pack`."""
    if len(request.nonce) > MAX_NONCE_LENGTH or "\n" in request.nonce:
        raise InvalidDocument(f"expected a nonce of one line and at most {MAX_NONCE_LENGTH} characters")
    request = replace(request, since=_second(request.since), until=_second(request.until))
    if request.since and request.until and request.since >= request.until:
        raise InvalidDocument("expected a period that ends after it begins")
    ledger.publish_log(plane)
    read = folder_reader(plane.site / "log")
    remembered = _Remembered(plane)  # before the database is looked at, which then has every entry that these cover
    with db.read(plane.engine) as session:
        scope = _scope(plane, session, request)
        older = remembered.before(scope.first - (1 if scope.kind == "period" and scope.since else 0))
        note = remembered.covering(scope.last + 1, policy=ledger.witness_policy(plane))
        newer = parse_checkpoint(parse_note(note).text)
        material = _material(session, read, scope, older=older, newer=newer)
        extra = release_files(session, scope, size=newer.size) if scope.kind == "release" else {}
        openings = b""
        if request.with_texts:
            openings = encode_openings(texts.reveal(session, plane, range(scope.first, scope.last + 1)))
        extra |= _erasures(plane, session, read, scope=scope, size=newer.size)
    files = pack_files(
        replace(
            material,
            checkpoint_a=older or b"",
            checkpoint_b=note,
            nonce=request.nonce,
            openings=openings,
            policy=_policy(plane),
            extra=extra,
        )
    )
    return {**files, NOTE: sign_pack(files, plane.keys.log)}


def _second(at: datetime | None) -> datetime | None:
    """Return a time in whole seconds, as entries and scopes say it."""
    return at.replace(microsecond=0) if at else None


def _policy(plane: ControlPlane) -> bytes:
    if ledger.witness_policy(plane) is not None:
        return plane.settings.witness_policy.read_bytes()
    return f"log {plane.keys.log.verifier.vkey}\nquorum none\n".encode()


def _scope(plane: ControlPlane, session: Session, request: PackRequest) -> Scope:
    origin = plane.keys.log.name
    if request.release:
        channel = plane.on(request.channel)
        first, last = release_stretch(session, channel, request.release)
        return Scope(origin, "release", first, last, channel=channel, release=request.release)
    start = select(func.min(LeafRow.seq))
    end = select(func.max(LeafRow.seq))
    first_found = session.exec(start.where(LeafRow.at >= request.since) if request.since else start).one()
    last_found = session.exec(end.where(LeafRow.at < request.until) if request.until else end).one()
    if first_found is None or last_found is None or first_found > last_found:
        raise NotFound("expected entries in this period, got none")
    since, until = (f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else "" for at in (request.since, request.until))
    return Scope(origin, "period", first_found, last_found, since=since, until=until)


def _material(session: Session, read: Read, scope: Scope, *, older: bytes | None, newer: Checkpoint) -> Material:
    tiles = TileReader(read, size=newer.size, root=newer.root)
    frontier, proof = Frontier(), tuple[bytes, ...]()
    try:
        if older is not None:
            known = parse_checkpoint(parse_note(older).text)
            frontier = TileReader(read, size=known.size, root=known.root).frontier()
            proof = tiles.consistency_proof(size=known.size, root=known.root)
        hashes = {tile: b"".join(read_tile(read, tile)) for tile in tiles_between(frontier.size, newer.size)}
    except (AuditError, FileNotFoundError) as error:
        raise Unavailable("expected the published tiles of the log, got others", hint="see `audit verify`") from error
    query = select(LeafRow.seq, LeafRow.data).where(LeafRow.seq >= start_of(frontier.size), LeafRow.seq < newer.size)
    rows = ((seq, data) for seq, data in session.exec(query.order_by(col(LeafRow.seq))))
    entries = list(_every(rows, start_of(frontier.size), newer.size))
    return Material(scope, b"", frontier, entries, hashes, consistency=proof)


def _every(rows: Iterable[tuple[int, bytes]], start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes of each entry; what is not there, or is no bytes, is empty: the verifier misses it."""
    held = dict(rows)
    for seq in range(start, end):
        data = held.get(seq, b"")
        yield data if isinstance(data, bytes) else b""


def _erasures(plane: ControlPlane, session: Session, read: Read, *, scope: Scope, size: int) -> dict[str, bytes]:
    """Return the entries after the newer checkpoint that erased texts of the pack, each with its proof."""
    events = set(texts.erasures(session, range(scope.first, scope.last + 1)).values())
    later = sorted(index for index in events if index >= size)
    if not later:
        return {}
    note = ledger.checkpoint(plane)
    published = parse_checkpoint(parse_note(note).text)
    tiles = TileReader(read, size=published.size, root=published.root)
    files = {}
    for index in later:
        row = session.get(LeafRow, index)
        if row is None or index >= published.size:
            raise Unavailable(f"expected entry {index} in the published log, got none")
        files[f"{ERASED}{index}{ERASED_LEAF}"] = row.data
        files[f"{ERASED}{index}{ERASED_PROOF}"] = prove_entry(tiles, index, note).encode()
    return files


class _Remembered:
    """The checkpoints that were ever published, oldest first; only those are read that are looked at."""

    def __init__(self, plane: ControlPlane) -> None:
        self._lines, self._published = checkpoints.lines(plane) or (), ledger.checkpoint(plane)

    def _note(self, at: int) -> bytes:
        try:
            note = checkpoints.note_of(self._lines[at])
            parse_checkpoint(parse_note(note).text)
        except AuditError as error:
            raise Unavailable(f"expected a checkpoint in checkpoints.log, line {at + 1}, got something else") from error
        return note

    def _size(self, at: int) -> int:
        return parse_checkpoint(parse_note(self._note(at)).text).size

    def _first_beyond(self, size: int) -> int:
        """Return the first line whose checkpoint has more than `size` entries; sizes never fall."""
        low, high = 0, len(self._lines)
        while low < high:
            middle = (low + high) // 2
            if self._size(middle) > size:
                high = middle
            else:
                low = middle + 1
        return low

    def before(self, size: int) -> bytes | None:
        """Return the newest checkpoint of at most `size` entries; None for the empty log."""
        at = self._first_beyond(size)
        return self._note(at - 1) if at and self._size(at - 1) else None

    def covering(self, size: int, *, policy: Policy | None) -> bytes:
        """Return the first checkpoint of more than `size` entries, or of `size`; one that witnesses cosigned, if any.

        One entry more shows that a period ended; a checkpoint that satisfies the policy may be a little further on.
        """
        lines, published = len(self._lines), self._published
        at = min(self._first_beyond(size), lines)
        if at == lines:
            at = self._first_beyond(size - 1)
        if policy is not None:
            candidates = (self._note(place) for place in range(at, min(lines, at + _LOOKS_AHEAD)))
            for note in (*candidates, published):
                if evaluate(policy, note).ok and parse_checkpoint(parse_note(note).text).size >= size:
                    return note
        return self._note(at) if at < lines else published
