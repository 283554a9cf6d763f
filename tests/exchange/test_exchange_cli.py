"""The commands `import` and `export`: files, proposals, loss reports, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from control_plane.cli import app
from control_plane.overview import queries
from control_plane.settings import Settings
from control_plane.sources.parsing import parse_source
from tests.exchange.test_carrying import DOTPROMPT, PROMPTY
from tests.server.acts import Acts, state_of
from tests.server.library import OPENER, library

RUN = CliRunner()


@pytest.mark.parametrize(("form", "suffix"), [("prompty", ".prompty"), ("dotprompt", ".prompt")])
def test_a_live_script_goes_out_and_comes_back(
    settings: Settings, acts: Acts, tmp_path: Path, form: str, suffix: str
) -> None:
    """A file with its loss report; importing it gives the script again."""
    out = ["--into", str(tmp_path), "--home", str(settings.home)]
    done = RUN.invoke(app, ["export", "opener", "--as", form, *out])
    assert (done.exit_code, f"wrote {(tmp_path / 'opener').as_posix()}{suffix}" in done.stdout) == (0, True), (
        done.output
    )
    assert "scripts/opener.yaml:7: tier: a " in done.stdout or ": tier: a " in done.stdout
    back = RUN.invoke(app, ["import", str(tmp_path / f"opener{suffix}"), "--into", str(tmp_path / "in"), "--json"])
    assert back.exit_code == 0, back.output
    assert [loss["what"] for loss in json.loads(back.stdout)[0]["losses"]] == ["metadata.mentorplane"]
    made = parse_source((tmp_path / "in/opener.yaml").read_bytes(), "opener.yaml")
    assert made.document == parse_source(library()[OPENER].encode(), OPENER).document
    assert RUN.invoke(app, ["export", "nothing", "--as", form, *out]).exit_code == 3


def test_an_import_is_one_proposal_and_approves_nothing(settings: Settings, acts: Acts, tmp_path: Path) -> None:
    """With --propose, all files are one proposal that nobody has approved."""
    (tmp_path / "greeting.prompt").write_text(DOTPROMPT)
    (tmp_path / "support.prompty").write_text(PROMPTY)
    (tmp_path / "passphrase").write_text(acts.passphrase("maya"))
    files = [str(tmp_path / "greeting.prompt"), str(tmp_path / "support.prompty")]
    given = ["--home", str(settings.home), "--as", "maya", "--passphrase-file", str(tmp_path / "passphrase")]
    done = RUN.invoke(app, ["import", *files, "--propose", "--title", "Two scripts", *given])
    assert (done.exit_code, "proposal 3" in done.stdout) == (0, True), done.output
    assert "greeting.prompt:2: model: " in done.stdout
    detail = queries.show_proposal(acts.plane, 3)
    assert {change.name for change in detail.changes} == {"customer-support", "greeting"}
    assert {one.act for one in detail.signatures} == {"author"}


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    """Nothing is written if one of the files would take another's place, or one does not read."""
    (tmp_path / "greeting.prompt").write_text(DOTPROMPT)
    (tmp_path / "support.prompty").write_text(PROMPTY)
    (tmp_path / "customer-support.yaml").write_text("mine")
    files = [str(tmp_path / "greeting.prompt"), str(tmp_path / "support.prompty")]
    before = sorted(path.name for path in tmp_path.iterdir())
    assert RUN.invoke(app, ["import", *files, "--into", str(tmp_path)]).exit_code == 3
    (tmp_path / "support.prompty").write_text("---\n---\nsystem:\n{{ x|tojson }}")
    failed = RUN.invoke(app, ["import", *files, "--into", str(tmp_path)])
    assert (failed.exit_code, "support.prompty:4:" in failed.stderr) == (3, True), failed.output
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_looking_changes_nothing(settings: Settings, acts: Acts, tmp_path: Path) -> None:
    """An export is no act of governance."""
    before = state_of(acts.plane)
    RUN.invoke(app, ["export", "opener", "--as", "prompty", "--into", str(tmp_path), "--home", str(settings.home)])
    assert state_of(acts.plane) == before
