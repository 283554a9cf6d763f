"""The whole of a proof: a copy of the home, a watched process, a recorder; then everything that was gathered is judged.

Promises: the home that is given is read and never written; what the watched process may write lies in a folder that is
searched and then removed; a process that ended before it was done proves nothing, and says so.
Does not: print (see `report`). POSIX only: a socket is handed from the watched process to this one.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom
from typing import Any

from audit.frozen import frozen
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.home import require_home
from edge_runtime.installed import has_extra
from edge_runtime.proving.capture import Capture
from edge_runtime.proving.corpus import write_corpus
from edge_runtime.proving.judging import judge
from edge_runtime.proving.recorder import Recorder
from edge_runtime.proving.records import ELSEWHERE, Evidence, Kept, Permitted, Run, Said, Settings, Told, Verdict

__all__ = ["Proof", "prove"]

_CHILD = Path(__file__).parent / "child.py"
_NOT_COPIED = (
    "receipts*",
    "rollups*",
    "salts",
    "serve-token",
    "*.lock",
    "lock",
    "clock",
    "census*",
    "budget*",
    "roots",
)
"""What of a home a proof does without: its past runs, its secrets, and the time that it saw, which the proof sets."""
_HELLO_BYTES = 1
_PATIENCE_S = 60


@frozen
class Proof:
    """A verdict, the evidence for it, how it was watched, and what was left out."""

    verdict: Verdict
    evidence: Evidence
    device: dict[str, Any]
    chamber: str
    left_out: tuple[str, ...]


def prove(settings: Settings, *, advance: Callable[[int], None] = lambda _: None) -> Proof:
    """Run texts through every route, or through an app, and return what left.

    Args:
        settings: what to prove.
        advance: is told that another text is done.

    Raises:
        InvalidDocument: the home is none, or the app cannot be called.
        Unavailable: this system cannot do it, or the watched process ended before it was done.
    """
    if os.name != "posix":
        raise Unavailable(f"expected Linux or macOS for a proof, got {sys.platform}")
    if settings.home:
        require_home(Path(settings.home))
    folder = Path(tempfile.mkdtemp(prefix="mentorplane-proof-")).resolve()
    try:
        for name in ELSEWHERE:
            (folder / name).mkdir()
        for name in ("home", "expired") if settings.home else ():
            shutil.copytree(settings.home, folder / name, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        return _Watched(settings, folder, advance).prove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Watched:
    """One watched process, and what it tells."""

    def __init__(self, settings: Settings, folder: Path, advance: Callable[[int], None]) -> None:
        self._settings = settings
        self._folder = folder
        self._work = Path.cwd() if settings.app else folder / "work"
        self._advance = advance
        self._texts, self._canaries = write_corpus(settings.texts, SystemRandom(), untold=settings.untold)
        self._runs: list[Run] = []
        self._told: list[Told] = []
        self._said: list[Said] = []
        self._device: dict[str, Any] = {}
        self._serving: list[int] = []
        self._unfit = self._text = 0
        self._names_told = True
        self._begun: dict[str, Any] = {}
        self._why_not = ""
        self._done = False

    def prove(self) -> Proof:
        """Start the process, listen until it ends, and judge."""
        end, process, handles = self._start()
        cloud, local, *wires = (socket.socket(fileno=handle) for handle in handles)
        self._ports = (cloud.getsockname()[1], local.getsockname()[1])
        self._recorder = Recorder(cloud, local)
        capture = Capture(wires[0], self._ports) if wires else None
        outputs = [_Output(process.stdout), _Output(process.stderr)]
        try:
            self._listen(end)
            process.wait(_PATIENCE_S)
        finally:
            process.kill()
            wire = capture.close() if capture else None
            self._recorder.close()
            end.close()
        for where, output in zip(("standard output", "standard error"), outputs, strict=True):
            self._said.append(Said(-1, where, output.read().decode("utf-8", "replace")))
        if not self._done:
            raise Unavailable(
                "expected the watched process to do all its runs, it ended before", hint=_last_line(self._said[-1].said)
            )
        evidence = Evidence(
            texts=self._texts,
            canaries=self._canaries,
            runs=tuple(self._runs),
            requests=tuple(self._recorder.requests),
            told=tuple(self._told),
            said=tuple(self._said),
            kept=tuple(self._kept()),
            wire=wire,
            received_bytes=self._recorder.received_bytes,
            permitted=self._permitted(),
            unfit=self._unfit,
            names_told=self._names_told,
        )
        return Proof(judge(evidence), evidence, self._device, self._why_not, left_out=self._left_out())

    def _start(self) -> tuple[socket.socket, subprocess.Popen[bytes], list[int]]:
        """Start the process, in a chamber if that is wanted and works; return the way to it and its sockets."""
        why_not = "it was not wanted"
        for chamber in ("chamber", "open") if self._settings.chamber else ("open",):
            end, other = socket.socketpair()
            process = subprocess.Popen(  # noqa: S603 - this interpreter, a file of ours
                [sys.executable, "-B", str(_CHILD), str(other.fileno()), chamber, why_not, str(_CHILD.parents[2])],
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._work,
                env=self._environment(),
            )
            other.close()
            hello, handles, _, _ = socket.recv_fds(end, _HELLO_BYTES, 3)
            if hello:
                return end, process, handles
            process.wait()
            why_not = "it could not be set up here"
            end.close()
        raise Unavailable("expected a process that can be watched, got one that ended at once")

    def _environment(self) -> dict[str, str]:
        """Return the environment of the process: what libraries keep for themselves lands where it is looked for."""
        places = {"TMPDIR": "temporary"} if self._settings.app else {"HOME": "person", "TMPDIR": "temporary"}
        unset = {name for name in os.environ if name.startswith("XDG_")} if not self._settings.app else set()
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        return {**kept, **{name: str(self._folder / place) for name, place in places.items()}}

    def _listen(self, end: socket.socket) -> None:
        with end.makefile("rb") as lines:
            while head := lines.read(4):
                message = json.loads(lines.read(struct.unpack(">I", head)[0]))
                answer = self._heard(message.pop("kind"), message)
                if answer is not None:
                    data = json.dumps(answer).encode()
                    end.sendall(struct.pack(">I", len(data)) + data)

    def _heard(self, kind: str, message: dict[str, Any]) -> object:
        """Take in what the process tells; return what it waits for, if it does."""
        run = self._recorder.run
        if kind == "event":
            arguments = tuple(self._placed(message["event"], message["arguments"]))
            self._told.append(Told(run, message["event"], arguments, tuple(message["callers"])))
        elif kind == "log":
            where = f"log record of {message['logger']} at {message['level']}"
            self._said.append(Said(run, where, f"{message['said']}\n{message['more']}"))
        elif kind == "ready":
            self._why_not = message["why_not"]
            return self._job()
        elif kind == "begin":
            self._recorder.answer = message.pop("answer")
            self._begun = message
            self._recorder.run = len(self._runs)
            self._advance(message["text"] - self._text)
            self._text = message["text"]
            return True
        elif kind == "end":
            self._runs.append(Run(**self._begun, replies=tuple(message.pop("replies")), **message))
            self._recorder.run = -1
            return True
        elif kind == "device":
            self._device = message
        elif kind == "serving":
            self._serving.append(message["port"])
        elif kind == "unfit":
            self._unfit += 1
        elif kind == "app":
            self._names_told = message["names_told"]
        elif kind == "no-app":
            raise InvalidDocument(
                "expected --app MODULE:FUNCTION that can be imported", hint=_last_line(message["raised"])
            )
        else:
            self._done = kind == "done"
        return None

    def _placed(self, event: str, arguments: list[Any]) -> list[Any]:
        """Return the arguments of an event with paths as seen from the folder in which the process began."""
        is_path = event == "open" or event.startswith(("os.", "shutil.", "sqlite3."))
        written = 1 if event == "open" else 2 if is_path else 0
        return [
            str(self._work / one) if isinstance(one, str) and one and at < written else one
            for at, one in enumerate(arguments)
        ]

    def _job(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "app": settings.app,
            "folder": str(self._work),
            "home": str(self._folder / "home"),
            "expired": str(self._folder / "expired"),
            "trust": str(Path(settings.trust).resolve()) if settings.trust else None,
            "channel": settings.channel,
            "cloud": has_extra("cloud"),
            "serve": has_extra("serve"),
            "urls": [f"http://127.0.0.1:{port}/v1" for port in self._ports],
            "texts": [{"turns": t.turns, "names": t.names, "terms": t.terms} for t in self._texts],
        }

    def _permitted(self) -> Permitted:
        ports = frozenset({*self._ports, *self._serving})
        return Permitted(ports, self._settings.hosts, tuple(self._writable()))

    def _writable(self) -> list[str]:
        folders = [os.path.realpath(folder) for folder in self._settings.folders]
        return [*folders, str(self._folder / "home"), str(self._folder / "expired")] if self._settings.home else folders

    def _kept(self) -> list[Kept]:
        """Return every file that the process may have written, of a home or elsewhere."""
        folders = [*self._writable(), *(str(self._folder / name) for name in ELSEWHERE)]
        paths = [path for folder in folders for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        return [Kept(str(path).removeprefix(f"{self._folder}/"), path.read_bytes()) for path in paths]

    def _left_out(self) -> tuple[str, ...]:
        if self._settings.app:
            return ()
        missing = {
            "redacted and cloud: the extra [cloud] is not installed, so nothing can be sent": has_extra("cloud"),
            "serve: the extra [serve] is not installed": has_extra("serve"),
        }
        return tuple(said for said, there in missing.items() if not there)


class _Output:
    """Reads a stream of the process to its end."""

    def __init__(self, stream: Any) -> None:
        self._data = b""
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def read(self) -> bytes:
        """Return all that came."""
        self._thread.join(_PATIENCE_S)
        return self._data

    def _read(self) -> None:
        self._data = self._stream.read()


def _last_line(said: str) -> str:
    return said.strip().rpartition("\n")[2]
