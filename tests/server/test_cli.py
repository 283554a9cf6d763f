"""The command line: the same use cases, with exit codes that scripts can rely on."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from control_plane import db
from control_plane.accounts import addresses, passphrases, people
from control_plane.cli import app
from control_plane.cli.audit import app as audit_app
from control_plane.overview import queries
from control_plane.settings import Settings
from tests.server.acts import ROLE, Acts, state_of
from tests.server.library import script


@pytest.fixture
def home(settings: Settings, acts: Acts) -> Path:
    """The home that commands work on."""
    return settings.home


def run(acts: Acts, *arguments: str, login: str = "", audit: bool = False, stdin: str = "") -> Result:
    """Run a command on the home, with the passphrase of `login` in the environment."""
    environment = {"MENTORPLANE_PASSPHRASE": acts.passphrase(login)} if login else {}
    environment["DATABASE_URL"] = acts.plane.settings.database_url
    environment["MENTORPLANE_HOME"] = str(acts.plane.settings.home)
    return CliRunner().invoke(audit_app if audit else app, list(arguments), env=environment, input=stdin)


def approve(acts: Acts, login: str, *more: str) -> Result:
    """Approve proposal 2 as `login`."""
    given = ("--as", login, "--role", ROLE[login], "--reason", "clearer", *(more or ("--manifest", acts.seen())))
    return run(acts, "approve", "2", *given, login=login)


def test_the_whole_workflow(home: Path, acts: Acts, tmp_path: Path) -> None:
    """Each act exits 0 and says what was done; JSON is the record."""
    assert run(acts, "check", "2", "--as", "maya").exit_code == 0
    assert approve(acts, "tom").exit_code == 0
    secret = tmp_path / "secret"
    secret.write_text(acts.passphrase("ines") + "\n")
    made = run(
        acts,
        "approve",
        "2",
        "--as",
        "ines",
        "--role",
        ROLE["ines"],
        "--reason",
        "fine",
        "--manifest",
        acts.seen().removeprefix("sha256:")[:12],
        "--passphrase-file",
        str(secret),
    )
    assert made.exit_code == 0
    released = run(acts, "release", "2", "--as", "remy", "--json")
    assert (released.exit_code, json.loads(released.stdout)["number"]) == (0, 2)
    assert "really" in run(acts, "prompt", "diff", "opener").stdout
    file = tmp_path / "closing.yaml"
    file.write_text(script("closing", tier="R1", fill="Bye, {{ work }}."))
    proposed = run(acts, "propose", str(file), "--as", "maya", "--title", "Shorter", "--json", login="maya")
    assert json.loads(proposed.stdout)["number"] == 3
    refusal = ("--as", "tom", "--role", ROLE["tom"], "--reason", "no", "--manifest", acts.seen(3))
    no = run(acts, "reject", "3", *refusal, login="tom")
    assert (no.exit_code, "rejected" in no.stdout) == (0, True)
    assert run(acts, "withdraw", "opener", "--as", "ruth", "--reason", "no", login="ruth").exit_code == 0
    assert "withdrawn" in run(acts, "library", "list").stdout
    assert "kind: prompt" in run(acts, "library", "show", "opener").stdout
    assert run(acts, "verify", audit=True).exit_code == 0
    found = run(acts, "search", "--act", "withdrawn", "--actor", "ruth", "--json", audit=True)
    assert [leaf["name"] for leaf in json.loads(found.stdout)] == ["opener"]


def test_exit_codes_tell_kinds_of_no_apart(home: Path, acts: Acts, tmp_path: Path) -> None:
    """2 for what is refused, 3 for what is invalid; one line on stderr; nothing changed."""
    file = tmp_path / "broken.yaml"
    file.write_text("kind: prompt\n")
    before = state_of(acts.plane)
    for result, code in (
        (approve(acts, "tom"), 2),
        (run(acts, "release", "2", "--as", "remy"), 2),
        (run(acts, "release", "99", "--as", "remy"), 3),
        (run(acts, "check", "2", "--as", "nobody"), 3),
        (run(acts, "library", "show", "nothing"), 3),
        (run(acts, "propose", str(file), "--as", "maya", "--title", "x", login="maya"), 3),
        (run(acts, "library", "list", "--home", str(tmp_path / "nowhere")), 3),
    ):
        assert result.exit_code == code, result.output
        assert result.stderr.startswith("error: ")
    assert state_of(acts.plane) == before


def test_errors_are_json_too(home: Path, acts: Acts, tmp_path: Path) -> None:
    """With --json a refusal is one object on stdout: what, what to do, and for files of people where."""
    refusal = run(acts, "release", "2", "--as", "remy", "--json")
    assert (refusal.exit_code, set(json.loads(refusal.stdout))) == (2, {"error", "hint"})
    file = tmp_path / "broken.yaml"
    file.write_text("kind: prompt\n")
    broken = run(acts, "propose", str(file), "--as", "maya", "--title", "x", "--json", login="maya")
    assert broken.exit_code == 3
    assert json.loads(broken.stdout)["where"][0] == {"file": file.as_posix(), "line": 1}
    assert json.loads(run(acts, "search", "--act", "stolen", "--json", audit=True).stdout)["hint"].startswith("aband")


def test_the_log_is_searched_in_words(home: Path, acts: Acts) -> None:
    """Entries say who, in which role, and the title of a proposal; nothing found is said; a wrong act is told."""
    found = run(acts, "search", "--act", "proposed", audit=True).stdout
    assert "Maya" in found
    assert "(author) " in found
    assert f"proposal-2: {queries.show_proposal(acts.plane, 2).proposal.title}" in found
    [entry] = json.loads(
        run(acts, "search", "--act", "proposed", "--name", "opener", "--limit", "1", "--json", audit=True).stdout
    )
    assert (entry["actor_name"].split()[0], entry["title"]) == (
        "Maya",
        queries.show_proposal(acts.plane, 2).proposal.title,
    )
    assert run(acts, "search", "--act", "erased", audit=True).stdout == "no entries\n"
    wrong = run(acts, "search", "--act", "stolen", audit=True)
    assert (wrong.exit_code, "approved, " in wrong.stderr) == (3, True)


def test_without_a_terminal_a_passphrase_is_not_asked_for(home: Path, acts: Acts) -> None:
    """No passphrase and nobody to ask: one clear line and exit 3."""
    result = run(acts, "withdraw", "opener", "--as", "ruth", "--reason", "no")
    assert result.exit_code == 3
    assert "got none and no terminal to ask on" in result.stderr.splitlines()[0]
    assert "--passphrase-file" in result.stderr


def test_hints_lead_on(home: Path, acts: Acts) -> None:
    """An unknown name says where the names are; one version has nothing to be compared with."""
    assert "library list" in run(acts, "prompt", "diff", "nope").stderr
    assert "one version only" in run(acts, "prompt", "diff", "opener").stdout


def test_people_are_enrolled_and_reached(home: Path, acts: Acts, tmp_path: Path) -> None:
    """An administrator enrols, the new person chooses a passphrase with the code; an address comes from stdin."""
    secret = tmp_path / "kim"
    secret.write_text("kim has a secret\n")
    given = ("people", "enrol", "kim", "--name", "Kim", "--role", "author", "--role", "facilitator")
    assert run(acts, *given, "--as", "tom").exit_code == 2
    made = run(acts, *given, "--as", "lena")
    assert (made.exit_code, "eligible as author, facilitator" in made.stdout) == (0, True)
    code = made.stdout.splitlines()[-1]
    handed = tmp_path / "code"
    handed.write_text(code)
    new = ("people", "new-key", "--code-file", str(handed), "--passphrase-file", str(secret))
    assert run(acts, *new).exit_code == 0
    kim = people.find_person(acts.plane, "kim").id
    passphrases.open_key(acts.plane, kim, "kim has a secret")
    address = ("people", "address", "kim", "--as", "lena")
    assert run(acts, *address, login="lena", stdin="kim@example.org\n").exit_code == 0
    with db.read(acts.plane.engine) as session:
        assert addresses.address_of(acts.plane, session, kim) == "kim@example.org"
    assert run(acts, "people", "address", "kim", "--as", "kim", "--remove").exit_code == 0


def test_a_failed_check_answers_no(home: Path, acts: Acts, tmp_path: Path) -> None:
    """`check` exits 2 if a check fails, after saying which."""
    file = tmp_path / "opener.yaml"
    file.write_text(script("opener", fill="Something else, {{ work }}."))
    run(acts, "propose", str(file), "--as", "maya", "--title", "x", login="maya")
    result = run(acts, "check", "3", "--as", "maya")
    assert (result.exit_code, "failed  cases" in result.stdout) == (2, True)
    assert "expected 'You did the checklist.', got 'Something else, the checklist.'" in result.stdout


def test_a_tampered_log_answers_no(home: Path, acts: Acts) -> None:
    """`audit verify` exits 2 and names what differs."""
    (home / "site" / "edge" / "log" / "checkpoint").write_bytes(b"something else\n")
    result = run(acts, "verify", audit=True)
    assert (result.exit_code, "NOT verified" in result.stdout) == (2, True)


def test_no_passphrase_is_ever_an_argument() -> None:
    """No command has an option that takes a passphrase itself: arguments are seen by every process."""
    for command in ("propose", "approve", "reject", "withdraw"):
        text = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).stdout
        assert "--passphrase-file" in text
        assert "--passphrase " not in text


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_serve_answers_and_stops_cleanly(home: Path, acts: Acts) -> None:
    """A served home answers under one link and exits 0 when it is told to end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from control_plane.cli import app; app()"]
    command += ["serve", "--home", str(home), "--port", str(port)]
    environment = {**os.environ, "DATABASE_URL": acts.plane.settings.database_url}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        link = server.stdout.readline().strip()
        assert link == f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"{link}/v1/health") as answer:
            assert json.load(answer)["release"] == 1
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0


