"""The outbox: what is to be sent is written in the transaction of the act that it tells of.

Does not: send anything (see `delivering`).
"""

from __future__ import annotations

import json

from sqlmodel import Session, select

from audit.record import Act, LeafRecord
from control_plane.plane import ControlPlane
from control_plane.tables.webhooks import DeliveryRow, WebhookRow

__all__ = ["ACTIVE", "EVERYTHING", "WAITING", "note"]

EVERYTHING = "*"
ACTIVE, WAITING = "active", "waiting"


def note(plane: ControlPlane, session: Session, record: LeafRecord) -> None:
    """Write a message about an entry for everybody who wants to hear of such."""
    told = session.exec(select(WebhookRow).where(WebhookRow.state == ACTIVE)).all()
    wanted = [row for row in told if EVERYTHING in row.events or str(record.act) in row.events]
    if not wanted or record.act is Act.AUDIT_READ:  # whoever reads the log for each message would never end
        return
    body = _body(record)
    for row in wanted:
        identity = "msg_" + plane.random(12).hex()
        session.add(
            DeliveryRow(
                id=identity,
                webhook=row.id,
                event=str(record.act),
                leaf=record.seq,
                body=body,
                state=WAITING,
                due=plane.now(),
                at=plane.now(),
            )
        )
    session.flush()


def _body(record: LeafRecord) -> bytes:
    """Return what is said of an entry: nothing that `texts` keeps, no commitment, and nobody's name."""
    data = {
        "entry": record.seq,
        "id": record.id,
        "outcome": str(record.outcome),
        "actor": record.actor.id,
        "role": record.actor.role,
        "object": {"kind": record.object.kind, "name": record.object.name, "digest": record.object.digest},
        "channel": record.channel,
        "manifest": record.manifest,
        "statement": record.signature.statement,
        "code": record.reason.code,
    }
    message = {"type": str(record.act), "timestamp": record.at.isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(message, separators=(",", ":"), sort_keys=True).encode()
