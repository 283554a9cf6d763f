"""What devices are told to trust: the trust file, and the log's word on every change of it.

Promises: `log_change` appends one entry for each trust file that differs from the one logged last, with the digests of
both, whoever changed it and how: people enrolled, the approval floor, the log's key. Publishing asks for it first, so
no device adopts a trust file that the log does not know. Does not: publish (see `publish`).
"""

from __future__ import annotations

from sqlmodel import Session, col, select

from audit.record import Act, Auth, LeafObject
from control_plane import ledger
from control_plane.accounts import people
from control_plane.plane import ControlPlane
from control_plane.registry.tables import LeafRow
from edge_runtime.core import canonical
from edge_runtime.core.trustfile import TrustFile, encode_trust

__all__ = ["is_logged", "log_change", "trust_file"]


def trust_file(plane: ControlPlane, session: Session) -> TrustFile:
    """Return whose signatures count, which log, and the approval floor.

    It says self-contained whatever the witness policy of the home: root, targets and people's sealed keys lie on this
    machine all the same, and the file names no witness whom a device could ask for.
    """
    return TrustFile(
        organisation=plane.organisation,
        people=people.keyring(session),
        log_vkey=plane.keys.log.verifier.vkey,
        floor=dict(plane.settings.floor),
        own_keys=False,
        self_contained=True,
    )


def is_logged(session: Session, trust: bytes) -> bool:
    """Return whether the log's last word on the trust file is this one."""
    return _last(session) == canonical.digest(trust)


def log_change(plane: ControlPlane, session: Session) -> None:
    """Append an entry in the caller's transaction if the trust file is not the one that was logged last."""
    trust = encode_trust(trust_file(plane, session))
    if not is_logged(session, trust):
        digest = canonical.digest(trust)
        event = ledger.Event(
            Act.TRUST_CHANGED,
            actor=ledger.SYSTEM,
            role=ledger.SYSTEM,
            auth=Auth.SYSTEM,
            target=LeafObject("trust", "trust.json", digest),
            before=_last(session),
            after=digest,
        )
        ledger.append(plane, session, event)


def _last(session: Session) -> str:
    query = select(LeafRow).where(LeafRow.act == str(Act.TRUST_CHANGED)).order_by(col(LeafRow.seq).desc())
    row = session.exec(query).first()
    return row.digest if row else ""
