"""`mentorplane edge …`: what a device does, from the command line.

refresh   fetch, verify and adopt what the source publishes
released  the same, and print the verified release for another program
status    what this device runs, and how far its claims go
evidence  write the evidence of a fork of the log to a file
budget    what may leave for the cloud in a day, and what did
check-in  a person talked with somebody: exchanges with the assistant alone count anew
reveal    prove a text of a run to somebody outside; forget destroys what that takes
run       run an approved prompt
decide    say where a prompt may run for these inputs, and why
read      find what is personal in a text; with --jsonl line by line (this and the next two: see `reading`)
redact    replace what is personal by placeholders
summarise choose the sentences that best stand for a text
desk      serve the device's own page on the loopback address
mcp       serve approved prompts and a few tools to MCP clients
serve     serve approved prompts as OpenAI's chat completions on the loopback address
prove-no-egress  run planted texts through every route, and show what left
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_runtime.cli.budget import budget
from edge_runtime.cli.census import census
from edge_runtime.cli.check_in import check_in
from edge_runtime.cli.evidence import evidence
from edge_runtime.cli.mcp import mcp
from edge_runtime.cli.opening import (
    DEFAULT_CHANNEL,
    ChannelOption,
    CloudOption,
    ConsentOption,
    ModelOption,
    SourceOption,
    TrustOption,
    keep_up,
    open_runtime,
)
from edge_runtime.cli.outcomes import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    NameOption,
    TermOption,
    exit_codes,
    why,
)
from edge_runtime.cli.prove import prove_no_egress
from edge_runtime.cli.reading import read, redact, summarise
from edge_runtime.cli.released import released
from edge_runtime.cli.reveal import forget, reveal
from edge_runtime.cli.serve import serve
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.typed import typed_for

if TYPE_CHECKING:
    from edge_runtime.reply import Stage
    from edge_runtime.runtime import EdgeRuntime
    from edge_runtime.session import Session

__all__ = ["app"]

app = typer.Typer(help="Run approved prompts on this device.", no_args_is_help=True)
app.command()(released)
app.command()(evidence)
app.command()(census)
app.command()(budget)
app.command()(check_in)
app.command()(mcp)
app.command()(reveal)
app.command()(forget)
app.command()(prove_no_egress)
app.command()(serve)
for _command in (read, redact, summarise):
    app.command()(_command)

InputOption = Annotated[
    list[str], typer.Option("--input", "-i", help="NAME=TEXT, NAME=@FILE or NAME=- for standard input.")
]


def _inputs(pairs: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in pairs:
        name, found, value = pair.partition("=")
        if not found:
            raise InvalidDocument("expected --input NAME=TEXT, NAME=@FILE or NAME=-")
        try:
            if value == "-":
                value = sys.stdin.buffer.read().decode()
            elif value.startswith("@"):
                value = Path(value[1:]).read_text("utf-8")
        except (OSError, ValueError) as error:
            raise InvalidDocument(f"expected a UTF-8 file for input {name!r}, got {why(error)}") from error
        values[name] = value
    return values


def _print(as_json: bool, document: dict[str, Any], text: str) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False) if as_json else text)


@app.command()
def refresh(
    home: HomeOption = DEFAULT_HOME,
    trust: TrustOption = None,
    source: SourceOption = None,
    channel: ChannelOption = DEFAULT_CHANNEL,
    as_json: JsonOption = False,
) -> None:
    """Fetch, verify and adopt what the source publishes. Exit code 2: refused; 1: not reachable."""
    with exit_codes():
        result = open_runtime(home, trust, source, channel=channel).refresh()
    lines = [f"  {step.check}  {step.said}" for step in result.steps] + [f"  note: {note}" for note in result.notes]
    said = (
        f"release {result.release} is active"
        if result.ok
        else f"kept release {result.release}: {result.check} {result.message}"
    )
    _print(as_json, result.as_json(), "\n".join([*lines, said, *_stage_lines(result.stage)]))
    if not result.ok:
        raise typer.Exit(2 if result.check else 1)


@app.command()
def status(
    home: HomeOption = DEFAULT_HOME,
    trust: TrustOption = None,
    channel: ChannelOption = DEFAULT_CHANNEL,
    as_json: JsonOption = False,
) -> None:
    """Say what this device runs, how fresh it is, how far its claims go, and which model its reader has."""
    with exit_codes():
        now = open_runtime(home, trust, channel=channel).status()
    claim = (
        "self-contained: one machine holds every key, no outside witness signed" if now.self_contained else "witnessed"
    )
    if now.newer_format:
        claim += f"; the source has {now.newer_format}, which this version cannot read: update the app"
    claim += f"\n{now.reader}"
    if now.clock_behind:
        claim += "; the clock of this device was set back: set it right, then refresh"
    lines = [f"release {now.release} on {now.channel}, {now.fresh}, {claim}", *_stage_lines(now.stage)]
    if now.release is None:
        said = f"no release of {now.channel} yet: mentorplane edge refresh --source ADDRESS gets one"
        lines = [said, str(now.reader)]
    if now.forks:
        lines.append(
            f"the log showed two histories ({now.forks}): mentorplane edge evidence FILE writes what proves it"
        )
    _print(as_json, now.as_json(), "\n".join([*lines, *(f"  {name}" for name in now.prompts)]))


def _stage_lines(stage: Stage | None) -> list[str]:
    """Return what there is to say about the stages of a release, if it has any."""
    return [str(stage)] if stage and (stage.of > 1 or stage.halted) else []


def _session(edge: EdgeRuntime, names: list[str], terms: list[str], consents: list[str]) -> Session:
    return edge.session(learner="local", names=names, terms=terms, consents=consents)


@app.command()
def run(
    prompt: str,
    inputs: InputOption = [],
    home: HomeOption = DEFAULT_HOME,
    trust: TrustOption = None,
    channel: ChannelOption = DEFAULT_CHANNEL,
    names: NameOption = [],
    terms: TermOption = [],
    consents: ConsentOption = [],
    cloud_url: CloudOption = "",
    cloud_model: ModelOption = "",
    go_on: Annotated[bool, typer.Option("--go-on", help="The person saw the hand-off text and goes on.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run an approved prompt. Exit code 2: the policy blocked it, or none was adopted yet."""
    with exit_codes():
        edge = open_runtime(home, trust, channel=channel, cloud=(cloud_url, cloud_model))
        session = _session(edge, names, terms, consents)
        values = typed_for(edge, prompt, _inputs(inputs))
        reply = session.run(prompt, values)
        if go_on and reply.route == "hand-off":
            typer.echo(reply.text, err=True)  # every command is a session of its own: the text is shown again
            reply = session.run(prompt, values, go_on=True)
    where = {"device": "ran on this device", "hand-off": "a person is asked to help; nothing was sent"}
    said = where.get(reply.route, f"route: {reply.route}")
    if reply.outcome == "withdrawn":
        said = f"{reply.prompt} was withdrawn, this is its fallback text"
    elif reply.outcome == "not-adopted":
        said = reply.problems[0]
    elif reply.instead_of:
        said = f"{reply.instead_of} was withdrawn, {reply.prompt} replaces it; {said}"
    _print(
        as_json,
        reply.as_json(),
        f"{reply.text}\n\n[{said}; {reply.sent_bytes} bytes left]",
    )
    if reply.outcome in {"blocked", "not-adopted", "withdrawn"}:
        raise typer.Exit(2)


