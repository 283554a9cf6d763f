"""What is to be mailed, written in the transaction of the act.

`notify_use` is for whatever opens a key, or takes what one signed: each use of a key is told, whatever comes of it, and
once. `notify_review` is for whoever asks somebody to review, `notify_moved` for whoever changes where somebody gets
mail, `notify_key` for whoever retires or enrols somebody's key.
"""

from __future__ import annotations

from sqlmodel import Session

from control_plane import db
from control_plane.plane import ControlPlane
from control_plane.tables.mail import MailRow

__all__ = [
    "KEY",
    "MOVED",
    "REVIEW",
    "USED",
    "WAITING",
    "notify_key",
    "notify_moved",
    "notify_review",
    "notify_use",
    "tell_use",
]

USED, REVIEW, MOVED, KEY = "used", "review", "moved", "key"
WAITING = "waiting"


def notify_use(plane: ControlPlane, session: Session, person: str, *, use: str) -> None:
    """Tell a person that a key of theirs was used, and for which act; its link lists what the log says of them."""
    _add(plane, session, person, kind=USED, act=use, path=f"/v1/audit/search?actor={person}")


def tell_use(plane: ControlPlane, person: str, *, use: str, times: int = 1) -> None:
    """Tell a person as `notify_use`, each time, in a transaction of its own: what comes of the act does not matter."""
    if times and plane.settings.mail is not None:
        with db.write(plane.engine, next_one=True) as session:
            for _ in range(times):
                notify_use(plane, session, person, use=use)


def notify_review(plane: ControlPlane, session: Session, person: str, *, proposal: int) -> None:
    """Tell a person that they are asked to review a proposal."""
    _add(plane, session, person, kind=REVIEW, act="review-requested", path=f"/proposals/{proposal}")


def notify_moved(
    plane: ControlPlane, session: Session, person: str, *, act: str, entry: int, before: tuple[str, bytes] = ("", b"")
) -> None:
    """Tell a person that where they get mail was changed: at the address from before if it is given, else at the new.

    `before` is the id of a text key, and the address encrypted under it.
    """
    _add(plane, session, person, kind=MOVED, act=act, path=_entry(entry), before=before)


def notify_key(plane: ControlPlane, session: Session, person: str, *, act: str, entry: int) -> None:
    """Tell a person that the key that signs for them was retired, or another one enrolled, by an entry of the log."""
    _add(plane, session, person, kind=KEY, act=act, path=_entry(entry))


def _entry(index: int) -> str:
    return f"/v1/audit/search?before={index + 1}&limit=1"


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
