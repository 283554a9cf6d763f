"""The container of a pack: a folder, or a ZIP file of which no byte is free.

Promises:
1. Exactly one ZIP file stands for a set of files: members sorted by path, stored as they are, one fixed time, no
   extra fields, no comments, nothing before, between or behind them. `open_zip` compares every byte that is not
   content with what `write_zip` would have written, and the content with its checksum.
2. Paths are relative, in lower-case ASCII, without empty or dotted parts: nothing can be unpacked outside its folder.
3. Content is sliced out of the file when it is asked for; a large pack is not held in memory.

4. No file is larger than one of its kind can be, so a pack cannot fill the memory of whoever opens it.

It does not say whether content is genuine: a checksum is no digest. `audit.pack.check` checks the digests.

Source: PKWARE APPNOTE 6.3.10 sections 4.3.7, 4.3.12, 4.3.16, restricted to the fields that every reader knows (no
ZIP64: fewer than 65,535 files and 4 GiB; a larger pack is a folder).
"""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from audit.errors import InvalidFormat
from audit.frozen import frozen

MAX_FILES = 65_534
MAX_ZIP_BYTES = 2**32 - 2
MAX_PATH_LENGTH = 200
MAX_BUNDLE_BYTES, MAX_TILE_BYTES, MAX_SMALL_BYTES = 256 * (2 + 65_535), 8192, 64 << 20
_LARGE = ("entries.csv", "entries.ocsf.jsonl", "openings.jsonl", "report.html", "report.pdf")
PATH = re.compile(r"(?!.*//)[a-z0-9](?:[a-z0-9._/-]*[a-z0-9])?")

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_VERSION, _TIME, _DATE = 20, 0, 0x0021  # 2.0; 1980-01-01 00:00, the first time that the format can say
_MODE = 0o100644 << 16
_UNIX = 3 << 8


