"""Making orders: what custodians will be asked to sign, from the installation as it is now.

Promises: nothing is in force before an order is carried out; a key of the server that is to be replaced has its
successor made here, beside it, and both sign until the new one is in force; an installation that signs for itself signs
the order that takes this away from it. Does not: sign for custodians (see `orders`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from securesystemslib.signer import CryptoSigner, Key
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

from audit.note import Signer
from control_plane import db, trust
from control_plane.ceremony.orders import JUMP, Order, encode_order, parse_order
from control_plane.errors import Conflict
from control_plane.keys import ONLINE, load_key, make_key, replace_log_key
from control_plane.plane import ControlPlane
from control_plane.repository import LIFETIMES, delegate, site_of
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.trustfile import TRUST_PATH, encode_trust, parse_trust, with_log_key

__all__ = [
    "Custody",
    "Keepers",
    "Replacing",
    "first",
    "keepers",
    "move",
    "next_path",
    "recover_root",
    "renew",
    "replace_lost_log",
    "rotate",
]


@dataclass(frozen=True, slots=True)
class Keepers:
    """The keys behind a role, and how many of them it takes."""

    keys: tuple[Key, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class Custody:
    """Who keeps what: the keys behind root and those behind targets."""

    root: Keepers
    targets: Keepers


@dataclass(frozen=True, slots=True)
class Replacing:
    """What an order replaces: keepers of root or of targets, and keys of the server by name."""

    root: Keepers | None = None
    targets: Keepers | None = None
    server: frozenset[str] = frozenset()


def keepers(keys: Iterable[Key], threshold: int = 0) -> Keepers:
    """Return keepers with a threshold, or with the majority of them where none is given.

    Raises:
        InvalidDocument: no key, one key twice, or a threshold that they cannot meet.
    """
    found = tuple(keys)
    wanted = threshold or len(found) // 2 + 1
    if not 1 <= wanted <= len(found) or len({key.keyid for key in found}) != len(found):
        raise InvalidDocument("expected different keys, and a threshold that they can meet")
    return Keepers(found, wanted)


def first(plane: ControlPlane, custody: Custody) -> Order:
    """Return the order that an installation begins with: the people who are enrolled now are its keyring.

    Raises:
        Conflict: something is published already, or the keys of root and targets are here.
    """
    site = site_of(plane)
    if plane.keys.is_self_contained or site.root():
        raise Conflict("expected an installation that begins with custodians, got another")
    return _made(plane, "create", root=_root(plane, None, custody), trust=True)


def move(plane: ControlPlane, custody: Custody) -> Order:
    """Return the order by which custodians take over root and targets, signed already with the keys here.

    Raises:
        Conflict: they are not here, or nothing is published.
    """
    before = site_of(plane).root()
    if not plane.keys.is_self_contained or before is None:
        raise Conflict("expected a self-contained installation that has published, got another")
    order = _made(plane, "move", root=_root(plane, before.signed, custody), trust=True)
    assert order.root
    assert order.targets
    order.root.sign(CryptoSigner(plane.keys.roles["root"]), append=True)
    order.targets.sign(CryptoSigner(plane.keys.roles["targets"]), append=True)
    return order


def renew(plane: ControlPlane, *, root: bool = False) -> Order:
    """Return the order by which targets, and root if wanted, are signed for another period, with the people of now.

    Raises:
        Conflict: there are no custodians.
    """
    before = _before(plane)
    fresh = _root(plane, before, _custody(before)) if root else None
    return _made(plane, "renew", root=fresh, trust=True)


def rotate(plane: ControlPlane, replacing: Replacing) -> Order:
    """Return the order that replaces keys: of custodians, of the server, or of both at once.

    The keys that go sign together with those that come, as far as they are there: `targets` that the keys before
    cannot sign any more are in force all the same, with the root that names the new ones.

    Raises:
        Conflict: there are no custodians.
        InvalidDocument: nothing is replaced, or the server has no key of that name.
    """
    before = _before(plane)
    if replacing.server - {*ONLINE, "log"} or replacing == Replacing():
        raise InvalidDocument(f"expected keys to replace: of root, targets, {', '.join(ONLINE)} or log")
    folder = plane.settings.home / "keys"
    for name in sorted(replacing.server):
        if not (path := next_path(folder, name)).exists():
            make_key(path)
    now = _custody(before)
    custody = Custody(replacing.root or now.root, replacing.targets or now.targets)
    changes_root = custody != now or bool(replacing.server & {"snapshot", "timestamp"})
    changes_top = replacing.targets is not None or bool(replacing.server & {"releases", "log"})
    root = _root(plane, before, custody, replacing=replacing.server) if changes_root else None
    return _made(plane, "rotate", root=root, trust=changes_top, replacing=replacing.server)


def recover_root(plane: ControlPlane, root: Keepers) -> Order:
    """Return the order for a root whose keys are lost: by the new keys alone, for devices whose app is updated.

    Its version jumps, so devices that trust the root before do not meet it: they go on until that one expires.

    Raises:
        Conflict: there are no custodians.
    """
    before = _before(plane)
    made = _root(plane, before, Custody(root, _custody(before).targets))
    made.signed.version = before.version + JUMP
    return _made(plane, "recover", root=made, trust=False)


def replace_lost_log(home: Path, site: Path) -> None:
    """Make a new key for the log where its key is gone; an order that renews targets tells devices of it.

    Raises:
        Conflict: the key is there, or nothing is published.
    """
    folder, metadata = home / "keys", site / "metadata"
    versions = [int(path.name.split(".")[0]) for path in metadata.glob("*.targets.json")]
    if (folder / "log.pem").exists() or not versions:
        raise Conflict("expected a published log whose key is gone, got another")
    top: Metadata[Targets] = Metadata.from_file(str(metadata / f"{max(versions)}.targets.json"))
    told = (site / "targets" / f"{top.signed.targets[TRUST_PATH].hashes['sha256']}.{TRUST_PATH}").read_bytes()
    make_key(next_path(folder, "log"))
    replace_log_key(folder, next_path(folder, "log"), before=parse_trust(told).log_vkey)


def next_path(folder: Path, name: str) -> Path:
    """Return where the successor of a key of the server waits until it is in force."""
    return folder / f"next-{name}.pem"


def _made(
    plane: ControlPlane,
    kind: str,
    *,
    root: Metadata[Root] | None,
    trust: bool,
    replacing: frozenset[str] = frozenset(),
) -> Order:
    site = site_of(plane)
    top, told = _top(plane, replacing) if trust else (None, b"")
    order = Order(kind, plane.organisation, root, top, told, site.root())
    return parse_order(encode_order(order))


def _root(
    plane: ControlPlane, before: Root | None, custody: Custody, *, replacing: frozenset[str] = frozenset()
) -> Metadata[Root]:
    root = Root(version=before.version + 1 if before else 1, consistent_snapshot=True)
    root.expires = plane.now() + LIFETIMES["root"]
    for role, kept in (("root", custody.root), ("targets", custody.targets)):
        for key in kept.keys:
            root.add_key(key, role)
        root.roles[role].threshold = kept.threshold
    for role in ("snapshot", "timestamp"):
        root.add_key(_public(plane, role, replacing), role)
    return Metadata(root)


def _top(plane: ControlPlane, replacing: frozenset[str]) -> tuple[Metadata[Targets], bytes]:
    with db.read(plane.engine) as session:
        told = replace(trust.trust_file(plane, session), self_contained=False)
    if "log" in replacing:
        log = load_key(next_path(plane.settings.home / "keys", "log"))
        told = with_log_key(told, Signer(plane.keys.log.name, log.private_bytes_raw()).verifier.vkey)
    data, before = encode_trust(told), site_of(plane).top()
    targets = Targets(version=before.signed.version + 1 if before else 1, expires=plane.now() + LIFETIMES["targets"])
    delegate(targets, _public(plane, "releases", replacing), TargetFile.from_data(TRUST_PATH, data, ["sha256"]))
    return Metadata(targets), data


def _public(plane: ControlPlane, role: str, replacing: frozenset[str]) -> Key:
    key = load_key(next_path(plane.settings.home / "keys", role)) if role in replacing else plane.keys.roles[role]
    return CryptoSigner(key).public_key


def _before(plane: ControlPlane) -> Root:
    root = site_of(plane).root()
    if plane.keys.is_self_contained or root is None:
        raise Conflict(
            "expected an installation whose custodians have begun, got another",
            hint="`mentorplane ceremony move` gives root and targets to custodians",
        )
    return root.signed


def _custody(root: Root) -> Custody:
    root_keys, targets_keys = (
        Keepers(tuple(root.keys[keyid] for keyid in root.roles[role].keyids), root.roles[role].threshold)
        for role in ("root", "targets")
    )
    return Custody(root_keys, targets_keys)
