"""Custodians of tests: keys that sign at once, and a device that follows what they signed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from control_plane.ceremony import preparing
from control_plane.ceremony.carrying_out import Done, carry_out
from control_plane.ceremony.orders import Order, encode_order, parse_order, sign_order
from control_plane.ceremony.preparing import Custody, Keepers
from control_plane.keys import load_keys
from control_plane.plane import ControlPlane
from control_plane.repository import Site
from edge_runtime import EdgeRuntime

Signers = tuple[CryptoSigner, ...]


def made(number: int = 3) -> Signers:
    """Return as many custodians."""
    return tuple(CryptoSigner(Ed25519PrivateKey.generate()) for _ in range(number))


def keepers(signers: Signers, threshold: int = 2) -> Keepers:
    """Return their public halves, with a threshold."""
    return preparing.keepers([one.public_key for one in signers], threshold)


def with_signatures(order: Order, signers: Iterable[CryptoSigner]) -> Order:
    """Return an order that these signed, one after the other."""
    for signer in signers:
        order = sign_order(order, signer)
    return order


class Organisation:
    """An installation, and the custodians who hold root and targets for it."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.root, self.targets = made(), made()

    @property
    def custody(self) -> Custody:
        """Two of three keep root, and two of three others targets."""
        return Custody(keepers(self.root), keepers(self.targets))

    @property
    def site(self) -> Site:
        """What is published, with the keys that the server has now."""
        return Site(self.plane.site, self.plane.keys, self.plane.now())

    def carry_out(self, order: Order, *signers: CryptoSigner) -> Done:
        """Have an order signed and carried out, and start the server again."""
        travelled = parse_order(encode_order(order))
        done = carry_out(self.plane, with_signatures(travelled, signers))
        self.start_again()
        return done

    def start_again(self) -> None:
        """Load the keys of the home, as a server does that starts."""
        keys = load_keys(self.plane.settings.home / "keys", self.plane.organisation)
        self.plane = replace(self.plane, keys=keys)

    def move(self) -> Done:
        """Move away from a self-contained installation."""
        return self.carry_out(preparing.move(self.plane, self.custody), *self.root[:2], *self.targets[:2])


def device(plane: ControlPlane, folder: Path) -> EdgeRuntime:
    """Return a device of an installation, with the root that its app shipped."""
    shipped = folder / "trust"
    if not shipped.exists():
        shipped.mkdir(parents=True)
        (shipped / "root.json").write_bytes((plane.settings.home / "trust" / "root.json").read_bytes())
    return EdgeRuntime.open(folder / "home", trust=shipped, source=str(plane.site))
