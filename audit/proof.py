"""Proof files (`.tlog-proof`): one entry's place in a log, checkable offline with nothing but keys and the entry.

Promises:
1. Exactly one byte string stands for a proof: `parse_proof(data).encode() == data`, and the checkpoint is kept
   verbatim.
2. `verify_entry` returns only if the log signed the checkpoint, the policy's quorum of witnesses cosigned it, and the
   proof leads from this entry at this index to its root.

It does not authenticate `extra`: nothing signs it, so nobody may act on it without other proof.

Source: C2SP tlog-proof v1.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from audit.checkpoint import Checkpoint, OpenedCheckpoint, open_checkpoint, parse_checkpoint
from audit.errors import InvalidFormat
from audit.frozen import frozen
from audit.lines import MAX_PROOF_LINES, encode_hashes, parse_base64, parse_decimal, parse_hashes
from audit.merkle import HASH_BYTES, MAX_SIZE, leaf_hash, verify_inclusion
from audit.note import MAX_NOTE_BYTES, Verifier, parse_note
from audit.policy import Policy, Verdict, verify_checkpoint
from audit.tiles import TileReader

SUFFIX = ".tlog-proof"
MAX_EXTRA_BYTES = 1_000_000
MAX_PROOF_BYTES = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES
_HEADER = "c2sp.org/tlog-proof@v1"


@frozen
class TlogProof:
    """The index of an entry, its inclusion proof, and the signed checkpoint it leads to; `extra` is unauthenticated."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes of the proof file.

        Raises:
            ValueError: the fields are not those of a proof.
        """
        if not 0 <= self.index <= MAX_SIZE or len(self.extra) > MAX_EXTRA_BYTES:
            raise ValueError("expected an index from 0 to 2^63-1 and extra data within its bound")
        if len(self.hashes) > MAX_PROOF_LINES or any(len(value) != HASH_BYTES for value in self.hashes):
            raise ValueError(f"expected at most {MAX_PROOF_LINES} hashes of {HASH_BYTES} bytes")
        try:
            _require_checkpoint(self.checkpoint)
        except InvalidFormat as error:
            raise ValueError(str(error)) from error
        extra = f"extra {base64.b64encode(self.extra).decode()}\n" if self.extra else ""
        head = f"{_HEADER}\n{extra}index {self.index}\n"
        return head.encode() + encode_hashes(self.hashes) + b"\n" + self.checkpoint


def parse_proof(data: bytes) -> TlogProof:
    """Parse a proof file without verifying anything.

    Raises:
        InvalidFormat: it is malformed, too long, or holds no well-formed signed checkpoint.
    """
    if len(data) > MAX_PROOF_BYTES:
        raise InvalidFormat(f"expected a proof of at most {MAX_PROOF_BYTES} bytes, got {len(data)}")
    # The lines before the checkpoint are never empty, so the first blank line ends them.
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidFormat("expected the lines of a proof in ASCII, got other bytes") from error
    if not blank or first != _HEADER:
        raise InvalidFormat(f"expected a proof that begins with {_HEADER}, got something else")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = parse_base64(lines.pop(0).removeprefix("extra "))
        if not 1 <= len(extra) <= MAX_EXTRA_BYTES:
            raise InvalidFormat(f"expected 1 to {MAX_EXTRA_BYTES} bytes of extra data, got {len(extra)}")
    if not lines or not lines[0].startswith("index "):
        raise InvalidFormat("expected an index line, got something else")
    index = parse_decimal(lines[0].removeprefix("index "), "index")
    _require_checkpoint(checkpoint)
    return TlogProof(index, parse_hashes(lines[1:]), checkpoint, extra)


def _require_checkpoint(data: bytes) -> Checkpoint:
    return parse_checkpoint(parse_note(data).text)


def prove_entry(reader: TileReader, index: int, checkpoint: bytes, *, extra: bytes = b"") -> TlogProof:
    """Return the proof of the entry at an index under the signed checkpoint whose tree the reader reads.

    Raises:
        NotProven: a tile is missing or does not lead to the root.
        ValueError: the index is beyond the log, or the checkpoint is another one.
    """
    opened = _require_checkpoint(checkpoint)
    if (opened.size, opened.root) != (reader.size, reader.root):
        raise ValueError("expected the checkpoint that the tiles are read for, got another")
    return TlogProof(index, reader.inclusion_proof(index), checkpoint, extra)


def verify_entry(proof: TlogProof, entry: bytes, policy: Policy) -> Verdict:
    """Verify that this entry stands in a log of the policy, at the proof's index, under a checkpoint that it accepts.

    Raises:
        InvalidFormat: the checkpoint is malformed.
        NotProven: the policy refuses the checkpoint, or the proof does not lead from the entry to its root.
    """
    verdict = verify_checkpoint(policy, proof.checkpoint)
    _verify_place(proof, entry)
    return verdict


def verify_entry_by_keys(
    proof: TlogProof, entry: bytes, verifiers: Sequence[Verifier], *, origin: str
) -> OpenedCheckpoint:
    """Verify that this entry stands in the log of this origin, at the proof's index.

    Whose witnesses are enough is the caller's to decide: the result lists those that verified, possibly none.

    Raises:
        InvalidFormat: the checkpoint is malformed.
        NotProven: the log did not sign it, a known key's signature fails, or the proof does not lead to its root.
    """
    opened = open_checkpoint(proof.checkpoint, verifiers, origin)
    _verify_place(proof, entry)
    return opened


def _verify_place(proof: TlogProof, entry: bytes) -> None:
    checkpoint = _require_checkpoint(proof.checkpoint)
    verify_inclusion(
        leaf=leaf_hash(entry),
        index=proof.index,
        size=checkpoint.size,
        proof=proof.hashes,
        root=checkpoint.root,
    )
