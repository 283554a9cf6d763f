"""The watched process. Started by the path of this file, so that the hook stands before anything of ours is loaded.

    hook → chamber → socket for the recorder → everything else

Promises: every connection, name look-up, file opened for writing, program, mapped file, native library and log record
of this process is told to the parent before it happens; once it cannot be told, the process ends. Each is told with all
that Python was given, so that a canary in a path, a name or an argument shows.
Does not: see what native code does without Python (the chamber does, for the network), judge (see `judging`).
Source: the table of audit events in the documentation of Python.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

__all__ = ["Line", "main"]

_UNTOLD = (
    *("array.", "builtins.", "code.", "compile", "cpython.", "exec", "function.", "gc.", "glob.", "import", "marshal."),
    *("object.", "os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.listxattr", "os.getxattr", "pathlib.Path.glob"),
    *("pickle.", "setopencodehook", "signal.", "socket.__new__", "socket.gethostname", "sys.", "time.", "ctypes.a"),
    *("ctypes.c", "ctypes.dlsym", "ctypes.g", "ctypes.P", "ctypes.s", "ctypes.u", "resource.", "fcntl.", "msvcrt."),
)
"""Events that only look, or change this process alone; `open` for reading is one more."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ENDED = 70
_MOST_SHOWN, _MOST_CALLERS = 20_000, 40
_MAPPED_READ_ONLY = {1, 3}


class Line:
    """The way to the parent: objects as JSON behind their length, and a word back where one is waited for."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._lock = threading.RLock()

    def tell(self, kind: str, **members: object) -> None:
        """Tell the parent something; nothing in it may be lost, so what cannot be told ends the process."""
        try:
            data = json.dumps({"kind": kind, **members}).encode()
            with self._lock:
                self._end.sendall(struct.pack(">I", len(data)) + data)
        except BaseException:  # noqa: BLE001 - unwatched, this process may not go on
            os._exit(_ENDED)

    def ask(self, kind: str, **members: object) -> Any:
        """Tell the parent something and return what it answers."""
        with self._lock:
            self.tell(kind, **members)
            (length,) = struct.unpack(">I", self._read(4))
            return json.loads(self._read(length))

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._end.recv(count - len(data))
            if not more:
                os._exit(_ENDED)
            data += more
        return data


class Watch:
    """Tells what happens in this process."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.armed = False

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Tell one audit event, if it may change or reach something."""
        if not self.armed or event.startswith(_UNTOLD):
            return
        if event == "open" and not _writes(arguments):
            return
        if event == "mmap.__new__":
            if arguments[0] == -1 or arguments[2] in _MAPPED_READ_ONLY:
                return
            arguments = (_path_of(arguments[0]), *arguments[1:])
        self._line.tell("event", event=event, arguments=[_shown(one) for one in arguments], callers=_callers())

    def record(self, record: logging.LogRecord) -> None:
        """Tell a log record, whatever its level."""
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - a record that cannot be written is searched as it was given
            said = f"{_shown(record.msg)} {_shown(record.args)}"
        if record.exc_info and record.exc_info[1]:
            said += "".join(traceback.format_exception(record.exc_info[1]))
        more = {name: _shown(value) for name, value in vars(record).items() if name not in {"msg", "args"}}
        self._line.tell("log", logger=record.name, level=record.levelname, said=said, more=str(more))

    def listen_to_logs(self) -> None:
        """Hear every logger at its most talkative, those that do not propagate too."""
        logging.getLogger().setLevel(logging.DEBUG)
        passed: Callable[[logging.Logger, logging.LogRecord], None] = logging.Logger.callHandlers

        def heard(logger: logging.Logger, record: logging.LogRecord) -> None:
            self.record(record)
            passed(logger, record)

        logging.Logger.callHandlers = heard  # type: ignore[assignment, method-assign]
        logging.getLogger().addHandler(logging.NullHandler())  # or the last resort prints what is told already


def _writes(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)


def _callers() -> list[str]:
    """Return which lines led here, the nearest first, but for those of this file."""
    frame = sys._getframe(2)  # noqa: SLF001 - the only way to know
    found: list[str] = []
    while frame is not None and len(found) < _MOST_CALLERS:
        if frame.f_code.co_filename != __file__ and not frame.f_code.co_filename.startswith("<"):
            found.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        frame = frame.f_back  # type: ignore[assignment]
    return found


def _path_of(handle: object) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{handle}")  # noqa: PTH115 - `pathlib` would be audited in turn
    except OSError:
        return f"file {handle}"


def _shown(value: Any) -> Any:
    """Return a value as JSON can hold it: bytes as text, byte for byte; of other objects their type."""
    if isinstance(value, str | int | float | bool | None):
        return value[:_MOST_SHOWN] if isinstance(value, str) else value
    if isinstance(value, bytes | bytearray):
        return bytes(value[:_MOST_SHOWN]).decode("latin-1")
    if isinstance(value, list | tuple | set):
        return [_shown(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _shown(one) for name, one in value.items()}
    return os.fspath(value) if isinstance(value, os.PathLike) else f"<{type(value).__name__}>"


def main() -> None:
    """Be watched, and do what the parent wants done."""
    end = socket.socket(fileno=int(sys.argv[1]))
    line = Line(end)
    watch = Watch(line)
    sys.addaudithook(watch.hook)
    chamber = importlib.import_module("chamber")  # beside this file; like it, it needs the standard library alone

    why_not = chamber.enter() if sys.argv[2] == "chamber" else sys.argv[3]
    cloud, local = chamber.listen(), chamber.listen()
    wire = None if why_not else chamber.wire()
    socket.send_fds(end, [b"\0"], [one.fileno() for one in (cloud, local, wire) if one is not None])
    for opened in (cloud, local, wire):
        if opened is not None:
            opened.close()
    sys.path[0] = sys.argv[4]  # where our packages are, instead of the folder of this file
    watch.armed = True
    watch.listen_to_logs()
    from edge_runtime.proving.runs import run

    run(line, line.ask("ready", why_not=why_not))
    line.tell("done")


if __name__ == "__main__":
    main()
