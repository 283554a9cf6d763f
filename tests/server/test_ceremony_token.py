"""A custodian whose key is in a token that speaks PKCS#11; SoftHSM stands in for the hardware."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from control_plane.ceremony import preparing
from control_plane.ceremony.custodians import import_custodian, load_custodian, open_signer
from control_plane.ceremony.preparing import Custody
from edge_runtime.core.errors import InvalidDocument, Unavailable
from tests.server.acts import Acts
from tests.server.custodians import Organisation, device

PIN, LABEL = "1234", "mentorplane"
LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
UTILITY = shutil.which("softhsm2-util") or ""
LIBRARY = os.environ.get("PYKCS11LIB") or next((path for path in LIBRARIES if Path(path).exists()), "")


def pin(_what: str) -> str:
    """What a custodian types."""
    return PIN


def make_token(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a token with an elliptic curve key in place 2."""
    pkcs11 = pytest.importorskip("pkcs11", reason="what speaks PKCS#11 is not installed: the extra `hsm` brings it")
    from pkcs11.util.ec import encode_named_curve_parameters

    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n", encoding="utf-8")
    monkeypatch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    monkeypatch.setenv("PYKCS11LIB", LIBRARY)
    given = ["--free", "--label", LABEL, "--pin", PIN, "--so-pin", PIN, "--module", LIBRARY]
    subprocess.run([UTILITY, "--init-token", *given], check=True, capture_output=True)
    library = pkcs11.lib(LIBRARY)
    attributes = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    with library.get_token(token_label=LABEL).open(user_pin=PIN, rw=True) as session:
        made = session.create_domain_parameters(pkcs11.KeyType.EC, attributes, local=True)
        made.generate_keypair(id=b"\x02", label="root", store=True)


@pytest.mark.skipif(not LIBRARY or not UTILITY, reason="no SoftHSM on this machine: the package softhsm2 brings it")
def test_a_token_holds_a_key_of_root_and_devices_follow_it(
    acts: Acts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that never leaves a token signs a move with others, and a device verifies it with and without a network."""
    make_token(tmp_path, monkeypatch)
    path = tmp_path / "ann.key"
    made = import_custodian(path, name="ann", uri=f"hsm:2?label={LABEL}", ask=pin)
    assert PIN not in path.read_text(encoding="utf-8")
    signer = open_signer(load_custodian(path), pin)
    edge, organisation = device(acts.plane, tmp_path / "device"), Organisation(acts.plane)
    assert edge.refresh().ok
    root = preparing.keepers([made.key, organisation.root[0].public_key], 2)
    targets = preparing.keepers([made.key, *(one.public_key for one in organisation.targets)], 2)
    order = preparing.move(acts.plane, Custody(root, targets))
    organisation.carry_out(order, signer, organisation.root[0], organisation.targets[0])  # type: ignore[arg-type]
    assert edge.refresh().ok
    assert device(organisation.plane, tmp_path / "device").status().release == 1


def test_a_token_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a library or a token nothing is written; an address of another kind is invalid."""
    monkeypatch.delenv("PYKCS11LIB", raising=False)
    with pytest.raises(Unavailable):
        import_custodian(tmp_path / "ann.key", name="ann", uri="hsm:2", ask=pin)
    with pytest.raises(InvalidDocument, match="hsm:2"):
        import_custodian(tmp_path / "ann.key", name="ann", uri="gcpkms:somewhere", ask=pin)
    assert list(tmp_path.iterdir()) == []
