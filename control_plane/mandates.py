"""Mandates for devices: what of grants stands in the trust file, and what a release proves of its approvers.

Promises: what a release proves is found by the places of entries in the log, as devices judge it, and a release that
devices would refuse for it does not take the place of one that they have (see `is_proven`).
Does not: decide who may approve (see `accounts.holdings`). Source: docs/adr/0040.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session, col, select

from audit.checkpoint import Checkpoint, parse_checkpoint
from audit.errors import AuditError
from audit.note import parse_note
from audit.policy import Policy, evaluate
from audit.tiles import TileReader
from control_plane import checkpoints
from control_plane.plane import ControlPlane
from control_plane.registry.live import live_release
from control_plane.tables.accounts import GrantRow
from control_plane.tables.registry import LeafRow, ReleaseRow, StatementRow
from edge_runtime.core import dsse
from edge_runtime.core.checkpoints import read_witnessed
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.mandates import Approved, Granted, Logged, Mandates, encode_mandates, verify_mandates
from edge_runtime.core.manifest import PREVIOUS, is_previous
from edge_runtime.core.release import ReleaseFile
from edge_runtime.core.statements import open_statement
from edge_runtime.core.trustfile import Term, TrustFile

__all__ = ["is_proven", "make", "older_devices_live", "terms", "witnessed_from"]


def older_devices_live(plane: ControlPlane, session: Session) -> bool:
    """Return whether devices are served that know no terms: while a channel is written in the version before."""
    live = (live_release(session, channel) for channel in plane.settings.channels)
    heads = (row.manifest.split(b"\n", 1)[0] for row in live if row)
    return plane.settings.manifest_version == PREVIOUS or any(map(is_previous, heads))


def terms(session: Session) -> dict[str, Term]:
    """Return everybody's first term, and which grants were ended before they ended by themselves."""
    until: dict[str, str] = {}
    ended: dict[str, dict[str, int]] = {}
    for row in session.exec(select(GrantRow).where(col(GrantRow.granted).is_not(None))):
        if not row.envelope:
            until[row.person] = f"{row.until:%Y-%m-%dT%H:%M:%SZ}"
        if row.ended is not None and row.ended_at is not None and row.ended_at < row.until:
            ended.setdefault(row.person, {})[row.id] = row.ended
    return {person: Term(until.get(person, ""), ended.get(person, {})) for person in until.keys() | ended.keys()}


def witnessed_from(plane: ControlPlane, policy: Policy | None, *, before: TrustFile | None) -> int:
    """Return the first entry whose time the witnesses of a policy vouch for; 0 if there is none yet.

    That is what the trust file before says of the same policy; else where the first checkpoint ends that they cosigned.
    """
    if policy is None:
        return 0
    if before and before.witnessed_from and before.witness_policy == policy.encode().decode():
        return before.witnessed_from
    return next((known.size for note, known in _cosigned(plane) if evaluate(policy, note).ok), 0)


def _cosigned(plane: ControlPlane, *, above: int = -1) -> list[tuple[bytes, Checkpoint]]:
    """Return the checkpoints of more than so many entries that somebody besides the log signed, oldest first."""
    found: list[tuple[bytes, Checkpoint]] = []
    for line in reversed(checkpoints.lines(plane) or ()):
        try:
            opened = parse_note(note := checkpoints.note_of(line))
            known = parse_checkpoint(opened.text)
        except AuditError:  # `audit verify` says so
            continue
        if known.size <= above:
            break
        if len(opened.signatures) > 1:
            found.append((note, known))
    return found[::-1]


def make(plane: ControlPlane, session: Session, live: ReleaseRow, *, told: TrustFile, tiles: TileReader) -> bytes:
    """Return the mandates of a release, proved by the tiles of a published checkpoint; b"" where devices ask for none.

    Raises:
        NotProven: a published tile is missing, or is another one.
    """
    if told.terms is None or is_previous(live.manifest.split(b"\n", 1)[0]):
        return b""
    return _Making(plane, session, told, tiles=tiles).made(_approvals(session, live))


