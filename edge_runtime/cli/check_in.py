"""`mentorplane edge check-in`: a person talked with somebody, so exchanges with the assistant alone count anew."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from edge_runtime.cli.outcomes import DEFAULT_HOME, HomeOption, JsonOption, exit_codes

__all__ = ["check_in"]


def check_in(
    home: HomeOption = DEFAULT_HOME,
    learner: Annotated[str, typer.Option(help="The app's id of the person; of these commands it is local.")] = "local",
    as_json: JsonOption = False,
) -> None:
    """Note that a person talked with somebody; say how many exchanges there were with the assistant alone before."""
    from edge_runtime.home import require_home
    from edge_runtime.tallies import Streaks

    with exit_codes():
        streaks = Streaks(require_home(home))
        before = streaks.of(learner)
        streaks.clear(learner)
    said = f"{before} exchanges" if before is not None else "an unknown number of exchanges"
    typer.echo(json.dumps({"before": before}) if as_json else f"{said} with the assistant alone; counted anew from now")
