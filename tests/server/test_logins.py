"""`login` and `logout` at a served home, and sessions that are listed and ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from audit.record import Auth
from control_plane.accounts import sessions, tokens
from control_plane.accounts.tokens import Token
from control_plane.cli import app, logins
from control_plane.errors import NotFound, Refused
from tests.server.acts import Acts, newest, refused, whose
from tests.server.conftest import Clock
from tests.serving import served

Run = Callable[..., Result]


@pytest.fixture
def run(acts: Acts, tmp_path: Path) -> Iterator[Run]:
    """Run a command at a server, as somebody who has a passphrase and a place for what is kept, and no token."""
    with served(acts.plane.settings) as url:

        def command(*words: str, login: str = "tom", **env: str) -> Result:
            where = {"MENTORPLANE_SERVER": url, "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path / "none")}
            known = {"MENTORPLANE_PASSPHRASE": acts.passphrase(login), "MENTORPLANE_TOKEN": ""}
            return CliRunner().invoke(app, list(words), env=known | where | env)

        yield command


def tokens_of(acts: Acts, login: str) -> list[Token]:
    """Return the tokens of somebody that are good for something."""
    return [one for one in tokens.list_tokens(acts.plane, person=login) if one.revoked_at is None]


def test_somebody_logs_in_by_passphrase_acts_and_logs_out(run: Run, acts: Acts, tmp_path: Path) -> None:
    """The token is for a day, in a file for its owner alone, named by the server; after `logout` it is revoked."""
    assert run("proposal", "comment", "2", "--text", "x").exit_code == 3
    before = len(tokens_of(acts, "tom"))
    made = run("login", "tom")
    assert (made.exit_code, "good until" in made.stdout) == (0, True), made.output
    file = tmp_path / "mentorplane" / "logins.json"
    [kept] = json.loads(file.read_text()).values()
    assert (file.stat().st_mode & 0o777, kept["token"] in made.output) == (0o600, False)
    assert acts.passphrase("tom") not in file.read_text()
    assert run("proposal", "comment", "2", "--text", "x").exit_code == 0
    assert (newest(acts.plane).actor.id, len(tokens_of(acts, "tom"))) == (acts.id("tom"), before + 1)
    out = run("logout")
    assert (out.exit_code, json.loads(file.read_text())) == (0, {}), out.output
    assert len(tokens_of(acts, "tom")) == before
    assert (run("logout").exit_code, run("proposal", "comment", "2", "--text", "x").exit_code) == (3, 3)


def test_a_token_that_somebody_has_is_kept_if_it_is_good(run: Run, acts: Acts, tmp_path: Path) -> None:
    """It is asked whose it is before it is kept, and goes on after `logout`; what others can read is not used."""
    file = tmp_path / "mentorplane" / "logins.json"
    wrong = run("login", "--with-token", MENTORPLANE_TOKEN="mp_guessed")
    assert (wrong.exit_code, file.exists()) == (1, False), wrong.output
    good = run("login", "--with-token", MENTORPLANE_TOKEN=acts.people["maya"]["token"])
    assert (good.exit_code, "logged in as maya" in good.stdout) == (0, True), good.output
    assert run("inbox").exit_code == 0
    file.chmod(0o644)
    assert run("inbox").exit_code == 3
    file.chmod(0o600)
    assert run("logout").exit_code == 0
    assert whose(acts.plane, acts.people["maya"]["token"]) == "maya"


def test_a_login_revokes_what_was_kept_before(run: Run, acts: Acts, tmp_path: Path) -> None:
    """Whoever logs in again, as themselves or as somebody else, leaves no token behind; what they brought goes on."""
    file = tmp_path / "mentorplane" / "logins.json"
    toms, ines = len(tokens_of(acts, "tom")), len(tokens_of(acts, "ines"))
    for login in ("tom", "tom", "ines"):
        assert run("login", login, login=login).exit_code == 0
    assert (len(tokens_of(acts, "tom")), len(tokens_of(acts, "ines"))) == (toms, ines + 1)
    brought = acts.people["maya"]["token"]
    assert run("login", "--with-token", MENTORPLANE_TOKEN=brought).exit_code == 0
    assert len(tokens_of(acts, "ines")) == ines
    assert run("login", "tom").exit_code == 0
    assert (whose(acts.plane, brought), len(json.loads(file.read_text()))) == ("maya", 1)


def test_logins_at_once_lose_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many that write the file at once, each server's token is kept."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    addresses = [f"https://coach-{number}.example" for number in range(12)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda address: logins._keep(address, logins.Kept(address)), addresses))
    assert [logins.kept(address).token for address in addresses] == addresses


def test_a_logout_leaves_a_newer_login_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept meanwhile is not what was revoked, so it stays."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    logins._keep("https://coach.example", logins.Kept("newer", "id"))
    logins._keep("https://coach.example", logins.Kept(), only=logins.Kept("older", "id"))
    assert logins.kept("https://coach.example").token == "newer"


def test_attack_a_login_by_guesses(run: Run, acts: Acts) -> None:
    """A wrong passphrase, an unknown login, several ways at once: no token, and the same answer for the first two."""
    before = len(tokens.list_tokens(acts.plane))
    said = {run("login", who, login="ines").stderr.split(" (request")[0] for who in ("tom", "nobody")}
    assert len(said) == 1
    assert run("login", "tom", "--with-token").exit_code == 3
    assert run("login").exit_code == 3
    assert len(tokens.list_tokens(acts.plane)) == before


def test_sessions_are_listed_and_ended(acts: Acts, clock: Clock) -> None:
    """One's own; an administrator's are everybody's; nobody else ends them; what is over is not listed."""
    plane = acts.plane
    mine, other = (sessions.start(plane, acts.id(login), auth=Auth.PASSPHRASE) for login in ("tom", "ines"))
    assert {one.person for one in sessions.list_sessions(plane)} == {acts.id("tom"), acts.id("ines")}
    [tom] = sessions.list_sessions(plane, person=acts.id("tom"))
    assert mine.cookie not in str(tom)
    with refused(plane, Refused, "administrator", logged="end-session"):
        sessions.end_one(plane, acts.id("ines"), tom.id)
    for unknown in ("", tom.id[:6], "%" * 12):
        with refused(plane, NotFound):
            sessions.end_one(plane, acts.id("tom"), unknown)
    sessions.end_one(plane, acts.id("tom"), tom.id)
    with pytest.raises(Refused):
        sessions.acting_for(plane, mine.cookie)
    [ines] = sessions.list_sessions(plane)
    sessions.end_one(plane, acts.id("lena"), ines.id)
    leaf = newest(plane)
    assert (leaf.act, leaf.actor.id, leaf.reason.code) == ("signed-out", acts.id("lena"), "elsewhere")
    with pytest.raises(Refused):
        sessions.acting_for(plane, other.cookie)
    sessions.start(plane, acts.id("tom"), auth=Auth.PASSPHRASE)
    clock.advance(seconds=plane.settings.session_idle_s)
    assert sessions.list_sessions(plane) == ()
