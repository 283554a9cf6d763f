"""`mentorplane audit`: what the server's log says, and whether it holds together."""

from __future__ import annotations

import typer

from control_plane.cli.audit import erasing, holding, searching, verifying, witnessing

__all__ = ["app"]

app = typer.Typer(help="The audit log.", no_args_is_help=True)
app.command("search")(searching.search)
app.command("verify")(verifying.verify)
app.command("witness")(witnessing.witness)
app.command("erase")(erasing.erase)
app.add_typer(holding.hold, name="hold")
app.add_typer(erasing.retention, name="retention")