def test_a_verdict_needs_the_digest_that_proposal_show_says(home: Path, acts: Acts) -> None:
    """`proposal show` says the digest; its first 12 digits suffice, fewer, none or another's do not."""
    run(acts, "check", "2", "--as", "maya")
    shown = run(acts, "proposal", "show", "2").stdout
    assert f"manifest {acts.seen()}" in shown
    assert "really" in shown
    assert "signed author by maya" in shown
    assert "not yet: " in shown
    assert "mentorplane approve 2" in run(acts, "inbox", "--as", "tom").stdout
    assert "A clearer" in run(acts, "proposal", "list", "--state", "open").stdout
    before = state_of(acts.plane)
    beginning = acts.seen().removeprefix("sha256:")[:12]
    for given, code in ((beginning[:11], 3), ("0" * 12, 2), ("sha256:" + "0" * 64, 2), ("nothing", 3)):
        assert approve(acts, "tom", "--manifest", given).exit_code == code, given
    assert "proposal show 2" in approve(acts, "tom", "--manifest", "nothing").stderr
    bare = run(acts, "approve", "2", "--as", "tom", "--role", ROLE["tom"], "--reason", "x", login="tom")
    assert (bare.exit_code, "proposal show 2" in bare.stderr) == (3, True)
    assert state_of(acts.plane) == before
    done = approve(acts, "tom", "--manifest", beginning)
    assert (done.exit_code, "not yet: " in done.stdout) == (0, True)