def is_proven(
    session: Session, live: ReleaseRow, release: ReleaseFile, *, told: TrustFile, parts: Mapping[str, bytes]
) -> bool:
    """Return whether devices would find that each approver of a release file held the role."""
    stated = [(open_statement(one), one) for one in map(_envelope, _approvals(session, live))]
    try:
        seen = read_witnessed(release.log.checkpoint, told)
        verify_mandates(release, parts, stated, trust=told, seen=seen)
    except MentorplaneError:
        return False
    return True


def _approvals(session: Session, live: ReleaseRow) -> list[StatementRow]:
    query = select(StatementRow).where(StatementRow.act == "approve", StatementRow.manifest == live.digest)
    return list(session.exec(query.where(col(StatementRow.id).in_(live.statements)).order_by(col(StatementRow.id))))


def _envelope(row: StatementRow) -> dsse.Envelope:
    return dsse.parse_envelope(row.envelope)


class _Making:
    """The mandates of one release as they are put together: each grant and checkpoint once."""

    def __init__(self, plane: ControlPlane, session: Session, told: TrustFile, *, tiles: TileReader) -> None:
        self._plane = plane
        self._session = session
        self._told = told
        self._tiles = tiles
        self._notes: list[bytes] = []
        self._grants: dict[str, tuple[int, Granted]] = {}

    def made(self, approvals: list[StatementRow]) -> bytes:
        approved = tuple(self._approved(row) for row in approvals)
        grants = tuple(granted for _, granted in self._grants.values())
        return encode_mandates(Mandates(tuple(self._notes), approved, grants))

    def _approved(self, row: StatementRow) -> Approved:
        chain = [grant for grant in self._held_by(row) if grant.envelope]
        number, size = self._checkpoint(row.leaf)
        return Approved(row.digest, number, self._entry(row.leaf, size), tuple(map(self._number, chain)))

    def _checkpoint(self, leaf: int) -> tuple[int, int]:
        """Return which checkpoint proves when an approval was logged, and its size: the first by a quorum."""
        policy = self._told.witnesses
        if policy is None or leaf < self._told.witnessed_from:
            return 0, self._tiles.size
        for note, known in _cosigned(self._plane, above=leaf):
            if evaluate(policy, note).ok and known.size <= self._tiles.size:
                if note not in self._notes:
                    self._notes.append(note)
                return self._notes.index(note) + 1, known.size
        return 0, self._tiles.size

    def _held_by(self, row: StatementRow) -> list[GrantRow]:
        """Return by which grants somebody held the role in which they signed: their own, or a delegation and whose."""
        for own in self._in_force(row.person, row):
            if not own.behalf:
                return [own]
            if theirs := [one for one in self._in_force(own.behalf, row) if not one.behalf]:
                return [own, theirs[0]]
        return []

    def _in_force(self, person: str, row: StatementRow) -> list[GrantRow]:
        """Return the grants to somebody that the log has in force where an approval stands, their own first."""
        query = select(GrantRow).where(
            GrantRow.person == person, GrantRow.role == row.role, col(GrantRow.granted) < row.leaf
        )
        leaf = self._leaf(row.leaf)
        found = [
            one
            for one in self._session.exec(query)
            if one.since <= leaf.at < one.until
            and (one.ended is None or one.ended > row.leaf)
            and (not one.previous or (one.handed_over is not None and one.handed_over < row.leaf))
        ]
        return sorted(found, key=lambda one: (one.behalf != "", one.id))

    def _number(self, grant: GrantRow) -> int:
        if grant.id not in self._grants:
            assert grant.granted is not None  # it was found by that
            taken = () if grant.handed_over is None else (self._entry(grant.handed_over, self._tiles.size),)
            entry = self._entry(grant.granted, self._tiles.size)
            made = Granted(dsse.parse_envelope(grant.envelope), entry, taken)
            self._grants[grant.id] = (len(self._grants), made)
        return self._grants[grant.id][0]

    def _entry(self, index: int, size: int) -> Logged:
        return Logged(index, self._leaf(index).data, self._tiles.inclusion_proof_at(index, size=size))

    def _leaf(self, index: int) -> LeafRow:
        row = self._session.get(LeafRow, index)
        assert row is not None  # a statement and a grant name the entry of the transaction that made them
        return row
