"""The texts as they were pulled, kept beside the folder's files, to show and to merge both sides of a conflict.

Promises: a text is found by its digest and checked against it; Git never sees the folder (it holds a `.gitignore` of
its own); a folder without it, such as a fresh clone, works the same but for merging. Does not: matter to pushing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from control_plane.files import write_atomic
from control_plane.sync.records import digest_of
from edge_runtime.core.errors import InvalidDocument

__all__ = ["FOLDER", "base_text", "keep_bases", "sweep"]

FOLDER = ".mentorplane-sync"
MAX_BYTES = 200_000
_TEMPORARY = re.compile(r"\.[^/]+\.(?:ya?ml|lock)\.[0-9a-f]{8}")


def base_text(folder: Path, digest: str) -> str | None:
    """Return the text of that digest, None if it is not kept or is not what it was."""
    path = _home(folder) / digest.removeprefix("sha256:")
    if not digest or path.is_symlink() or not path.is_file():
        return None
    data = path.read_bytes()
    return data.decode() if len(data) <= MAX_BYTES and digest_of(data) == digest else None


def keep_bases(folder: Path, texts: Iterable[str]) -> None:
    """Keep these texts and no others."""
    home = _home(folder)
    if not (home / ".gitignore").is_file():
        write_atomic(home / ".gitignore", b"*\n")
    wanted = {digest_of(text.encode()).removeprefix("sha256:"): text for text in texts}
    for name, text in wanted.items():
        if not (home / name).is_file():
            write_atomic(home / name, text.encode())
    for path in home.iterdir():
        if path.name not in wanted and path.name != ".gitignore":
            path.unlink()


def sweep(folder: Path) -> None:
    """Remove what a pull that was cut short left half-written: files that nobody has seen under their names yet."""
    for path in folder.rglob(".*"):
        if _TEMPORARY.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            path.unlink()


def _home(folder: Path) -> Path:
    home = folder / FOLDER
    if home.is_symlink():
        raise InvalidDocument(f"expected {FOLDER} to be a folder, got a link")
    return home
