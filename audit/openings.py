"""What stands behind commitments: texts and salts, and the state of each commitment of a log.

A leaf commits to texts that it does not hold: the display name of the actor and the reason. Whoever may read them gets
them as openings, beside the log. `check_openings` says of every commitment in one of four words what stands behind it:

    verified            the opening is there and is what was committed to
    erased by event N   there is none: leaf N says that the key to it was destroyed
    missing at index N  there is none, and no leaf says why
    altered at index N  what is there is not what leaf N committed to, or leaf N commits to nothing there

Promises: decided from leaves and openings alone; an opening that nothing commits to is never passed over; an erasure
counts only for leaves before it, under the very key that it names.
Does not: verify that the leaves stand in a log (see `verify`), or know of erasures after the last leaf it is given.

Format `mentorplane-openings/1`, JSON lines, each canonical and ended by a newline: a line {"format": ...}, then
{"field", "salt", "seq", "text"} in strictly rising order of seq and field; the salt is 16 to 64 bytes in
lower-case hex.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from audit.acts import Act
from audit.canonical import MAX_INTEGER
from audit.commitment import commit
from audit.errors import InvalidFormat
from audit.frozen import frozen
from audit.record import LeafRecord

__all__ = [
    "ERASED_KIND",
    "FIELDS",
    "CommitmentState",
    "Opening",
    "OpeningState",
    "OpeningsReport",
    "check_openings",
    "encode_openings",
    "parse_openings",
]

FORMAT = "mentorplane-openings/1"
FIELDS = ("actor.name", "reason.text")
"""The members of a leaf that can be commitments."""
ERASED_KIND = "text-key"
"""Kind of the object of a leaf "erased", whose name is the key that was destroyed: the `subject` of other leaves."""
MAX_TEXT = 10_000

_SALT = re.compile("(?:[0-9a-f]{2}){16,64}")
_HEAD = json.dumps({"format": FORMAT}, separators=(",", ":"))
_ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


@frozen
class Opening:
    """The text behind a commitment: `field` of leaf `seq`."""

    seq: int
    field: str
    text: str
    salt: bytes


class OpeningState(StrEnum):
    """What stands behind a commitment."""

    VERIFIED = "verified"
    ERASED = "erased"
    MISSING = "missing"
    ALTERED = "altered"


@frozen
class CommitmentState:
    """What stands behind `field` of leaf `seq`; `event` is the leaf that says that its key was destroyed, or None.

    A text that is still there although its key was destroyed is `VERIFIED` and has an `event` all the same.
    """

    seq: int
    field: str
    state: OpeningState
    event: int | None = None

    def __str__(self) -> str:
        what = f"{self.field} of entry {self.seq}"
        if self.state is OpeningState.ERASED:
            return f"{what}: erased by event {self.event}"
        if self.state is OpeningState.VERIFIED:
            return f"{what}: verified" + (f", although erased by event {self.event}" if self.event is not None else "")
        return f"{what}: {self.state} at index {self.seq}"


@frozen
class OpeningsReport:
    """The state of every commitment, by index and field."""

    states: tuple[CommitmentState, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is missing or altered."""
        return not self.of(OpeningState.MISSING) and not self.of(OpeningState.ALTERED)

    def of(self, state: OpeningState) -> tuple[CommitmentState, ...]:
        """Return the commitments in one state."""
        return tuple(one for one in self.states if one.state is state)


def check_openings(records: Iterable[LeafRecord], openings: Iterable[Opening]) -> OpeningsReport:
    """Check every commitment of some leaves, in the order of the log, against what stands behind them."""
    held = {(opening.seq, opening.field): opening for opening in openings}
    found: list[tuple[CommitmentState, str]] = []
    erased: dict[str, int] = {}
    for record in records:
        if record.act is Act.ERASED and record.object.kind == ERASED_KIND:
            erased.setdefault(record.object.name, record.seq)
        for field, commitment in zip(FIELDS, (record.actor.name, record.reason.text), strict=True):
            opening = held.pop((record.seq, field), None)
            if commitment or opening is not None:
                found.append((CommitmentState(record.seq, field, _state(commitment, opening)), record.subject))
    states = [_with_event(one, erased.get(subject)) for one, subject in found]
    states += [CommitmentState(seq, field, OpeningState.ALTERED) for seq, field in held]  # nothing commits to these
    return OpeningsReport(tuple(sorted(states, key=lambda one: (one.seq, one.field))))


def _state(commitment: str, opening: Opening | None) -> OpeningState:
    if opening is None:
        return OpeningState.MISSING
    try:
        same = commit(opening.text, opening.salt) == commitment
    except ValueError:  # a salt that nothing is committed with, or a text that is none
        same = False
    return OpeningState.VERIFIED if same else OpeningState.ALTERED


def _with_event(one: CommitmentState, event: int | None) -> CommitmentState:
    # INVARIANT: a key that was destroyed protects nothing that is written later.
    if event is None or event <= one.seq or one.state is OpeningState.ALTERED:
        return one
    state = OpeningState.ERASED if one.state is OpeningState.MISSING else one.state
    return CommitmentState(one.seq, one.field, state, event)


def encode_openings(openings: Iterable[Opening]) -> bytes:
    """Return openings as a file, in order.

    Raises:
        ValueError: one is not what the format allows, or there are two for one commitment.
    """
    ordered = sorted(openings, key=lambda one: (one.seq, one.field))
    data = "".join(f"{line}\n" for line in (_HEAD, *map(_line, ordered))).encode()
    try:
        parse_openings(data)
    except InvalidFormat as error:
        raise ValueError(str(error)) from error
    return data


def parse_openings(data: bytes) -> tuple[Opening, ...]:
    """Parse a file of openings.

    Raises:
        InvalidFormat: it is not the one form of a valid file.
    """
    try:
        head, *lines = data.decode().split("\n")
    except UnicodeDecodeError as error:
        raise InvalidFormat("expected openings in UTF-8, got something else") from error
    if head != _HEAD or not lines or lines.pop() != "":
        raise InvalidFormat(f"expected lines of format {FORMAT}, got something else")
    return tuple(_parsed(lines))


def _parsed(lines: Iterable[str]) -> Iterator[Opening]:
    last = (-1, "")
    for number, line in enumerate(lines, 2):
        opening = _parse_line(line)
        if opening is None or _line(opening) != line:
            raise InvalidFormat(f"expected an opening in its only form in line {number}, got something else")
        if (opening.seq, opening.field) <= last:
            raise InvalidFormat(f"expected openings in order, each once, got another in line {number}")
        last = (opening.seq, opening.field)
        yield opening


def _parse_line(line: str) -> Opening | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if type(value) is not dict or value.keys() != {"field", "salt", "seq", "text"}:
        return None
    field, salt, seq, text = value["field"], value["salt"], value["seq"], value["text"]
    if field not in FIELDS or type(seq) is not int or not 0 <= seq <= MAX_INTEGER:
        return None
    if type(salt) is not str or not _SALT.fullmatch(salt) or type(text) is not str or len(text) > MAX_TEXT:
        return None
    return Opening(seq, field, text, bytes.fromhex(salt))


def _line(opening: Opening) -> str:
    return _ENCODE({"field": opening.field, "salt": opening.salt.hex(), "seq": opening.seq, "text": opening.text})
