"""Orders: what custodians are asked to sign, as a file that travels, and the signatures that it has.

An order holds a new root, new top-level targets or both, the trust file that these targets vouch for, and the root in
force, whose keys have to sign as well. Promises: an order that says more than custodians may say is refused, when it is
read, so nobody is asked to sign it and nobody carries it out; what it changes is told in words before anybody signs.
Does not: know the server (see `preparing`, `carrying_out`). Format: docs/formats.md, `mentorplane-order/1`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Signer as TufSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets

from control_plane.errors import Conflict, Refused
from edge_runtime.core import dsse
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.trustfile import TRUST_PATH, TrustFile, parse_trust

__all__ = ["KINDS", "Lack", "Order", "describe", "encode_order", "lacking", "merge", "parse_order", "sign_order"]

FORMAT = "mentorplane-order/1"
MAX_BYTES = 8_000_000
KINDS = ("create", "move", "recover", "renew", "rotate")
JUMP = 1000
"""How far the version of a root rises whose keys before are lost: no device looks that far from the one it has."""
_T = TypeVar("_T", Root, Targets)


@dataclass(frozen=True, slots=True)
class Order:
    """What custodians are asked to sign; `before` is the root in force, None before the first."""

    kind: str
    organisation: str
    root: Metadata[Root] | None
    targets: Metadata[Targets] | None
    trust: bytes
    before: Metadata[Root] | None

    @property
    def in_force(self) -> Root:
        """The root that is in force once the order is carried out."""
        metadata = self.root or self.before
        assert metadata is not None  # `_require_sound`
        return metadata.signed


@dataclass(frozen=True, slots=True)
class Lack:
    """How many more signatures a role needs, by which of these keys; `of` says whose: "root", "targets", or before."""

    of: str
    missing: int
    keys: tuple[str, ...]


def encode_order(order: Order) -> bytes:
    """Return the bytes of an order."""
    document = {
        "format": FORMAT,
        "kind": order.kind,
        "organisation": order.organisation,
        "root": order.root.to_dict() if order.root else None,
        "targets": order.targets.to_dict() if order.targets else None,
        "trust": dsse.encode_base64(order.trust),
        "before": order.before.to_dict() if order.before else None,
    }
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def parse_order(data: bytes) -> Order:
    """Return the order in a file.

    Raises:
        InvalidDocument: it is none, or says more than custodians may say.
    """
    try:
        if len(data) > MAX_BYTES:
            raise ValueError
        document = json.loads(data)
        if document["format"] != FORMAT or document["kind"] not in KINDS or len(document) != 7:
            raise ValueError
        order = Order(
            document["kind"],
            str(document["organisation"]),
            _metadata(document["root"], Root),
            _metadata(document["targets"], Targets),
            dsse.decode_base64(document["trust"]),
            _metadata(document["before"], Root),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RepositoryError) as error:
        raise InvalidDocument(f"expected an order of the format {FORMAT}, got another file") from error
    _require_sound(order)
    return order


def _metadata(document: Any, kind: type[_T]) -> Metadata[_T] | None:
    if document is None:
        return None
    found: Metadata[_T] = Metadata.from_dict(document)
    if not isinstance(found.signed, kind):
        raise TypeError
    return found


def sign_order(order: Order, signer: TufSigner) -> Order:
    """Return the order with a custodian's signature under all that their key is asked for.

    Raises:
        Refused: it is asked for nothing.
    """
    signed = parse_order(encode_order(order))  # metadata can be changed: the caller's is left as it is
    keyid, asked = signer.public_key.keyid, False
    for metadata, role in ((signed.root, "root"), (signed.targets, "targets")):
        roots = [one.signed for one in (signed.root, signed.before) if one]
        if metadata is not None and any(keyid in root.roles[role].keyids for root in roots):
            metadata.sign(signer, append=True)
            asked = True
    if not asked:
        raise Refused("expected a key that this order asks for, got another")
    return signed


def merge(orders: Iterable[Order]) -> Order:
    """Return one order with the signatures of copies that custodians signed each by themselves.

    Raises:
        Conflict: they are not copies of one order.
    """
    first, *others = orders
    made = parse_order(encode_order(first))
    for other in others:
        if encode_order(_unsigned(other)) != encode_order(_unsigned(first)):
            raise Conflict("expected copies of one order, got different ones")
        for mine, theirs in ((made.root, other.root), (made.targets, other.targets)):
            if mine and theirs:
                mine.signatures.update(theirs.signatures)
    return made


def _unsigned(order: Order) -> Order:
    bare = parse_order(encode_order(order))
    for metadata in (bare.root, bare.targets):
        if metadata:
            metadata.signatures.clear()
    return bare


def lacking(order: Order) -> tuple[Lack, ...]:
    """Return what signatures an order lacks before it can be carried out; () if it has all."""
    return tuple(lack for lack in _lacks(order) if lack.missing)


def _lacks(order: Order) -> Iterator[Lack]:
    if order.root:
        yield _lack("root", order.in_force, order.root)
        if order.before and order.root.signed.version == order.before.signed.version + 1:
            yield _lack("root before", order.before.signed, order.root)
    if order.targets:
        yield _lack("targets", order.in_force, order.targets)


def _lack(of: str, root: Root, metadata: Metadata[_T]) -> Lack:
    role = of.split(" ", maxsplit=1)[0]
    try:
        result = root.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    except (ValueError, UnverifiedSignatureError) as error:
        raise InvalidDocument(f"expected signatures under {role} that read, got others") from error
    return Lack(of, result.missing, tuple(sorted(result.unsigned)))


def describe(order: Order) -> str:
    """Return in words what an order puts in force: whose keys and thresholds, which people, until when."""
    lines = [f"{order.kind}: order for {order.organisation}"]
    if order.root:
        root = order.root.signed
        lines.append(f"root {root.version}, until {root.expires:%Y-%m-%d}")
        for role in ("root", "targets", "snapshot", "timestamp"):
            lines += list(_role(role, root, order.before.signed if order.before else None))
        if order.before and root.version != order.before.signed.version + 1:
            lines.append("  the keys of the root before do not sign: devices take this root with an update of the app")
    if order.targets:
        targets = order.targets.signed
        assert targets.delegations
        assert targets.delegations.roles
        [keyid] = targets.delegations.roles["releases"].keyids
        lines.append(f"targets {targets.version}, until {targets.expires:%Y-%m-%d}; releases by key {keyid[:12]}")
        lines += list(_trust(parse_trust(order.trust)))
    return "\n".join(lines)


def _role(role: str, root: Root, before: Root | None) -> Iterator[str]:
    now, was = root.roles[role], before.roles[role] if before else None
    yield f"  {role}: {now.threshold} of {len(now.keyids)} keys"
    for keyid in now.keyids:
        yield f"    {keyid[:12]}{'' if was is None or keyid in was.keyids else ' (new)'}"
    for keyid in was.keyids if was else ():
        if keyid not in now.keyids:
            yield f"    {keyid[:12]} (no more)"


def _trust(trust: TrustFile) -> Iterator[str]:
    yield f"  self-contained: {'yes' if trust.self_contained else 'no'}; log {trust.log_vkey}"
    witnesses = trust.witnesses
    named = ", ".join(f"{one.name} ({one.verifier.vkey})" for one in witnesses.witnesses) if witnesses else "none"
    since = f"; from entry {trust.witnessed_from} on" if trust.witnessed_from else ""
    yield f"  witnesses: {named}" + (f"; asked for: {witnesses.quorum}{since}" if witnesses else "")
    yield f"  second source of withdrawals: {trust.second_source or 'none'}"
    yield "  least approvals: " + ", ".join(f"{tier} {least}" for tier, least in sorted(trust.floor.items()))
    for person in trust.people.values():
        key = f"key {dsse.key_id(person.key)[:12]}, custody {person.custody}"
        term = trust.term_of(person.person)
        until = f"; first term until {term.until[:10]}" if term.until else ""
        ended = "".join(f"; {grant} ended by entry {entry}" for grant, entry in sorted(term.ended.items()))
        yield f"  {person.person}: {', '.join(person.roles)}; {key}{until}{ended}"


def _require_sound(order: Order) -> None:
    """Refuse an order that custodians must not be asked to sign.

    Raises:
        InvalidDocument: it is one.
    """
    if order.root is None and (order.targets is None or order.before is None):
        raise InvalidDocument("expected an order with a root or, beside the root in force, targets")
    if order.root:
        _require_sound_root(order.root.signed, order.before.signed if order.before else None, kind=order.kind)
    if order.targets:
        _require_sound_targets(order.targets.signed, order)


def _require_sound_root(root: Root, before: Root | None, *, kind: str) -> None:
    following = before.version + 1 if before else 1
    jumps = before is not None and kind == "recover" and root.version == before.version + JUMP
    if root.version != following and not jumps:
        raise InvalidDocument(f"expected root {following}, got root {root.version}")
    for role in ("root", "targets", "snapshot", "timestamp"):
        named = root.roles[role]
        publics = {str(root.keys[keyid].keyval["public"]) for keyid in named.keyids if keyid in root.keys}
        if not 1 <= named.threshold <= len(named.keyids) or len(publics) != len(named.keyids):
            raise InvalidDocument(f"expected keys for {role}, each another, and a threshold that they can meet")
    if not root.consistent_snapshot:
        raise InvalidDocument("expected a root with consistent snapshots, got one without")


def _require_sound_targets(targets: Targets, order: Order) -> None:
    roles = targets.delegations.roles if targets.delegations else None
    role = (roles or {}).get("releases")
    if roles is None or role is None or len(roles) != 1 or role.paths != ["channels/*"] or not role.terminating:
        raise InvalidDocument("expected targets that delegate channels/*, terminating, to releases, and no more")
    if set(targets.targets) != {TRUST_PATH}:
        raise InvalidDocument("expected targets that vouch for the trust file alone, got others")
    try:
        targets.targets[TRUST_PATH].verify_length_and_hashes(order.trust)
    except RepositoryError as error:
        raise InvalidDocument("expected the trust file that the targets vouch for, got another") from error
    if parse_trust(order.trust).organisation != order.organisation:
        raise InvalidDocument("expected a trust file of the order's organisation, got another's")
