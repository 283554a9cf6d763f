"""The command that runs a witness, as a process of its own: its output, its exit codes, and kill -9 under load."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from audit import InvalidFormat
from audit.__main__ import main
from audit.checkpoint import parse_checkpoint
from audit.commands.witness import parse_logs
from audit.note import Algorithm, Signer, parse_note, parse_vkey
from audit.witness.decide import PATH, state_name
from audit.witness.store import parse_key
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER
from tests.audit.witnesses import HONEST, REWRITTEN, call, request, signed

ROOT = Path(__file__).parents[2]
LOG_VKEY = UNSAFE_LOG_SIGNER.verifier.vkey
CHECKPOINT_PATH = f"/{state_name(ORIGIN)}/checkpoint"


ALONE = ("-m", "audit")
INSTALLED = ("-c", "import sys; from edge_runtime.cli import main; sys.exit(main())", "audit")


@contextmanager
def process(
    home: Path, *options: str, program: tuple[str, ...] = ALONE
) -> Iterator[tuple[subprocess.Popen[str], str, tuple[str, int]]]:
    """Start `python -m audit witness` and return the process, its vkey and its address."""
    command = [sys.executable, *program, "witness", "--home", str(home), "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        try:
            lines = [child.stdout.readline() for _ in range(3)]
            host, _, port = lines[2].rpartition("/")[2].strip().rpartition(":")
            yield child, lines[0].split()[1], (host, int(port))
        finally:
            child.kill()


def run_command(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m audit witness` to its end."""
    command = [sys.executable, "-m", "audit", "witness", "--home", str(home), "--port", "0", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_attack_real_witness_killed_again_and_again_under_load(tmp_path: Path) -> None:
    """Killed at moments nobody chose, while checkpoints of two histories come in: all it ever cosigned is of one."""
    cosigned_sizes: list[int] = []
    keys = set()
    for _ in range(4):
        with process(tmp_path / "home", "--log", LOG_VKEY) as (child, vkey, address):
            keys.add(vkey)
            got, guard = threading.Semaphore(0), threading.Lock()

            def submit(
                hashes: list[Any], address: tuple[str, int] = address, got: Any = got, guard: Any = guard
            ) -> None:
                old = 0
                try:
                    while old < len(HONEST):
                        reply = call(address, "POST", PATH, request(old, old + 1, hashes))
                        if reply.status == 200:
                            old += 1
                            if hashes is HONEST:
                                with guard:
                                    cosigned_sizes.append(old)
                                got.release()
                            assert hashes is HONEST or old <= 2
                        elif reply.status == 409:
                            old = int(reply.body)
                        else:
                            assert reply.status == 422
                            assert hashes is REWRITTEN
                except (OSError, http.client.HTTPException):
                    return

            assert call(address, "POST", PATH, request(0, 3)).status in {200, 409}
            threads = [threading.Thread(target=submit, args=(one,)) for one in (HONEST, REWRITTEN, HONEST)]
            for thread in threads:
                thread.start()
            for _ in range(3):
                got.acquire()
            child.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
    assert len(keys) == 1
    with process(tmp_path / "home", "--log", LOG_VKEY) as (_, vkey, address):
        latest = parse_checkpoint(parse_note(call(address, "GET", CHECKPOINT_PATH).body).text)
        assert latest.size >= max(cosigned_sizes)
        assert latest == parse_checkpoint(parse_note(signed(latest.size)).text)
        assert call(address, "POST", PATH, request(latest.size, latest.size, REWRITTEN)).status == 422


def test_command_stops_when_asked_and_says_who_it_is(tmp_path: Path) -> None:
    """Its key and name are printed before it serves; SIGTERM ends it with 0; `mentorplane` runs the same one."""
    vkeys = []
    for program, options in ((ALONE, ["--name", "officer.example"]), (INSTALLED, [])):
        with process(tmp_path / "home", "--log", LOG_VKEY, *options, program=program) as (child, vkey, address):
            assert call(address, "GET", CHECKPOINT_PATH).status == 404
            vkeys.append(vkey)
            child.terminate()
            assert child.wait() == 0
    assert vkeys[0] == vkeys[1]
    verifier = parse_vkey(vkeys[0])
    assert (verifier.name, verifier.algorithm) == ("officer.example", Algorithm.COSIGNATURE)


def test_command_reads_log_keys_from_a_file(tmp_path: Path) -> None:
    """A file of keys with comments is as good as options."""
    logs = tmp_path / "logs"
    logs.write_text(f"# ours\n\n{LOG_VKEY}\n")
    with process(tmp_path / "home", "--logs", str(logs)) as (_, _, address):
        assert call(address, "POST", PATH, request(0, 3)).status == 200


def test_command_refuses_what_it_cannot_start_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit codes: 3 for input, 1 for a home in use, 2 for a home that lost a file; the message is one line."""
    home = tmp_path / "home"
    cosigner = Signer("w", b"\x01" * 32, Algorithm.COSIGNATURE).verifier.vkey
    for options in ([], ["--log", "x"], ["--log", cosigner], ["--log", LOG_VKEY, "--log", LOG_VKEY], ["--port", "x"]):
        assert main(["witness", "--home", str(home), *options]) == 3
        assert capsys.readouterr().err.count("\n") == 1
    assert not home.exists()
    assert run_command(home, "--log", LOG_VKEY, "--name", "two words").returncode == 3
    with process(home, "--log", LOG_VKEY) as (_, vkey, _):
        assert run_command(home, "--log", LOG_VKEY).returncode == 1
    seed = (home / "witness.key").read_bytes()
    own = Signer("log.example", parse_key(seed).seed).verifier.vkey
    assert run_command(home, "--log", own).returncode == 3
    assert run_command(home, "--log", LOG_VKEY, "--name", "other").returncode == 3
    (home / "witness.key").unlink()
    done = run_command(home, "--log", LOG_VKEY)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("refused: expected witness.key beside witness.state")
    assert not (home / "witness.key").exists()
    assert vkey not in done.stderr


def test_log_keys_are_log_keys() -> None:
    """Several keys of one log are taken, and no more logs than fit."""
    keys = [Signer(f"log-{at}", bytes([at + 1]) * 32).verifier.vkey for at in range(13)]
    assert len(parse_logs(keys[:12])) == 12
    with pytest.raises(InvalidFormat):
        parse_logs(keys)


def test_what_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there, a port that no machine has, and another name than the key's are said by name."""
    given = ["witness", "--home", str(tmp_path / "w"), "--log", LOG_VKEY]
    assert main([*given, "--logs", str(tmp_path / "none")]) == 1
    assert f"failed: {tmp_path / 'none'}: No such file" in capsys.readouterr().err
    assert main([*given, "--port", "99999"]) == 3
    assert capsys.readouterr().err == "invalid input: expected a port of 0 to 65535, got 99999\n"
    assert not (tmp_path / "w").exists()
    with process(tmp_path / "w", "--log", LOG_VKEY, "--name", "council.example"):
        pass
    assert main([*given, "--name", "other.example"]) == 3
    assert "expected council.example, the name that the witness was made with" in capsys.readouterr().err
