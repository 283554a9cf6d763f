"""The files of custodians, and their commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from control_plane.ceremony.custodians import create_custodian, load_custodian, open_signer, public_path
from control_plane.cli import app
from control_plane.errors import Conflict, Refused
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts
from tests.server.conftest import CHEAP
from tests.server.custodians import device

SECRET = "a phrase of ann's own"


def test_a_custodians_file_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    """The key signs after the passphrase; another, a looser mode, the public half and a changed file do not."""
    path = tmp_path / "ann.key"
    made = create_custodian(path, name="ann", passphrase=SECRET, cost=CHEAP)
    found = load_custodian(path)
    signature = open_signer(found, lambda _: SECRET).sign(b"what is signed")
    made.key.verify_signature(signature, b"what is signed")
    with pytest.raises(Refused, match="passphrase"):
        open_signer(found, lambda _: "another passphrase")
    public = load_custodian(public_path(path))
    assert not public.can_sign
    assert public.key == made.key
    with pytest.raises(InvalidDocument, match="public half"):
        open_signer(public, lambda _: SECRET)
    with pytest.raises(Conflict):
        create_custodian(path, name="ann", passphrase=SECRET, cost=CHEAP)
    with pytest.raises(InvalidDocument, match="12 characters"):
        create_custodian(tmp_path / "b.key", name="ann", passphrase="short", cost=CHEAP)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(made.key.keyid, "0" * 64), encoding="utf-8")
    with pytest.raises(Refused, match="passphrase"):
        open_signer(load_custodian(path), lambda _: SECRET)
    path.chmod(0o644)
    with pytest.raises(Refused, match="only its owner"):
        load_custodian(path)


def test_one_command_moves_an_installation_to_custodians(
    acts: Acts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ceremony move` with the key files at hand carries the order out; `status` says so, and a device follows."""
    edge = device(acts.plane, tmp_path / "device")
    assert edge.refresh().ok
    home, keys = acts.plane.settings.home, [tmp_path / "ann.key", tmp_path / "ben.key"]
    for path in keys:
        create_custodian(path, name=path.stem, passphrase=SECRET, cost=CHEAP)
    monkeypatch.setenv("MENTORPLANE_PASSPHRASE", SECRET)
    monkeypatch.setenv("DATABASE_URL", acts.plane.settings.database_url)
    runner, order = CliRunner(), str(tmp_path / "order.json")
    given = ["--root", str(public_path(keys[0])), "--targets", str(public_path(keys[1])), "--order", order]
    half = runner.invoke(app, ["ceremony", "move", *given, "--key", str(keys[0]), "--home", str(home)])
    assert half.exit_code == 0, half.output
    assert "lacks 1 under targets" in half.output
    assert "self-contained" in runner.invoke(app, ["ceremony", "status", "--home", str(home)]).output
    refused = runner.invoke(app, ["ceremony", "apply", order, "--home", str(home)])
    assert refused.exit_code == 2
    signed = runner.invoke(app, ["ceremony", "sign", order, "--key", str(keys[1]), "--yes"])
    assert "every signature is there" in signed.output
    assert "root 2" in runner.invoke(app, ["ceremony", "show", order]).output
    done = runner.invoke(app, ["ceremony", "apply", order, "--home", str(home)])
    assert done.exit_code == 0, done.output
    assert runner.invoke(app, ["ceremony", "status", "--home", str(home)]).output.startswith("offline")
    assert edge.refresh().ok