@frozen
class Container:
    """The files of a pack, by path: their sizes, and one function that reads them.

    Reading raises `FileNotFoundError` for a path that is not there.
    """

    sizes: Mapping[str, int]
    source: Path | bytes | mmap.mmap | Mapping[str, bytes]
    offsets: Mapping[str, int] | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path, sorted."""
        return tuple(sorted(self.sizes))

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        if path not in self.sizes:
            raise FileNotFoundError(path)
        if isinstance(self.source, Path):
            return (self.source / path).read_bytes()
        if isinstance(self.source, Mapping):
            return self.source[path]
        assert self.offsets is not None
        start = self.offsets[path]
        return bytes(self.source[start : start + self.sizes[path]])


def open_container(path: Path) -> Container:
    """Open a folder or a ZIP file.

    Raises:
        InvalidFormat: it is neither, or not in its one form.
    """
    if path.is_dir():
        return open_folder(path)
    with path.open("rb") as stream:
        if not stream.read(1):
            raise InvalidFormat("expected a pack, got an empty file")
        # The mapping outlives the descriptor; it goes with the last container that reads from it.
        return open_zip(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def container_of(files: Mapping[str, bytes]) -> Container:
    """Return files in memory as a container."""
    return Container({path: len(data) for path, data in files.items()}, files)


def open_folder(folder: Path) -> Container:
    """Open a folder of files.

    Raises:
        InvalidFormat: something in it is no regular file, or has a name that no pack uses.
    """
    sizes = {}
    for file in sorted(folder.rglob("*")):
        if file.is_dir() and not file.is_symlink():
            continue
        path = file.relative_to(folder).as_posix()
        if file.is_symlink() or not file.is_file() or not is_path(path):
            raise InvalidFormat("expected regular files with the names of a pack, got something else")
        sizes[path] = file.stat().st_size
    _require_sizes(sizes)
    return Container(sizes, folder)


def _require_sizes(sizes: Mapping[str, int]) -> None:
    for path, size in sizes.items():
        if path.startswith("tile/"):
            most = MAX_BUNDLE_BYTES if path.startswith("tile/entries/") else MAX_TILE_BYTES
        else:
            most = MAX_ZIP_BYTES if path in _LARGE else MAX_SMALL_BYTES
        if size > most:
            raise InvalidFormat(f"expected {path} to have at most {most} bytes, got {size}")


def is_path(path: str) -> bool:
    """Return whether this can be the path of a file in a pack.

    >>> is_path("tile/0/x001/067.p/3"), is_path("a/../b"), is_path("/a"), is_path("Report.html")
    (True, False, False, False)
    """
    parts = path.split("/")
    return len(path) <= MAX_PATH_LENGTH and PATH.fullmatch(path) is not None and not {"", ".", ".."} & set(parts)


def write_zip(stream: BinaryIO, files: Mapping[str, bytes]) -> None:
    """Write the ZIP file of some files.

    Raises:
        ValueError: there are too many files or bytes for this form, or a path is not one of a pack.
    """
    if not all(is_path(path) for path in files):
        raise ValueError("expected paths of a pack, got another")
    total = sum(len(data) + 2 * len(path) + _LOCAL.size + _CENTRAL.size for path, data in files.items())
    if len(files) > MAX_FILES or total > MAX_ZIP_BYTES:
        raise ValueError("expected a pack that a ZIP file can hold, got a larger one: write it as a folder")
    directory, offset = [], 0
    for path in sorted(files):
        data = files[path]
        crc, name = zlib.crc32(data), path.encode()
        directory.append(_central(name, crc, len(data), offset=offset))
        head = _local(name, crc, len(data))
        stream.write(head)
        stream.write(data)
        offset += len(head) + len(data)
    stream.write(b"".join(directory))
    stream.write(_end(len(files), sum(map(len, directory)), offset))


def _local(name: bytes, crc: int, size: int) -> bytes:
    fixed = _LOCAL.pack(b"PK\x03\x04", _VERSION, 0, 0, _TIME, _DATE, crc, size, size, len(name), 0)
    return fixed + name


def _central(name: bytes, crc: int, size: int, *, offset: int) -> bytes:
    made_by, lengths = _UNIX | _VERSION, (len(name), 0, 0)
    fixed = (b"PK\x01\x02", made_by, _VERSION, 0, 0, _TIME, _DATE, crc, size, size, *lengths, 0, 0, _MODE, offset)
    return _CENTRAL.pack(*fixed) + name


def _end(count: int, directory_bytes: int, offset: int) -> bytes:
    return _END.pack(b"PK\x05\x06", 0, 0, count, count, directory_bytes, offset, 0)


def open_zip(data: bytes | mmap.mmap) -> Container:
    """Open a ZIP file, refusing every form of it but the one that `write_zip` writes.

    Raises:
        InvalidFormat: any byte is not what it would have written for the same content.
    """
    if len(data) < _END.size or len(data) > MAX_ZIP_BYTES:
        raise InvalidFormat("expected a ZIP file of a pack, got too few or too many bytes")
    start = len(data) - _END.size
    _, _, _, count, _, directory_bytes, offset, _ = _END.unpack(data[start:])
    if bytes(data[start:]) != _end(count, directory_bytes, offset) or offset + directory_bytes != start:
        raise InvalidFormat("expected the end of a ZIP file in its one form, got something else")
    at, content = offset, 0
    names: list[str] = []
    sizes, offsets = {}, {}
    for _ in range(count):
        name, crc, size = _read_central(data, at, offset=content)
        head = _local(name, crc, size)
        where = content + len(head)
        if bytes(data[content:where]) != head or where + size > offset:
            raise InvalidFormat(f"expected the head of member {len(names)} in its one form, got something else")
        if zlib.crc32(memoryview(data)[where : where + size]) != crc:
            raise InvalidFormat(f"expected the content of {name.decode()} to match its checksum, got another")
        names.append(name.decode())
        sizes[names[-1]], offsets[names[-1]] = size, where
        at, content = at + _CENTRAL.size + len(name), where + size
    if at != start or content != offset:
        raise InvalidFormat("expected members and directory without gaps, got bytes between them")
    if names != sorted(set(names)):
        raise InvalidFormat("expected members sorted by path, each once, got another order")
    _require_sizes(sizes)
    return Container(sizes, data, offsets)


def _read_central(data: bytes | mmap.mmap, at: int, *, offset: int) -> tuple[bytes, int, int]:
    """Return name, checksum and size of the member whose directory entry begins at `at`."""
    fixed = bytes(data[at : at + _CENTRAL.size])
    if len(fixed) < _CENTRAL.size:
        raise InvalidFormat("expected a whole directory entry, got fewer bytes")
    values = _CENTRAL.unpack(fixed)
    crc, size, length = values[7], values[8], values[10]
    name = bytes(data[at + _CENTRAL.size : at + _CENTRAL.size + length])
    if not name.isascii() or not is_path(name.decode()) or fixed + name != _central(name, crc, size, offset=offset):
        raise InvalidFormat("expected a directory entry in its one form, got another")
    return name, crc, size
