"""Packages with checks of their own, as an installer leaves them in a folder: modules, metadata, entry points."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

NO_SHOUTING = """
from control_plane.policy.checks import Candidate, Found


def no_shouting(candidate: Candidate) -> Found:
    loud = [entry.name for entry, prompt in candidate.scripts() if "!" in prompt.reply]
    return Found(tuple(f"{name}: expected a calm reply" for name in loud), evidence=("replies read",))
"""


def install(folder: Path, checks: dict[str, str], *, name: str = "acme-checks", code: str = NO_SHOUTING) -> None:
    """Install a package into a folder of the path.

    Args:
        folder: where packages are installed.
        checks: entry points by name, such as `{"no-shouting": "acme_checks:no_shouting"}`.
        name: of the distribution; its module is called alike, with underscores.
        code: of the module.
    """
    module = f"{name.replace('-', '_')}.py"
    about = folder / f"{name.replace('-', '_')}-1.2.0.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (folder / module).write_text(code, "utf-8")
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.0\n", "utf-8")
    points = "".join(f"{point} = {target}\n" for point, target in checks.items())
    (about / "entry_points.txt").write_text(f"[mentorplane.checks]\n{points}", "utf-8")
    digest = base64.urlsafe_b64encode(hashlib.sha256(code.encode()).digest()).decode().rstrip("=")
    (about / "RECORD").write_text(f"{module},sha256={digest},{len(code)}\n", "utf-8")
