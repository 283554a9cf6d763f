"""The acts of the workflow: propose, check, approve, reject."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.cli.common import (
    DEFAULT_HOME,
    REFUSED,
    As,
    Channel,
    Home,
    Json,
    PassphraseFile,
    answer,
    exit_codes,
    opened,
    passphrase,
)
from control_plane.cli.key import DEVICE, TRUST, Device, KeyFile, OwnKey, Source, Trust, Yes
from control_plane.cli.lifecycle import TIMES
from control_plane.cli.shown import course_lines, missing_lines
from control_plane.cli.sync import Author, Server, TokenFile, Where, registry_of
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.plane import ControlPlane
    from control_plane.registry.records import Proposal
    from control_plane.sync.records import Proposed

__all__ = ["approve", "check", "propose", "reject"]

_BEGINNING = re.compile("(sha256:)?[0-9a-f]{12,64}")
Number = Annotated[int, typer.Argument(help="Number of the proposal.", min=1, max=2**31 - 1)]
Role = Annotated[str, typer.Option(help="Role in which you sign.")]
Reason = Annotated[str, typer.Option(help="Why, in your own words.")]
Seen = Annotated[
    str,
    typer.Option("--manifest", help="Manifest digest that you looked at, see `proposal show`; 12 hex digits suffice."),
]


def propose(
    files: Annotated[
        list[Path] | None, typer.Argument(help="YAML files to write.", exists=True, dir_okay=False)
    ] = None,
    *,
    actor: Author = "",
    title: Annotated[str, typer.Option(help="What the change is, in a line.")] = "",
    edit: Annotated[int, typer.Option(help="Edit this proposal instead of making a new one.", min=0)] = 0,
    base: Annotated[str, typer.Option(help="Digest of the release that you looked at.")] = "",
    channel: Channel = "",
    emergency: Annotated[bool, typer.Option("--emergency", help="Ask for the quorum of emergencies.")] = False,
    until: Annotated[datetime | None, typer.Option(help="When the trial ends, in UTC.", formats=TIMES)] = None,
    then: Annotated[str, typer.Option(help="What happens then: keep, or return.")] = "keep",
    stages: Annotated[str, typer.Option(help="Percentages of devices, such as 1,10,50,100; else as before.")] = "",
    server: Server = "",
    token_file: TokenFile = None,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
    source: Source = "",
    trust: Trust = TRUST,
    device: Device = DEVICE,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Propose a change of the live release, or edit a proposal; with --key your own key signs it on this machine."""
    where = Where(server, token_file, home, actor, passphrase_file, OwnKey(key, source, trust, device, yes=yes))
    with registry_of(where, as_json=as_json) as registry:
        from control_plane.sync.records import Change

        ends = until.replace(tzinfo=UTC) if until else None
        change = Change(
            channel,
            base,
            _texts(files or []),
            (),
            title,
            edit=edit,
            emergency=emergency,
            until=ends,
            then=then,
            stages=_stages(stages),
        )
        made = registry.propose(change)
        answer(made, as_json=as_json, text=_said(made))


def _stages(given: str) -> tuple[int, ...]:
    parts = [part.strip() for part in given.split(",")] if given else []
    if not all(part.isascii() and part.isdecimal() and len(part) <= 3 for part in parts):
        raise InvalidDocument("expected --stages as percentages with commas between them, such as 1,10,50,100")
    return tuple(map(int, parts))


def _texts(files: list[Path]) -> dict[str, str]:
    try:
        return {file.as_posix(): file.read_bytes().decode() for file in files}
    except UnicodeDecodeError as error:
        raise InvalidDocument("expected files of UTF-8 text, got another") from error


def check(number: Number, *, actor: As, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Run every check on a proposal; answers no if one fails."""
    with opened(home, as_json=as_json) as plane:
        from audit.record import Auth
        from control_plane.accounts import people
        from control_plane.registry import review

        results = review.check(plane, people.find_person(plane, actor).id, number, auth=Auth.NONE)
        lines = [f"{r.status:7} {r.name}" + "".join(f"\n        {line}" for line in r.evidence) for r in results]
        answer(results, as_json=as_json, text="\n".join(lines))
    if any(result.status == "failed" for result in results):
        sys.exit(REFUSED)


def approve(
    number: Number,
    *,
    actor: As = "",
    role: Role,
    reason: Reason,
    manifest: Seen = "",
    key: KeyFile = None,
    source: Source = "",
    trust: Trust = TRUST,
    device: Device = DEVICE,
    server: Annotated[str, typer.Option(help="With --key: the server's address; else its home here.")] = "",
    yes: Yes = False,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Approve a proposal with your signature; with --key everything is derived and checked on this machine first."""
    if key is not None:
        from control_plane.cli.key import Deciding, decide_here

        told, own = Deciding(role, reason, manifest=manifest), OwnKey(key, source, trust, device, yes=yes)
        decide_here(number, told, own, server=(server, home), secret=passphrase_file)
        return
    with exit_codes(as_json=as_json):
        if not actor:
            raise InvalidDocument("expected --as, or --key, got neither")
        if not manifest:
            raise InvalidDocument(
                "expected --manifest, the digest that you looked at, got none",
                hint=f"`mentorplane proposal show {number}` says it; 12 hex digits suffice",
            )
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.registry import queries, review

        person, seen = people.find_person(plane, actor).id, whole_digest(plane, number, manifest)
        secret = passphrase(passphrase_file)
        made = review.approve(plane, person, number, role=role, reason=reason, passphrase=secret, manifest=seen)
        found = queries.show_proposal(plane, number)
        left = [*missing_lines(found.missing), *course_lines(found.course, ready=found.ready)]
        answer(made, as_json=as_json, text="\n".join([_said(made), *left]))


def reject(
    number: Number,
    *,
    actor: As,
    role: Role,
    reason: Reason,
    manifest: Seen,
    home: Home = DEFAULT_HOME,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Reject a proposal with your signature."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.accounts import people
        from control_plane.registry import review

        person, seen = people.find_person(plane, actor).id, whole_digest(plane, number, manifest)
        secret = passphrase(passphrase_file)
        made = review.reject(plane, person, number, role=role, reason=reason, passphrase=secret, manifest=seen)
        answer(made, as_json=as_json, text=_said(made))


def whole_digest(plane: ControlPlane, number: int, seen: str) -> str:
    """Return the digest of the proposal as it is now if `seen` is a beginning of it, else what was given."""
    from control_plane.registry import queries

    if not _BEGINNING.fullmatch(seen):
        raise InvalidDocument(
            "expected --manifest to be a digest, or at least its first 12 hex digits",
            hint=f"`mentorplane proposal show {number}` says it",
        )
    now = queries.show_proposal(plane, number).proposal.manifest
    return now if now.removeprefix("sha256:").startswith(seen.removeprefix("sha256:")) else seen


def _said(made: Proposal | Proposed) -> str:
    return f"proposal {made.number}, revision {made.revision}, {made.state}: {made.manifest}"
