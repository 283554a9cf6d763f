"""Commands at a server and at a home: every one does both and answers alike, or says in its help why it does not."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner, Result

from control_plane.client.api import Operations
from tests.command_table import commands, program
from tests.server.acts import Acts
from tests.server.library import script
from tests.serving import served

ROOT = Path(__file__).parent.parent.parent / "control_plane"
COMMANDS = [*(ROOT / "cli").rglob("*.py"), *(ROOT / "sync").glob("*.py")]
HOME, SERVER = "home", "server"
REASONS = ("Runs on the server's machine.", "Needs no server.", "no server is needed", "needs no server")
#: Who does what, one after the other: `{way}` is home or server, `{id}` and the like are what an answer before said.
READING = (
    *("maya people list", "lena token list", "maya token list --person maya", "maya grant list", "maya inbox"),
    *("maya library list", "maya library search did", "maya library show opener", "maya library show nothing"),
    *("maya library folders", "maya library tags", "maya prompt diff opener", "maya prompt compatible {file}"),
    *("maya proposal list --state open", "maya proposal list --waiting-for tom", "maya proposal show 2"),
    *("maya proposal effects 2", "maya proposal conflicts 2", "maya proposal show 99", "maya channels"),
    *("maya rollout show", "maya withdrawals", "maya audit as-of --at 2100-01-01", "maya audit gaps"),
    *("maya releases", "maya health", "maya checks", "maya prompt list"),
    *("maya audit verify", "maya audit report --for soc2", "lena audit search --act proposed --words clearer"),
    *(
        "lena audit hold list",
        "maya audit hold list",
        "maya census show",
        "maya audit retention show",
        "lena webhook deliveries",
    ),
)
TALKING = (
    "maya proposal comment 2 --text why --at prompt/opener:1",
    *("maya proposal reply 2 --thread {number} --text so", "maya proposal resolve 2 --thread {number}"),
    *("maya proposal reopen 2 --thread {number}", "maya proposal request 2 --role compliance"),
    *("maya proposal unrequest 2 --role compliance", "maya proposal comment 2 --text x --at nowhere"),
    "tom proposal object 2 --role facilitator --reason no --manifest {manifest}",
    *("tom proposal take-back 2 --reason settled", "maya proposal close 99"),
)
DRAFTING = (
    *("maya proposal draft {file} --title Mine", "maya proposal drafts {id}", "maya proposal invite {id} --person tom"),
    *("tom proposal drafts", "maya proposal uninvite {id} --person tom", "tom proposal drafts {id}"),
    "maya proposal discard-draft {id}",
)
PEOPLE = (
    "lena people enrol kim_{way} --name Kim --role author --role facilitator",
    *("lena people new-key", "lena people address kim_{way} --address kim@example.org"),
    *("lena people address kim_{way} --remove", "tom people address kim_{way} --remove"),
    "lena grant propose kim_{way} facilitator --reason due --days 7",
    *(
        "sam grant sign {id} --digest {digest} --reason due",
        "lena grant open {id}",
        "lena grant end {id} --reason over",
    ),
    *("tom grant take-over nothing --digest {digest}", "tom delegate ines facilitator --reason away --days 3"),
    *("lena people retire-key kim_{way} --reason forgotten", "lena people new-code kim_{way}", "lena people new-key"),
    *("lena people retire kim_{way} --reason gone", "lena key enrol {file}", "lena people invite lena"),
    *("lena session list", "lena session end nothing", "lena session end --all", "lena session end"),
    *("lena audit erase kim_{way} --reason asked", "lena audit erase kim_{way} --reason asked --yes"),
)
RECORDS = (
    *(
        "maya token issue mine --days 3",
        "maya token revoke {id}",
        "lena webhook add https://example.org/{way} --event *",
    ),
    *("lena webhook rotate {id}", "lena webhook end {id}", "lena webhook replay nothing"),
    *("lena audit hold place --everybody --reason case", "lena audit hold lift {id} --reason settled"),
    *("lena audit retention set reading-log on --reason so", "lena audit pack --release 1 --out {folder}/{way}.pack"),
    "lena audit file-evidence --kind dpia --document {file} --reason due",
)
DECIDING = (
    *("maya check 2", "{approver} approve 2 --role {role} --reason clear --manifest {manifest}", "tom proposal list"),
    *("tom proposal approve --batch 2 --role facilitator --reason clear", "remy schedule 2 --at 2100-01-01"),
    *("tom reject 2 --role facilitator --reason no --manifest sha256:{zeros}", "remy unschedule 2"),
    "ruth review 1 --role compliance --reason fine --manifest {manifest}",
)


@pytest.fixture
def url(acts: Acts) -> Iterator[str]:
    """The address of a server with the seeded home."""
    with served(acts.plane.settings) as address:
        yield address


def test_every_command_reaches_a_server_or_says_why_not() -> None:
    """A command that has no `--server` says in its help that it belongs to the server's machine, or needs none."""
    silent = {
        name
        for name, command in commands().items()
        if not name.startswith("edge ")  # of a device
        and "--server" not in (option for one in command.params for option in one.opts)
        and not any(reason in " ".join((command.help or "").split()) for reason in REASONS)
    }
    assert silent == set()


#: Routes that no command asks, and why.
WITHOUT_COMMAND = {
    "session.get": "whose pages these are, with what guards their writes: for pages that have a cookie",
    "session.sign_in": "a cookie for pages; commands have a token, see `login`",
}


