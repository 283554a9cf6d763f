"""The command that runs a witness: `python -m audit witness`, and `mentorplane audit witness` on top of it.

Promises: the witness's public key is printed before the first request is served; its private key is made once, from
the system's random source; ending the process in any way, at any moment, loses nothing that was promised.

Exit codes: 0 stopped, 1 failed (the folder or the port is in use, the disk fails), 2 refused to start (see
`audit.witness.store`), 3 invalid input.
"""

from __future__ import annotations

import argparse
import contextlib
import secrets
import signal
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from socketserver import BaseServer
from typing import Any

from audit.commands.common import said_of
from audit.errors import AuditError, InvalidFormat, NotProven
from audit.frozen import frozen
from audit.note import Algorithm, Verifier, parse_vkey
from audit.witness.store import MAX_LOGS, Home, open_store

STOPPED, FAILED, REFUSED, INVALID_INPUT = 0, 1, 2, 3
DEFAULT_NAME, DEFAULT_HOST, DEFAULT_PORT = "mentorplane-witness", "127.0.0.1", 8645
MAX_LOGS_FILE_BYTES = 100_000
MAX_PORT = 65_535
_LOOKS_EVERY_S = 0.5


@frozen
class Settings:
    """What a witness is told by whoever runs it; an empty name is the one of the key, or the default for a new key."""

    home: Path
    logs: tuple[Verifier, ...]
    name: str = ""
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT


def parse_logs(vkeys: Iterable[str]) -> tuple[Verifier, ...]:
    """Parse the keys of the logs that a witness is to know.

    Raises:
        InvalidFormat: none or too many, one that is no log's key, or one twice.
    """
    logs = tuple(parse_vkey(vkey) for vkey in vkeys)
    if not 1 <= len({log.name for log in logs}) <= MAX_LOGS or len(logs) > 4 * MAX_LOGS:
        raise InvalidFormat(f"expected the keys of 1 to {MAX_LOGS} logs, got {len(logs)}")
    if any(log.algorithm is not Algorithm.ED25519 for log in logs) or len({log.public_key for log in logs}) < len(logs):
        raise InvalidFormat("expected log keys of type 1, each once, got something else")
    return logs


def read_settings(
    home: Path,
    vkeys: Sequence[str],
    *,
    logs_file: Path | None = None,
    name: str = "",
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
) -> Settings:
    """Return the settings of a witness; `logs_file` has further keys, one a line, and comments after a #.

    Raises:
        InvalidFormat: a key is malformed, the file cannot be one of keys, or no port has that number.
        OSError: the file cannot be read.
    """
    if not 0 <= port <= MAX_PORT:
        raise InvalidFormat(f"expected a port of 0 to {MAX_PORT}, got {port}")
    lines: list[str] = []
    if logs_file is not None:
        if logs_file.stat().st_size > MAX_LOGS_FILE_BYTES:
            raise InvalidFormat(f"expected a file of at most {MAX_LOGS_FILE_BYTES} bytes, got more")
        try:
            text = logs_file.read_bytes().decode()
        except UnicodeDecodeError as error:
            raise InvalidFormat("expected a file of keys in UTF-8, got other bytes") from error
        lines = [line.strip() for line in text.split("\n")]
    return Settings(
        home, parse_logs([*vkeys, *(line for line in lines if line and not line.startswith("#"))]), name, host, port
    )


def add_parser(commands: Any) -> None:
    """Add the command to the subcommands of `python -m audit`."""
    parser = commands.add_parser("witness", help="cosign the checkpoints of a log that only grows, over HTTP")
    parser.add_argument("--home", required=True, type=Path, metavar="DIR", help="folder of this witness, its own")
    parser.add_argument(
        "--log", action="append", default=[], metavar="VKEY", help="public key of a log to witness; repeatable"
    )
    parser.add_argument("--logs", type=Path, metavar="FILE", help="file with further log keys, one a line")
    parser.add_argument("--name", default="", help=f"name of the witness, on its first start ({DEFAULT_NAME})")
    parser.add_argument("--host", default=DEFAULT_HOST, help=f"address to listen on ({DEFAULT_HOST})")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"port to listen on ({DEFAULT_PORT})")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command with parsed options until it is stopped, and return its exit code."""
    try:
        settings = read_settings(
            options.home,
            options.log,
            logs_file=options.logs,
            name=options.name,
            host=options.host,
            port=options.port,
        )
        serve(settings)
    except NotProven as error:
        return _say(f"refused: {error}", REFUSED)
    except (AuditError, ValueError) as error:
        return _say(f"invalid input: {error}", INVALID_INPUT)
    except OSError as error:
        return _say(f"failed: {said_of(error)}", FAILED)
    return STOPPED


def serve(settings: Settings) -> None:
    """Open the home, print the witness's key and address, and serve until the process is asked to stop.

    Raises:
        AuditError, ValueError: see `open_store`; also a name that no key can have.
        OSError: the home or the address is in use, or cannot be used.
    """
    from audit.witness.server import Clocks, WitnessServer  # http.server, for this command alone

    # An exception that a signal raises can end up in a callback that swallows it; an event cannot get lost.
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    store = open_store(
        Home(settings.home), name=settings.name, default=DEFAULT_NAME, seed=lambda: secrets.token_bytes(32)
    )
    try:
        if store.signer.verifier.public_key in {log.public_key for log in settings.logs}:
            raise InvalidFormat("expected the key of a log, got the witness's own")
        clocks = Clocks(lambda: int(time.time()), time.monotonic)
        with WitnessServer((settings.host, settings.port), store, settings.logs, clocks=clocks, log=_log) as server:
            host, port = server.server_address[:2]
            where = f"[{host!s}]" if ":" in str(host) else str(host)
            origins = ", ".join(sorted({_ascii(log.name) for log in settings.logs}))
            sys.stdout.write(f"witness  {store.signer.verifier.vkey}\nlogs     {origins}\n")
            sys.stdout.write(f"serving  http://{where}:{port}\n")
            sys.stdout.flush()
            threading.Thread(target=_serve, args=(server, stop), daemon=True).start()
            while not stop.wait(_LOOKS_EVERY_S):  # a signal that another thread received wakes nobody here
                pass
            server.shutdown()
    finally:
        store.close()


def _serve(server: BaseServer, stop: threading.Event) -> None:
    try:
        server.serve_forever()
    finally:
        stop.set()


def _log(line: str) -> None:
    with contextlib.suppress(OSError):  # a terminal that is gone is no reason to leave a request unanswered
        sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {_ascii(line)}\n")
        sys.stderr.flush()


def _say(line: str, code: int) -> int:
    sys.stderr.write(f"{_ascii(line)}\n")
    return code


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()
