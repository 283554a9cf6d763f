"""Evidence of a fork: found for any two sizes, checked offline, and never against a log that only grew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit.__main__ import DONE, NOT_VERIFIED, main
from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.errors import AuditError, InvalidFormat, NotProven
from audit.fork import Fork, find_fork, parse_fork, verify_fork
from audit.frozen import replace
from audit.merkle import consistency_proof, leaf_hash, root_of
from audit.note import Signer
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, leaves, publish, reader

TRUE = leaves(40)
OTHER = [*TRUE[:5], *reversed(TRUE[5:])]
KEYS = [UNSAFE_LOG_SIGNER.verifier]


def note(entries: list[bytes], signer: Signer = UNSAFE_LOG_SIGNER) -> bytes:
    """A signed checkpoint of a log of these entries."""
    hashes = [leaf_hash(entry) for entry in entries]
    return sign_checkpoint(Checkpoint(signer.name, len(hashes), root_of(hashes)), [signer])


def evidence(size: int) -> Fork:
    """The evidence of a log that showed another beginning of this size."""
    fork = find_fork(note(OTHER[:size]), note(TRUE), reader(publish(TRUE)))
    assert fork is not None
    return fork


@pytest.mark.parametrize("size", [6, 7, 8, 16, 31, 32, 33, 39, 40])
def test_two_histories_are_found_and_proven(size: int) -> None:
    """Whatever the sizes, powers of two among them: found in either order, and verified from the file alone."""
    fork = evidence(size)
    turned = find_fork(note(TRUE), note(OTHER[:size]), reader(publish(TRUE)))
    assert turned is not None
    assert {turned.older, turned.newer} == {fork.older, fork.newer}
    verify_fork(turned, KEYS)
    again = parse_fork(fork.encode())
    assert (again, again.encode()) == (fork, fork.encode())
    older, newer = verify_fork(again, KEYS)
    assert (older.checkpoint.size, newer.checkpoint.size) == (size, len(TRUE))


@pytest.mark.parametrize("size", [0, 1, 5, 8, 40])
def test_a_log_that_grew_is_never_evidence(size: int) -> None:
    """Of one history nothing is found."""
    assert find_fork(note(TRUE[:size]), note(TRUE), reader(publish(TRUE))) is None


@pytest.mark.parametrize("size", [4, 5, 20, 40])
def test_an_honest_log_is_accused(size: int) -> None:
    """Attack: evidence made up from genuine checkpoints of one history, with any root and proof, is refused."""
    hashes = [leaf_hash(entry) for entry in TRUE]
    genuine = root_of(hashes[:size])
    honest = Fork(note(TRUE[:size]), note(TRUE), genuine, consistency_proof(hashes, size) if size < 40 else ())
    made_up = (
        honest,
        replace(honest, prefix=b"\x07" * 32),
        replace(honest, proof=(b"\x07" * 32,) * 3),
        replace(honest, older=honest.newer, newer=honest.older),
        replace(honest, older=note([]), prefix=b"\x07" * 32, proof=()),
    )
    for fork in made_up:
        with pytest.raises(NotProven):
            verify_fork(fork, KEYS)


def test_somebody_else_signs_the_other_history() -> None:
    """Attack: a history that another key signed, under the log's name or its own, accuses nobody."""
    fork = evidence(20)
    for signer in (Signer(ORIGIN, b"\x09" * 32), Signer("other.example/log", b"\x09" * 32)):
        forged = replace(fork, older=note(OTHER[:20], signer))
        with pytest.raises(NotProven):
            verify_fork(forged, KEYS)
        with pytest.raises(NotProven):
            verify_fork(forged, [*KEYS, Signer("other.example/log", b"\x09" * 32).verifier])
    with pytest.raises(NotProven):
        verify_fork(fork, [])


def test_every_flipped_byte_of_the_evidence_is_refused() -> None:
    """A byte changed anywhere breaks the form, a signature or the proof."""
    data = evidence(21).encode()
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(AuditError):
            verify_fork(parse_fork(changed), KEYS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"format":"mentorplane-fork/2"}',
        b'{"format":"mentorplane-fork/1"}',
        b'{"format":"mentorplane-fork/1","newer":1,"older":"","prefix":"","proof":[]}',
        b'{"format":"mentorplane-fork/1","newer":"","older":"","prefix":"","proof":{}}',
        b'{"format":"mentorplane-fork/1","newer":"","older":"","prefix":"QUJD","proof":[]}',
        b"[" * 70_000,
    ],
)
def test_malformed_evidence_is_refused(data: bytes) -> None:
    """Other versions, types and lengths raise nothing but `InvalidFormat`."""
    with pytest.raises(InvalidFormat):
        parse_fork(data)


def test_missing_tiles_decide_nothing() -> None:
    """Without the tiles of the larger log nobody is accused, and nobody is cleared."""
    with pytest.raises(NotProven):
        find_fork(note(OTHER[:20]), note(TRUE), reader({}))


def test_the_command_proves_a_fork_offline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its name or its content: exit code 0 with the log's key, 2 without it, with another one or when altered."""
    data, vkey = evidence(20).encode(), KEYS[0].vkey
    file, renamed = tmp_path / "a.log-fork", tmp_path / "mail-attachment.txt"
    file.write_bytes(data)
    renamed.write_bytes(data)
    for path in (file, renamed):
        assert main(["verify", str(path), "--vkey", vkey]) == DONE
        assert "the log's key signed two histories" in capsys.readouterr().out
    assert main(["verify", str(file)]) == NOT_VERIFIED
    assert main(["verify", str(file), "--vkey", Signer(ORIGIN, b"\x09" * 32).verifier.vkey]) == NOT_VERIFIED
    file.write_bytes(data[:-9])
    assert main(["verify", str(file), "--vkey", vkey]) == NOT_VERIFIED
    capsys.readouterr()
    assert main(["verify", str(renamed), "--vkey", vkey, "--json"]) == DONE
    document = json.loads(capsys.readouterr().out)
    assert (document["origin"], document["older"]["size"], document["newer"]["size"]) == (ORIGIN, 20, 40)
