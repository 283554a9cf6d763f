"""`mentorplane edge reveal` and `mentorplane edge forget`: prove what a run gave, or see that nobody can any more.

Promises: a file is written only if the text is the one that the receipt commits to, and holds that text alone; texts
come from files or standard input, since everybody sees arguments. Does not: send anything.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from edge_runtime.cli.outcomes import DEFAULT_HOME, HomeOption, JsonOption, exit_codes
from edge_runtime.core.errors import InvalidDocument

__all__ = ["forget", "reveal"]


def reveal(
    receipt: Annotated[str, typer.Argument(help="Number of the receipt, or the beginning of its fingerprint.")],
    file: Annotated[Path, typer.Argument(help="Where to write it; by custom it ends in .reveal.")],
    home: HomeOption = DEFAULT_HOME,
    text: Annotated[
        list[str],
        typer.Option("--text", help="PLACE=FILE, or PLACE=- for standard input: output, disclosure, input/NAME."),
    ] = [],
    as_json: JsonOption = False,
) -> None:
    """Write a file that proves to somebody outside what text a run of this device gave or got, and nothing else."""
    from edge_runtime.home import require_home, write_private
    from edge_runtime.receipts import Receipts
    from edge_runtime.revealing import find_receipt
    from edge_runtime.revealing import reveal as revealed

    with exit_codes():
        receipts = Receipts(require_home(home))
        found = find_receipt(receipts, receipt)
        made = revealed(receipts, found, dict(map(_text, text or ["output=-"])))
        write_private(file, made.encode())
    rolled = "its day's roll-up is told" if made.way else "no roll-up of its day was told: only you say when it was"
    if as_json:
        places = [one.place for one in made.texts]
        typer.echo(json.dumps({"receipt": found.digest, "texts": places, "rollup": made.way is not None}))
        return
    typer.echo(f"wrote receipt {found.number} of {found.day}; {rolled}")
    typer.echo(f"check it with: python -m audit verify {file} --pack PACK --rollups FILE --vkey LOG-KEY")


def forget(
    before: Annotated[str, typer.Argument(help="A day such as 2026-01-31: what ran before it stays closed.")],
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Destroy what opens the receipts of days before one: nobody can prove or guess anything by them any more."""
    from edge_runtime.core.census import is_day
    from edge_runtime.home import require_home
    from edge_runtime.receipts import Receipts

    with exit_codes():
        if not is_day(before):
            raise InvalidDocument("expected a day such as 2026-01-31, got something else")
        gone = Receipts(require_home(home)).forget(before)
    typer.echo(f"destroyed the salts of {gone} days; the receipts stay, and say nothing of any text")


def _text(pair: str) -> tuple[str, str]:
    place, found, source = pair.partition("=")
    if not found or not source:
        raise InvalidDocument("expected --text PLACE=FILE, or PLACE=- for standard input")
    data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    try:
        return place, data.decode()
    except UnicodeDecodeError:
        raise InvalidDocument("expected a text in UTF-8, got other bytes") from None
