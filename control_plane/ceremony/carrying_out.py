"""Carrying out an order: what custodians signed is logged, published, and in force.

Order: the entries of the log; targets, snapshot, timestamp; the new root; `trust/root.json` for apps that are shipped
from now on; then the server's keys of before go. A crash anywhere is finished by carrying out the same order again.
Promises: nothing is carried out that lacks a signature, that was made for another state than this, or that names a key
of the server which is not here. Does not: make orders (see `preparing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from sqlmodel import Session, col, select

from audit.note import Signer
from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger, publish, trust
from control_plane.ceremony.orders import Order, describe, lacking
from control_plane.ceremony.preparing import next_path
from control_plane.errors import Conflict, Refused
from control_plane.files import write_atomic
from control_plane.keys import ONLINE, load_key, load_keys, replace_log_key, take_offline
from control_plane.plane import ControlPlane
from control_plane.repository import site_of
from control_plane.tables.registry import LeafRow
from edge_runtime.core import canonical
from edge_runtime.core.trustfile import parse_trust

__all__ = ["Done", "carry_out"]


@dataclass(frozen=True, slots=True)
class Done:
    """What an order put in force: in words, and which of the server's keys it replaced."""

    kind: str
    said: str
    replaced: tuple[str, ...]


def carry_out(plane: ControlPlane, order: Order) -> Done:
    """Put in force what custodians signed; the server has to be started again afterwards.

    Raises:
        Refused: signatures lack.
        Conflict: it is an order for another installation or other keys, or the state moved on since it was made.
    """
    if lacks := lacking(order):
        said = "; ".join(f"{one.missing} more under {one.of}" for one in lacks)
        raise Refused(f"expected an order that its custodians signed, got one that lacks {said}")
    fresh = _fresh(plane, order)
    keys = replace(
        plane.keys,
        roles={**plane.keys.roles, **{name: key for name, key in fresh.items() if name != "log"}},
        also={name: plane.keys.roles[name] for name in fresh if name != "log"},
    )
    with ledger.act(plane) as session:
        _require_next(plane, order)
        _log(plane, session, order)
    # Crash from here on: what is logged is not published yet, or not whole; the same order is carried out again.
    if "log" in fresh:
        keys = replace(keys, log=_replace_log(plane), earlier_logs=(*keys.earlier_logs, plane.keys.log.verifier))
        ledger.publish_log(replace(plane, keys=keys))
        # Crash here: devices believe the key before, so what is released meanwhile reaches them with the order.
    _publish(replace(plane, keys=keys), order)
    _settle(plane, order, fresh=fresh)
    publish.publish(replace(plane, keys=load_keys(plane.settings.home / "keys", plane.organisation)))
    return Done(order.kind, describe(order), tuple(sorted(fresh)))


def _publish(plane: ControlPlane, order: Order) -> None:
    site = site_of(plane)
    with db.write(plane.engine) as session:
        _require_next(plane, order)
        told = parse_trust(order.trust or trust.signed_trust(plane) or b"")
        released = publish.channel_targets(plane, session, site, told=told)
        site.take(order.root, order.targets, trust=order.trust, released=released)


def _replace_log(plane: ControlPlane) -> Signer:
    folder = plane.settings.home / "keys"
    replace_log_key(folder, next_path(folder, "log"), before=plane.keys.log.verifier.vkey)
    return load_keys(folder, plane.organisation).log


def _fresh(plane: ControlPlane, order: Order) -> dict[str, Ed25519PrivateKey]:
    """Return the server's keys that an order names and that are not in use yet.

    Raises:
        Conflict: one is not here.
    """
    named, fresh = _named(order), {}
    for role in ONLINE:
        if role in named and _keyid(plane.keys.roles[role]) != named[role]:
            fresh[role] = _next(plane, role)
            if _keyid(fresh[role]) != named[role]:
                raise _another(role)
    if order.targets and parse_trust(order.trust).log_vkey != plane.keys.log.verifier.vkey:
        fresh["log"] = _next(plane, "log")
        signer = Signer(plane.keys.log.name, fresh["log"].private_bytes_raw())
        if signer.verifier.vkey != parse_trust(order.trust).log_vkey:
            raise _another("log")
    return fresh


def _next(plane: ControlPlane, name: str) -> Ed25519PrivateKey:
    path = next_path(plane.settings.home / "keys", name)
    if not path.exists():
        raise _another(name)
    return load_key(path)


def _another(name: str) -> Conflict:
    return Conflict(f"expected an order for the key of {name} that is here, got one for another", hint="make it again")


def _keyid(key: Ed25519PrivateKey) -> str:
    return str(CryptoSigner(key).public_key.keyid)


def _named(order: Order) -> dict[str, str]:
    root = order.in_force
    named = {role: root.roles[role].keyids[0] for role in ("snapshot", "timestamp")}
    roles = order.targets.signed.delegations.roles if order.targets and order.targets.signed.delegations else None
    return named | ({"releases": roles["releases"].keyids[0]} if roles else {})


def _require_next(plane: ControlPlane, order: Order) -> None:
    """Refuse an order that does not follow what is in force; one that is in force already is good.

    Raises:
        Conflict: it does not.
    """
    if order.organisation != plane.organisation:
        raise Conflict("expected an order for this organisation, got another's")
    site = site_of(plane)
    root, top = site.root(), site.top()
    known = {metadata.to_bytes() for metadata in (order.root, order.before) if metadata}
    if (root.to_bytes() not in known) if root else (order.before is not None):
        raise Conflict("expected an order made for the root in force, got another", hint="make the order again")
    stands = bool(order.targets and top and top.to_bytes() == order.targets.to_bytes())
    if order.targets and top and not stands and top.signed.version >= order.targets.signed.version:
        raise Conflict("expected an order with newer targets, got one that was overtaken", hint="make it again")


def _log(plane: ControlPlane, session: Session, order: Order) -> None:
    signed = ((Act.ROOT_SIGNED, "root", order.root), (Act.TARGETS_SIGNED, "targets", order.targets))
    for act, name, metadata in signed:
        if metadata is None:
            continue
        digest, before = canonical.digest(metadata.to_bytes()), _last(session, act)
        if digest == before:
            continue  # a crash after it was logged
        target = LeafObject(name, f"{name}.json", digest, str(metadata.signed.version))
        event = ledger.Event(act, ledger.SYSTEM, ledger.SYSTEM, Auth.KEY, target, code=order.kind)
        ledger.append(plane, session, replace(event, before=before, after=digest))
    if order.targets:
        trust.log_change(plane, session, order.trust)


def _last(session: Session, act: Act) -> str:
    query = select(LeafRow.digest).where(LeafRow.act == str(act)).order_by(col(LeafRow.seq).desc())
    return session.exec(query.limit(1)).first() or ""


def _settle(plane: ControlPlane, order: Order, *, fresh: Mapping[str, Ed25519PrivateKey]) -> None:
    """Let the server's new keys take the place of the old, and apps be shipped with the root in force."""
    home, root = plane.settings.home, site_of(plane).root()
    assert root  # it is published
    write_atomic(home / "trust" / "root.json", root.to_bytes())
    for name in sorted(set(fresh) - {"log"}):
        next_path(home / "keys", name).replace(home / "keys" / f"{name}.pem")
    if order.kind == "move":
        take_offline(home / "keys")
