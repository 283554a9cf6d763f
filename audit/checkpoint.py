"""Checkpoints: what a log signs about itself, and what witnesses sign about the log.

Promises:
1. Exactly one text stands for a checkpoint; an empty log has the empty root.
2. `open_checkpoint` accepts only a checkpoint of the expected origin, signed by a known log key of that name.
3. A public key counts as one witness, whatever names it goes by, and a log key as none.

It does not compare checkpoints: `audit.verify.verify_growth` and a witness do. Whoever cosigns must have verified
the growth from the last checkpoint they saw first. Extension lines are kept, because signatures cover them.

Source: C2SP tlog-checkpoint v1.0.0, tlog-cosignature v1.0.1 (Ed25519).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from audit.errors import InvalidFormat, NotProven
from audit.frozen import frozen
from audit.lines import parse_decimal, parse_hash
from audit.merkle import EMPTY_ROOT
from audit.note import Algorithm, Signer, Verified, Verifier, open_note, parse_note, sign_note


@frozen
class Checkpoint:
    """The state of a log: its identity, how many entries it holds, and the root of their tree."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def encode(self) -> str:
        """Return the note text of the checkpoint.

        Raises:
            ValueError: the fields are not those of a checkpoint.
        """
        root = base64.b64encode(self.root).decode()
        text = "".join(f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions))
        try:
            parsed = parse_checkpoint(text)
        except InvalidFormat as error:
            raise ValueError(str(error)) from error
        if parsed != self:
            raise ValueError("expected checkpoint fields without newlines")
        return text


@frozen
class Cosignature:
    """A witness's verified statement that it saw this checkpoint, consistent with all it saw before."""

    name: str
    key_id: bytes
    time_s: int


@frozen
class OpenedCheckpoint:
    """A checkpoint whose log signature verified, and the outside witnesses that cosigned it."""

    checkpoint: Checkpoint
    witnesses: tuple[Cosignature, ...]


def parse_checkpoint(text: str) -> Checkpoint:
    """Parse the note text of a checkpoint.

    Raises:
        InvalidFormat: it is malformed, or states a root for an empty log that is not the empty root.
    """
    *lines, rest = text.split("\n")
    if rest or len(lines) < 3 or not all(lines):
        raise InvalidFormat("expected a checkpoint of origin, size and root lines, got something else")
    origin, size, root, *extensions = lines
    checkpoint = Checkpoint(origin, parse_decimal(size, "checkpoint size"), parse_hash(root), tuple(extensions))
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise InvalidFormat("expected the empty root for an empty log, got another")
    return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, signers: Iterable[Signer]) -> bytes:
    """Return the signed note of a checkpoint; the first signer is the log, under the name of its origin."""
    keys = tuple(signers)
    if not keys or keys[0].name != checkpoint.origin:
        raise ValueError("expected the log's own signer, named like the origin, first")
    return sign_note(checkpoint.encode(), keys)


def open_checkpoint(data: bytes, verifiers: Sequence[Verifier], origin: str) -> OpenedCheckpoint:
    """Parse a signed checkpoint, verify its log signature and those of the witnesses among the known keys.

    Raises:
        InvalidFormat: the note or the checkpoint is malformed.
        NotProven: it is of another origin, no known log key of that name signed it, or a known key's signature fails.
    """
    opened = open_note(data, verifiers)
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin != origin:
        raise NotProven("expected a checkpoint of the log asked for, got one of another origin")
    if not any(_is_log_key(one.verifier, origin) for one in opened.verified):
        raise NotProven("expected the signature of the log itself, got only those of others")
    log_keys = {verifier.public_key for verifier in verifiers if _is_log_key(verifier, origin)}
    return OpenedCheckpoint(checkpoint, _outside_witnesses(opened.verified, log_keys))


def _outside_witnesses(verified: Sequence[Verified], log_keys: set[bytes]) -> tuple[Cosignature, ...]:
    counted, witnesses = set(log_keys), []
    for one in verified:
        # A cosignature does not commit to its name, so one key could sign as many.
        if one.time_s is not None and one.verifier.public_key not in counted:
            counted.add(one.verifier.public_key)
            witnesses.append(Cosignature(one.verifier.name, one.verifier.key_id, one.time_s))
    return tuple(witnesses)


def _is_log_key(verifier: Verifier, origin: str) -> bool:
    return verifier.algorithm is Algorithm.ED25519 and verifier.name == origin


def cosign(data: bytes, signer: Signer, *, time_s: int) -> bytes:
    """Return the signature line of a witness over a signed checkpoint, stating the time in POSIX seconds.

    The caller has opened the checkpoint and verified its growth; this only signs. Append the line with
    `audit.note.add_signatures`.

    Raises:
        InvalidFormat: the data is not a signed checkpoint.
    """
    text = parse_note(data).text
    parse_checkpoint(text)
    return signer.sign(text, time_s=time_s).encode()
