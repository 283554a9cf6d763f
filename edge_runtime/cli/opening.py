"""How the commands of `edge` open this device's runtime: the options for it, and what they mean.

Promises: keys and tokens come from the environment, since everybody sees arguments. Does not: know a command.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_runtime.cli.outcomes import source_token
from edge_runtime.core.manifest import DRAFT

if TYPE_CHECKING:
    from edge_runtime import EdgeRuntime

__all__ = [
    "DEFAULT_CHANNEL",
    "TOKEN_VARIABLE",
    "ChannelOption",
    "CloudOption",
    "ConsentOption",
    "ModelOption",
    "SourceOption",
    "TrustOption",
    "keep_up",
    "open_runtime",
    "serve_token",
]

DEFAULT_CHANNEL = "production"
TOKEN_VARIABLE = "MENTORPLANE_SERVE_TOKEN"  # noqa: S105 - the name of a variable
TrustOption = Annotated[Path | None, typer.Option("--trust", envvar="MENTORPLANE_TRUST", help="Folder with root.json.")]
SourceOption = Annotated[
    str | None, typer.Option("--source", envvar="MENTORPLANE_SOURCE", help="Address or folder that publishes.")
]
ChannelOption = Annotated[
    str, typer.Option("--channel", envvar="MENTORPLANE_EDGE_CHANNEL", help="The channel to follow.")
]
ConsentOption = Annotated[list[str], typer.Option("--consent", help="What the person agreed to, such as cloud.")]
CloudOption = Annotated[
    str, typer.Option("--cloud-url", envvar="MENTORPLANE_CLOUD_URL", help="OpenAI-compatible base URL.")
]
ModelOption = Annotated[str, typer.Option("--cloud-model", envvar="MENTORPLANE_CLOUD_MODEL", help="Model name there.")]


def open_runtime(
    home: Path, trust: Path | None, source: str | None = None, *, channel: str, cloud: tuple[str, str] = ("", "")
) -> EdgeRuntime:
    """Return the runtime of a home; `cloud` is the address and the name of a model, if one may be asked.

    A model on this device is named by the environment, for all commands alike.
    """
    from edge_runtime import CloudModel, EdgeRuntime, LocalModel

    url, name = cloud
    model = CloudModel(name, url, os.environ.get("MENTORPLANE_CLOUD_KEY", "none")) if url and name else None
    url, name, key = (os.environ.get(f"MENTORPLANE_LOCAL_{which}", "") for which in ("URL", "MODEL", "KEY"))
    local = LocalModel(name, url, key or "none") if url and name else None
    token, header = source_token(source)
    return EdgeRuntime.open(
        home, trust=trust, source=source, channel=channel, cloud=model, local=local, token=token, token_header=header
    )


def keep_up(edge: EdgeRuntime, source: str | None, channel: str) -> None:
    """Have a runtime look by itself for what its source publishes, if it has one: each draft at once."""
    if source:
        (edge.follow if channel == DRAFT else edge.poll)()


def serve_token(home: Path) -> tuple[str, str]:
    """Return the token of programs that ask this device, and where it is: in the environment, or in the home.

    Raises:
        InvalidDocument: the one in the environment has another form.
        Unavailable: there can be none in the home.
    """
    from edge_runtime.serving.gate import TOKEN_FILE, check_token, kept_token

    if given := os.environ.get(TOKEN_VARIABLE, ""):
        return check_token(given), f"as {TOKEN_VARIABLE} says"
    return kept_token(home), f"in {home / TOKEN_FILE}"
