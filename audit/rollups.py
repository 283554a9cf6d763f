"""The roll-ups of a day: one value of each device that told, and drawn ones, in a tree whose root the log holds.

A device sends, for a day, the root of a tree over its receipts (docs/adr/0039). Whoever holds the log collects them
until the day is over, adds drawn ones, and logs the root of all: one entry for a day and a channel.

Promises: exactly one byte string stands for the roll-ups of a day; they are in the order of their values, so that
nothing says who came when, or which were drawn. Does not: say whose a value is; nobody knows but its device.

Format `mentorplane-rollups/1`: the line `mentorplane-rollups/1 <channel> <day>`, then each value in lower-case hex, in
strictly rising order, each line ended by a newline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from audit import merkle
from audit.errors import InvalidFormat
from audit.frozen import frozen

__all__ = ["KIND", "MAX_ROLLUPS_BYTES", "Rollups", "parse_rollups", "rollups_of"]

KIND = "rollups"
"""Kind of the object of a leaf "gathered"; its name is `Rollups.name`, its digest `Rollups.digest`."""
FORMAT = "mentorplane-rollups/1"
MAX_ROLLUPS_BYTES = 256 << 20
_HEAD = re.compile(rf"{FORMAT} ([a-z0-9.-]{{1,80}}) (\d{{4}}-\d{{2}}-\d{{2}})")
_VALUE = re.compile("[0-9a-f]{64}")


@frozen
class Rollups:
    """The values of a day on a channel, in rising order."""

    channel: str
    day: str
    values: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """Return the name of the entry's object."""
        return f"{self.channel}/{self.day}"

    @property
    def digest(self) -> str:
        """Return the root of the tree over the values, as the entry holds it."""
        return "sha256:" + merkle.root_of(merkle.leaf_hashes(self.values)).hex()

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        lines = (f"{FORMAT} {self.channel} {self.day}", *(value.hex() for value in self.values))
        return "".join(f"{line}\n" for line in lines).encode()


def rollups_of(channel: str, day: str, values: Iterable[bytes]) -> Rollups:
    """Return roll-ups in their one order, each once."""
    return Rollups(channel, day, tuple(sorted(set(values))))


def parse_rollups(data: bytes) -> Rollups:
    """Parse the roll-ups of a day.

    Raises:
        InvalidFormat: it is not the one form of a valid file.
    """
    if len(data) > MAX_ROLLUPS_BYTES:
        raise InvalidFormat(f"expected roll-ups of at most {MAX_ROLLUPS_BYTES} bytes, got more")
    head, *lines = data.decode("ascii", "replace").split("\n")
    match = _HEAD.fullmatch(head)
    if match is None or not lines or lines.pop() != "":
        raise InvalidFormat(f"expected lines of format {FORMAT}, got something else")
    if not all(map(_VALUE.fullmatch, lines)) or any(a >= b for a, b in pairwise(lines)):
        raise InvalidFormat("expected values in lower-case hex, in order and each once, got something else")
    return Rollups(match[1], match[2], tuple(map(bytes.fromhex, lines)))
