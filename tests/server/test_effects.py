"""What a proposal means and changes for people, and the dry run of compatibility: use cases, HTTP, command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from control_plane.app import create_app
from control_plane.cli import app
from control_plane.overview import queries
from control_plane.policy.checks.running import required
from control_plane.registry.compatible import dry_run
from control_plane.registry.effects import show_effects
from control_plane.settings import Settings
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, state_of
from tests.server.library import OPENER, POLICY, policy, script

NEEDS_MORE = (
    script("opener")
    .replace("required: [work]", "required: [work, when]")
    .replace("    work: {", "    when: {type: string, maxLength: 20, x-data-class: R1}\n    work: {")
)


@pytest.fixture
def client(settings: Settings, acts: Acts) -> Iterator[TestClient]:
    """A client of the application, without its background work."""
    client = TestClient(create_app(settings), raise_server_exceptions=False)
    yield client
    client.app.state.plane.close()  # type: ignore[attr-defined]


def by(acts: Acts, login: str) -> dict[str, str]:
    """Return the header that says who asks."""
    return {"Authorization": f"Bearer {acts.people[login]['token']}"}


def run(acts: Acts, *arguments: str) -> Result:
    """Run a command on the home."""
    settings = acts.plane.settings
    environment = {"DATABASE_URL": settings.database_url, "MENTORPLANE_HOME": str(settings.home)}
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_a_reworded_script_shows_its_cases_before_and_after(acts: Acts) -> None:
    """Proposal 2 of the seeded home changes one phrase: its case shows that phrase and nothing else."""
    found = show_effects(acts.plane, 2)
    [case] = found.cases
    assert (case.name, case.case, case.changes) == ("opener", "names-the-work", True)
    assert [(span.op, span.text) for span in case.reply if span.op != "same"] == [("added", " really")]
    assert found.meaning == ()
    assert found.manifest == acts.seen()


def test_a_looser_policy_is_told_with_its_situation(acts: Acts) -> None:
    """The sentence stands beside the change, with the exact situation; every script with cases is looked at again."""
    made = acts.propose("lena", {POLICY: policy(at_most="redacted")})
    found = show_effects(acts.plane, made.number)
    [loosening] = found.meaning
    assert (loosening.kind, loosening.effect) == ("policy", "loosens")
    assert loosening.example is not None
    assert loosening.example["sensitivities"]["labels"] == ["health"]
    assert {case.name for case in found.cases} == {"opener"}
    [change] = queries.show_proposal(acts.plane, made.number).changes
    assert change.meaning == (loosening,)


def test_a_break_fails_the_check_and_the_dry_run_alike(acts: Acts) -> None:
    """What the dry run says before is what the check says afterwards; the dry run stores nothing."""
    before = state_of(acts.plane)
    [verdict] = dry_run(acts.plane, {OPENER: NEEDS_MORE})
    assert state_of(acts.plane) == before
    assert (verdict.name, verdict.compatible, verdict.modes) == ("opener", False, ("backward",))
    made = acts.propose("maya", {OPENER: NEEDS_MORE})
    assert acts.check(made.number)["contract"] == "failed"
    [contract] = [one for one in queries.show_proposal(acts.plane, made.number).checks if one.name == "contract"]
    assert contract.evidence[0] == f"opener: {verdict.breaks[0].sentence}"


def test_a_mode_can_be_asked_for(acts: Acts) -> None:
    """Another mode than the script's is asked for by name; one that is none is refused."""
    assert dry_run(acts.plane, {OPENER: NEEDS_MORE}, mode="none")[0].compatible
    assert not dry_run(acts.plane, {OPENER: NEEDS_MORE}, mode="full-transitive")[0].compatible
    with pytest.raises(InvalidDocument, match="a mode among none, backward"):
        dry_run(acts.plane, {OPENER: NEEDS_MORE}, mode="sideways")


def test_over_http(client: TestClient, acts: Acts) -> None:
    """The three questions have a route each, for people with a token."""
    asked = {"files": {OPENER: NEEDS_MORE}}
    [verdict] = client.post("/v1/compatibility", json=asked, headers=by(acts, "maya")).json()
    assert (verdict["compatible"], verdict["breaks"][0]["example"]) == (False, {"work": "x"})
    shown = client.get("/v1/proposals/2/effects", headers=by(acts, "tom")).json()
    assert [case["case"] for case in shown["cases"]] == ["names-the-work"]
    assert client.get("/v1/checks", headers=by(acts, "tom")).json() == required()
    for path in ("/v1/proposals/2/effects", "/v1/checks"):
        assert client.get(path).status_code == 401
    assert client.post("/v1/compatibility", json=asked).status_code == 401
    assert client.get("/v1/proposals/99/effects", headers=by(acts, "tom")).status_code == 404
    assert client.post("/v1/compatibility", json={"files": {}}, headers=by(acts, "tom")).status_code == 422


def test_on_the_command_line(acts: Acts, tmp_path: Path) -> None:
    """Effects are read as lines; a break answers no."""
    shown = run(acts, "proposal", "effects", "2")
    assert shown.exit_code == 0
    assert "+[ really]" in shown.output
    assert "1 cases change, 0 stay as they are" in shown.output
    file = tmp_path / "opener.yaml"
    file.write_text(NEEDS_MORE, "utf-8")
    broken = run(acts, "prompt", "compatible", str(file))
    assert (broken.exit_code, "input 'when' must be given" in broken.output) == (2, True)
    assert run(acts, "prompt", "compatible", str(file), "--mode", "none").exit_code == 0
    told = run(acts, "prompt", "compatible", str(file), "--json")
    assert json.loads(told.output)[0]["compatible"] is False
