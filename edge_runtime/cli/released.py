"""`mentorplane edge released`: the release that this device verified, with its contents, for another program.

It is how a program that is not the edge, such as the one that approves with a person's own key, learns what is live
without believing a server: the device fetches, verifies from the root that was shipped, and prints what it adopted.
Promises: it is the newest release, whatever stage this device waits for; every content has the digest that the
manifest names; number 0 without a manifest is a channel of which this device never saw a release, and on which nothing
was released yet, as signed metadata says. Does not: print anything that did not verify.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from edge_runtime.cli.outcomes import HomeOption, source_token
from edge_runtime.core.canonical import digest
from edge_runtime.core.errors import InvalidDocument, MentorplaneError, NotTrusted, Unavailable

__all__ = ["released"]


def released(
    home: HomeOption,
    trust: Annotated[Path, typer.Option("--trust", envvar="MENTORPLANE_TRUST", help="Folder with root.json.")],
    source: Annotated[str, typer.Option("--source", envvar="MENTORPLANE_SOURCE", help="Address that publishes.")],
    channel: Annotated[str, typer.Option("--channel", help="The channel to follow.")] = "production",
) -> None:
    """Fetch and verify what is released, and print manifest and contents as one JSON object. Exit code 2: refused."""
    try:
        document = _document(home, trust, source, channel=channel)
    except MentorplaneError as error:
        check = f"{error.check}: " if isinstance(error, NotTrusted) else ""
        typer.echo(f"error: {check}{error}", err=True)
        code = 2 if isinstance(error, NotTrusted) else 3 if isinstance(error, InvalidDocument) else 1
        raise typer.Exit(code) from error
    typer.echo(json.dumps(document, ensure_ascii=False))


def _document(home: Path, trust: Path, source: str, *, channel: str) -> dict[str, Any]:
    from edge_runtime.home import Home
    from edge_runtime.runtime import EdgeRuntime

    token, header = source_token(source)
    edge = EdgeRuntime.open(home, trust=trust, source=source, channel=channel, token=token, token_header=header)
    result = edge.refresh()
    if not result.ok and not result.check:
        raise Unavailable(result.message)
    if edge.state is None and result.check == "V2" and _is_unreleased(trust, source, channel=channel):
        return {"number": 0, "manifest": "", "closures": {}}
    if not result.ok or edge.state is None:
        raise NotTrusted(f"expected a release that verifies, got another: {result.message}", check=result.check)
    if edge.stage is not None and edge.stage.waits:
        return _newest(trust, source, channel=channel, number=edge.stage.release)
    state, kept = edge.state, Home(home)
    closures = {entry.digest: kept.load_closure(entry.digest) for entry in state.manifest.entries}
    if any(digest(data) != name for name, data in closures.items()):
        raise NotTrusted("expected contents with their digests on this device, got others", check="V5")
    return {
        "number": state.manifest.number,
        "manifest": state.manifest.encode().decode(),
        "closures": {name: data.decode() for name, data in closures.items()},
    }


def _is_unreleased(trust: Path, source: str, *, channel: str) -> bool:
    """Return whether nothing was released on a channel yet, by metadata that is verified from the shipped root."""
    from edge_runtime.delivery.online import Source, is_unreleased
    from edge_runtime.shipped import shipped_trust, sources_of

    token, header = source_token(source)
    sources = sources_of(trust, source, token=token, header=header, pace=None)
    with TemporaryDirectory() as fresh:
        asked = Source(source, sources.access, sources.pace)
        return is_unreleased(Path(fresh), shipped_trust(trust), asked, channel=channel)


def _newest(trust: Path, source: str, *, channel: str, number: int) -> dict[str, Any]:
    """Return the newest release, which this device verified and does not run yet: one that runs none adopts it."""
    with TemporaryDirectory() as fresh:
        found = _document(Path(fresh), trust, source, channel=channel)
    if found["number"] != number:
        raise NotTrusted("expected the release that was verified just now, got another", check="V6")
    return found
