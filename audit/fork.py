"""Evidence of a fork: two checkpoints that a log's key signed, of histories that are not one.

A log that grows leads from each checkpoint to every later one. Whoever sees one that does not keeps both notes, the
root that the newer history really had at the size of the older one, and the proof of that: nobody need be believed to
check it, and nobody but the holder of the log's key could have made it.

Promises:
1. Exactly one byte string stands for a piece of evidence: `parse_fork(data).encode() == data`; notes are kept verbatim.
2. `verify_fork` returns only if the log's key signed both checkpoints and the newer history does not begin with the
   older one. A log that only grows can never be accused by it.
3. `find_fork` finds the evidence whatever the two sizes are, from the tiles of the larger one.

It does not say who was shown which history, or which one is true.

Source: RFC 6962 section 2.1.2; docs/formats.md, `mentorplane-fork/1`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from audit.canonical import canonical, parse_canonical
from audit.checkpoint import Checkpoint, OpenedCheckpoint, open_checkpoint, parse_checkpoint
from audit.errors import InvalidFormat, NotProven
from audit.frozen import frozen
from audit.lines import parse_base64
from audit.merkle import HASH_BYTES, MAX_ENTRY_BYTES, verify_consistency
from audit.note import Verifier, parse_note
from audit.tiles import Read, TileReader

FORMAT = "mentorplane-fork/1"
SUFFIX = ".log-fork"
MAX_FORK_BYTES = MAX_ENTRY_BYTES
BEGINNING = b'{"format":"mentorplane-fork/1",'
_MEMBERS = {"format", "newer", "older", "prefix", "proof"}


@frozen
class Fork:
    """Two signed checkpoints, the smaller first; what the newer log's first entries lead to, and the proof of it."""

    older: bytes
    newer: bytes
    prefix: bytes
    proof: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the bytes of the evidence: canonical JSON.

        Raises:
            InvalidFormat: the notes are not text.
        """
        try:
            document = {
                "format": FORMAT,
                "older": self.older.decode(),
                "newer": self.newer.decode(),
                "prefix": base64.b64encode(self.prefix).decode(),
                "proof": [base64.b64encode(node).decode() for node in self.proof],
            }
        except UnicodeDecodeError as error:
            raise InvalidFormat("expected notes in UTF-8, got other bytes") from error
        return canonical(document)


def parse_fork(data: bytes) -> Fork:
    """Parse a piece of evidence without verifying anything.

    Raises:
        InvalidFormat: it is malformed, too long, or holds no two well-formed signed checkpoints.
    """
    document = parse_canonical(data)
    if not isinstance(document, dict) or document.get("format") != FORMAT or set(document) != _MEMBERS:
        raise InvalidFormat(f"expected a document of {FORMAT}, got something else")
    proof = document["proof"]
    texts = [document["older"], document["newer"], document["prefix"], *(proof if isinstance(proof, list) else [None])]
    if not all(isinstance(text, str) for text in texts):
        raise InvalidFormat("expected notes and hashes as texts, got something else")
    older, newer, *hashes = texts
    prefix, *nodes = (parse_base64(text) for text in hashes)
    if any(len(value) != HASH_BYTES for value in (prefix, *nodes)):
        raise InvalidFormat(f"expected hashes of {HASH_BYTES} bytes, got another length")
    fork = Fork(older.encode(), newer.encode(), prefix, tuple(nodes))
    for note in (fork.older, fork.newer):
        stated(note)
    return fork


def stated(note: bytes) -> Checkpoint:
    """Return what a signed checkpoint states, whoever signed it.

    Raises:
        InvalidFormat: it is malformed.
    """
    return parse_checkpoint(parse_note(note).text)


def find_fork(one: bytes, other: bytes, read: Read) -> Fork | None:
    """Return the evidence that two signed checkpoints are of two histories; None if one of them grew from the other.

    Args:
        one: a signed checkpoint.
        other: another one of the same log.
        read: reads the tiles of the larger one.

    Raises:
        InvalidFormat: a checkpoint or a tile is malformed.
        NotProven: a tile is missing or does not lead to the root of its checkpoint, so nobody can say.
    """
    older, newer = sorted((one, other), key=lambda note: stated(note).size)
    before, after = stated(older), stated(newer)
    if before.size == after.size:
        return None if before.root == after.root else Fork(older, newer, after.root, ())
    if before.size == 0:  # every log begins with nothing
        return None
    tiles = TileReader(read, size=after.size, root=after.root)
    prefix = tiles.root_at(before.size)
    if prefix == before.root:
        return None
    return Fork(older, newer, prefix, tiles.consistency_proof(size=before.size, root=prefix))


def verify_fork(fork: Fork, verifiers: Sequence[Verifier]) -> tuple[OpenedCheckpoint, OpenedCheckpoint]:
    """Verify that the key of one log signed two histories; return both checkpoints.

    Raises:
        InvalidFormat: a checkpoint is malformed.
        NotProven: a checkpoint is of another log or not signed by its key, or they are of one history after all.
    """
    origin = stated(fork.older).origin
    older, newer = (open_checkpoint(note, verifiers, origin) for note in (fork.older, fork.newer))
    before, after = older.checkpoint, newer.checkpoint
    verify_consistency(
        size1=before.size, root1=fork.prefix, size2=after.size, root2=after.root, proof=fork.proof
    )  # so `prefix` is what the newer log had at that size, and nothing else can be
    if fork.prefix == before.root:
        raise NotProven("expected two histories, got a log that only grew")
    return older, newer
