"""What a pack about a release takes from the registry: its stretch of the log, its manifest and the signed statements.

Does not: check any of it; the verifier ties each file to an entry of the log by its digest (`audit.pack.release`).
"""

from __future__ import annotations

from sqlmodel import Session, col, select

from audit.pack.make import Scope
from audit.pack.release import CLOSURES, KEYS, MANIFEST, STATEMENTS, closure_lines, key_lines
from audit.record import Act
from control_plane.errors import NotFound
from control_plane.tables.registry import LeafRow, PersonRow, ProposalRow, ReleaseRow, StatementRow
from edge_runtime.core import canonical, dsse

__all__ = ["release_files", "release_stretch"]


def release_stretch(session: Session, channel: str, number: int) -> tuple[int, int]:
    """Return the first entry of the release's proposal, and the last about the release: itself or a withdrawal.

    Raises:
        NotFound: there is no such release.
    """
    release = session.get(ReleaseRow, (channel, number))
    proposal = session.get(ProposalRow, release.proposal) if release else None
    if release is None or proposal is None:
        raise NotFound(f"expected the number of a release that {channel} has, got {number}, which it has not")
    ends = (str(Act.WITHDRAWN), str(Act.WITHDRAWAL_LIFTED))
    about = select(LeafRow.seq).where(LeafRow.manifest == release.digest, col(LeafRow.act).in_(ends))
    return proposal.leaf, max([release.leaf, *session.exec(about).all()])


def release_files(session: Session, scope: Scope, *, size: int) -> dict[str, bytes]:
    """Return the files below `release/`: those whose entries the pack holds, which has `size` entries at its end."""
    release = session.get(ReleaseRow, (scope.channel, scope.release))
    assert release is not None
    own = select(StatementRow).where(StatementRow.leaf >= scope.first, StatementRow.leaf < size)
    about = own.where((StatementRow.manifest == release.digest) | (StatementRow.proposal == release.proposal))
    files = {MANIFEST: release.manifest, CLOSURES: closure_lines(release.manifest)}
    keys = []
    for row in session.exec(about.order_by(col(StatementRow.id))):
        envelope = dsse.parse_envelope(row.envelope)
        digest = canonical.digest(envelope.payload).removeprefix("sha256:")
        files[f"{STATEMENTS}{digest}.json"] = canonical.encode(envelope.as_json())
        person = session.get(PersonRow, row.person)
        keys += [person.public_key] if person else []
    files[KEYS] = key_lines(keys)
    return files