def test_times_are_read_as_answers_show_them(home: Path, acts: Acts) -> None:
    """A time may be copied from an answer; another is refused with an example, a period that ends first as well."""
    found = run(acts, "search", "--since", "2020-03-01 09:30", "--until", "2100-01-01", "--limit", "1", audit=True)
    assert (found.exit_code, len(found.stdout.splitlines())) == (0, 2)
    other = run(acts, "search", "--since", "1.3.2026", audit=True)
    assert other.exit_code != 0
    assert "such as 2026-03-01" in " ".join(other.stderr.replace("\u2502", " ").split())
    backwards = run(acts, "search", "--since", "2026-04-01", "--until", "2026-03-01", audit=True)
    assert (backwards.exit_code, backwards.stderr) == (3, "error: expected a period that ends after it begins\n")


def test_verifying_names_the_key_that_outsiders_need(home: Path, acts: Acts) -> None:
    """`audit verify` prints the log's public key, for people and for machines."""
    vkey = acts.plane.keys.log.verifier.vkey
    assert f"key: {vkey}" in run(acts, "verify", audit=True).stdout.splitlines()
    assert json.loads(run(acts, "verify", "--json", audit=True).stdout)["vkey"] == vkey


def test_a_draft_is_read_by_whom_it_was_saved_for(home: Path, acts: Acts, tmp_path: Path) -> None:
    """`proposal drafts N` shows the files to its author; to others there is no such draft."""
    file = tmp_path / "closing.yaml"
    file.write_text(script("closing"))
    assert run(acts, "proposal", "draft", str(file), "--as", "maya", "--title", "Closing").exit_code == 0
    shown = run(acts, "proposal", "drafts", "1", "--as", "maya")
    assert (shown.exit_code, "    name: closing" in shown.stdout) == (0, True)
    assert run(acts, "proposal", "drafts", "1", "--as", "tom").exit_code == 3
    for act, code in (("invite", 0), ("uninvite", 3)):
        assert run(acts, "proposal", act, "1", "--as", "maya", "--person", "tom").exit_code == 0
        assert run(acts, "proposal", "drafts", "1", "--as", "tom").exit_code == code
    assert run(acts, "proposal", "discard-draft", "1", "--as", "lena").exit_code == 3
    assert run(acts, "proposal", "discard-draft", "1", "--as", "maya").exit_code == 0
    assert run(acts, "proposal", "drafts", "1", "--as", "maya").exit_code == 3


def test_withdrawals_are_listed_with_their_reasons(home: Path, acts: Acts) -> None:
    """Who withdrew what, why, and what runs instead."""
    assert "nothing is withdrawn" in run(acts, "withdrawals").stdout
    acts.withdraw("tom", "closing")
    said = run(acts, "withdrawals").stdout
    assert all(part in said for part in ("prompt closing sha256:", "by tom", "it hurt somebody", "its fallback text"))
