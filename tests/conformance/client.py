#!/usr/bin/env python3
"""A device's TUF client with the three commands that the public conformance suite for TUF clients calls.

    client.py --metadata-dir DIR init TRUSTED_ROOT
    client.py --metadata-dir DIR --metadata-url URL refresh
    client.py --metadata-dir DIR --metadata-url URL --target-name NAME --target-base-url URL --target-dir DIR download

Exit code 0: done; 1: refused or not reachable. It runs what devices run (`edge_runtime.delivery.online`), with the
habit of a device's home: everything is staged and takes the place of what is held only as a whole, so a refused refresh
leaves every file as it was. The suite looks at `DIR/{root,timestamp,snapshot,targets}.json`; what the device holds is
in `DIR/.device`. A device asks one source, so targets lie beside the metadata: `…/metadata` and `…/targets`.

Run the suite, where it is checked out: `pytest tuf_conformance --entrypoint tests/conformance/client.py`.
Does not: restrict what targets may delegate, as a device does besides (`delivery.delegating`).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from edge_runtime.core.errors import MentorplaneError, NotTrusted
from edge_runtime.delivery.online import Source, fetch_target, refresh_metadata

TOP_LEVEL = ("root", "timestamp", "snapshot", "targets")


def main(arguments: Sequence[str]) -> int:
    """Carry out one command and return its exit code."""
    given = _parse(arguments)
    try:
        if given.command == "init":
            _init(given.metadata_dir, given.trusted_root.read_bytes())
        else:
            _refresh(given)
    except MentorplaneError as error:
        sys.stderr.write(f"{getattr(error, 'check', '')} {error}\n")
        return 1
    return 0


def _init(folder: Path, root: bytes) -> None:
    device = folder / ".device"
    (device / "held").mkdir(parents=True)
    (device / "shipped.json").write_bytes(root)
    (folder / "root.json").write_bytes(root)


def _refresh(given: argparse.Namespace) -> None:
    """Refresh the metadata and, for `download`, fetch the target; what is refused takes no part of what is held."""
    device = given.metadata_dir / ".device"
    source = Source(_base(given))
    staging = device / "staging"
    shutil.rmtree(staging, ignore_errors=True)
    shutil.copytree(device / "held", staging, symlinks=True)
    updater = refresh_metadata(staging, (device / "shipped.json").read_bytes(), source)
    _hold(given.metadata_dir, staging)
    if given.command == "download":
        data = fetch_target(updater, given.target_name)
        _hold(given.metadata_dir, staging)
        (given.target_dir / quote(given.target_name, safe="")).write_bytes(data)


def _hold(folder: Path, staging: Path) -> None:
    held = folder / ".device" / "held"
    shutil.rmtree(held)
    shutil.copytree(staging, held, symlinks=True)
    for role in TOP_LEVEL:
        shutil.copyfile(held / "metadata" / f"{role}.json", folder / f"{role}.json")


def _base(given: argparse.Namespace) -> str:
    base, _, last = given.metadata_url.rstrip("/").rpartition("/")
    if last != "metadata" or (given.target_base_url or f"{base}/targets").rstrip("/") != f"{base}/targets":
        raise NotTrusted("expected metadata and targets of one source", check="V2")
    return str(base)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A device's TUF client, for the conformance suite.")
    parser.add_argument("--metadata-dir", type=Path, required=True)
    parser.add_argument("--metadata-url", default="")
    parser.add_argument("--target-name")
    parser.add_argument("--target-base-url")
    parser.add_argument("--target-dir", type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("trusted_root", type=Path)
    commands.add_parser("refresh")
    commands.add_parser("download")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
