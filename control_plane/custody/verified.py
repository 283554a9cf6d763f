"""What is live, as this machine verified it: asked of the device's own command, in a process of its own.

The server's code never imports the edge's shell, and neither does this: `mentorplane edge released` fetches, verifies
from the root that was shipped, and prints what it adopted. Does not: fetch or verify anything itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from control_plane.custody.deciding import Verified
from edge_runtime.core.errors import InvalidDocument, NotTrusted, Unavailable
from edge_runtime.core.manifest import parse_manifest

__all__ = ["Asking", "verified_release"]

TIMEOUT_S = 120
REFUSED = 2
Asking = Callable[[list[str]], "subprocess.CompletedProcess[str]"]


def _ask(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_runtime", "edge", "released", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603


def verified_release(home: Path, *, trust: Path, source: str, channel: str, ask: Asking = _ask) -> Verified:
    """Return the release that a source publishes, once this machine verified it; none where nothing was released yet.

    Args:
        home: a folder of this machine, in which it keeps what it saw last.
        trust: the folder with `root.json`.
        source: an address or a folder that publishes.
        channel: which channel.
        ask: runs the command; replaced in tests.

    Raises:
        NotTrusted: it does not verify.
        Unavailable: the source did not answer in time.
    """
    arguments = ["--home", str(home), "--trust", str(trust), "--source", source, "--channel", channel]
    try:
        done = ask(arguments)
    except subprocess.TimeoutExpired as error:
        raise Unavailable("expected the source to answer in time, and it did not") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        message = said[0].removeprefix("error: ") if said else "no reason was given"
        if done.returncode == REFUSED:
            check = message.partition(":")[0]
            raise NotTrusted(
                f"expected a release that this machine can verify: {message}", check=check if len(check) == 2 else "V6"
            )
        raise Unavailable(f"expected a release that this machine can verify: {message}")
    try:
        document = json.loads(done.stdout)
        closures = {name: text.encode() for name, text in document["closures"].items()}
        manifest = parse_manifest(document["manifest"].encode()) if document["manifest"] else None
        return Verified(manifest, closures)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidDocument("expected a verified release of the device's command, got another answer") from error
