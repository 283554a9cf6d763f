"""The log's checkpoints as a device remembers them.

A device is a witness of the log: it keeps the last checkpoint that it saw and accepts only a log that grew from it.
Where the trust file names witnesses besides, it counts their cosignatures under a release.
Does not: fetch tiles or make proofs (see `audit.tiles`). Source: C2SP tlog-checkpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.checkpoint import open_checkpoint
from audit.errors import AuditError
from audit.frozen import frozen
from audit.merkle import verify_consistency
from audit.note import parse_vkey
from edge_runtime.core.errors import NotTrusted

if TYPE_CHECKING:
    from edge_runtime.core.trustfile import TrustFile

__all__ = ["Seen", "read_checkpoint", "read_cosigned", "read_witnessed", "verify_growth"]


@frozen
class Seen:
    """Origin, size and root hash of a log at the time it was seen, and how many outside witnesses signed."""

    origin: str
    size: int
    root: bytes
    witnesses: int = 0


def read_checkpoint(data: bytes, log_vkey: str) -> Seen:
    """Return the checkpoint in a note that the log's own key signed.

    Raises:
        NotTrusted: V7, malformed, another origin, or not signed by the log.
    """
    try:
        verifier = parse_vkey(log_vkey)
        opened = open_checkpoint(data, [verifier], verifier.name)
    except AuditError as error:
        raise NotTrusted(f"expected a checkpoint signed by the log: {error}", check="V7") from error
    checkpoint = opened.checkpoint
    return Seen(checkpoint.origin, checkpoint.size, checkpoint.root, len(opened.witnesses))


def read_witnessed(data: bytes, trust: TrustFile) -> Seen:
    """Return the checkpoint in a note that the log signed, and as many witnesses as the trust file asks for.

    Raises:
        NotTrusted: V7, malformed, another origin, not signed by the log, or cosigned by too few.
    """
    return read_cosigned(data, trust)[0]


def read_cosigned(data: bytes, trust: TrustFile) -> tuple[Seen, int]:
    """Return the checkpoint, and when a quorum of witnesses had cosigned it, in POSIX seconds; 0 if none is asked for.

    Raises: as `read_witnessed`.
    """
    seen, policy = read_checkpoint(data, trust.log_vkey), trust.witnesses
    if policy is None:
        return seen, 0
    from audit.policy import cosigned_at, verify_checkpoint

    try:
        verdict = verify_checkpoint(policy, data)
        at = cosigned_at(policy, verdict.witnesses)
    except AuditError as error:
        raise NotTrusted(f"expected a checkpoint under the witness policy: {error}", check="V7") from error
    return Seen(seen.origin, seen.size, seen.root, len(verdict.witnesses)), at


def verify_growth(before: Seen, after: Seen, proof: tuple[bytes, ...]) -> None:
    """Verify that a log grew from the checkpoint seen before.

    Raises:
        NotTrusted: V7, it is shorter, or another log.
        NotProven: the proof does not lead from the one to the other.
    """
    if before.origin != after.origin or before.size > after.size:
        raise NotTrusted("expected the log seen before, grown, got a shorter or another one", check="V7")
    verify_consistency(size1=before.size, root1=before.root, size2=after.size, root2=after.root, proof=proof)
