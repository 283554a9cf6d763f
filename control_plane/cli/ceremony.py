"""`mentorplane ceremony …`: custodians for root and targets, and the orders that they sign."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from control_plane.cli.common import DEFAULT_HOME, REFUSED, Home, Json, PassphraseFile, answer, exit_codes, opened
from control_plane.cli.common import passphrase as read_passphrase
from edge_runtime.core.errors import InvalidDocument, Unavailable

if TYPE_CHECKING:
    from control_plane.ceremony.orders import Order
    from control_plane.ceremony.preparing import Keepers
    from control_plane.plane import ControlPlane

__all__ = ["app"]

app = typer.Typer(help="Keys that custodians keep for root and targets.", no_args_is_help=True)

KeyFile = Annotated[Path, typer.Argument(metavar="FILE", help="New file of the key, for its owner alone.")]
RootFiles: TypeAlias = Annotated[
    list[Path] | None, typer.Option("--root", help="Public half of a key for root; once for each.")
]
TargetsFiles: TypeAlias = Annotated[
    list[Path] | None, typer.Option("--targets", help="Public half of a key for targets; once for each.")
]
RootThreshold: TypeAlias = Annotated[
    int, typer.Option("--root-threshold", help="How many of them it takes; 0: the majority.", min=0, max=50)
]
TargetsThreshold: TypeAlias = Annotated[
    int, typer.Option("--targets-threshold", help="How many of them it takes; 0: the majority.", min=0, max=50)
]
OrderFile: TypeAlias = Annotated[Path, typer.Option("--order", help="New file for the order.")]
SignNow: TypeAlias = Annotated[
    list[Path] | None, typer.Option("--key", help="Key file to sign with at once; once for each custodian here.")
]
Secrets: TypeAlias = Annotated[
    Path | None,
    typer.Option("--passphrases", help="Folder with a file for each name; else MENTORPLANE_PASSPHRASE or a question."),
]
ORDER = Path("order.json")


@app.command()
def key(
    file: KeyFile,
    *,
    name: Annotated[str, typer.Option(help="Your name, for the file alone.")],
    token: Annotated[str, typer.Option(help='Address of a key in a hardware token, such as "hsm:2?label=Ada".')] = "",
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Make a custodian's key in a sealed file, or a token's; hand over FILE.public. Needs no server."""
    with exit_codes(as_json=as_json):
        from control_plane.ceremony import custodians

        def pin(_what: str) -> str:
            return read_passphrase(passphrase_file)

        if token:
            made = custodians.import_custodian(file, name=name, uri=token, ask=pin)
        else:
            made = custodians.create_custodian(file, name=name, passphrase=read_passphrase(passphrase_file))
        told = {"key": made.key.keyid, "public": str(custodians.public_path(file))}
        answer(told, as_json=as_json, text=f"key {told['key']}\nhand over {told['public']}, and nothing else")


@app.command()
def member(file: KeyFile, *, passphrase_file: PassphraseFile = None, as_json: Json = False) -> None:
    """Make a key of your own before you are enrolled, and print the lines for the file of people. Needs no server."""
    with exit_codes(as_json=as_json):
        from control_plane.ceremony.pool import create_member_key

        made = create_member_key(file, passphrase=read_passphrase(passphrase_file))
        told = {"person": made.person, "public": made.public.hex(), "proof": made.proof.hex()}
        text = "\n".join(f'    {name}: "{value}"' for name, value in told.items())
        answer(told, as_json=as_json, text=text)


