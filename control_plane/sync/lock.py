"""The lock file `mentorplane.lock`: which release the folder was pulled from, and what each file was then.

Promises: canonical bytes; a lock that somebody edited by hand into something else is refused, whole; the server that it
names is compared and never asked: a lock that somebody changed sends no token anywhere (see `cli.sync`).
Format: `mentorplane-lock/1` in docs/formats.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from control_plane.files import read_own, write_atomic
from control_plane.sync.paths import is_safe
from control_plane.sync.records import Key
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields

__all__ = ["FILE", "FORMAT", "Lock", "Locked", "load_lock", "parse_lock", "save_lock"]

FILE = "mentorplane.lock"
FORMAT = "mentorplane-lock/1"
MAX_BYTES = 8_000_000
MAX_FILES = 20_000


@dataclass(frozen=True, slots=True)
class Locked:
    """A file as it was pulled."""

    kind: str
    name: str
    path: str
    digest: str
    epoch: int

    @property
    def key(self) -> Key:
        """Kind and name."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Lock:
    """What a folder was pulled from; `release` is 0 and `manifest` "" if nothing was released yet."""

    server: str
    channel: str
    release: int
    manifest: str
    files: tuple[Locked, ...]

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        files = [
            {"digest": f.digest, "epoch": f.epoch, "kind": f.kind, "name": f.name, "path": f.path}
            for f in sorted(self.files, key=lambda file: file.key)
        ]
        return canonical.encode(
            {
                "format": FORMAT,
                "server": self.server,
                "channel": self.channel,
                "release": self.release,
                "manifest": self.manifest,
                "files": files,
            }
        )


def parse_lock(data: bytes) -> Lock:
    """Return the lock that bytes hold; a line break at the end is allowed for.

    Raises:
        InvalidDocument: malformed, or two files in one place.
    """
    fields = Fields(canonical.parse(data.removesuffix(b"\n"), max_bytes=MAX_BYTES), FORMAT)
    lock = Lock(
        server=fields.text("server", at_most=500),
        channel=fields.name("channel"),
        release=fields.integer("release", at_most=2**31 - 1),
        manifest=fields.text("manifest", at_most=80),
        files=fields.items("files", _parse_file, at_most=MAX_FILES),
    )
    fields.close()
    for seen in ([file.key for file in lock.files], [file.path.casefold() for file in lock.files]):
        if len(set(seen)) != len(seen):
            raise InvalidDocument(f"{FORMAT}: expected each file once")
    return lock


def load_lock(folder: Path) -> Lock | None:
    """Return the lock of a folder, None if it has none.

    Raises:
        InvalidDocument: it is malformed, or a link.
    """
    data = read_own(folder / FILE, max_bytes=MAX_BYTES)
    if data is None:
        return None
    try:
        return parse_lock(data)
    except InvalidDocument as error:
        raise InvalidDocument(f"{FILE}: {error}", hint="take the version of it that was last pulled") from error


def save_lock(folder: Path, lock: Lock) -> None:
    """Write the lock of a folder, with a line break at the end, as Git likes it."""
    write_atomic(folder / FILE, lock.encode() + b"\n")


def _parse_file(document: object) -> Locked:
    fields = Fields(document, FORMAT, tagged=False)
    file = Locked(
        kind=fields.name("kind"),
        name=fields.text("name", at_most=120),
        path=fields.text("path", at_most=200),
        digest=fields.digest("digest"),
        epoch=fields.integer("epoch", at_most=2**31 - 1),
    )
    fields.close()
    if not is_safe(file.path):
        raise InvalidDocument(f"{FORMAT}: expected a path within the folder, got another")
    return file
