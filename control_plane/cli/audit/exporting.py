"""`mentorplane audit export`: the log as OCSF JSON lines, to standard output, a file or a webhook."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import DEFAULT_HOME, Home, Json, answer, opened
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.evidence.export_sinks import Sink

__all__ = ["export"]


def export(
    *,
    to: Annotated[str, typer.Option(help="stdout, a file, or an https URL (http on this machine only).")],
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what the log gains, until stopped.")] = False,
    state: Annotated[
        Path | None, typer.Option(help="File of the cursor; else one in the home for this target.")
    ] = None,
    secret_file: Annotated[Path | None, typer.Option(help="File with the webhook's secret, whsec_ and base64.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Switch this target off instead; the log says so first.")] = False,
    actor: Annotated[str, typer.Option("--as", help="Login or id of the person who asks, for the log.")] = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Export the log to a SIEM as OCSF JSON lines, resumable, each entry at least once.

    Runs on the server's machine.
    """
    with opened(home, as_json=as_json) as plane:
        from audit.record import Auth
        from control_plane import ledger
        from control_plane.accounts import people
        from control_plane.evidence import export as exporting

        # whoever gave --as had not authenticated; the operator is the installation itself
        person, auth = (people.find_person(plane, actor).id, Auth.NONE) if actor else (ledger.SYSTEM, Auth.SYSTEM)
        sink = _sink(to, secret_file, off=off)
        if off:
            entry = exporting.switch_off(plane, sink.target, actor=person, auth=auth)
            answer(
                {"off": sink.target, "logged": entry}, as_json=as_json, text=f"switched off, logged as entry {entry}"
            )
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
        run = exporting.Run(follow, wait=stop.wait, stopped=stop.is_set)
        sent = exporting.export(plane, sink, state=state, run=run, actor=person)
        if sink.kind != "stdout":  # the lines are the answer there
            answer(
                {"exported": sent, "to": sink.target},
                as_json=as_json,
                text=f"{sent} {'entry' if sent == 1 else 'entries'} exported",
            )


def _sink(to: str, secret_file: Path | None, *, off: bool) -> Sink:
    from control_plane.evidence.export_sinks import FileSink, StreamSink, WebhookSink, read_secret

    if to == "stdout":
        return StreamSink(sys.stdout.buffer)
    if "://" not in to:
        return FileSink(Path(to))
    if secret_file is None and not off:
        raise InvalidDocument("expected --secret-file with a webhook, got none", hint="openssl rand -base64 32 > FILE")
    secret = read_secret(secret_file) if secret_file else bytes(32)
    return WebhookSink(to, secret, lambda: int(time.time()))
