"""`sync check` and the commands: what CI and authors call."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from control_plane.cli import app
from control_plane.settings import Settings
from control_plane.sync.checking import check_folder
from control_plane.sync.pulling import pull
from control_plane.sync.records import Registry
from tests.server.acts import Acts
from tests.server.library import CLOSING, OPENER, STANCE, library, script, stance
from tests.serving import served

RUN = CliRunner()


def test_a_pulled_folder_is_as_it_must_be(home: Registry, folder: Path) -> None:
    """What is live passes without a server."""
    pull(home, folder)
    found = check_folder(folder)
    assert (found.problems, found.cases) == ((), 1)
    assert found.sources == len(library())


def test_everything_that_is_wrong_is_told_with_its_place(home: Registry, folder: Path) -> None:
    """A case that no longer comes out, an include that is missing, a file that does not read: all of them at once."""
    pull(home, folder)
    (folder / OPENER).write_text(script("opener", fill="You ate {{ work }}."))
    (folder / CLOSING).write_text(script("closing", tier="R1").replace("stance", "manner"))
    (folder / "x.yaml").write_text(
        "kind: include\nname: x\nformat: mentorplane-include/1\ntitle: T\nlocale: en\ntier: R2\n"
    )
    problems = "\n".join(check_folder(folder).problems)
    assert "cases/opener.yaml:5: case names-the-work: output member 'message' differs" in problems
    assert "'manner'" in problems
    assert "x.yaml:1: expected member 'text'" in problems


def test_an_include_that_breaks_a_template_is_found(home: Registry, folder: Path) -> None:
    """Sources are frozen with their includes, as on the server."""
    pull(home, folder)
    (folder / STANCE).write_text(stance("'{{ unknown }}'"))
    assert any("unknown" in problem for problem in check_folder(folder).problems)


def test_the_commands_at_home(settings: Settings, acts: Acts, folder: Path, tmp_path: Path) -> None:
    """Pull, status, check and push, with the exit codes of their answers."""
    acts.plane.close()
    home = ["--home", str(settings.home)]
    (tmp_path / "passphrase").write_text(acts.passphrase("maya") + "\n")
    assert RUN.invoke(app, ["sync", "status", str(folder), *home]).exit_code == 3
    assert "wrote scripts/opener.yaml" in RUN.invoke(app, ["sync", "pull", str(folder), *home]).stdout
    assert "in step" in RUN.invoke(app, ["sync", "status", str(folder), *home]).stdout
    assert RUN.invoke(app, ["sync", "check", str(folder)]).exit_code == 0
    (folder / CLOSING).write_text(script("closing", tier="R1", fill="Bye, {{ work }}."))
    assert "changed     scripts/closing.yaml" in RUN.invoke(app, ["sync", "status", str(folder), *home]).stdout
    secret = ["--passphrase-file", str(tmp_path / "passphrase")]
    pushed = RUN.invoke(app, ["sync", "push", str(folder), "--title", "A word", "--as", "maya", *home, *secret])
    assert (pushed.exit_code, "proposal 3, revision 1" in pushed.stdout) == (0, True), pushed.output
    (folder / OPENER).write_text(script("opener", fill="You ate {{ work }}."))
    assert RUN.invoke(app, ["sync", "check", str(folder), "--json"]).exit_code == 2


def test_the_commands_with_a_server(settings: Settings, acts: Acts, folder: Path, tmp_path: Path) -> None:
    """The address comes from the option, the token from a file; the token is shown nowhere."""
    token = acts.people["maya"]["token"]
    (tmp_path / "token").write_text(token)
    with served(settings) as url:
        asked = ["--server", url, "--token-file", str(tmp_path / "token")]
        pulled = RUN.invoke(app, ["sync", "pull", str(folder), *asked])
        assert (pulled.exit_code, "release 1" in pulled.stdout) == (0, True), pulled.output
        (tmp_path / "token").write_text("mp_nobodys_token_at_all")
        refused = RUN.invoke(app, ["sync", "pull", str(folder), *asked])
    assert refused.exit_code == 1
    assert "token" in refused.stderr
    assert not any(token.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert RUN.invoke(app, ["sync", "pull", str(folder), "--server", "http://coach.example", *asked[2:]]).exit_code == 3


@pytest.mark.parametrize("command", ["pull", "push", "status"])
def test_without_a_token_nothing_is_asked(folder: Path, command: str) -> None:
    """A server is not asked in nobody's name."""
    found = RUN.invoke(
        app, ["sync", command, str(folder), "--server", "https://coach.example"], env={"MENTORPLANE_TOKEN": ""}
    )
    assert (found.exit_code, "expected a token" in found.stderr) == (3, True)
