"""`mentorplane edge serve`: this device's approved prompts for apps of any language, in the shapes of OpenAI's API.

Promises: only a loopback address is bound; the token is in a file of the home that is its owner's alone, or printed
once.
Does not: say what is served (see `edge_runtime.serving`).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from edge_runtime.cli.opening import (
    DEFAULT_CHANNEL,
    TOKEN_VARIABLE,
    ChannelOption,
    CloudOption,
    ModelOption,
    SourceOption,
    TrustOption,
    keep_up,
    open_runtime,
    serve_token,
)
from edge_runtime.cli.outcomes import DEFAULT_HOME, HomeOption, exit_codes
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.installed import require_extra

__all__ = ["serve"]


def serve(
    home: HomeOption = DEFAULT_HOME,
    trust: TrustOption = None,
    source: SourceOption = None,
    channel: ChannelOption = DEFAULT_CHANNEL,
    cloud_url: CloudOption = "",
    cloud_model: ModelOption = "",
    host: Annotated[str, typer.Option(help="Loopback address to bind.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8422,
    origins: Annotated[list[str], typer.Option("--allow-origin", help="Origin of a page that may ask.")] = [],
    print_token: Annotated[
        bool, typer.Option("--print-token", help="Make a token for this start alone, and print it once.")
    ] = False,
) -> None:
    """Serve approved prompts as OpenAI's chat completions on the loopback address, to programs with the token."""
    with exit_codes():
        require_extra("serve")
        from edge_runtime.serving.server import ServeSettings
        from edge_runtime.serving.server import serve as serve_on

        edge = open_runtime(home, trust, source, channel=channel, cloud=(cloud_url, cloud_model))
        token, where = _token(home, print_token=print_token)
        settings = ServeSettings(token, host=host, port=port, origins=tuple(origins))
        with edge:
            keep_up(edge, source, channel)
            serve_on(edge, settings, ready=lambda base_url: typer.echo(f"base URL  {base_url}\ntoken     {where}"))


def _token(home: Path, *, print_token: bool) -> tuple[str, str]:
    """Return the token, and where it is."""
    if not print_token:
        return serve_token(home)
    if os.environ.get(TOKEN_VARIABLE):
        raise InvalidDocument(f"expected --print-token or {TOKEN_VARIABLE}, got both")
    made = secrets.token_urlsafe(32)
    return made, made
