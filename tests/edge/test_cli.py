"""`mentorplane edge …` with odd input: one line on standard error and the documented exit code, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edge_runtime.cli.edge import app
from tests.published import Published

CRISIS = "I have been thinking about killing myself."


def invoke(*arguments: str, stdin: bytes | str = "") -> Result:
    """Run a command of `edge` in this process."""
    return CliRunner().invoke(app, list(arguments), input=stdin)


def assert_one_line(result: Result, code: int, *said: str) -> None:
    """Check that a command ended with `code` and one error line, perhaps with a hint."""
    lines = result.stderr.splitlines()
    assert (result.exit_code, type(result.exception)) == (code, SystemExit), result.output
    assert lines[0].startswith("error: ")
    assert all(line.startswith("hint: ") for line in lines[1:])
    assert all(word in lines[0] for word in said), lines[0]


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release."""
    made = Published(tmp_path)
    made.release()
    return made


@pytest.fixture
def options(published: Published, tmp_path: Path) -> list[str]:
    """Options of a device that has adopted the release."""
    options = ["--home", str(tmp_path / "home"), "--trust", str(published.trust)]
    assert invoke("refresh", *options, "--source", str(published.folder)).exit_code == 0
    return options


def test_a_device_without_a_release_says_how_to_get_one(published: Published, tmp_path: Path) -> None:
    """Before anything was adopted there is nothing to claim: neither how fresh it is, nor who signed."""
    result = invoke("status", "--home", str(tmp_path / "new"), "--trust", str(published.trust))
    assert result.stdout.startswith("no release of production yet: mentorplane edge refresh")
    assert (result.exit_code, "None" in result.stdout, "expired" in result.stdout) == (0, False, False)


def test_a_home_of_another_channel_is_told(options: list[str]) -> None:
    """A misspelt channel is no damaged home: what is said names the channel."""
    assert_one_line(invoke("status", *options, "--channel", "pilto"), 2, "V3", "a home that follows pilto")


@pytest.mark.parametrize("command", ["read", "redact"])
@pytest.mark.parametrize("option", ["--name", "--term"])
def test_a_name_without_a_letter_is_invalid_input(command: str, option: str) -> None:
    """`--name '!!!'` is refused in one line."""
    assert_one_line(invoke(command, option, "!!!", stdin="Hello"), 3, f"expected a {option[2:]} with a letter")


