"""Acts on a real home in child processes, each killed at one step; run by the ledger's tests as a process of its own.

`python -m tests.server.kill_child FOLDER EVERY [SERVER]` copies the home at FOLDER/template to FOLDER/<step>/home and
forks one child for each step, or every few, until one comes through: it acts as the demo people, on SQLite or on a
database of that PostgreSQL server, whose URL then stands in FOLDER/<step>/database, and is killed just before it.
Steps are the calls that change the disk or the log's lock (open, write, sync, rename, remove), and the database's
commits, before and after. What the child was told is done stands in FOLDER/<step>/acknowledged, one line each: the
index of the entry and its leaf hash; what anybody could have fetched, in FOLDER/<step>/seen.

`python -m tests.server.kill_child FOLDER crowd [SERVER]` lets processes act at once on FOLDER/crowd/home and
kills half.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from audit.merkle import leaf_hash
from control_plane import db
from control_plane.accounts import tokens
from control_plane.keeping.erasing import erase
from control_plane.keeping.holding import hold, lift_hold
from control_plane.keeping.keepers import Asking
from control_plane.plane import ControlPlane, open_plane
from control_plane.settings import Argon2, Settings
from control_plane.tables.registry import LeafRow
from tests.postgres import make_database
from tests.server.acts import Acts

CHEAP = Argon2(memory_kib=8, passes=1, lanes=1)
ERASED = "tom"
CROWD = 6
_OPEN, _WRITE = os.open, os.write
_STEPS = ("open", "write", "fsync", "replace", "rename", "unlink", "rmdir", "truncate")


class Killer:
    """Counts steps, and ends this process by SIGKILL just before the one that it is told."""

    def __init__(self, step: int) -> None:
        self.left = step

    def __call__(self, *_: Any, **__: Any) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

    def before(self, name: str) -> None:
        """Count each call of a function of the operating system."""
        real: Callable[..., Any] = getattr(os, name)

        def counted(*args: Any, **options: Any) -> Any:
            self()
            return real(*args, **options)

        setattr(os, name, counted)

    def everywhere(self) -> None:
        """Count every step from now on."""
        for name in _STEPS:
            self.before(name)
        event.listen(Engine, "commit", self)  # before the driver commits
        event.listen(Pool, "checkin", self)  # after it did


def note(path: Path, line: bytes) -> None:
    """Append a line, which is no step."""
    handle = _OPEN(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    _WRITE(handle, line + b"\n")
    os.close(handle)


def act(plane: ControlPlane, home: Path) -> None:
    """Act, and note what is acknowledged and what is published after each act."""
    acts = Acts(plane)
    ruth = Asking(by=acts.id("ruth"), reason="a request", passphrase=acts.passphrase("ruth"))

    def place() -> None:
        hold(plane, "maya", asking=ruth)

    def lift() -> None:
        lift_hold(plane, "hold-1", asking=ruth)

    def issue() -> None:
        tokens.issue_token(plane, "tom")

    def destroy() -> None:
        erase(plane, ERASED, asking=ruth)

    done = _size(plane)
    for one in (issue, place, destroy, lift):
        one()
        done = _acknowledge(plane, home, done)
        note(home.parent / "seen", base64.b64encode((plane.site / "log" / "checkpoint").read_bytes()))


def _size(plane: ControlPlane) -> int:
    with db.read(plane.engine) as session:
        return session.query(LeafRow).count()


def _acknowledge(plane: ControlPlane, home: Path, start: int) -> int:
    end = _size(plane)
    with db.read(plane.engine) as session:
        for index in range(start, end):
            row = session.get(LeafRow, index)
            assert row is not None
            note(home.parent / "acknowledged", f"{index} {leaf_hash(row.data).hex()}".encode())
    return end


def settings_of(home: Path) -> Settings:
    """Return the settings of a home that was copied or seeded here, with its database."""
    return Settings(home=home, argon2=CHEAP, database_url=(home.parent / "database").read_text("utf-8"))


def copy(settings: Settings, folder: Path, server: str) -> Path:
    """Copy a home to a folder, and its database, and return where it lies."""
    shutil.copytree(settings.home, folder / "home")
    url = make_database(server, settings.database_url) if server else ""
    (folder / "database").write_text(url, "utf-8")
    return folder / "home"


def run(home: Path, step: int) -> None:
    """Act on a home until the step comes, or all is done."""
    plane = open_plane(settings_of(home))
    Killer(step).everywhere()
    act(plane, home)


def crowd(home: Path) -> int:
    """Let processes issue tokens at once, and kill every other one at a step of its own; return how many died."""
    children = []
    for number in range(CROWD):
        child = os.fork()
        if child == 0:
            plane = open_plane(settings_of(home))
            Killer(20 + 13 * number if number % 2 else 10**9).everywhere()
            for _ in range(8):
                note(home.parent / "tokens", tokens.issue_token(plane, "tom").encode())
            os._exit(0)
        children.append(child)
    ends = [os.waitpid(child, 0)[1] for child in children]
    assert all(os.WIFSIGNALED(end) or os.WEXITSTATUS(end) == 0 for end in ends)
    return sum(map(os.WIFSIGNALED, ends))


def main() -> None:
    """Fork a child for each step until one is not killed, or a crowd."""
    folder, server = Path(sys.argv[1]), (*sys.argv, "")[3]
    template = settings_of(folder / "template" / "home")
    if sys.argv[2] == "crowd":
        copy(template, folder / "crowd", server)
        sys.stdout.write(f"{crowd(folder / 'crowd' / 'home')}\n")
        return
    step, killed, every = 0, True, int(sys.argv[2])
    while killed:
        home = copy(template, folder / f"{step:04d}", server)
        child = os.fork()
        if child == 0:
            run(home, step)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        if not killed and os.WEXITSTATUS(status):
            sys.exit(1)
        sys.stdout.write(f"{step} {'killed' if killed else 'done'}\n")
        sys.stdout.flush()
        step += every


if __name__ == "__main__":
    main()
