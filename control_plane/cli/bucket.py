"""`mentorplane bucket`: the copy of the published files that devices read from a store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from control_plane.cli.common import DEFAULT_HOME, REFUSED, Home, Json, answer, opened
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.bucket import Keeper, Shown
    from control_plane.plane import ControlPlane

__all__ = ["app"]

app = typer.Typer(help="The bucket that devices read: a copy of the published files.", no_args_is_help=True)


@app.command("push")
def push(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Copy to the bucket what it lacks, as a running server does by itself. Runs on the server's machine."""
    with opened(home, as_json=as_json) as plane:
        from rich.console import Console
        from rich.progress import Progress

        keeper = _keeper(plane)
        quiet = as_json or not sys.stderr.isatty()
        with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar:
            task = bar.add_task("objects", total=None)
            done = keeper.keep_up(lambda so_far, of: bar.update(task, completed=so_far, total=of))
        here = str(keeper.here())
        answer({"written": done, "shows": here}, as_json=as_json, text=f"{done} objects written: {here}")


@app.command("status")
def status(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Say whether the bucket shows what is published; exit code 2 if it lags. Runs on the server's machine."""
    with opened(home, as_json=as_json) as plane:
        keeper = _keeper(plane)
        here, there = keeper.here(), keeper.lag()
        answer({"lags": there is not None, "folder": str(here), "bucket": str(there or here)}, as_json=as_json,
               text=_said(here, there))  # fmt: skip
        if there is not None:
            sys.exit(REFUSED)


def _keeper(plane: ControlPlane) -> Keeper:
    from control_plane.bucket import keeper_of

    keeper = keeper_of(plane)
    if keeper is None:
        raise InvalidDocument("expected the name of a bucket in MENTORPLANE_S3_BUCKET, got none")
    return keeper


def _said(here: Shown, there: Shown | None) -> str:
    if there is None:
        return f"the bucket shows what is published: {here}"
    what = there if there.timestamp else "nothing yet"
    return f"the bucket lags: it shows {what}; published is {here}\nmentorplane bucket push copies what it lacks"
