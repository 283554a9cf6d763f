"""Checkpoints and cosignatures: one text per checkpoint, and who counts as a witness."""

from __future__ import annotations

import json
from typing import Any

import pytest

from audit import AuditError, InvalidFormat, NotProven
from audit.checkpoint import Checkpoint, cosign, open_checkpoint, parse_checkpoint, sign_checkpoint
from audit.merkle import EMPTY_ROOT, leaf_hash
from audit.note import Algorithm, Signer, add_signatures, parse_vkey, sign_note
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, VECTORS

COSIGNATURE: dict[str, Any] = json.loads((VECTORS / "tlog_cosignature.json").read_bytes())
UNSAFE_WITNESS = Signer("Wit1", bytes.fromhex(COSIGNATURE["seed_hex"]), Algorithm.COSIGNATURE)
CHECKPOINT = Checkpoint(ORIGIN, 1, leaf_hash(b"entry"))
SIGNED = sign_checkpoint(CHECKPOINT, [UNSAFE_LOG_SIGNER])
TEXT = CHECKPOINT.encode()


def test_cosignature_equals_the_cross_check() -> None:
    """Key id, vkey and signature line are those another implementation of the format computed."""
    tessera = VECTORS / "tessera"
    data = (tessera / "log" / "checkpoint.15").read_bytes()
    log = parse_vkey(json.loads((tessera / "facts.json").read_bytes())["vkey"])
    line = cosign(data, UNSAFE_WITNESS, time_s=COSIGNATURE["time"])
    assert line.decode() == COSIGNATURE["expected_line"]
    assert UNSAFE_WITNESS.verifier.vkey == COSIGNATURE["cosigner_vkey"]
    assert UNSAFE_WITNESS.verifier.key_id.hex() == COSIGNATURE["key_id_type_04_hex"]
    witness = parse_vkey(COSIGNATURE["cosigner_vkey"])
    opened = open_checkpoint(add_signatures(data, line), [log, witness], log.name)
    assert [(one.name, one.time_s) for one in opened.witnesses] == [("Wit1", COSIGNATURE["time"])]


def test_vkey_with_the_key_id_of_another_type_is_refused() -> None:
    """The key as its source publishes it carries the id of a plain note key under a cosigner's use."""
    published = parse_vkey(COSIGNATURE["vkey_as_published"])
    assert published.algorithm is Algorithm.ED25519
    mixed = COSIGNATURE["cosigner_vkey"].replace("9b3fb2d5", published.key_id.hex())
    with pytest.raises(InvalidFormat):
        parse_vkey(mixed)


@pytest.mark.parametrize(
    "checkpoint",
    [CHECKPOINT, Checkpoint(ORIGIN, 0, EMPTY_ROOT), Checkpoint("o", 2**63 - 1, b"\0" * 32, ("extension", "x"))],
)
def test_checkpoint_reads_back(checkpoint: Checkpoint) -> None:
    """Encode and parse are inverse, extension lines included."""
    assert parse_checkpoint(checkpoint.encode()) == checkpoint


@pytest.mark.parametrize(
    "size", ["01", "+1", "-1", "1_0", " 1", "1 ", "\u0661", "1.0", "", "0x1", str(2**63), "9" * 30]
)
def test_size_in_another_form_is_refused(size: str) -> None:
    """Everything that int() would take and the format does not is refused."""
    with pytest.raises(InvalidFormat):
        parse_checkpoint(TEXT.replace("\n1\n", f"\n{size}\n"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        TEXT[:-1],
        TEXT + "\n",
        "\n".join(TEXT.split("\n")[:2]) + "\n",
        TEXT.replace("=\n", "\n"),
        TEXT.replace("=\n", "==\n"),
        f"{ORIGIN}\n1\nQUJD\n",
        f"{ORIGIN}\n0\n" + "A" * 43 + "=\n",
        f"{ORIGIN}\n1\n" + "A" * 42 + "B=\n",  # 32 zero bytes, with a trailing bit set
        f"{ORIGIN}\r\n1\n" + "A" * 43 + "=\n\n",
        f"\n1\n{'A' * 43}=\n",
    ],
)
def test_malformed_checkpoint_is_refused(text: str) -> None:
    """Missing, empty and extra lines, base64 in another form and a false empty root are refused."""
    with pytest.raises(InvalidFormat):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("two\nlines", 1, b"\0" * 32),
        Checkpoint("", 1, b"\0" * 32),
        Checkpoint(ORIGIN, -1, b"\0" * 32),
        Checkpoint(ORIGIN, 0, b"\0" * 32),
        Checkpoint(ORIGIN, 1, b"\0" * 31),
        Checkpoint(ORIGIN, 1, b"\0" * 32, ("",)),
        Checkpoint(ORIGIN, 1, b"\0" * 32, ("two\nlines",)),
    ],
)
def test_wrong_fields_are_never_written(checkpoint: Checkpoint) -> None:
    """A checkpoint that would not read back the same is not encoded."""
    with pytest.raises(ValueError, match="expected"):
        checkpoint.encode()


