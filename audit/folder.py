"""Reading a published log from a folder.

Promises: a file that is absent, or is not a regular file, is `FileNotFoundError`; one that is larger than its kind
can be is `InvalidFormat`, and is not read.

It does not look at what it reads, and writes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

from audit.errors import InvalidFormat
from audit.tiles import MAX_BUNDLE_BYTES, Read


def folder_reader(folder: Path) -> Read:
    """Return a function that reads a file of the log in this folder by its path below the log's prefix."""

    def read(path: str) -> bytes:
        file = folder / path
        if not file.is_file():
            raise FileNotFoundError(path)
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            data = stream.read(min(size, MAX_BUNDLE_BYTES) + 1)
        if len(data) > MAX_BUNDLE_BYTES:
            raise InvalidFormat(f"expected at most {MAX_BUNDLE_BYTES} bytes in {path}, got more")
        return data

    return read
