"""Rolling out by stages: stages are approved with the release, a release manager opens them, anybody may halt."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from control_plane import ledger, verifying
from control_plane.accounts import tokens
from control_plane.app import create_app
from control_plane.cli import app
from control_plane.diffs.words import as_text
from control_plane.errors import Conflict, Refused
from control_plane.lifecycle import rollout
from control_plane.lifecycle.rollout import Staged
from control_plane.overview import queries
from control_plane.registry.effects import show_effects
from control_plane.reviewing import proposals
from edge_runtime.cli.edge import app as edge_app
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, refused
from tests.server.conftest import Clock, Stage
from tests.server.test_channels import device, opener, released, rolled_back
from tests.server.test_own_keys import derived

STAGES = (1, 10, 100)


def staged(acts: Acts, clock: Clock) -> None:
    """Leave the home with release 2, in three stages of which the first is open."""
    released(acts, acts.propose("lena", opener("Tell me {{ work }}."), stages=STAGES).number)


def opened(acts: Acts, stage: int, login: str = "remy", release: int = 2) -> Staged:
    secret = acts.passphrase(login)
    return rollout.open_stage(acts.plane, acts.id(login), release=release, stage=stage, passphrase=secret)


def halted(acts: Acts, login: str = "tom", reason: str = "people are puzzled", release: int = 2) -> Staged:
    secret = acts.passphrase(login)
    return rollout.halt(acts.plane, acts.id(login), release=release, reason=reason, passphrase=secret)


def test_stages_open_one_by_one_and_devices_follow(after: Callable[[Stage], Acts], tmp_path: Path) -> None:
    """A device that waits adopts when the last stage opens; each opening is signed and in the log, and verifies."""
    acts = after(staged)
    edge = device(acts, tmp_path / "edge", "production")
    assert edge.refresh().release == 2  # it has nothing to stay on
    released(acts, acts.propose("lena", opener("Say {{ work }}.")).number)
    assert rollout.show(acts.plane) == Staged("production", 3, STAGES, 1, 1, halted=False)
    for number in range(1000):
        (tmp_path / "edge" / "rollout-key").write_bytes(number.to_bytes(32))
        if edge.refresh().release == 2:
            break
    assert edge.stage is not None
    assert edge.stage.waits
    where = ("--home", tmp_path / "edge", "--trust", acts.plane.settings.home / "trust", "--source", acts.plane.site)
    shown = CliRunner().invoke(edge_app, ["released", *map(str, where)])
    assert json.loads(shown.stdout)["number"] == 3  # what people decide about is the newest, whoever runs it yet
    away = CliRunner().invoke(edge_app, ["released", *map(str, where[:5]), str(tmp_path / "away")])
    assert (away.exit_code, away.stderr.startswith("error: expected a published timestamp")) == (1, True), away.stderr
    assert [opened(acts, stage, release=3).percent for stage in (2, 3)] == [10, 100]
    assert edge.refresh().release == 3
    entries = ledger.search(acts.plane, act="stage-changed")
    assert [(leaf.actor, leaf.name) for leaf in entries] == [(acts.id("remy"), "release-production-3")] * 2
    assert verifying.verify(acts.plane).ok


def test_stages_are_of_those_that_people_approve(after: Callable[[Stage], Acts]) -> None:
    """They stand in the manifest, are shown to whoever decides, stay for what follows, and take the highest tier."""
    acts = after(staged)
    manifest = queries.live_manifest(acts.plane)
    assert manifest is not None
    assert manifest.stages == STAGES
    following = acts.propose("lena", opener("Say {{ work }}."))
    assert not [one for one in show_effects(acts.plane, following.number).meaning if one.name == "stages"]
    sooner = acts.propose("maya", {}, stages=(50, 100))
    [said] = show_effects(acts.plane, sooner.number).meaning
    assert (said.kind, said.effect) == ("release", "loosens")
    assert queries.show_proposal(acts.plane, sooner.number).settings == (said.sentence,)
    [here] = [one for one in derived(acts, sooner.number).changes if one.kind == "release"]
    assert as_text(here.diff).startswith("stages:")
    acts.check(sooner.number)
    acts.approve("tom", sooner.number)
    acts.approve("ines", sooner.number)
    with refused(acts.plane, Refused, "release as a whole"):
        acts.release(sooner.number)
    assert released(acts, sooner.number, ("ruth", "sam")) == 3
    assert rollout.show(acts.plane).percent == 50
    back = rolled_back(acts, 1)
    assert released(acts, back.number) == 4
    assert rollout.show(acts.plane).stages == (50, 100)
    assert verifying.verify(acts.plane).ok


def test_an_edit_keeps_the_stages_that_were_asked_for(acts: Acts) -> None:
    """Editing and rebasing take other files, not other stages; stages that do not rise to 100 are refused."""
    made = acts.propose("maya", opener("Say {{ work }}."), stages=STAGES)
    acts.edit("maya", made.number, opener("Tell {{ work }}."))
    assert released(acts, made.number) == 2
    assert rollout.show(acts.plane).stages == STAGES
    for wrong in ((10, 50), (50, 10, 100), (100, 100)):
        with refused(acts.plane, InvalidDocument, "rise to 100"):
            acts.propose("maya", opener("Now {{ work }}."), stages=wrong)
    with refused(acts.plane, InvalidDocument, "live already"):
        acts.propose("maya", {}, stages=STAGES)


@pytest.mark.parametrize("login", ["maya", "tom", "lena"])
def test_attack_opening_by_nobody_who_may(after: Callable[[Stage], Acts], login: str) -> None:
    """An author, an approver and an administrator open no stage; the log says that they tried."""
    acts = after(staged)
    with refused(acts.plane, Refused, logged="open-stage"):
        opened(acts, 2, login)


def test_attack_opening_out_of_order(after: Callable[[Stage], Acts]) -> None:
    """Another release than the live one, a stage that is not next, or none that is left: nothing changes."""
    acts = after(staged)
    for stage, release in ((3, 2), (1, 2), (2, 1)):
        with refused(acts.plane, Conflict):
            opened(acts, stage, release=release)
    opened(acts, 2)
    opened(acts, 3)
    with refused(acts.plane, Conflict, "not open yet"):
        opened(acts, 4)


def test_attack_opening_after_a_halt(after: Callable[[Stage], Acts], tmp_path: Path) -> None:
    """One person halts; then nobody opens or halts again, and the next release begins anew."""
    acts = after(staged)
    with refused(acts.plane, InvalidDocument, "reason"):
        halted(acts, reason=" ")
    assert halted(acts).halted
    for act in (lambda: opened(acts, 2), lambda: halted(acts, "ruth")):
        with refused(acts.plane, Refused, "halted"):
            act()
    assert [leaf.actor for leaf in ledger.search(acts.plane, act="stage-changed")] == [acts.id("tom")]
    again = proposals.propose(
        acts.plane,
        acts.id("maya"),
        files={},
        stages=(10, 100),
        title="Go on",
        passphrase=acts.passphrase("maya"),
    )
    released(acts, again.number)
    assert rollout.show(acts.plane) == Staged("production", 3, (10, 100), 1, 10, halted=False)
    assert device(acts, tmp_path / "edge", "production").refresh().ok
    assert verifying.verify(acts.plane).ok


def test_a_release_to_everybody_has_nothing_to_halt(acts: Acts) -> None:
    """Without stages only a withdrawal stops something."""
    with refused(acts.plane, Conflict, "at once"):
        halted(acts, release=1)


def test_the_command_line_and_the_routes_roll_out(after: Callable[[Stage], Acts]) -> None:
    """`rollout show`, `open` and `halt`, and the same over HTTP."""
    acts = after(staged)
    home = ["--home", str(acts.plane.settings.home)]
    shown = CliRunner().invoke(app, ["rollout", "show", *home])
    assert "stage 1 of 1 %, 10 %, 100 %: 1 % of devices; next: mentorplane rollout open --release 2" in shown.output
    given = {"MENTORPLANE_PASSPHRASE": acts.passphrase("remy")}
    options = ["rollout", "open", "--release", "2", "--stage", "2", "--as", "remy", *home]
    done = CliRunner().invoke(app, options, env=given)
    assert (done.exit_code, "is at stage 2" in done.output) == (0, True), done.output
    assert "rollout      release 2 on production is at stage 2" in CliRunner().invoke(app, ["channels", *home]).output
    token = tokens.issue_token(acts.plane, acts.id("ruth"))
    with TestClient(create_app(acts.plane.settings)) as client:
        by = {"Authorization": f"Bearer {token}"}
        body = {"release": 2, "reason": "puzzling", "passphrase": acts.passphrase("ruth")}
        assert client.post("/v1/channels/production/halt", json=body, headers=by).status_code == 201
        found = client.get("/v1/channels/production/rollout", headers=by).json()
    assert (found["stage"], found["percent"], found["halted"]) == (2, 10, True)
