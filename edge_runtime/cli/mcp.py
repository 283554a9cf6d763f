"""`mentorplane edge mcp`: approved prompts and a few tools for MCP clients of this machine.

Promises: over standard input and output nothing but the protocol goes to standard output; over HTTP only a loopback
address is bound, and what it takes to ask is printed once. Does not: say what a client gets (see `edge_runtime.mcp`).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_runtime.cli.opening import (
    DEFAULT_CHANNEL,
    ChannelOption,
    ConsentOption,
    SourceOption,
    TrustOption,
    keep_up,
    open_runtime,
    serve_token,
)
from edge_runtime.cli.outcomes import DEFAULT_HOME, HomeOption, NameOption, TermOption, exit_codes
from edge_runtime.core.errors import Unavailable
from edge_runtime.installed import require_extra

if TYPE_CHECKING:
    from edge_runtime.mcp.clients import Clients

__all__ = ["mcp"]


def mcp(
    home: HomeOption = DEFAULT_HOME,
    trust: TrustOption = None,
    source: SourceOption = None,
    channel: ChannelOption = DEFAULT_CHANNEL,
    names: NameOption = [],
    terms: TermOption = [],
    consents: ConsentOption = [],
    at_most: Annotated[str, typer.Option(help="The person's own limit: device, redacted or cloud.")] = "cloud",
    locale: Annotated[str, typer.Option(help="The person's language, such as de-AT.")] = "en",
    local_client: Annotated[
        bool, typer.Option("--local-client", help="The client and the model that it uses stay on this machine.")
    ] = False,
    http: Annotated[bool, typer.Option("--http", help="Serve over HTTP instead of standard input and output.")] = False,
    host: Annotated[str, typer.Option(help="Loopback address to bind, with --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port, with --http; 0 takes a free one.", min=0, max=65535)] = 8423,
) -> None:
    """Serve approved prompts and a few tools to an MCP client of this machine."""
    with exit_codes():
        require_extra("mcp")
        from edge_runtime.mcp.clients import Clients
        from edge_runtime.serving.asking import Person

        person = Person(
            names=tuple(names), terms=tuple(terms), consents=frozenset(consents), at_most=at_most, locale=locale
        )
        with open_runtime(home, trust, source, channel=channel) as edge:
            clients = Clients(edge, person, local=local_client, clock=time.monotonic)
            keep_up(edge, source, channel)
            if http:
                _serve_http(clients, home, at=(host, port))
            else:
                _serve_stdio(clients)


def _serve_stdio(clients: Clients) -> None:
    from edge_runtime.mcp.server import serve_stdio

    try:
        serve_stdio(clients)
    except Exception as error:  # noqa: BLE001 - whatever broke: a traceback could quote a text
        raise Unavailable(f"expected a client that speaks MCP, got {type(error).__name__}") from None


def _serve_http(clients: Clients, home: Path, *, at: tuple[str, int]) -> None:
    from edge_runtime.mcp.server import serve_http
    from edge_runtime.serving.server import ServeSettings

    token, where = serve_token(home)
    settings = ServeSettings(token, host=at[0], port=at[1])
    serve_http(clients, settings, ready=lambda address: typer.echo(f"address   {address}\ntoken     {where}"))
