"""Somebody far away with a key of their own: a token by that key, then an approval, over HTTP."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from control_plane import verifying
from control_plane.accounts import tokens
from control_plane.accounts.presence import prove
from control_plane.cli import app
from control_plane.custody.keyfile import open_key
from control_plane.errors import Refused
from control_plane.granting import leaving
from control_plane.overview import queries
from control_plane.purposes import LOG_IN
from tests.server.acts import Acts, refused
from tests.server.conftest import Clock
from tests.server.keyholders import SECRET, fresh
from tests.serving import served


def test_an_approval_from_another_machine_with_nothing_but_a_key(acts: Acts, tmp_path: Path) -> None:
    """`login --key` gets a token into a file of mode 0600; with it `approve --key --server` derives, checks, signs.

    So does one that `login` keeps, until `logout` revokes it.
    """
    file = fresh(acts, tmp_path)
    acts.check()
    trust, token = tmp_path / "trust", tmp_path / "token"
    trust.mkdir()
    shutil.copy(acts.plane.site / "metadata" / "1.root.json", trust / "root.json")
    key = ("--key", str(tmp_path / "noor.key"))
    elsewhere = {"MENTORPLANE_PASSPHRASE": SECRET, "MENTORPLANE_HOME": str(tmp_path / "nothing")}
    with served(acts.plane.settings) as url:
        given = CliRunner().invoke(app, ["login", *key, "--server", url, "--into", str(token)], env=elsewhere)
        assert (given.exit_code, token.stat().st_mode & 0o777) == (0, 0o600), given.output
        elsewhere["MENTORPLANE_TOKEN"] = token.read_text().strip()
        where = (
            "--server",
            url,
            "--source",
            f"{url}/edge",
            "--trust",
            str(trust),
            "--device",
            str(tmp_path / "device"),
        )
        what = ("approve", "2", "--role", "facilitator", "--reason", "read it here", "--yes")
        made = CliRunner().invoke(app, [*what, *key, *where], env=elsewhere)
    assert made.exit_code == 0, made.output
    [*_, last] = queries.show_proposal(acts.plane, 2).signatures
    assert (last.person, last.act) == (file.person, "approve")
    assert verifying.verify(acts.plane).ok


def test_attack_a_token_by_a_key_that_is_not_the_persons(acts: Acts, tmp_path: Path, clock: Clock) -> None:
    """For another purpose, a second time, for somebody else, or once its holder left: no token; and twelve hours."""
    file = fresh(acts, tmp_path)
    key, now = open_key(file, SECRET), acts.plane.now()
    good = prove(key, person=file.person, purpose=LOG_IN, at=now, nonce=bytes(16))
    other = prove(key, person=file.person, purpose="take back", at=now, nonce=bytes(16))
    for person, proof in (
        (file.person, other),
        (acts.id("tom"), good),
        ("nobody", good),
        (file.person, replace(good, at="x")),
    ):
        with refused(acts.plane, Refused):
            tokens.log_in(acts.plane, person, proof)
    made = tokens.log_in(acts.plane, file.person, good)
    assert tokens.acting_for(acts.plane, made.text).person == file.person
    with refused(acts.plane, Refused, match="nobody has used"):
        tokens.log_in(acts.plane, file.person, good)
    clock.advance(hours=12)
    with pytest.raises(Refused):
        tokens.acting_for(acts.plane, made.text)
    for by in ("lena", "ruth"):
        given = {"reason": "gone", "present": acts.passphrase(by)}
        leaving.retire_person(acts.plane, acts.id(by), file.person, **given)
    late = prove(key, person=file.person, purpose=LOG_IN, at=acts.plane.now(), nonce=bytes(16))
    with refused(acts.plane, Refused):
        tokens.log_in(acts.plane, file.person, late)
