"""`mentorplane edge prove-no-egress`: what leaves this device, byte for byte, and that no planted value does.

Promises: exit code 0 only if no planted value left, but for what somebody tolerates by name, and the watched process
did all its runs; a bar where a person watches. Does not: write to the home.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from edge_runtime.cli.opening import DEFAULT_CHANNEL, ChannelOption, TrustOption
from edge_runtime.cli.outcomes import DEFAULT_HOME, HomeOption, JsonOption, exit_codes
from edge_runtime.cli.progress import progress
from edge_runtime.core.errors import InvalidDocument

__all__ = ["prove_no_egress"]

TEXTS = 300


def prove_no_egress(
    home: HomeOption = DEFAULT_HOME,
    trust: TrustOption = None,
    channel: ChannelOption = DEFAULT_CHANNEL,
    texts: Annotated[int, typer.Option(min=1, max=10_000, help="How many texts to run through every route.")] = TEXTS,
    app: Annotated[str, typer.Option(help="Prove your own app: MODULE:FUNCTION, called with each text.")] = "",
    allow: Annotated[list[str], typer.Option(help="A host, or HOST:PORT, that the app may reach.")] = [],
    allow_write: Annotated[list[Path], typer.Option(help="A folder that the app may write; it is searched.")] = [],
    namespace: Annotated[bool, typer.Option(help="Shut the runs off from every network, where allowed.")] = True,
    untold: Annotated[
        bool, typer.Option("--untold", help="Do not tell the app names and illnesses: what its reader misses leaves.")
    ] = False,
    missed: Annotated[bool, typer.Option("--tolerate-missed", help="Do not fail for what the reader missed.")] = False,
    disclosed: Annotated[
        bool, typer.Option("--tolerate-disclosed", help="Do not fail for what the policy lets leave as it is.")
    ] = False,
    write: Annotated[Path | None, typer.Option(help="Write every request into this folder, byte for byte.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run texts with planted values through every route, and print what left. Exit code 2: something leaked."""
    from edge_runtime.proving.proof import prove
    from edge_runtime.proving.records import DISCLOSED, MISSED, Settings
    from edge_runtime.proving.report import as_json as document_of
    from edge_runtime.proving.report import in_words, write_requests

    tolerated = {name for name, given in ((MISSED, missed), (DISCLOSED, disclosed)) if given}
    with exit_codes():
        if app and not all(app.partition(":")):
            raise InvalidDocument("expected --app MODULE:FUNCTION")
        settings = Settings(
            texts=texts,
            home="" if app else str(home),
            trust=str(trust) if trust else "",
            channel=channel,
            app=app,
            hosts=frozenset(allow),
            folders=tuple(os.fspath(folder) for folder in allow_write),
            chamber=namespace,
            untold=untold,
        )
        with progress("proving", texts, in_bytes=False) as advance:
            proof = prove(settings, advance=advance)
        document = document_of(proof, tolerated=tolerated)
        if write is not None:
            write_requests(proof, write)
    typer.echo(json.dumps(document, ensure_ascii=False) if as_json else in_words(proof, tolerated=tolerated))
    if not document["held"]:
        raise typer.Exit(2)