@pytest.mark.parametrize("command", ["read", "redact", "summarise"])
def test_unreadable_texts_are_invalid_input(command: str, tmp_path: Path) -> None:
    """A missing file, a folder, a binary file, broken UTF-8 on standard input."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\x00\xff\xfe\x80")
    for arguments, stdin in (
        ((str(tmp_path / "none"),), b""),
        ((str(tmp_path),), b""),
        ((str(binary),), b""),
        ((), b"caf\xe9"),
    ):
        assert_one_line(invoke(command, *arguments, stdin=stdin), 3, "expected")


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"1",
        b'{"id": 1}',
        b'{"id": 1, "text": 2}',
        b'{"id": 1, "text": "\xff"}',
        b"[" * 100_000,
        b"1" * 5_000,
    ],
)
def test_a_broken_line_is_named_by_its_number(line: bytes) -> None:
    """Lines before it are answered; the number of the broken one is said, its text is not."""
    result = invoke("read", "--jsonl", stdin=b'{"id": "a", "text": "mara@example.org"}\n\n' + line + b"\n")

    assert_one_line(result, 3, "line 3: expected")
    assert json.loads(result.stdout)["entities"] == [{"type": "EMAIL", "start": 0, "end": 16}]


def test_lines_from_a_missing_file_or_a_folder(tmp_path: Path) -> None:
    """`--jsonl` with a file that cannot be read is invalid input."""
    for file in (tmp_path, tmp_path / "none"):
        assert_one_line(invoke("read", "--jsonl", str(file)), 3, "expected a file")


def test_ids_and_texts_of_half_characters_are_answered() -> None:
    """A lone surrogate in JSON does not end the run."""
    result = invoke("read", "--jsonl", stdin=r'{"id": "\ud800", "text": "\udfff hello"}')
    assert (result.exit_code, json.loads(result.stdout)["id"]) == (0, "\ud800")


@pytest.mark.parametrize("command", ["run", "decide"])
def test_odd_inputs_are_invalid(command: str, options: list[str], tmp_path: Path) -> None:
    """No `=`, a missing file, a folder, broken UTF-8, an undeclared or too long input, a name without a letter."""
    assert_one_line(invoke(command, "opener", *options, "-i", "notes"), 3, "expected --input NAME=TEXT")
    for value in (f"@{tmp_path / 'none'}", f"@{tmp_path}", "-"):
        assert_one_line(invoke(command, "opener", *options, "-i", f"notes={value}", stdin=b"\xff"), 3, "UTF-8 file")
    assert_one_line(invoke(command, "opener", *options, "-i", "other=x"), 3, "expected")
    assert_one_line(invoke(command, "opener", *options, "-i", f"notes={'x ' * 60_000}"), 3, "expected")
    assert_one_line(invoke(command, "opener", *options, "-i", "notes=x", "--name", "!!!"), 3, "name")


@pytest.mark.parametrize("command", ["run", "decide"])
def test_an_unknown_prompt_is_refused(command: str, options: list[str]) -> None:
    """There is no approved prompt of that name: exit code 2."""
    assert_one_line(invoke(command, "no-such", *options, "-i", "notes=x"), 2, "no-such")


def test_a_crisis_comes_before_a_withdrawn_prompt(published: Published, options: list[str]) -> None:
    """P6: where the prompt cannot run, or the text is too long for it, a crisis still gets the hand-off text."""
    published.organisation.withdraw("prompt", "opener")
    published.publish()
    assert invoke("refresh", *options, "--source", str(published.folder)).exit_code == 0
    withdrawn = invoke("run", "opener", *options, "-i", "notes=fine")
    assert (withdrawn.exit_code, "opener was withdrawn, this is its fallback text" in withdrawn.stdout) == (2, True)
    long = "The sprint went well. " * 5_000  # an argument has at most 128 KiB
    for prompt, text in (("no-such", CRISIS), ("opener", CRISIS), ("opener", long + CRISIS)):
        result = invoke("run", prompt, *options, "-i", f"notes={text}")
        assert (result.exit_code, "nothing was sent" in result.stdout) == (0, True)
        assert "112" in result.stdout


def test_going_on_shows_the_hand_off_text_first(options: list[str]) -> None:
    """With `--go-on` the prompt runs, after the hand-off text was written to standard error."""
    result = invoke("run", "opener", *options, "-i", f"notes={CRISIS}", "--go-on")
    assert (result.exit_code, "112" in result.stderr, "112" in result.stdout) == (0, True, False)


def test_homes_that_cannot_be_used(options: list[str], tmp_path: Path) -> None:
    """A file as home or no trust folder fails; a damaged home is refused or invalid; nothing ends in a traceback."""
    file = tmp_path / "file"
    file.write_text("x")
    trust = options[2:]
    assert_one_line(invoke("status", "--home", str(file), *trust), 1, "expected a folder")
    assert_one_line(invoke("status", "--home", str(file / "below"), *trust), 1, "expected a folder")
    assert_one_line(invoke("status", *options[:2], "--trust", str(tmp_path / "none")), 1, "root.json")
    assert_one_line(invoke("status", *options[:2]), 2, "root.json")
    current = tmp_path / "home" / "current"
    for name in ("nonsense", "../..", "\x00"):
        current.write_text(name)
        assert_one_line(invoke("status", *options), 3, "expected 'current'")
    current.unlink()
    current.mkdir()
    assert_one_line(invoke("status", *options), 1, "expected")


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\x00", b"[" * 50_000])
def test_any_damaged_file_of_a_home_is_told(options: list[str], tmp_path: Path, damage: bytes) -> None:
    """Each file of a generation in turn, replaced by rubbish: exit code 2 or 3 and one line, or it was not needed."""
    generations = tmp_path / "home" / "generations"
    for file in [path for path in sorted(generations.rglob("*")) if path.is_file() and not path.is_symlink()]:
        whole = file.read_bytes()
        file.write_bytes(damage)
        result = invoke("status", *options)
        if result.exit_code:
            assert_one_line(result, result.exit_code, "expected")
            assert result.exit_code in {2, 3}, file.name
        file.write_bytes(whole)
    assert invoke("status", *options).exit_code == 0


@pytest.mark.parametrize(
    "more", [["--mirror", "x"], ["--host", "0.0.0.0"], ["--host", "x"], ["--allow-parent", "*"], ["--port", "99999"]]
)
def test_a_desk_that_cannot_be_opened_is_invalid_input(options: list[str], more: list[str]) -> None:
    """A foreign host, a port or origin of another form and a mirror without address are refused."""
    assert_one_line(invoke("desk", *options, *more), 3)


def test_a_source_that_does_not_answer(options: list[str], tmp_path: Path) -> None:
    """A refresh from nowhere fails with exit code 1 and keeps the release."""
    result = invoke("refresh", *options, "--source", str(tmp_path / "none"))
    assert (result.exit_code, "kept release 1" in result.stdout) == (1, True)


def test_the_program_itself_ends_without_a_traceback() -> None:
    """In a process of its own: broken UTF-8 and an unknown option give one message and exit code 3."""
    for arguments in (["read"], ["run", "opener", "--no-such-option"]):
        command = [sys.executable, "-m", "edge_runtime", "edge", *arguments]
        done = subprocess.run(command, input=b"\xff", capture_output=True, timeout=60, check=False)
        assert (done.returncode, b"Traceback" in done.stderr) == (3, False), done.stderr
