"""`mentorplane key …` and what `--key` does elsewhere: a key of one's own, deciding and proposing with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from control_plane.cli.common import (
    REFUSED,
    CodeFile,
    Json,
    PassphraseFile,
    answer,
    codes,
    exit_codes,
    passphrase,
)
from control_plane.cli.desk import Desk, unsigned_in
from control_plane.cli.shown import whole_digest
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from control_plane.custody.deciding import Derived, Verified
    from control_plane.custody.keyfile import KeyFile as StoredKey
    from control_plane.reviewing.material import Material
    from control_plane.sync.records import Signing
    from edge_runtime.core.canonical import JsonObject

__all__ = [
    "DEVICE",
    "TRUST",
    "Deciding",
    "Device",
    "KeyFile",
    "OwnKey",
    "Source",
    "Trust",
    "Yes",
    "app",
    "decide_here",
    "decided",
    "shown",
    "signing_here",
]

app = typer.Typer(help="Keys that people keep themselves.", no_args_is_help=True)
KeyPath = Annotated[Path, typer.Argument(help="The file of the key.")]
KeyFile: TypeAlias = Annotated[Path | None, typer.Option("--key", help="Sign with your own key in this file.")]
Source: TypeAlias = Annotated[str, typer.Option(help="With --key: address or folder that publishes.")]
Trust: TypeAlias = Annotated[Path, typer.Option(help="With --key: folder with root.json.")]
Device: TypeAlias = Annotated[Path, typer.Option(help="With --key: where this machine keeps what it verified.")]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="With --key: do not ask before signing.")]
DEVICE, TRUST = Path("coach-home"), Path("trust")


@app.command()
def create(
    file: KeyPath,
    *,
    person: Annotated[str, typer.Option("--person", help="Your person id, see `people list`.")],
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Make a key on this machine, sealed under a passphrase; it never leaves the file. Needs no server."""
    with exit_codes(as_json=as_json):
        from control_plane.custody.keyfile import create_key

        made = create_key(file, person=person, passphrase=passphrase(passphrase_file))
        told = {"person": made.person, "public": made.public.hex(), "proof": made.proof.hex()}
        how = f"enrol it by `mentorplane key enrol {file}`, with --by-code if you were handed codes"
        answer(told, as_json=as_json, text=f"public {made.public.hex()}\n{how}")


@app.command()
@unsigned_in
def enrol(
    desk: Desk,
    file: KeyPath,
    *,
    by_code: Annotated[
        bool, typer.Option("--by-code", help="With the codes that you were handed, for a first or new key.")
    ] = False,
    code_file: CodeFile = None,
    key: Annotated[Path | None, typer.Option("--key", help="The file of the key of your own that you had.")] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Enrol the key in a file as your own: from now on the server cannot sign for you."""
    from control_plane.accounts.standing import key_digest
    from control_plane.custody.keyfile import load_key
    from control_plane.purposes import doing

    own = load_key(file)
    public, held = own.public.hex(), own.proof.hex()
    if by_code or code_file:
        made = desk.client.keys.enrol_own_key_by_code(code=codes(code_file), public=public, held=held)
    else:
        desk.require_name()
        present = desk.present(key, passphrase_file, purpose=doing("enrol-key", key_digest(own.public)))
        made = desk.client.people.enrol_own_key(public=public, held=held, **present)
    desk.answer(made, f"{made.login} signs with a key of their own; tokens and sessions of before are over: log in")


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The file of one's own key, "None" for none, and what this machine verifies releases with."""

    file: Path | None
    source: str
    trust: Path
    device: Path
    yes: bool = False

    def load(self) -> StoredKey:
        """Return what the file says. Raises: as for `load_key`."""
        from control_plane.custody.keyfile import load_key

        assert self.file is not None
        return load_key(self.file)

    def live(self, channel: str) -> Verified:
        """Return what is live on a channel, as this machine verified it.

        Raises:
            InvalidDocument: nothing says where it is published; else as for `verified_release`.
        """
        if not self.source:
            raise InvalidDocument("expected --source, the address or folder that publishes, to verify by, got none")
        from control_plane.custody.verified import verified_release

        return verified_release(self.device / channel, trust=self.trust, source=self.source, channel=channel)

    def confirm(self, question: str) -> None:
        """Ask before signing, unless told not to; end the program on a no."""
        if not self.yes and not typer.confirm(question, err=True):
            sys.exit(REFUSED)


@dataclass(frozen=True, slots=True)
class Deciding:
    """What somebody decides, and the manifest digest that they were told elsewhere, if they were."""

    role: str
    reason: str
    manifest: str = ""
    act: str = "approve"


def decide_here(desk: Desk, number: int, told: Deciding, *, own: OwnKey, secret: Path | None) -> None:
    """Decide about a proposal with one's own key."""
    [signed] = decided(desk, {number: told.manifest}, told, own=own, secret=secret)
    made = desk.client.proposals.take_statement(number, **signed)
    desk.answer(made, f"signed {made.manifest}")


def decided(
    desk: Desk, seen: Mapping[int, str], told: Deciding, *, own: OwnKey, secret: Path | None
) -> list[JsonObject]:
    """Derive proposals anew, compare them with what this machine verified, run the checks, show, ask, then sign all.

    `seen` are their numbers with the manifest digests that the person was told, "" for none.
    """
    from control_plane.custody.deciding import Decision, derive, material_of, sign_decision
    from control_plane.custody.keyfile import open_key

    file, live, found = own.load(), cache(own.live), []
    for number, manifest in seen.items():
        material = material_of(desk.client.proposals.material(number))
        told_of = whole_digest(desk.client, number, manifest) if manifest else ""  # it must be what is derived
        found.append(derive(material, live(material.channel), manifest=told_of))
        typer.echo(shown(found[-1]), err=desk.as_json)
    own.confirm(f"Sign that you {told.act} " + ("this?" if len(found) == 1 else f"these {len(found)}?"))
    key, decision = open_key(file, passphrase(secret)), Decision(told.act, file.person, told.role, told.reason)
    return [sign_decision(one, decision, key, salt=os.urandom(16), at=datetime.now(UTC)) for one in found]


def signing_here(own: OwnKey, secret: Path | None) -> Signing:
    """Return what signs authorship here: it derives anew, compares, runs the checks, shows, asks, then signs."""

    def sign(material: Material, files: Mapping[str, str]) -> JsonObject:
        from control_plane.custody.deciding import derive, require_written, sign_authorship
        from control_plane.custody.keyfile import open_key

        file = own.load()
        derived = derive(material, own.live(material.channel))
        require_written(material, files)
        typer.echo(f"title {material.title}\n{shown(derived)}", err=True)
        own.confirm("Sign that you are the author of this?")
        key = open_key(file, passphrase(secret))
        now = datetime.now(UTC)
        return sign_authorship(material, derived, key, person=file.person, salt=os.urandom(16), at=now)

    return sign


def shown(derived: Derived) -> str:
    """Return what was derived, as a text: what changes, and what the checks said here."""
    from control_plane.diffs.words import as_text

    lines = [f"proposal {derived.number} for {derived.channel}", f"manifest {derived.manifest}, derived here"]
    for change in derived.changes:
        lines.append(f"{change.kind} {change.name}, tier {change.tier}" + ("" if change.digest else ": removed"))
        lines.append(as_text(change.diff).rstrip())
    for check in derived.checks:
        lines.append(f"check {check.name}: {check.status}, run here")
        lines += [f"        {line}" for line in check.evidence if check.status != "passed"]
    return "\n".join(lines)
