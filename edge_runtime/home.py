"""The home of a device on disk: generations of what was adopted, closures by digest, receipts.

    home/lock                      held while a generation is made
    home/current                   the number of the generation in use, replaced by atomic rename
    home/newer-format              the later format that the last refresh met, if it met one
    home/checked, home/clock       when the device last heard from its source, and the latest time seen (see `hearing`)
    home/rollout-key               what it draws its place in a rollout with (see `waiting`)
    home/generations/NNNNNN/       TUF metadata, trust file, release file and its parts, withdrawals, basis, the newest
                                   checkpoint seen; never changed once named
    home/roots/                    roots that a first refresh verified before it failed; for the next first one
    home/closures/<hex>.json       closure bytes by digest, shared by all generations
    home/evidence/<hex>.log-fork   two histories that the log's key signed; kept whatever comes later
    home/receipts.jsonl            receipts, each linked to the one before
    home/salts/                    what opens them (see `salts`)
    home/hand-offs, home/streaks/  counts (see `tallies`)

Promises: a reader sees a whole generation or the one before it, whatever instruction the power fails at.
Does not: trust any of it: `runtime` verifies everything again when it opens a home.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.locks import give_back, take

__all__ = ["Home", "holding", "require_home", "write_file", "write_private"]

LOCK_TIMEOUT_S = 30
KEPT_GENERATIONS = 2
MAX_EVIDENCE = 100
SUFFIX = ".log-fork"
_GENERATION = re.compile(r"[0-9]{6,12}")
_FORMAT = re.compile(r"[a-z-]{1,40}/[0-9]{1,5}")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open folders; its renames are journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that after a crash it holds the old bytes or the new, never a part."""
    _replace(path, data)
    _sync_folder(path.parent)


