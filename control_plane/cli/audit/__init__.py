"""`mentorplane audit`: what the server's log says, and whether it holds together."""

from __future__ import annotations

import typer

from control_plane.cli.audit import (
    as_of,
    erasing,
    exporting,
    holding,
    packing,
    reporting,
    restoring,
    searching,
    verifying,
    witnessing,
)

__all__ = ["app"]

app = typer.Typer(help="The audit log.", no_args_is_help=True)
app.command("as-of")(as_of.as_of)
app.command("checkpoint")(verifying.checkpoint)
app.command("erase")(erasing.erase)
app.command("export")(exporting.export)
app.command("file-evidence")(reporting.file_evidence)
app.command("gaps")(reporting.gaps)
app.command("pack")(packing.pack)
app.command("proof")(verifying.proof)
app.command("reindex")(searching.reindex)
app.command("report")(reporting.report)
app.command("restore")(restoring.restore)
app.command("search")(searching.search)
app.command("verify")(verifying.verify)
app.command("witness")(witnessing.witness)
app.add_typer(holding.hold, name="hold")
app.add_typer(erasing.retention, name="retention")
