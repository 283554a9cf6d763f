"""Parts: documents that a release names by digest and size, so that a device fetches only those it does not hold.

A part is published compressed under its digest, which is over the document as it is uncompressed. So the compressed
bytes are vouched for by nobody, and whoever unpacks them says how much may come out. The padding of a compressed
stream means nothing to those who unpack it, so a checksum of the stream follows it.

Promises: `unpack(pack(data), max_bytes=len(data)) == data`; a compression bomb, a truncated or a longer stream is
refused before more than `max_bytes` bytes are made of it; so is every file of which one byte was changed.
Does not: compare digests (the reader does). Format: docs/formats.md, *Parts*.
"""

from __future__ import annotations

import zlib

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields

__all__ = ["PACKED", "Part", "pack", "packed_bytes", "parse_part", "part_path", "unpack"]

PACKED = ".z"
"""What the names of compressed files end in: no suffix that a web server takes for an encoding of the transfer."""
PART_FOLDER = "parts"
MAX_PART_BYTES = 32_000_000
_LEVEL = 6
_CHECKSUM_BYTES = 4


@frozen
class Part:
    """What names a part: the digest of the uncompressed document, and its size in bytes."""

    digest: str
    size: int

    @classmethod
    def of(cls, data: bytes) -> Part:
        """Return what names `data`."""
        return cls(canonical.digest(data), len(data))

    def is_of(self, data: bytes) -> bool:
        """Return whether `data` is what this names."""
        return len(data) == self.size and canonical.digest(data) == self.digest

    def as_json(self) -> JsonObject:
        """Return the name as a JSON object."""
        return {"digest": self.digest, "size": self.size}


def parse_part(document: object) -> Part:
    """Return the part that a JSON object names; raises `InvalidDocument` if it names none."""
    fields = Fields(document, "part", tagged=False)
    part = Part(fields.digest("digest"), fields.integer("size", at_least=1, at_most=MAX_PART_BYTES))
    fields.close()
    return part


def part_path(digest: str) -> str:
    """Return the path of a part below the published source."""
    return f"{PART_FOLDER}/{digest.removeprefix('sha256:')}{PACKED}"


def pack(data: bytes) -> bytes:
    """Return `data` compressed in the zlib format (RFC 1950), and the CRC-32 of that, big end first."""
    packed = zlib.compress(data, _LEVEL)
    return packed + _checksum(packed)


def packed_bytes(max_bytes: int) -> int:
    """Return how long the compressed form of so many bytes can be."""
    return max_bytes + max_bytes // 1000 + 64


def unpack(data: bytes, *, max_bytes: int) -> bytes:
    """Return what `data` holds compressed.

    Raises:
        InvalidDocument: its checksum is another one, or it is no zlib stream, ends early, goes on after its end, or
            holds more than `max_bytes`.
    """
    packed, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if checksum != _checksum(packed):
        raise InvalidDocument("expected a compressed document, whole and as it was written, got other bytes")
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(packed, max_bytes + 1)
    except zlib.error as error:
        raise InvalidDocument("expected compressed bytes, got others") from error
    if len(plain) > max_bytes:
        raise InvalidDocument(f"expected at most {max_bytes} bytes when uncompressed, got more")
    if not stream.eof or stream.unused_data:
        raise InvalidDocument("expected one compressed document, whole and with nothing after it")
    return plain


def _checksum(packed: bytes) -> bytes:
    return zlib.crc32(packed).to_bytes(_CHECKSUM_BYTES, "big")
