"""What a witness does with a request to cosign a checkpoint: decided from bytes and state, without disk or network.

A witness keeps, for each log it knows, the latest checkpoint that it cosigned, and cosigns another one only if that
one extends it. The decision is split in two, so that a server can verify signatures before it takes its lock:
`receive` needs the request and the known keys only, `decide` the latest checkpoint of that log as well.

| Status | When |
|---|---|
| 200 | all checks passed: the cosignature; `Answer.note` is to be stored before the answer leaves |
| 400 | the request is malformed, or its old size is larger than its checkpoint |
| 403 | no known key of the log signed the checkpoint, or a known key's signature fails |
| 404 | the log is unknown |
| 409 | the old size is not that of the latest checkpoint: its size, as `text/x.tlog.size` |
| 422 | the checkpoint does not extend the latest one: proof, root at the same size, or the root of an empty log |

Promises:
1. A 200 names a checkpoint that the latest one is a prefix of; every other answer leaves the state as it was.
2. Neither function raises for what a request holds.

It does not make its check and its storing one step: whoever keeps the state does (`audit.witness.store`).

Source: C2SP tlog-witness v1.0.0; tlog-cosignature v1.0.1 (Ed25519).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from audit.checkpoint import Checkpoint, cosign, open_checkpoint, parse_checkpoint
from audit.errors import InvalidFormat, NotProven
from audit.frozen import frozen
from audit.lines import MAX_PROOF_LINES, encode_hashes, parse_decimal, parse_hashes
from audit.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, verify_consistency
from audit.note import MAX_NOTE_BYTES, Note, Signer, Verifier, parse_note

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"
MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 64 * 64
_OLD = "old "


@frozen
class AddCheckpoint:
    """A request to cosign: the size that the witness should know, the proof from there, and the signed checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """Return the body of the request.

        Raises:
            ValueError: the fields are not those of a request.
        """
        if not 0 <= self.old_size <= MAX_SIZE or len(self.proof) > MAX_PROOF_LINES:
            raise ValueError(f"expected a size from 0 to 2^63-1 and at most {MAX_PROOF_LINES} hashes")
        if any(len(value) != HASH_BYTES for value in self.proof):
            raise ValueError(f"expected hashes of {HASH_BYTES} bytes")
        return f"{_OLD}{self.old_size}\n".encode() + encode_hashes(self.proof) + b"\n" + self.checkpoint


def parse_request(data: bytes) -> AddCheckpoint:
    """Parse the body of an add-checkpoint request; its checkpoint is kept verbatim and not looked at.

    Raises:
        InvalidFormat: it is malformed, too long, or has too many proof lines.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise InvalidFormat(f"expected a request of at most {MAX_REQUEST_BYTES} bytes, got {len(data)}")
    # Proof lines are never empty, so the first blank line ends them.
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidFormat("expected the lines of a request in ASCII, got other bytes") from error
    if not blank or not first.startswith(_OLD):
        raise InvalidFormat("expected an old size line, proof lines, a blank line and a checkpoint, got something else")
    return AddCheckpoint(parse_decimal(first.removeprefix(_OLD), "old size"), parse_hashes(lines), checkpoint)


@frozen
class Answer:
    """What to reply, why, for which log, and on a 200 the note to store first; `because` is for the witness's log.

    `conflict` marks two checkpoints of one size and two roots, both signed by the log: proof that it forked.
    """

    status: int
    body: bytes
    because: str
    origin: str = ""
    content_type: str = TEXT_TYPE
    note: bytes | None = None
    conflict: bool = False


@frozen
class Submission:
    """A request whose checkpoint a known log signed; nothing is known yet of whether the log only grew."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: bytes


def state_name(origin: str) -> str:
    """Return the name under which a witness publishes its latest checkpoint of a log."""
    return hashlib.sha256(origin.encode()).hexdigest()


