"""What is to be mailed, written in the transaction of the act.

`note` is called for every entry of the log and sees by itself whether somebody's key signed it. `notify_review` is for
whoever asks somebody to review, `notify_moved` for whoever changes where somebody gets mail, `notify_key` for whoever
retires or enrols somebody's key.
"""

from __future__ import annotations

from sqlmodel import Session

from audit.record import LeafRecord
from control_plane.plane import ControlPlane
from control_plane.tables.mail import MailRow

__all__ = [
    "KEY",
    "MOVED",
    "REVIEW",
    "SIGNED",
    "WAITING",
    "note",
    "notify_key",
    "notify_moved",
    "notify_review",
    "notify_signing",
]

SIGNED, REVIEW, MOVED, KEY = "signed", "review", "moved", "key"
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


def notify_moved(
    plane: ControlPlane, session: Session, person: str, *, act: str, entry: int, before: tuple[str, bytes] = ("", b"")
) -> None:
    """Tell a person that where they get mail was changed: at the address from before if it is given, else at the new.

    `before` is the id of a text key, and the address encrypted under it.
    """
    _add(plane, session, person, kind=MOVED, act=act, path=f"/audit/entries/{entry}", before=before)


def notify_key(plane: ControlPlane, session: Session, person: str, *, act: str, entry: int) -> None:
    """Tell a person that the key that signs for them was retired, or another one enrolled, by an entry of the log."""
    _add(plane, session, person, kind=KEY, act=act, path=f"/audit/entries/{entry}")


def _add(
    plane: ControlPlane,
    session: Session,
    person: str,
    *,
    kind: str,
    act: str,
    path: str,
    before: tuple[str, bytes] = ("", b""),
) -> None:
    if plane.settings.mail is None:
        return
    identity = "mail-" + plane.random(12).hex()
    now = plane.now()
    key, address = before
    row = MailRow(id=identity, person=person, kind=kind, act=act, path=path, state=WAITING, due=now, at=now)
    row.key, row.address = key, address
    session.add(row)
    session.flush()