def test_signing_needs_the_key_of_the_origin_first() -> None:
    """A log signs under its own name only."""
    for signers in ([], [Signer("other", b"\x02" * 32)]):
        with pytest.raises(ValueError, match="expected the log's own signer"):
            sign_checkpoint(CHECKPOINT, signers)


def test_attack_checkpoint_of_another_origin() -> None:
    """A checkpoint is not taken for that of another log, nor for one signed by another's key."""
    assert open_checkpoint(SIGNED, [UNSAFE_LOG_SIGNER.verifier], ORIGIN).checkpoint == CHECKPOINT
    with pytest.raises(NotProven):
        open_checkpoint(SIGNED, [UNSAFE_LOG_SIGNER.verifier], "log.example/other")
    borrowed = sign_note(TEXT.replace(ORIGIN, "log.example/other"), [UNSAFE_LOG_SIGNER])
    with pytest.raises(NotProven):
        open_checkpoint(borrowed, [UNSAFE_LOG_SIGNER.verifier], ORIGIN)
    stranger = Signer("stranger", b"\x03" * 32)
    forged = sign_note(TEXT, [stranger])
    with pytest.raises(NotProven):
        open_checkpoint(forged, [stranger.verifier, UNSAFE_LOG_SIGNER.verifier], ORIGIN)


def test_attack_witnesses_alone_do_not_make_a_checkpoint() -> None:
    """A checkpoint under a witness's cosignature without the log's own signature is refused."""
    line = cosign(SIGNED, UNSAFE_WITNESS, time_s=5)
    only = TEXT.encode() + b"\n" + line
    with pytest.raises(NotProven):
        open_checkpoint(only, [UNSAFE_LOG_SIGNER.verifier, UNSAFE_WITNESS.verifier], ORIGIN)


def test_attack_one_key_poses_as_two_witnesses() -> None:
    """A key counts as one witness under however many names, and the log's own key as none."""
    twin = Signer("Wit2", UNSAFE_WITNESS.seed, Algorithm.COSIGNATURE)
    own = Signer("Wit3", UNSAFE_LOG_SIGNER.seed, Algorithm.COSIGNATURE)
    data = SIGNED
    for signer in (own, UNSAFE_WITNESS, twin):
        data = add_signatures(data, cosign(SIGNED, signer, time_s=5))
    keys = [signer.verifier for signer in (UNSAFE_LOG_SIGNER, own, UNSAFE_WITNESS, twin)]
    assert [one.name for one in open_checkpoint(data, keys, ORIGIN).witnesses] == ["Wit1"]


def test_attack_cosignature_with_another_time() -> None:
    """The stated time is signed: every flipped byte of a cosigned checkpoint is refused."""
    data = add_signatures(SIGNED, cosign(SIGNED, UNSAFE_WITNESS, time_s=1_700_000_000))
    keys = [UNSAFE_LOG_SIGNER.verifier, UNSAFE_WITNESS.verifier]
    whole = open_checkpoint(data, keys, ORIGIN)
    assert len(whole.witnesses) == 1
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            opened = open_checkpoint(changed, keys, ORIGIN)
        except AuditError:
            continue
        # Only a changed name or key id, which makes the line a stranger's, leaves a checkpoint without a witness.
        assert opened.checkpoint == CHECKPOINT
        assert opened.witnesses == ()


def test_cosigning_needs_a_checkpoint_and_a_cosigner() -> None:
    """A note that is no checkpoint, and a plain key, are refused."""
    with pytest.raises(InvalidFormat):
        cosign(sign_note("text\n", [UNSAFE_LOG_SIGNER]), UNSAFE_WITNESS, time_s=1)
    with pytest.raises(ValueError, match="expected a time"):
        cosign(SIGNED, UNSAFE_LOG_SIGNER, time_s=1)
