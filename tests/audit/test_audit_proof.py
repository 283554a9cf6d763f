"""Proof files: one form each, and nothing but the entry at its index under a checkpoint that the policy accepts."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import AuditError, InvalidFormat, NotProven
from audit.checkpoint import cosign, parse_checkpoint
from audit.merkle import HASH_BYTES
from audit.note import Algorithm, Signer, add_signatures, parse_note
from audit.policy import parse_policy
from audit.proof import MAX_EXTRA_BYTES, TlogProof, parse_proof, prove_entry, verify_entry, verify_entry_by_keys
from audit.tiles import TileReader
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, VECTORS, publish, reader
from tests.vectors.generate import LOG_ORIGIN, UNSAFE_LOG, UNSAFE_WITNESS

ENTRIES = [b"entry %d" % index for index in range(300)]
FILES = publish(ENTRIES)
WITNESS = Signer("w.example", b"\x31" * 32, Algorithm.COSIGNATURE)
CHECKPOINT = add_signatures(FILES["checkpoint"], cosign(FILES["checkpoint"], WITNESS, time_s=7))
OPENED = parse_checkpoint(parse_note(CHECKPOINT).text)
READER = TileReader(reader(FILES), size=OPENED.size, root=OPENED.root)
POLICY = parse_policy(f"log {UNSAFE_LOG_SIGNER.verifier.vkey}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n".encode())
GOLDEN = (VECTORS / "mentorplane" / "audit" / "entry.tlog-proof").read_bytes()


@pytest.mark.parametrize("index", [0, 1, 254, 255, 256, 299])
def test_proof_of_an_entry_verifies_and_reads_back(index: int) -> None:
    """A proof made from tiles verifies for its entry, by the policy and by keys, and has one form."""
    proof = prove_entry(READER, index, CHECKPOINT, extra=b"\0" * (index % 2))
    assert parse_proof(proof.encode()) == proof
    assert parse_proof(proof.encode()).encode() == proof.encode()
    assert verify_entry(proof, ENTRIES[index], POLICY).names == ("w",)
    opened = verify_entry_by_keys(proof, ENTRIES[index], [UNSAFE_LOG_SIGNER.verifier], origin=ORIGIN)
    assert opened.witnesses == ()


def test_golden_proof_verifies() -> None:
    """The published proof file reads back to its bytes and verifies for its entry under the published keys."""
    proof = parse_proof(GOLDEN)
    assert proof.encode() == GOLDEN
    keys = [UNSAFE_LOG.verifier, UNSAFE_WITNESS.verifier]
    opened = verify_entry_by_keys(proof, b"entry 5", keys, origin=LOG_ORIGIN)
    assert [one.name for one in opened.witnesses] == [UNSAFE_WITNESS.name]
    assert (proof.index, proof.extra) == (5, b"UNSAFE extra")


def test_attack_every_flipped_byte_of_a_proof() -> None:
    """No byte can change unseen, but for those of the extra data, which nothing authenticates."""
    proof = prove_entry(READER, 123, CHECKPOINT, extra=b"extra data")
    data = proof.encode()
    line = data.index(b"extra ") + len(b"extra ")
    free = range(line, data.index(b"\n", line))
    for at in range(len(data)):
        for mask in (0x01, 0x20, 0x80):
            changed = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
            try:
                found = parse_proof(changed)
                verify_entry(found, ENTRIES[123], POLICY)
            except AuditError:
                continue
            assert at in free
            assert found.extra != proof.extra


def test_attack_another_entry_index_or_root() -> None:
    """A proof holds for its own entry, index and checkpoint only."""
    proof = prove_entry(READER, 5, CHECKPOINT)
    other = publish(ENTRIES[:299])["checkpoint"]
    other = add_signatures(other, cosign(other, WITNESS, time_s=7))
    wrong = [
        (proof, ENTRIES[6]),
        (TlogProof(6, proof.hashes, CHECKPOINT), ENTRIES[5]),
        (TlogProof(300, proof.hashes, CHECKPOINT), ENTRIES[5]),
        (TlogProof(5, proof.hashes[:-1], CHECKPOINT), ENTRIES[5]),
        (TlogProof(5, (*proof.hashes, bytes(HASH_BYTES)), CHECKPOINT), ENTRIES[5]),
        (TlogProof(5, proof.hashes, other), ENTRIES[5]),
    ]
    for found, entry in wrong:
        with pytest.raises(NotProven):
            verify_entry(found, entry, POLICY)
        with pytest.raises(NotProven):
            verify_entry_by_keys(found, entry, [UNSAFE_LOG_SIGNER.verifier], origin=ORIGIN)


def test_attack_proof_without_the_quorum() -> None:
    """A proof under a checkpoint that no witness cosigned does not verify under a policy that asks for one."""
    proof = prove_entry(READER, 5, FILES["checkpoint"])
    with pytest.raises(NotProven, match="no outside witness"):
        verify_entry(proof, ENTRIES[5], POLICY)


HEAD = b"c2sp.org/tlog-proof@v1\n"
HASH_LINE = base64.b64encode(bytes(HASH_BYTES)) + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD,
        b"c2sp.org/tlog-proof@v2\nindex 1\n\n" + CHECKPOINT,
        b"\n" + HEAD + b"index 1\n\n" + CHECKPOINT,
        HEAD + b"\n" + CHECKPOINT,
        HEAD + b"index 1\n" + CHECKPOINT,
        HEAD + b"index 1\n\n",
        HEAD + b"index 1\n\n\n" + CHECKPOINT,
        HEAD + b"index 01\n\n" + CHECKPOINT,
        HEAD + b"index +1\n\n" + CHECKPOINT,
        HEAD + b"index -1\n\n" + CHECKPOINT,
        HEAD + b"index 1_0\n\n" + CHECKPOINT,
        HEAD + b"index 1 \n\n" + CHECKPOINT,
        HEAD + "index \u0661\n\n".encode() + CHECKPOINT,
        HEAD + b"index 9223372036854775808\n\n" + CHECKPOINT,
        HEAD + b"index 1\nextra QUJD\n\n" + CHECKPOINT,
        HEAD + b"extra \nindex 1\n\n" + CHECKPOINT,
        HEAD + b"extra QUJ=\nindex 1\n\n" + CHECKPOINT,
        HEAD + b"extra QUI\nindex 1\n\n" + CHECKPOINT,
        HEAD + b"extra QUJD\nextra QUJD\nindex 1\n\n" + CHECKPOINT,
        HEAD + b"index 1\nindex 1\n\n" + CHECKPOINT,
        HEAD + b"index 1\nQUJD\n\n" + CHECKPOINT,
        HEAD + b"index 1\n" + HASH_LINE.replace(b"A=", b"B=") + b"\n" + CHECKPOINT,
        HEAD + b"index 1\n" + HASH_LINE * 64 + b"\n" + CHECKPOINT,
        (HEAD + b"index 1\n\n" + CHECKPOINT).replace(b"\n", b"\r\n"),
        HEAD + b"index 1\n\n" + CHECKPOINT + b"\n",
        HEAD + b"index 1\n\nno checkpoint\n\n" + CHECKPOINT.partition(b"\n\n")[2],
        HEAD + b"index 1\n\n" + b"x" * 3_000_001,
    ],
)
def test_malformed_proof_is_refused(data: bytes) -> None:
    """Other versions, other forms of numbers and base64, lines too many or in another order are refused."""
    with pytest.raises(InvalidFormat):
        parse_proof(data)


def test_most_hashes_are_read_and_one_more_is_never_written() -> None:
    """63 hashes are the most that any tree needs."""
    most = TlogProof(0, (bytes(HASH_BYTES),) * 63, CHECKPOINT)
    assert parse_proof(most.encode()) == most


@pytest.mark.parametrize(
    "proof",
    [
        TlogProof(-1, (), CHECKPOINT),
        TlogProof(2**63, (), CHECKPOINT),
        TlogProof(0, (bytes(HASH_BYTES),) * 64, CHECKPOINT),
        TlogProof(0, (b"short",), CHECKPOINT),
        TlogProof(0, (), b"no checkpoint"),
        TlogProof(0, (), CHECKPOINT, b"x" * (MAX_EXTRA_BYTES + 1)),
    ],
)
def test_wrong_fields_are_never_written(proof: TlogProof) -> None:
    """A proof that would not read back is not encoded."""
    with pytest.raises(ValueError, match="expected"):
        proof.encode()


def test_proof_is_made_for_the_checkpoint_of_the_tiles_only() -> None:
    """Tiles of one checkpoint and the note of another do not make a proof."""
    with pytest.raises(ValueError, match="got another"):
        prove_entry(READER, 1, publish(ENTRIES[:299])["checkpoint"])


@given(st.binary(max_size=60), st.integers(0, 200))
def test_any_bytes_raise_invalid_format_or_round_trip(noise: bytes, at: int) -> None:
    """Parsing raises nothing but `InvalidFormat`."""
    for data in (noise, GOLDEN[:at] + noise + GOLDEN[at:], GOLDEN[:at] + noise):
        try:
            proof = parse_proof(data)
        except InvalidFormat:
            continue
        assert proof.encode() == data
