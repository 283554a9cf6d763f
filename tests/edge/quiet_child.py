"""A process that goes every way a run can go, with all logging on, and says what it saw of itself.

    python quiet_child.py HOME TRUST SOURCE CLOUD HANGING REPORT

It ends in the middle of a run that waits for HANGING, by whatever signal it is sent.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import logging
import os
import resource
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAME, MAIL, WORD = "Zyxwora Quillfeather", "zyx-canary@example.org", "plumbago"
NOTES = f"{NAME} called. We agreed that I will write to {MAIL} about the {WORD} by Thursday."
PLAIN = f"We agreed that the {WORD} is written down by Thursday."
CRISIS = f"I want to kill myself tonight, {NAME} knows about the {WORD}."
CANARIES = ("Zyxwora", "Quillfeather", "zyx-canary", "plumbago", "u17-canary")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate", "os.remove", "os.rmdir", "sqlite3.connect"}

written: list[str] = []
said: list[str] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Remember what is written, by its path."""
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
        written.append(os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | os.PathLike) else "")
    elif event in _CHANGES or event.startswith(("tempfile.", "shutil.")):
        paths = arguments[1:] if event == "os.symlink" else arguments  # what a link names is read where the link lies
        written.extend(os.fsdecode(one) for one in paths if isinstance(one, str | bytes | os.PathLike))


class Hearing(logging.Handler):
    """Takes every record of every logger, with its traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a record, with all that it carries."""
        said.append(self.format(record) + repr(record.args))


def failing(what: Callable[[], object]) -> None:
    """Do what raises, and remember everything that the error and those behind it say."""
    try:
        what()
    except Exception as error:  # noqa: BLE001 - whatever it is
        said.append("".join(traceback.format_exception(error)))
        behind: BaseException | None = error
        while behind is not None:
            said.append(repr(behind) + repr(behind.args) + repr(getattr(behind, "hint", "")))
            behind = behind.__cause__ or behind.__context__


def represent() -> None:
    """Remember the representation of every object of ours that is alive."""
    for one in gc.get_objects():
        if str(type(one).__module__).split(".")[0] in {"edge_runtime", "audit"}:
            with contextlib.suppress(AttributeError):  # an object in the middle of being made
                said.append(repr(one))


def main() -> None:
    """Go every way."""
    home, trust, source, cloud, hanging, report = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # an image of the memory would hold texts: the host decides of it
    sys.addaudithook(watch)
    hearing = Hearing(logging.NOTSET)
    logging.basicConfig(level=logging.NOTSET, handlers=[hearing])
    logging.captureWarnings(capture=True)
    warnings.simplefilter("always")
    from edge_runtime import CloudModel, EdgeRuntime

    edge = EdgeRuntime.open(home, trust=trust, source=source, cloud=CloudModel("m", cloud, "key-canary"))
    assert edge.refresh().ok
    session = edge.session(learner="u17-canary", names=[NAME], consents={"cloud"})
    held: list[object] = [session, session.preview("opener", {"notes": NOTES}), session.redact(NOTES)]
    outcomes = []
    for prompt, notes, go_on in (
        ("private", NOTES, False),
        ("opener", NOTES, False),
        ("opener", NOTES, False),
        ("opener", PLAIN, False),
        ("opener", CRISIS, False),
        ("opener", CRISIS, True),
    ):
        reply = session.run(prompt, {"notes": notes}, go_on=go_on)
        outcomes.append(f"{reply.route} {reply.outcome}")
        said.extend(reply.problems)
        held.append(reply)
    stream = session.stream("opener", {"notes": NOTES})
    held.append((stream, list(stream)))
    outcomes.append(f"{stream.reply.route} {stream.reply.outcome}")
    represent()
    failing(lambda: session.run("opener", {"notes": [NOTES]}))
    failing(lambda: session.run("opener", {"notes": NOTES, "more": NOTES}))
    failing(lambda: session.run("unknown", {"notes": NOTES}))
    Path(report).write_text(json.dumps({"outcomes": outcomes, "written": written, "said": said}), "utf-8")
    faulthandler.enable()
    waiting = EdgeRuntime.open(home, trust=trust, cloud=CloudModel("m", hanging))
    waiting.session(learner="u17-canary", names=[NAME], consents={"cloud"}).run("opener", {"notes": NOTES})


if __name__ == "__main__":
    main()
