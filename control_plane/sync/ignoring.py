"""`.mentorplaneignore`: which files of the folder are none of the registry's business.

One pattern a line, `#` begins a comment. A pattern without a slash matches a name at any depth (`README.md`, `*.py`);
one with a slash matches a path from the folder (`notes/*.txt`); one that ends with a slash matches a folder and all in
it (`drafts/`). `*` and `?` stay within a name, `**` does not. There is no way to un-ignore.
Always passed over: hidden files and folders (their name begins with a dot) and the lock file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from control_plane.files import read_own
from control_plane.sync.lock import FILE as LOCK
from edge_runtime.core.errors import InvalidDocument

__all__ = ["FILE", "Ignoring", "load_ignoring", "parse_ignoring"]

FILE = ".mentorplaneignore"
MAX_BYTES = 64_000
MAX_PATTERNS = 500
MAX_STARS = 6
"""Most wildcards of a pattern, so that none takes long to match."""


@dataclass(frozen=True, slots=True)
class Ignoring:
    """The patterns of a folder."""

    files: tuple[re.Pattern[str], ...] = ()
    folders: tuple[re.Pattern[str], ...] = ()

    def passes_over(self, path: str, *, folder: bool) -> bool:
        """Return whether a file or a folder is passed over; paths use slashes and begin in the folder."""
        name = path.rpartition("/")[2]
        if name.startswith(".") or path == LOCK:
            return True
        patterns = (*self.files, *self.folders) if folder else self.files
        return any(pattern.fullmatch(path) for pattern in patterns)


def load_ignoring(folder: Path) -> Ignoring:
    """Return the patterns of a folder; none if it has no such file.

    Raises:
        InvalidDocument: it is a link, too long, not UTF-8, or has a pattern that cannot be read.
    """
    data = read_own(folder / FILE, max_bytes=MAX_BYTES)
    return Ignoring() if data is None else parse_ignoring(data)


def parse_ignoring(data: bytes) -> Ignoring:
    r"""Return the patterns that a file holds.

    Raises:
        InvalidDocument: as for `load_ignoring`; the message names the line.

    >>> found = parse_ignoring(b"README.md\nnotes/*.txt\ndrafts/\n")
    >>> [found.passes_over(path, folder=False) for path in ("a/README.md", "notes/x.txt", "notes/a/x.txt")]
    [True, True, False]
    >>> found.passes_over("a/drafts", folder=True)
    True
    """
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InvalidDocument(f"expected UTF-8 in {FILE}") from error
    if len(data) > MAX_BYTES or len(lines) > MAX_PATTERNS:
        raise InvalidDocument(f"expected at most {MAX_PATTERNS} lines in {FILE}")
    files: list[re.Pattern[str]] = []
    folders: list[re.Pattern[str]] = []
    for number, line in enumerate(lines, 1):
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        if pattern.startswith("!") or "\\" in pattern or "[" in pattern or pattern.count("*") > MAX_STARS:
            raise InvalidDocument(f"{FILE}:{number}: expected a pattern of names, slashes, * and ?")
        (folders if pattern.endswith("/") else files).append(_compiled(pattern.rstrip("/")))
    return Ignoring(tuple(files), tuple(folders))


def _compiled(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("/"))
    wild = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    text = "".join(wild.get(part, re.escape(part)) for part in parts)
    return re.compile(text if anchored else f"(?:.*/)?{text}")