@app.command()
def decide(
    prompt: str,
    inputs: InputOption = [],
    home: HomeOption = DEFAULT_HOME,
    trust: TrustOption = None,
    channel: ChannelOption = DEFAULT_CHANNEL,
    names: NameOption = [],
    terms: TermOption = [],
    consents: ConsentOption = [],
    cloud_url: CloudOption = "",
    cloud_model: ModelOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say where a prompt may run for these inputs, and which rules decided. Exit code 2: blocked."""
    with exit_codes():
        edge = open_runtime(home, trust, channel=channel, cloud=(cloud_url, cloud_model))
        decision = _session(edge, names, terms, consents).decide(prompt, typed_for(edge, prompt, _inputs(inputs)))
    document = {
        "route": str(decision.route),
        "obligations": list(decision.obligations),
        "rules": [{"layer": r.layer, "rule": r.rule, "because": r.because} for r in decision.rules],
        "errors": list(decision.errors),
    }
    because = "\n".join(f"  {reason.rule}: {reason.because}" for reason in decision.rules)
    _print(as_json, document, f"{decision.route}\n{because}")
    if str(decision.route) == "block":
        raise typer.Exit(2)


@app.command()
def desk(
    home: HomeOption = DEFAULT_HOME,
    trust: TrustOption = None,
    source: SourceOption = None,
    channel: ChannelOption = DEFAULT_CHANNEL,
    host: Annotated[str, typer.Option(help="Loopback address to bind.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8421,
    allow_parent: Annotated[str, typer.Option(help="Origin that may show this page in a frame.")] = "",
    mirrors: Annotated[list[str], typer.Option("--mirror", help="NAME=URL of another source to try.")] = [],
) -> None:
    """Serve the device's own page on the loopback address."""
    from edge_runtime.desk import DeskSettings
    from edge_runtime.desk import serve as serve_desk

    with exit_codes():
        edge = open_runtime(home, trust, source, channel=channel)
        keep_up(edge, source, channel)
        if not all("=" in pair for pair in mirrors):
            raise InvalidDocument("expected --mirror NAME=URL")
        pairs = dict(pair.split("=", 1) for pair in mirrors)
        token = os.environ.get("MENTORPLANE_DESK_TOKEN", "")
        settings = DeskSettings(host=host, port=port, allow_parent=allow_parent, mirrors=pairs, token=token)
        try:
            serve_desk(edge, settings, ready=lambda served: typer.echo(served.link))
        except (ValueError, OverflowError) as error:  # a host, port or origin of another form
            raise InvalidDocument(str(error)) from error