@app.command()
def create(
    *,
    people: Annotated[Path, typer.Option("--people", help="YAML file of the people to begin with.")],
    root: RootFiles = None,
    targets: TargetsFiles = None,
    root_threshold: RootThreshold = 0,
    targets_threshold: TargetsThreshold = 0,
    order: OrderFile = ORDER,
    sign_with: SignNow = None,
    passphrases: Secrets = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Begin an organisation: a home without root's or targets' keys, people, an order. Runs on the server's machine."""
    out = _Out(order, sign_with, passphrases, as_json)
    with exit_codes(as_json=as_json):
        from control_plane.ceremony.beginning import begin
        from control_plane.ceremony.pool import parse_pool
        from control_plane.ceremony.preparing import Custody
        from control_plane.settings import load_settings

        out.require_new()
        pool = parse_pool(_read(people), people.name)
        custody = Custody(_keepers(root, root_threshold), _keepers(targets, targets_threshold))
        made = begin(load_settings(home, os.environ), custody, pool, ask=partial(_ask, passphrases))
    with opened(home, as_json=as_json) as plane:
        out.hand_out(plane, made)


@app.command()
def move(
    *,
    root: RootFiles = None,
    targets: TargetsFiles = None,
    root_threshold: RootThreshold = 0,
    targets_threshold: TargetsThreshold = 0,
    order: OrderFile = ORDER,
    sign_with: SignNow = None,
    passphrases: Secrets = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Move a self-contained installation to custodians: devices follow as they are. Runs on the server's machine."""
    out = _Out(order, sign_with, passphrases, as_json)
    with opened(home, as_json=as_json) as plane:
        from control_plane.ceremony import preparing

        out.require_new()
        custody = preparing.Custody(_keepers(root, root_threshold), _keepers(targets, targets_threshold))
        out.hand_out(plane, preparing.move(plane, custody))


@app.command()
def renew(
    *,
    with_root: Annotated[bool, typer.Option("--with-root", help="Renew root for another year, too.")] = False,
    order: OrderFile = ORDER,
    sign_with: SignNow = None,
    passphrases: Secrets = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Have targets signed for another 90 days, people and rules as they are now. Runs on the server's machine."""
    out = _Out(order, sign_with, passphrases, as_json)
    with opened(home, as_json=as_json) as plane:
        from control_plane.ceremony import preparing

        out.require_new()
        out.hand_out(plane, preparing.renew(plane, root=with_root))


@app.command()
def rotate(
    *,
    root: RootFiles = None,
    targets: TargetsFiles = None,
    root_threshold: RootThreshold = 0,
    targets_threshold: TargetsThreshold = 0,
    server: Annotated[
        list[str] | None,
        typer.Option("--server", help="A key of the server: snapshot, timestamp, releases or log; once for each."),
    ] = None,
    order: OrderFile = ORDER,
    sign_with: SignNow = None,
    passphrases: Secrets = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Replace the keys of root's or targets' custodians by these, or keys of the server by new ones.

    Runs on the server's machine.
    """
    out = _Out(order, sign_with, passphrases, as_json)
    with opened(home, as_json=as_json) as plane:
        from control_plane.ceremony import preparing

        out.require_new()
        replacing = preparing.Replacing(
            _keepers(root, root_threshold) if root else None,
            _keepers(targets, targets_threshold) if targets else None,
            frozenset(server or ()),
        )
        out.hand_out(plane, preparing.rotate(plane, replacing))


@app.command("recover-root")
def recover_root(
    *,
    root: RootFiles = None,
    root_threshold: RootThreshold = 0,
    order: OrderFile = ORDER,
    sign_with: SignNow = None,
    passphrases: Secrets = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Begin a new root where the threshold of the one before is lost; devices take it with an update of the app.

    Runs on the server's machine.
    """
    out = _Out(order, sign_with, passphrases, as_json)
    with opened(home, as_json=as_json) as plane:
        from control_plane.ceremony import preparing

        out.require_new()
        out.hand_out(plane, preparing.recover_root(plane, _keepers(root, root_threshold)))


@app.command("recover-log")
def recover_log(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Make a new key for the log where its key is lost; `ceremony renew` has custodians tell devices of it.

    Runs on the server's machine.
    """
    with exit_codes(as_json=as_json):
        from control_plane.ceremony.preparing import replace_lost_log
        from control_plane.settings import load_settings

        settings = load_settings(home, os.environ)
        replace_lost_log(settings.home, settings.site)
        text = "the log has a new key; release nothing before custodians signed: mentorplane ceremony renew"
        answer({"replaced": "log"}, as_json=as_json, text=text)


@app.command()
def show(
    order: Annotated[Path, typer.Argument(metavar="ORDER", help="The file of the order.")], *, as_json: Json = False
) -> None:
    """Show what an order puts in force, and which signatures it lacks. Needs no server."""
    with exit_codes(as_json=as_json):
        from control_plane.ceremony.orders import describe, lacking, parse_order

        found = parse_order(_read(order))
        lacks = lacking(found)
        answer({"order": describe(found), "lacks": lacks}, as_json=as_json, text=_with_lacks(describe(found), found))


@app.command()
def sign(
    order: Annotated[Path, typer.Argument(metavar="ORDER", help="The file of the order; it gets the signature.")],
    *,
    sign_with: Annotated[list[Path], typer.Option("--key", help="Your key file.")],
    passphrases: Secrets = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before signing.")] = False,
) -> None:
    """Show an order and sign it with a custodian's key; needs no server and no network."""
    with exit_codes():
        from control_plane.ceremony.orders import describe, encode_order, parse_order
        from control_plane.files import write_atomic

        found = parse_order(_read(order))
        typer.echo(describe(found))
        if not yes and not typer.confirm("Sign this?", err=True):
            sys.exit(REFUSED)
        found = _signed(found, sign_with, passphrases)
        write_atomic(order, encode_order(found))
        typer.echo(_with_lacks("signed", found))


@app.command()
def apply(
    orders: Annotated[list[Path], typer.Argument(metavar="ORDER", help="The order, or its copies with signatures.")],
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Put in force what custodians signed. Runs on the server's machine."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.ceremony.orders import merge, parse_order

        _carry_out(plane, merge(parse_order(_read(order)) for order in orders), as_json=as_json)


@app.command()
def status(*, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Say who signs root and targets, until when they are good, and what is due. Runs on the server's machine."""
    with opened(home, as_json=as_json) as plane:
        from control_plane.ceremony.watching import standing

        found = standing(plane)
        lines = ["self-contained: root and targets are signed on this machine" if found.self_contained else "offline"]
        root = ("root", found.root_version, found.root_expires, found.root_keys)
        top = ("targets", found.targets_version, found.targets_expires, found.targets_keys)
        for name, version, expires, keys in (root, top):
            if expires:
                lines.append(f"{name} {version}, {keys} keys, until {expires:%Y-%m-%d}")
        lines += [f"warning: {warning}" for warning in found.warnings]
        answer(found, as_json=as_json, text="\n".join(lines))


@app.command("drill")
def hold_drill(
    what: Annotated[str, typer.Argument(metavar="root|log", help="What is lost on the copy.")],
    *,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Lose a root or a key of the log on a copy, let devices show that they come back, and say what to do.

    Runs on the server's machine.
    """
    with opened(home, as_json=as_json) as plane:
        from tempfile import TemporaryDirectory

        from control_plane.ceremony import drill

        drills = {"root": drill.drill_root, "log": drill.drill_log}
        if what not in drills:
            raise InvalidDocument("expected a drill for root or log, got another")
        with TemporaryDirectory(prefix="mentorplane-drill-") as scratch:
            report = drills[what](plane, Path(scratch) / "drill")
        lines = [*(f"shown: {said}" for said in report.shown), "when it is no drill:"]
        answer(report, as_json=as_json, text="\n".join([*lines, *(f"  {step}" for step in report.to_do)]))


@dataclass(frozen=True, slots=True)
class _Out:
    """Where an order goes: its new file, and the custodians who sign it here and now."""

    path: Path
    sign_with: list[Path] | None
    secrets: Path | None
    as_json: bool

    def require_new(self) -> None:
        """Refuse to write over an order that may carry signatures, before anything is made."""
        if self.path.exists():
            raise InvalidDocument(f"expected a new file for the order, got {self.path}, which is there", hint="--order")

    def hand_out(self, plane: ControlPlane, order: Order) -> None:
        """Sign an order with the custodians who are here; carry it out if that is all, else leave it to travel."""
        from control_plane.ceremony.orders import describe, encode_order, lacking
        from control_plane.custody.keyfile import write_secret

        signed = _signed(order, self.sign_with or (), self.secrets)
        write_secret(self.path, encode_order(signed))
        lacks = lacking(signed)
        if not lacks:
            _carry_out(plane, signed, as_json=self.as_json)
            return
        said = f"{describe(signed)}\nthe order is in {self.path}: mentorplane ceremony sign, then apply"
        told = {"order": str(self.path), "lacks": lacks}
        answer(told, as_json=self.as_json, text=_with_lacks(said, signed))


def _carry_out(plane: ControlPlane, order: Order, *, as_json: bool) -> None:
    from control_plane.ceremony.carrying_out import carry_out

    done = carry_out(plane, order)
    answer(done, as_json=as_json, text=f"{done.said}\nin force; start the server again if it runs")


def _signed(order: Order, files: Iterable[Path], secrets: Path | None) -> Order:
    from control_plane.ceremony.custodians import load_custodian, open_signer
    from control_plane.ceremony.orders import sign_order

    for file in files:
        custodian = load_custodian(file)
        order = sign_order(order, open_signer(custodian, partial(_ask, secrets, custodian.name)))
    return order


def _ask(folder: Path | None, name: str, _what: str = "") -> str:
    """Return somebody's passphrase, from a file of their name, the environment, or a question."""
    if folder is not None:
        return read_passphrase(folder / name)
    if "MENTORPLANE_PASSPHRASE" not in os.environ and sys.stdin.isatty():
        return str(typer.prompt(f"Passphrase of {name}", hide_input=True, err=True))
    return read_passphrase(None)


def _keepers(files: list[Path] | None, threshold: int) -> Keepers:
    from control_plane.ceremony.custodians import load_custodian
    from control_plane.ceremony.preparing import keepers

    return keepers([load_custodian(file).key for file in files or ()], threshold)


def _with_lacks(text: str, order: Order) -> str:
    from control_plane.ceremony.orders import lacking

    lines = [f"lacks {one.missing} under {one.of}: {', '.join(k[:12] for k in one.keys)}" for one in lacking(order)]
    return "\n".join([text, *(lines or ["every signature is there: mentorplane ceremony apply"])])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(f"expected a file that can be read, got: {error.strerror}") from error
