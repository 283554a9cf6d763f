"""The server's commands: serve and seed, and every act of the workflow on a local home.

They call the use cases that HTTP calls. Exit codes: 0 done, 1 failed, 2 refused or answered no, 3 invalid input.
"""

from __future__ import annotations

import typer

from control_plane.cli import (
    accounts,
    backup,
    bucket,
    census,
    ceremony,
    database,
    exchange,
    going_out,
    key,
    library,
    lifecycle,
    logins,
    people,
    prompt,
    proposal,
    proposal_acts,
    rollout,
    serving,
    sync,
    webhook,
    workflow,
)
from control_plane.cli.dev import dev
from control_plane.demo.command import demo

__all__ = ["app"]

app = typer.Typer(help="The server: registry, approvals, releases.", no_args_is_help=True)
app.command("serve")(serving.serve)
app.command("seed")(serving.seed)
app.command("login")(logins.login)
app.command("logout")(logins.logout)
app.command("inbox")(proposal.inbox)
app.command("propose")(workflow.propose)
app.command("check")(workflow.check)
app.command("checks")(workflow.checks)
app.command("approve")(workflow.approve)
app.command("reject")(workflow.reject)
app.command("release")(going_out.release)
app.command("schedule")(going_out.schedule)
app.command("unschedule")(going_out.unschedule)
app.command("promote")(lifecycle.promote)
app.command("rollback")(lifecycle.rollback)
app.command("return")(lifecycle.return_channel)
app.command("withdraw")(lifecycle.withdraw)
app.command("withdrawals")(going_out.withdrawals)
app.command("review")(going_out.review_release)
app.command("channels")(going_out.channels)
app.command("releases")(going_out.releases)
app.command("health")(going_out.health)
app.add_typer(rollout.app, name="rollout")
app.command("demo")(demo)
app.command("dev")(dev)
app.add_typer(library.app, name="library")
app.add_typer(prompt.app, name="prompt")
proposal_acts.add_commands(proposal.app)
app.add_typer(proposal.app, name="proposal")
app.add_typer(key.app, name="key")
app.add_typer(ceremony.app, name="ceremony")
app.add_typer(database.app, name="database")
app.add_typer(sync.app, name="sync")
app.command("import")(exchange.import_files)
app.command("export")(exchange.export)
app.add_typer(webhook.app, name="webhook")
app.add_typer(backup.app, name="backup")
app.add_typer(bucket.app, name="bucket")
app.add_typer(census.app, name="census")
app.command("restore")(backup.restore)
app.add_typer(people.app, name="people")
app.add_typer(accounts.token_app, name="token")
app.add_typer(accounts.session_app, name="session")
app.add_typer(accounts.grant_app, name="grant")
app.command("delegate")(accounts.delegate)
