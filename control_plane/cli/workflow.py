"""The acts of the workflow: propose, check, approve, reject."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import REFUSED, Channel, Number, Reason, passphrase, texts_of
from control_plane.cli.desk import Desk, acting, reading
from control_plane.cli.going_out import TIMES
from control_plane.cli.key import Deciding, decide_here
from control_plane.cli.pen import Pen, signing
from control_plane.cli.shown import course_lines, missing_lines, whole_digest
from control_plane.cli.sync import registry_of
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.client.records import Proposal
    from control_plane.sync.records import Proposed

__all__ = ["approve", "check", "checks", "propose", "reject"]

Role = Annotated[str, typer.Option(help="Role in which you sign.")]
Seen = Annotated[
    str,
    typer.Option("--manifest", help="Manifest digest that you looked at, see `proposal show`; 12 hex digits suffice."),
]


@signing
def propose(
    desk: Desk,
    pen: Pen,
    files: Annotated[
        list[Path] | None, typer.Argument(help="YAML files to write.", exists=True, dir_okay=False)
    ] = None,
    *,
    title: Annotated[str, typer.Option(help="What the change is, in a line.")] = "",
    edit: Annotated[int, typer.Option(help="Edit this proposal instead of making a new one.", min=0)] = 0,
    base: Annotated[str, typer.Option(help="Digest of the release that you looked at.")] = "",
    channel: Channel = "",
    emergency: Annotated[bool, typer.Option("--emergency", help="Ask for the quorum of emergencies.")] = False,
    until: Annotated[datetime | None, typer.Option(help="When the trial ends, in UTC.", formats=TIMES)] = None,
    then: Annotated[str, typer.Option(help="What happens then: keep, or return.")] = "keep",
    stages: Annotated[str, typer.Option(help="Percentages of devices, such as 1,10,50,100; else as before.")] = "",
) -> None:
    """Propose a change of the live release, or edit a proposal; with --key your own key signs it on this machine."""
    from control_plane.sync.records import Change

    change = Change(
        channel,
        base,
        texts_of(files or []),
        (),
        title,
        edit=edit,
        emergency=emergency,
        until=until.replace(tzinfo=UTC) if until else None,
        then=then,
        stages=_stages(stages),
    )
    made = registry_of(desk, pen).propose(change)
    desk.answer(made, _said(made))


def _stages(given: str) -> tuple[int, ...]:
    parts = [part.strip() for part in given.split(",")] if given else []
    if not all(part.isascii() and part.isdecimal() and len(part) <= 3 for part in parts):
        raise InvalidDocument("expected --stages as percentages with commas between them, such as 1,10,50,100")
    return tuple(map(int, parts))


@acting
def check(desk: Desk, number: Number) -> None:
    """Run every check on a proposal; answers no if one fails."""
    results = desk.client.proposals.check(number)
    lines = [f"{r.status:7} {r.name}" + "".join(f"\n        {line}" for line in r.evidence) for r in results]
    desk.answer(results, "\n".join(lines))
    if any(result.status == "failed" for result in results):
        sys.exit(REFUSED)


@reading
def checks(desk: Desk) -> None:
    """List the checks that a proposal must pass, with their versions."""
    found = desk.client.checks.get()
    desk.answer(found, "\n".join(f"{name:24} {version}" for name, version in sorted(found.items())))


@signing
def approve(desk: Desk, pen: Pen, number: Number, *, role: Role, reason: Reason, manifest: Seen = "") -> None:
    """Approve a proposal with your signature; with --key everything is derived and checked on this machine first."""
    if pen.own.file is not None:
        decide_here(desk, number, Deciding(role, reason, manifest=manifest), own=pen.own, secret=pen.secret)
        return
    use, seen, secret = desk.client.proposals, _seen(desk, number, manifest), passphrase(pen.secret)
    made = use.approve(number, role=role, reason=reason, passphrase=secret, manifest=seen)
    found = use.get(number)
    left = [*missing_lines(found.missing), *course_lines(found.course, ready=found.ready)]
    desk.answer(made, "\n".join([_said(made), *left]))


@signing
def reject(desk: Desk, pen: Pen, number: Number, *, role: Role, reason: Reason, manifest: Seen = "") -> None:
    """Reject a proposal with your signature; with --key everything is derived on this machine first."""
    if pen.own.file is not None:
        told = Deciding(role, reason, manifest=manifest, act="reject")
        decide_here(desk, number, told, own=pen.own, secret=pen.secret)
        return
    seen, secret = _seen(desk, number, manifest), passphrase(pen.secret)
    made = desk.client.proposals.reject(number, role=role, reason=reason, passphrase=secret, manifest=seen)
    desk.answer(made, _said(made))


def _seen(desk: Desk, number: int, manifest: str) -> str:
    """Return the whole digest that somebody says they looked at. Raises: InvalidDocument: they say none."""
    if not manifest:
        raise InvalidDocument(
            "expected --manifest, the digest that you looked at, got none",
            hint=f"`mentorplane proposal show {number}` says it; 12 hex digits suffice",
        )
    return whole_digest(desk.client, number, manifest)


def _said(made: Proposal | Proposed) -> str:
    return f"proposal {made.number}, revision {made.revision}, {made.state}: {made.manifest}"
