"""What is to be mailed, written in the transaction of the act.

`note` is called for every entry of the log and sees by itself whether somebody's key signed it. `notify_review` is for
whoever asks somebody to review.
"""

from __future__ import annotations

from sqlmodel import Session

from audit.record import LeafRecord
from control_plane.mail.tables import MailRow
from control_plane.plane import ControlPlane

__all__ = ["REVIEW", "SIGNED", "WAITING", "note", "notify_review", "notify_signing"]

SIGNED, REVIEW = "signed", "review"
WAITING = "waiting"


def note(plane: ControlPlane, session: Session, record: LeafRecord) -> None:
    """Tell a signer, if an entry says that their key signed."""
    if record.signature.key and plane.settings.mail is not None:
        notify_signing(plane, session, record.actor.id, act=str(record.act), path=f"/audit/entries/{record.seq}")


def notify_signing(plane: ControlPlane, session: Session, person: str, *, act: str, path: str) -> None:
    """Tell a person that their signature was used; `path` is where they see for what."""
    _add(plane, session, person, kind=SIGNED, act=act, path=path)


def notify_review(plane: ControlPlane, session: Session, person: str, *, proposal: int) -> None:
    """Tell a person that they are asked to review a proposal."""
    _add(plane, session, person, kind=REVIEW, act="review-requested", path=f"/proposals/{proposal}")


def _add(plane: ControlPlane, session: Session, person: str, *, kind: str, act: str, path: str) -> None:
    if plane.settings.mail is None:
        return
    identity = "mail-" + plane.random(12).hex()
    now = plane.now()
    session.add(MailRow(id=identity, person=person, kind=kind, act=act, path=path, state=WAITING, due=now, at=now))
    session.flush()