def test_every_route_has_a_command_or_a_reason_why_not() -> None:
    """Each operation of the client, which has one for each route, is called by the code behind some command."""
    offered = {f"{group}.{name}" for group, api in vars(Operations(cast("Any", None))).items() for name in _names(api)}
    called = {one for path in COMMANDS for one in _called(ast.parse(path.read_text("utf-8")))}
    assert offered - called == set(WITHOUT_COMMAND)


def _names(api: object) -> list[str]:
    return [name for name in dir(api) if not name.startswith("_")]


def _called(tree: ast.AST) -> Iterator[str]:
    """Yield every `group.name` that a module reads off something, or off a name that it gave the group."""
    given: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target, value in _pairs(node):
                if isinstance(target, ast.Name) and isinstance(value, ast.Attribute):
                    given.setdefault(target.id, set()).add(value.attr)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            yield f"{node.value.attr}.{node.attr}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield from (f"{group}.{node.attr}" for group in given.get(node.value.id, ()))


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what is assigned to what, several at once one by one."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def test_no_command_has_two_options_of_one_name() -> None:
    """What a command takes itself is called otherwise than what all of them share."""
    for name, command in commands().items():
        options = [option for one in command.params for option in one.opts]
        assert len(options) == len(set(options)), name


def run(acts: Acts, url: str, line: str, code: str = "") -> Result:
    """Run a line as the person that it begins with: at the server if there is an address, else at the home."""
    login, *words = line.split()
    env = {"MENTORPLANE_PASSPHRASE": acts.passphrase(login), "DATABASE_URL": acts.plane.settings.database_url}
    env |= {"MENTORPLANE_CODE": code}
    if url:
        where = ["--server", url]
        env["MENTORPLANE_TOKEN"] = acts.people[login]["token"]
    else:
        where = ["--home", str(acts.plane.settings.home), "--as", login]
    return CliRunner().invoke(program(), [*words, *where, "--json"], env=env)


def flow(acts: Acts, url: str, lines: tuple[str, ...], *, known: dict[str, str]) -> list[tuple[str, int, str, str]]:
    """Run lines one after the other; return each with its exit code and answer, without what is never the same."""
    known = known | {"way": SERVER if url else HOME, "manifest": acts.seen(), "zeros": "0" * 64}
    known |= {"approver": "ines", "role": "community-host"} if url else {"approver": "tom", "role": "facilitator"}
    said = []
    for line in lines:
        done = run(acts, url, line.format_map(known), known.get("code", ""))
        assert not done.exception or isinstance(done.exception, SystemExit), done.exception
        known |= dict(_members(json.loads(done.stdout or "{}")))
        said.append((line, done.exit_code, _masked(done.stdout), _masked(done.stderr)))
    return said


def _members(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _members(member)
            if isinstance(member, str | int):
                yield name, str(member)


def _masked(text: str) -> str:
    text = re.sub(r" \(request [^)]*\)", "", text)
    text = re.sub(r'"(code|text|secret)": "[^"]*"|"(used_at)": [^,]*', r'"\1\2": "#"', text)
    text = re.sub(r'"[A-Za-z0-9+/]{43}="', '"#"', text)  # hashes of a log that has grown
    text = re.sub(r"[0-9a-f]{8,}|\d+|\b_?(home|server)\b|(?<=kim_)\w+", "#", text)
    return re.sub(r'\[[\s#",]*\]', "[]", text)


@pytest.mark.parametrize("lines", [READING, TALKING, DRAFTING, PEOPLE, RECORDS, DECIDING])
def test_a_server_and_a_home_answer_alike(lines: tuple[str, ...], acts: Acts, url: str, tmp_path: Path) -> None:
    """The same lines at the home and then over HTTP exit and say the same, answers and refusals alike."""
    file = tmp_path / "closing.yaml"
    file.write_text(script("closing", tier="R1", fill="Bye, {{ work }}."))
    went = partial(flow, acts, lines=lines, known={"file": str(file), "folder": str(tmp_path)})
    for here, there in zip(went(""), went(url), strict=True):
        assert there == here


def test_a_home_asks_who_acts_and_a_server_for_a_token(acts: Acts, url: str) -> None:
    """Without `--as` nothing is done at a home, without a token nothing at a server; both say what is lacking."""
    env = {"MENTORPLANE_HOME": str(acts.plane.settings.home), "DATABASE_URL": acts.plane.settings.database_url}
    nobody = CliRunner().invoke(program(), ["proposal", "comment", "2", "--text", "x"], env=env)
    assert (nobody.exit_code, nobody.stderr.splitlines()[0]) == (
        3,
        "error: expected --as, the login or id of who acts, got none",
    )
    bare = CliRunner().invoke(program(), ["grant", "list", "--server", url], env={"MENTORPLANE_TOKEN": ""})
    assert (bare.exit_code, "expected a token" in bare.stderr) == (3, True)


def test_a_server_is_asked_without_its_libraries(acts: Acts, url: str) -> None:
    """With `--server` a machine needs the client alone: neither database nor web framework is there."""
    blocked = "import sys; sys.modules.update(dict.fromkeys(('sqlmodel', 'sqlalchemy', 'fastapi', 'starlette')))"
    program = f"{blocked}; from edge_runtime.cli import main; main()"
    asked = [sys.executable, "-c", program, "proposal", "show", "2", "--server", url]
    env = {"MENTORPLANE_TOKEN": acts.people["tom"]["token"]}
    done = subprocess.run(asked, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "manifest sha256:" in done.stdout) == (0, True), done.stderr
