"""Delivering mail over SMTP: at least once, again later if the server does not take it.

Promises: a message goes to the address that the person has when it is sent, or to the one that they had before, if it
says that this was changed: if it was erased meanwhile, nothing is sent; nothing of a message, and no address, is
written to the server's log.
Does not: authenticate or speak at all where STARTTLS is asked for and not offered.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlmodel import col, select

from control_plane import db
from control_plane.accounts.addresses import address_of
from control_plane.outbox import pause_s
from control_plane.outbox.mail import KEY, MOVED, USED, WAITING
from control_plane.plane import ControlPlane
from control_plane.tables.mail import MailRow
from edge_runtime.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.settings import Mail

__all__ = ["SENT", "deliver_due", "message_of"]

SENT, DEAD = "sent", "dead"
MOST_TRIES, AT_ONCE, TIMEOUT_S = 12, 20, 10.0
_LEASE = timedelta(seconds=60)
_KEPT = timedelta(days=7)
_LOG = logging.getLogger(__name__)

Send = Callable[[EmailMessage], None]


def deliver_due(plane: ControlPlane) -> int:
    """Send what is due, and return how many messages were tried."""
    mail = plane.settings.mail
    if mail is None:
        return 0
    rows = _take(plane)
    if not rows:
        return 0
    try:
        with _server(mail) as send:
            for row, address in rows:
                # Crash here, or after the server took it: it is due again when its lease ends.
                _settle(plane, row.id, sent=_sent(plane, send, row, address=address))
    except (OSError, smtplib.SMTPException, Unavailable) as error:
        _LOG.warning("the mail server could not be used (%s); it is asked again later", type(error).__name__)
        for row, _ in rows:
            _settle(plane, row.id, sent=False)
    return len(rows)


def message_of(plane: ControlPlane, row: MailRow, *, address: str) -> EmailMessage:
    """Return what is sent: which kind of act, when, and where to look; never what it is about."""
    mail, here = plane.settings.mail, plane.settings.public_url or f"http://{plane.settings.host}:{plane.settings.port}"
    assert mail is not None
    when = f"{row.at:%Y-%m-%d %H:%M} UTC"
    message = EmailMessage()
    message["From"], message["To"] = mail.sender, address
    message["Date"] = format_datetime(row.at)
    message["Message-ID"] = f"<{row.id}@{mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if row.kind == USED:
        message["Subject"] = "Your key was used"
        text = f"The key that signs for you was used ({row.act}) at {when}.\n\n{here}{row.path}\n\n"
        text += "If that was not you, tell your administrator at once: your key can be retired.\n"
    elif row.kind == MOVED:
        message["Subject"] = "Where you get mail was changed"
        text = f"The address at which you get mail was changed ({row.act}) at {when}.\n\n{here}{row.path}\n\n"
        text += "If you do not know of it, tell your administrator, or another one, at once.\n"
    elif row.kind == KEY:
        message["Subject"] = "The key that signs for you was changed"
        text = f"The key that signs for you was changed ({row.act}) at {when}.\n\n{here}{row.path}\n\n"
        text += "If you do not know of it, tell your administrator, or another one, at once.\n"
    else:
        message["Subject"] = "You are asked to review"
        text = f"You were asked to review a proposal at {when}.\n\n{here}{row.path}\n"
    message.set_content(text)
    return message


@contextmanager
def _server(mail: Mail) -> Iterator[Send]:
    with smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_S) as server:
        if mail.starttls:
            server.starttls(context=ssl.create_default_context())
        if mail.user:
            if mail.password_file is None:
                raise Unavailable("expected a password file with the mail server's user, got none")
            server.login(mail.user, mail.password_file.read_text("utf-8").strip())

        def send(message: EmailMessage) -> None:
            server.send_message(message)

        yield send


def _take(plane: ControlPlane) -> list[tuple[MailRow, str]]:
    now = plane.now()
    due = (MailRow.state == WAITING, col(MailRow.due) <= now)
    with db.read(plane.engine) as session:
        if session.exec(select(MailRow.id).where(*due).limit(1)).first() is None:
            return []
    with db.write(plane.engine) as session:
        session.execute(delete(MailRow).where(col(MailRow.state) != WAITING, col(MailRow.at) < now - _KEPT))
        rows = []
        for row in session.exec(
            select(MailRow).where(*due).order_by(col(MailRow.due), MailRow.id).limit(AT_ONCE)
        ).all():
            row.due, row.tries = now + _LEASE, row.tries + 1
            kept = (row.key, row.address) if row.key else None
            address = address_of(plane, session, row.person, before=kept)
            if address:
                rows.append((MailRow(**row.model_dump()), address))
            else:
                row.state = DEAD
        return rows


def _sent(plane: ControlPlane, send: Send, row: MailRow, *, address: str) -> bool:
    try:
        send(message_of(plane, row, address=address))
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, ValueError) as error:
        _LOG.warning("a message was not taken by the mail server (%s)", type(error).__name__)
        return False
    return True


def _settle(plane: ControlPlane, identity: str, *, sent: bool) -> None:
    with db.write(plane.engine) as session:
        row = session.get(MailRow, identity)
        if row is None or row.state != WAITING:
            return
        if sent:
            row.state = SENT
        elif row.tries >= MOST_TRIES:
            row.state = DEAD
        else:
            row.due = plane.now() + timedelta(seconds=pause_s(row.tries, plane.random(1)[0] / 255))
