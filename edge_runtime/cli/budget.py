"""`mentorplane edge budget`: what may leave for models in the cloud in a day (UTC), and what did.

Promises: a limit holds for every app on this home, beside what the app itself allows, from the next request on.
Does not: know a text; prompts are told by their names.
"""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from edge_runtime.cli.outcomes import DEFAULT_HOME, HomeOption, JsonOption, exit_codes

__all__ = ["budget"]

_Limit = Annotated[int | None, typer.Option(min=0, help="In a day.")]
_Each = Annotated[int | None, typer.Option(min=0, help="In a day, for each prompt.")]


def budget(
    home: HomeOption = DEFAULT_HOME,
    requests: _Limit = None,
    tokens: _Limit = None,
    cost_micros: _Limit = None,
    prompt_requests: _Each = None,
    prompt_tokens: _Each = None,
    prompt_cost_micros: _Each = None,
    no_limits: Annotated[bool, typer.Option("--no-limits", help="Take every limit of this home away first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show or set how much may leave for models in the cloud in a day, in all and for each prompt."""
    from edge_runtime.generators.budgets import Budget, Budgets, load_limits, save_limits
    from edge_runtime.home import require_home

    given = {
        "requests": requests,
        "tokens": tokens,
        "cost_micros": cost_micros,
        "prompt_requests": prompt_requests,
        "prompt_tokens": prompt_tokens,
        "prompt_cost_micros": prompt_cost_micros,
    }
    wanted = {name: limit for name, limit in given.items() if limit is not None}
    with exit_codes():
        require_home(home)
        limits = Budget() if no_limits else load_limits(home) or Budget()
        if wanted or no_limits:
            limits = Budget(**{**limits.as_json(), **wanted})
            save_limits(home, limits)
        spent = {name: one.as_json() for name, one in Budgets(home, None, lambda: int(time.time())).spent().items()}
    if as_json:
        typer.echo(json.dumps({"limits": limits.as_json(), "spent": spent}))
        return
    kept = ", ".join(f"{name.replace('_', ' ')} {limit}" for name, limit in limits.as_json().items())
    typer.echo(f"limits of this home for a day: {kept or 'none'}")
    for name, one in spent.items():
        typer.echo(f"  {name}: {one['requests']} requests, {one['tokens']} tokens, {one['cost_micros']} micros today")