def write_private(path: Path, data: bytes) -> None:
    """Write `data` to a file that nobody but its owner reads, whatever lay there; raises `OSError`."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        if hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), 0o600)  # before there is anything to read
        file.truncate(0)
        file.write(data)


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)  # crash before: old bytes; after: new bytes


@contextmanager
def holding(lock: Path, what: str, *, timeout_s: int) -> Iterator[None]:
    """Hold a lock file, which says that nobody else changes `what` meanwhile.

    Raises:
        Unavailable: another process held it for longer.
    """
    handle = take(lock, timeout_s=timeout_s)
    if handle is None:
        raise Unavailable(f"expected the {what} to be free within {timeout_s} s, another process holds it")
    try:
        yield
    finally:
        give_back(handle)


def _written(path: Path) -> tuple[int, int, int]:
    """Return what changes when somebody writes a file: when that was, its size, and which file it is."""
    status = path.stat()
    return status.st_ctime_ns, status.st_size, status.st_ino


def require_home(folder: Path) -> Path:
    """Return a folder that is the home of a device.

    Raises:
        InvalidDocument: it is none.
    """
    if not (folder / "generations").is_dir():
        raise InvalidDocument("expected the home of a device, got a folder without one")
    return folder


class Home:
    """One device's folder. Several processes may share it: only `stage` and `commit` need the lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.generations = folder / "generations"
        self.closures = folder / "closures"
        self.evidence = folder / "evidence"
        self._whole: dict[str, tuple[int, int, int]] = {}
        self.roots = folder / "roots"
        try:
            for path in (folder, self.generations, self.closures):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"expected a folder that can be written at the home, got {error.strerror}") from error

    def locked(self) -> AbstractContextManager[None]:
        """Hold the lock of this home.

        Raises:
            Unavailable: another process held it for longer than `LOCK_TIMEOUT_S`.
        """
        return holding(self.folder / "lock", "home", timeout_s=LOCK_TIMEOUT_S)

    def current(self) -> Path | None:
        """Return the folder of the generation in use, None before the first.

        Raises:
            InvalidDocument: `current` names no generation: the home was edited or damaged.
        """
        pointer = self.folder / "current"
        if not pointer.exists():
            return None
        name = pointer.read_text("ascii", errors="replace").strip()
        folder = self.generations / name
        if not _GENERATION.fullmatch(name) or not folder.is_dir():
            raise InvalidDocument("expected 'current' in the home to name a generation, got something else")
        return folder

    def stage(self) -> Path:
        """Return a new folder that starts as a copy of the generation in use; call while locked."""
        import shutil  # it brings three compressors: only for a refresh

        staging = self.generations / ".staging"
        shutil.rmtree(staging, ignore_errors=True)  # what a crash left behind was never in use
        current = self.current()
        if current:
            shutil.copytree(current, staging, symlinks=True)
        elif self.roots.is_dir():
            shutil.copytree(self.roots, staging / "metadata" / "root_history")
        else:
            staging.mkdir(mode=0o700)
        return staging

    def commit(self, staging: Path) -> Path:
        """Make the staged folder the generation in use and return its new place; call while locked."""
        import shutil

        for path in sorted(staging.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            elif path.is_dir():
                _sync_folder(path)
        _sync_folder(staging)
        numbers = [int(p.name) for p in self.generations.iterdir() if _GENERATION.fullmatch(p.name)]
        final = self.generations / f"{max(numbers, default=0) + 1:06d}"
        staging.rename(final)  # crash here: an unused generation lies about, the old one is in use
        _sync_folder(self.generations)
        write_file(self.folder / "current", final.name.encode())  # crash after: the new one is in use
        for number in sorted(numbers)[: -(KEPT_GENERATIONS - 1)]:
            shutil.rmtree(self.generations / f"{number:06d}", ignore_errors=True)
        return final

    def save_roots(self, roots: Mapping[str, bytes]) -> None:
        """Keep roots by the names of their files, for a home that has adopted nothing yet; what is there stays."""
        for name, data in roots.items():
            self.roots.mkdir(mode=0o700, exist_ok=True)
            if not (self.roots / name).exists():
                write_file(self.roots / name, data)

    def load_closure(self, digest: str) -> bytes:
        """Return the bytes kept for a closure; the caller verifies them.

        Raises:
            Unavailable: there are none.
        """
        try:
            return self._closure(digest).read_bytes()
        except OSError as error:
            raise Unavailable(
                "expected the content of an approved prompt on this device, got none", hint="refresh"
            ) from error

    def save_closures(self, closures: Iterable[tuple[str, bytes]]) -> None:
        """Keep the bytes of closures, by digest; after a crash any of them may be missing."""
        saved = False
        for digest, data in closures:
            path = self._closure(digest)
            _replace(path, data)
            self._whole[digest] = _written(path)
            saved = True
        if saved:
            _sync_folder(self.closures)

    def lacking(self, digests: Iterable[str]) -> set[str]:
        """Return those closures that are not here, or damaged.

        What this process wrote or found whole is read again only if somebody wrote it since: a look must not read a
        whole library each time. Whatever else may befall a disk is found when a closure is used (V5).
        """
        lacking = set()
        for digest in digests:
            path = self._closure(digest)
            try:
                written = _written(path)
                if self._whole.get(digest) == written:
                    continue
                whole = canonical.digest(path.read_bytes()) == digest
            except OSError:
                whole = False
            if whole:
                self._whole[digest] = written
            else:
                lacking.add(digest)
        return lacking

    def _closure(self, digest: str) -> Path:
        return self.closures / f"{digest.removeprefix('sha256:')}.json"

    def load_time(self, name: str) -> int:
        """Return the moment in the file of that name, in POSIX seconds; 0 for none or unreadable."""
        try:
            return int((self.folder / name).read_text("ascii"))
        except (OSError, ValueError):
            return 0

    def save_time(self, name: str, moment: int) -> None:
        """Remember a moment in the file of that name."""
        write_file(self.folder / name, str(moment).encode())

    def save_evidence(self, data: bytes) -> None:
        """Keep a piece of evidence of a fork, unless it is there or there are more than enough."""
        path = self.evidence / f"{hashlib.sha256(data).hexdigest()}{SUFFIX}"
        if not path.exists() and len(self.load_evidence()) < MAX_EVIDENCE:
            self.evidence.mkdir(mode=0o700, exist_ok=True)
            write_file(path, data)

    def load_evidence(self) -> tuple[bytes, ...]:
        """Return the evidence of forks that is kept, oldest first; the reader verifies it."""
        try:
            paths = sorted(self.evidence.glob(f"*{SUFFIX}"), key=lambda path: (path.stat().st_mtime_ns, path.name))
            return tuple(path.read_bytes() for path in paths)
        except OSError:
            return ()

    def load_newer_format(self) -> str:
        """Return the format, later than this program knew, that the last refresh met; "" for none or unreadable."""
        try:
            said = (self.folder / "newer-format").read_text("ascii")
        except (OSError, ValueError):
            return ""
        return said if _FORMAT.fullmatch(said) else ""

    def save_newer_format(self, said: str) -> None:
        """Remember, or forget with "", that a refresh met a later format."""
        if said != self.load_newer_format():
            write_file(self.folder / "newer-format", said.encode())
