"""Reading a folder of sources strictly: what is in it, and everything that is wrong with it, at once.

Promises: nothing outside of the folder is read, no link is followed; bytes are capped; a file that is neither a source
nor passed over is a problem, and so is one that is not UTF-8, has a byte order mark, or lines that end otherwise than
with a line feed (a file that is still as it was pulled aside). Does not: write.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from control_plane.sources.parsing import Source, parse_source
from control_plane.sources.strict_yaml import MAX_BYTES, Problem, SourceError
from control_plane.sync.ignoring import FILE as IGNORE
from control_plane.sync.ignoring import Ignoring, load_ignoring
from control_plane.sync.paths import MAX_DEPTH, is_safe
from control_plane.sync.records import Key, digest_of
from edge_runtime.core.errors import InvalidDocument

__all__ = ["Here", "LocalFile", "read_file", "scan"]

MAX_FILES = 20_000


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A source in the folder: what it is, where it lies, its bytes; `source` is None if it was not parsed."""

    kind: str
    name: str
    path: str
    data: bytes
    source: Source | None = None

    @property
    def key(self) -> Key:
        """Kind and name."""
        return self.kind, self.name

    @property
    def digest(self) -> str:
        """The digest of the bytes."""
        return digest_of(self.data)


@dataclass(frozen=True, slots=True)
class Here:
    """What a folder holds: its sources by kind and name, and its problems."""

    files: Mapping[Key, LocalFile]
    problems: tuple[Problem, ...]

    def require_sound(self) -> None:
        """Refuse a folder with problems.

        Raises:
            SourceError: with all of them.
        """
        if self.problems:
            raise SourceError(self.problems)


def scan(folder: Path, known: Mapping[str, tuple[Key, str]] | None = None) -> Here:
    """Return what is in a folder.

    Args:
        folder: holds `*.yaml` at any depth.
        known: kind, name and digest by path, of files as they were pulled: those are not parsed again, and one that
            does not read any more still counts as what it was, as well as being a problem.

    Raises:
        InvalidDocument: it is no folder, or holds more than a folder of sources does.
    """
    if not folder.is_dir() or folder.is_symlink():
        raise InvalidDocument("expected a folder, got something else", hint="mentorplane sync pull makes one")
    files: dict[Key, LocalFile] = {}
    problems: list[Problem] = []
    for path, problem in _walk(folder, load_ignoring(folder)):
        if problem:
            problems.append(Problem(path, 1, 1, problem))
            continue
        file, wrong = _read(folder, path, (known or {}).get(path))
        problems += wrong
        if file is None:
            continue
        if file.key in files:
            problems.append(Problem(path, 1, 1, f"{file.kind} {file.name} once, got it in {files[file.key].path}, too"))
        files.setdefault(file.key, file)
    if len(files) > MAX_FILES:
        raise InvalidDocument(f"expected at most {MAX_FILES} files, got more")
    return Here(files, tuple(sorted(problems)))


def read_file(folder: Path, path: str) -> bytes:
    """Return the bytes of a file in the folder, at most `MAX_BYTES` and one.

    Raises:
        InvalidDocument: it, or a folder on the way, is a link, or it is no plain file.
    """
    current = folder
    for part in path.split("/"):
        current = current / part
        if current.is_symlink():
            raise InvalidDocument(f"{path}: expected a file of the folder's own, got a link")
    handle = os.open(current, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise InvalidDocument(f"{path}: expected a plain file")
        return stream.read(MAX_BYTES + 1)


def _walk(folder: Path, ignoring: Ignoring, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path of each file that matters, and what is wrong with it, "" for a source."""
    with os.scandir(folder / above) as members:
        found = sorted(members, key=lambda member: member.name)
    for member in found:
        path = above + member.name
        is_folder = member.is_dir(follow_symlinks=False)
        if ignoring.passes_over(path, folder=is_folder):
            continue
        if member.is_symlink():
            yield path, "a file of the folder's own, got a link"
        elif is_folder and path.count("/") < MAX_DEPTH:
            yield from _walk(folder, ignoring, f"{path}/")
        elif not member.is_file() or not path.endswith((".yaml", ".yml")):
            yield path, f"a source (*.yaml), or a line in {IGNORE} that passes it over"
        else:
            yield path, "" if is_safe(path) else "letters, digits, - and _ in the names of files and folders"


def _read(folder: Path, path: str, known: tuple[Key, str] | None) -> tuple[LocalFile | None, Iterable[Problem]]:
    try:
        data = read_file(folder, path)
    except (OSError, InvalidDocument):
        return None, [Problem(path, 1, 1, "a plain file that can be read")]
    if known and digest_of(data) == known[1]:
        return LocalFile(*known[0], path, data), ()
    try:
        problems = list(_ends(data, path))
        source = parse_source(data, path)
    except SourceError as error:
        return (LocalFile(*known[0], path, data) if known else None), (*problems, *error.problems)
    return LocalFile(source.kind, source.name, path, data, source), problems


def _ends(data: bytes, path: str) -> Iterator[Problem]:
    at = data.find(b"\r")
    if at >= 0:
        expected = "lines that end with a line feed alone (Git: `*.yaml text eol=lf` in .gitattributes)"
        yield Problem(path, data.count(b"\n", 0, at) + 1, 1, expected)
