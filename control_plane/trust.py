"""What devices are told to trust: the trust file, and the log's word on every change of it.

Promises: `log_change` appends one entry for each trust file that differs from the one logged last, with the digests of
both, whoever changed it and how: people enrolled, the approval floor, the log's key. Publishing asks for it first, so
no device adopts a trust file that the log does not know. Where custodians keep the offline keys, devices are told what
these signed last, and nothing is released that it does not cover. Does not: publish (see `publish`).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session, col, select

from audit.frozen import replace
from audit.note import parse_vkey
from audit.policy import Log
from audit.record import Act, Auth, LeafObject
from control_plane import ledger, mandates
from control_plane.accounts import people
from control_plane.errors import Refused
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow
from edge_runtime.core import canonical, dsse
from edge_runtime.core.approval import read_signed
from edge_runtime.core.errors import InvalidDocument, NotTrusted
from edge_runtime.core.trustfile import TRUST_PATH, TrustFile, encode_trust, parse_trust

__all__ = ["is_logged", "log_change", "require_signed_keyring", "signed_trust", "signed_trust_file", "trust_file"]


def trust_file(plane: ControlPlane, session: Session) -> TrustFile:
    """Return whose signatures count, which log, and the approval floor, as the database has them now.

    It says self-contained while root and targets lie on this machine, whatever the witness policy of the home. Devices
    learn that policy here, without addresses; one that cannot be read leaves in force what was published before.
    """
    log_vkey = plane.keys.log.verifier.vkey
    told = TrustFile(
        organisation=plane.organisation,
        people=people.keyring(session),
        log_vkey=log_vkey,
        floor=dict(plane.settings.floor),
        own_keys=False,
        self_contained=plane.keys.is_self_contained,
        witness_policy=_witness_policy(plane, log_vkey),
        second_source=_second_source(plane),
    )
    if mandates.older_devices_live(plane, session):
        return told
    before = signed_trust_file(plane) if told.witness_policy else None
    since = mandates.witnessed_from(plane, told.witnesses, before=before)
    return replace(told, terms=mandates.terms(session), witnessed_from=since)


def _witness_policy(plane: ControlPlane, log_vkey: str) -> str:
    """Return the policy of the home as devices get it: about this log alone, and without addresses."""
    try:
        known = ledger.witness_policy(plane)
    except InvalidDocument:  # `audit verify` says so
        before = signed_trust_file(plane)
        return before.witness_policy if before and before.log_vkey == log_vkey else ""
    if known is None:
        return ""
    log = Log(parse_vkey(log_vkey))
    witnesses = tuple(replace(one, url="") for one in known.witnesses)
    return replace(known, logs=(log,), witnesses=witnesses).encode().decode()


def _second_source(plane: ControlPlane) -> str:
    """Return the address in the file `second-source` of the home, "" if there is none."""
    path = plane.settings.home / "second-source"
    return path.read_text("utf-8").strip() if path.is_file() else ""


def signed_trust(plane: ControlPlane) -> bytes | None:
    """Return the trust file that is published; None before the first."""
    from control_plane.repository import site_of  # brings `tuf`

    return site_of(plane).target(TRUST_PATH)


def signed_trust_file(plane: ControlPlane) -> TrustFile | None:
    """Return what the trust file that is published holds; None before the first."""
    told = signed_trust(plane)
    return parse_trust(told) if told else None


def require_signed_keyring(plane: ControlPlane, envelopes: Iterable[dsse.Envelope]) -> None:
    """Refuse statements by people whom the keyring that custodians signed does not name yet: devices would refuse them.

    Raises:
        Refused: there is one.
    """
    if plane.keys.is_self_contained:
        return
    told = signed_trust_file(plane)
    try:
        read_signed(envelopes, told.people if told else {})
    except NotTrusted as error:
        hint = "have custodians sign the keyring: `mentorplane ceremony renew`"
        raise Refused("expected signers in the keyring that custodians signed, got another", hint=hint) from error


def is_logged(session: Session, trust: bytes) -> bool:
    """Return whether the log's last word on the trust file is this one."""
    return _last(session) == canonical.digest(trust)


def log_change(plane: ControlPlane, session: Session, trust: bytes = b"") -> None:
    """Append an entry in the caller's transaction if the trust file, or this one, is not the one logged last."""
    trust = trust or encode_trust(trust_file(plane, session))
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
