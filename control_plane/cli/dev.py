"""`mentorplane dev`: watch a folder, publish every save that is sound, serve it, and show it on the device's page."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import INVALID, exit_codes

if TYPE_CHECKING:
    from control_plane.dev.publishing import Workshop
    from control_plane.dev.watching import Watch

__all__ = ["Session", "dev"]

DEFAULT_HOME = Path(".mentorplane-dev")
LOOK_EVERY_S = 0.1
RENEW_EVERY_S = 12 * 3600


def dev(
    folder: Annotated[Path, typer.Argument(help="The folder of sources to watch.")],
    *,
    home: Annotated[Path, typer.Option("--home", help="Where your own root and its files lie.")] = DEFAULT_HOME,
    port: Annotated[int, typer.Option(help="Port that serves the draft; 0 takes a free one.", min=0, max=65535)] = 8430,
    desk: Annotated[bool, typer.Option("--desk", help="Open the device's own page beside it.")] = False,
    desk_port: Annotated[int, typer.Option(help="Port of that page; 0 takes a free one.", min=0, max=65535)] = 8431,
    once: Annotated[bool, typer.Option("--once", help="Check and publish once, serve nothing.")] = False,
) -> None:
    """Watch a folder of sources and publish every sound save on a draft channel of your own, for live reload.

    Needs no server.
    """
    with exit_codes():
        gc.disable()  # as for the server: nothing of what a start makes is garbage, and looking for it takes long
        from control_plane.dev.publishing import Workshop
        from control_plane.dev.serving import serving
        from control_plane.dev.watching import Watch
        from control_plane.launch import on_terminate

        workshop = Workshop(home.resolve())
        try:
            session = Session(workshop, folder, typer.echo)
            watch = Watch(folder)
            is_sound = session.publish()
            gc.freeze()
            gc.enable()
            if once:
                raise typer.Exit(0 if is_sound else INVALID)
            signal.signal(signal.SIGTERM, on_terminate)
            with serving(workshop.site, port) as address, ExitStack() as stack:
                _watch(session, watch, until=lambda: session.is_live)  # before that there is no root to open it with
                typer.echo(_how_to_open(workshop, address))
                if desk:
                    stack.enter_context(_desk(workshop, address, desk_port))
                _watch(session, watch, until=lambda: False)
        except KeyboardInterrupt:
            pass  # the usual end
        finally:
            workshop.close()


class Session:
    """One folder and one home, and what was said of the last save."""

    def __init__(self, workshop: Workshop, folder: Path, say: Callable[[str], None]) -> None:
        self._workshop = workshop
        self._folder = folder
        self._say = say
        self._live = workshop.live(_now())
        self._published_at = 0.0

    @property
    def is_live(self) -> bool:
        """Whether a release is live."""
        return self._live > 0

    def publish(self) -> bool:
        """Publish the folder if it is sound; say what was done or is wrong, and return whether it is sound."""
        from control_plane.dev.checking import look
        from edge_runtime.core.errors import InvalidDocument

        began = time.perf_counter()
        try:
            found = look(self._folder)
            problems = found.problems
        except InvalidDocument as error:
            problems = (str(error),)
        if problems:
            state = f"release {self._live} stays live" if self._live else "nothing is live yet"
            self._say("\n".join([*problems, f"{_count(len(problems), 'problem')}: {state}"]))
            return False
        number, changed = self._workshop.publish(found.contents, found.locales, _now())
        self._live, self._published_at = number, time.monotonic()
        took = f"{_count(found.files, 'file')}, {_count(found.cases, 'case')}, {time.perf_counter() - began:.2f} s"
        self._say(f"release {number} is live on draft: {changed or 'nothing'} changed ({took})")
        return True

    def is_due(self) -> bool:
        """Return whether what is live should be signed anew, as nobody saved anything for long."""
        return self.is_live and time.monotonic() - self._published_at > RENEW_EVERY_S


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _watch(session: Session, watch: Watch, *, until: Callable[[], bool]) -> None:
    """Publish every save, until something is so or the program is interrupted."""
    while not until():
        time.sleep(LOOK_EVERY_S)
        if watch.saved() or session.is_due():
            session.publish()


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _how_to_open(workshop: Workshop, address: str) -> str:
    return f'EdgeRuntime.open("coach-home", trust="{workshop.trust}", source="{address}", channel="draft")'


@contextmanager
def _desk(workshop: Workshop, address: str, port: int) -> Iterator[None]:
    """Run the device's page beside, in a process of its own, which prints its link."""
    from control_plane.launch import stop

    home = workshop.trust.parent / "device"
    command = [sys.executable, "-m", "edge_runtime", "edge", "desk", "--channel", "draft", "--port", str(port)]
    command += ["--home", str(home), "--trust", str(workshop.trust), "--source", address]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command
    try:
        yield
    finally:
        stop(child)
