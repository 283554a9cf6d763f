"""The secrets of a home, one a day, from which the salts of that day's commitments come.

    home/salts/DAY    32 bytes, read by nobody but the owner of the home

Promises: a secret is drawn whole or not at all, is never written anywhere else, and once destroyed (by `forget`, with
the home, or because `KEPT` later days have one) opens nothing any more. That counts days on which something ran, not
those of a clock that may be wrong. Does not: reach copies that somebody made, or blocks that a disk keeps behind.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from edge_runtime.core.errors import Unavailable

__all__ = ["KEPT", "SECRET_BYTES", "Salts", "draw_secret", "open_private"]

SECRET_BYTES = 32
KEPT = 400
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def open_private(path: Path, *, new: bool = False) -> BinaryIO:
    """Open a file for writing at its end that nobody but its owner reads; `new`: it must not be there yet."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | (os.O_EXCL if new else 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "ab")


def draw_secret(path: Path) -> None:
    """Write a new secret, whole or not at all; whoever calls holds a lock. Raises `OSError`."""
    drawing = path.with_name(f".{path.name}")
    drawing.unlink(missing_ok=True)  # what a crash left was never used
    with open_private(drawing, new=True) as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    drawing.rename(path)


class Salts:
    """The secrets in one home; whoever draws or destroys one holds the lock of the receipts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "salts"

    def drawn(self, day: str) -> bytes:
        """Return the secret of a day, a new one if there is none yet.

        Raises:
            Unavailable: what is there is no secret.
            OSError: the home cannot be written.
        """
        path = self._folder / day
        if not path.exists():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with suppress(OSError):  # one that cannot be destroyed now is tried again on the next day
                self._destroy(self._kept()[: -(KEPT - 1)])
            draw_secret(path)
        return self.of(day)

    def of(self, day: str) -> bytes:
        """Return the secret of a day.

        Raises:
            Unavailable: it was destroyed, or there never was one.
        """
        try:
            secret = (self._folder / day).read_bytes()
        except OSError:
            secret = b""
        if len(secret) != SECRET_BYTES:
            raise Unavailable(f"expected the salts of {day} in this home, got none: its commitments stay closed")
        return secret

    def forget(self, before: str) -> int:
        """Destroy the secrets of the days before a day, and return how many."""
        return self._destroy(path for path in self._kept() if path.name < before)

    def _kept(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*") if _DAY.fullmatch(path.name))

    def _destroy(self, paths: Iterable[Path]) -> int:
        gone = 0
        for path in list(paths):
            with path.open("r+b") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            gone += 1
        return gone