def receive(data: bytes, logs: Sequence[Verifier]) -> Submission | Answer:
    """Parse a request and verify that a known log signed its checkpoint; any failure is an answer."""
    try:
        request = parse_request(data)
        note = parse_note(request.checkpoint)
        origin = note.text.partition("\n")[0]
        known = [log for log in logs if log.name == origin]
        if not known:
            return _refuse(404, "unknown log")
        # The signature is over the note's text, whatever it says: 403 comes before what is wrong with a checkpoint.
        if _is_false_empty_root(note.text):
            _require_signature(note, known)
            return _refuse(422, "an empty log with a root that is not the empty root", origin)
        opened = open_checkpoint(request.checkpoint, known, origin)
    except InvalidFormat as error:
        return _refuse(400, str(error))
    except NotProven as error:
        return _refuse(403, str(error), origin)
    if request.old_size > opened.checkpoint.size:
        return _refuse(400, f"old size {request.old_size} of a checkpoint of {opened.checkpoint.size}", origin)
    return Submission(request.old_size, request.proof, opened.checkpoint, _by_log_only(note, known))


def decide(submission: Submission, latest: Checkpoint | None, signer: Signer, *, time_s: int) -> Answer:
    """Decide on a submission, given the latest checkpoint of its log that this witness cosigned, if any."""
    old, new = latest or Checkpoint(submission.checkpoint.origin, 0, EMPTY_ROOT), submission.checkpoint
    if submission.old_size != old.size:
        because = f"old size {submission.old_size}, but the latest checkpoint has {old.size}"
        return Answer(409, f"{old.size}\n".encode(), because, new.origin, SIZE_TYPE)
    if new.size == old.size and new.root != old.root:
        because = f"another root at size {new.size}: the log signed two histories"
        return Answer(422, b"another root at this size\n", because, new.origin, conflict=True)
    try:
        _verify_growth(old, new, submission.proof)
    except NotProven as error:
        return _refuse(422, f"size {old.size} to {new.size}: {error}", new.origin)
    line = cosign(submission.note, signer, time_s=time_s)
    return Answer(200, line, f"size {new.size}", new.origin, note=submission.note + line)


def _verify_growth(old: Checkpoint, new: Checkpoint, proof: tuple[bytes, ...]) -> None:
    if old.size == 0:  # every tree extends the empty one, and no proof says so
        if proof:
            raise NotProven(f"expected no proof from an empty log, got {len(proof)} hashes")
        return
    verify_consistency(size1=old.size, root1=old.root, size2=new.size, root2=new.root, proof=proof)


def _refuse(status: int, because: str, origin: str = "") -> Answer:
    return Answer(status, f"{because}\n".encode("ascii", "backslashreplace"), because, origin)


def _is_false_empty_root(text: str) -> bool:
    """Say whether a text is a checkpoint in all but this: its log is empty, its root not that of an empty log."""
    origin, _, rest = text.partition("\n")
    if not rest.startswith("0\n"):
        return False
    try:
        return parse_checkpoint(f"{origin}\n1{rest[1:]}").root != EMPTY_ROOT
    except InvalidFormat:
        return False


def _require_signature(note: Note, known: Sequence[Verifier]) -> None:
    by_log = [line for line in note.signatures if _is_of(known, line.name, line.key_id)]
    if not by_log:
        raise NotProven("expected the signature of the log itself, got only those of others")
    for line in by_log:
        next(one for one in known if one.key_id == line.key_id).verify(note.text, line)


def _by_log_only(note: Note, known: Sequence[Verifier]) -> bytes:
    """Return the note without the signatures of others, so that nobody can have the witness store and serve theirs."""
    return Note(note.text, tuple(s for s in note.signatures if _is_of(known, s.name, s.key_id))).encode()


def _is_of(known: Sequence[Verifier], name: str, key_id: bytes) -> bool:
    return any((log.name, log.key_id) == (name, key_id) for log in known)
