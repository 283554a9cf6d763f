"""A revealed run, checked from the file alone: nothing in it is free, and nothing of it is believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit.__main__ import INVALID_INPUT, NOT_VERIFIED, main
from audit.canonical import canonical
from audit.commitment import commit
from audit.errors import AuditError, InvalidFormat, NotProven
from audit.frozen import replace
from audit.merkle import inclusion_proof, leaf_hash, leaf_hashes, root_of
from audit.reveal import Reveal, Shown, Way, parse_reveal, verify_reveal
from audit.rollups import Rollups, parse_rollups, rollups_of
from tests.conftest import places

SALT, TEXT = b"s" * 32, "You will write to Mara – by Thursday."
LEAVES = leaf_hashes(b"%d" % number for number in range(7))
DIGEST = "sha256:" + "a" * 64


def receipt(**other: object) -> dict[str, object]:
    """A receipt as a device writes it."""
    committed = [{"place": "output", "commitment": commit(TEXT, SALT)}]
    return {
        "format": "mentorplane-receipt/2",
        "number": 7,
        "previous": DIGEST,
        "at": "2026-11-27T10:00:00Z",
        "prompt": "opener",
        "version": DIGEST,
        "manifest": DIGEST,
        "route": "device",
        "rules": [],
        "findings": {"PERSON": 1},
        "sent_bytes": 0,
        "outcome": "filled",
        "release": 1,
        "stage": 1,
        "obligations": [],
        "model": "",
        "passed": ["schema"],
        "failed": [],
        "commitments": committed,
        **other,
    }


def revealed(**other: object) -> Reveal:
    """A reveal of one text, with its way."""
    said = receipt(**other)
    leaves = sorted([*LEAVES, leaf_hash(canonical(said))])
    index = leaves.index(leaf_hash(canonical(said)))
    way = Way("production", index, len(leaves), path=inclusion_proof(leaves, index), root=root_of(leaves))
    return Reveal(said, (Shown("output", TEXT, SALT),), way)


def test_what_its_owner_shows_verifies_and_has_one_form() -> None:
    """With and without a way; the bytes are the only ones of it."""
    for made in (revealed(), replace(revealed(), way=None)):
        verify_reveal(made)
        data = made.encode()
        again = parse_reveal(data)
        assert again.encode() == data
        assert again.day == "2026-11-27"
        verify_reveal(again)


def test_no_byte_of_a_reveal_is_free() -> None:
    """A flipped bit is refused, or what it leaves does not verify: but for the channel, which the log decides."""
    data = revealed().encode()
    free = range(data.index(b'"channel":"') + 11, data.index(b'","index"'))
    for at in places(len(data), 500):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        if at not in free:
            with pytest.raises(AuditError):
                verify_reveal(parse_reveal(flipped))


@pytest.mark.parametrize(
    "forged",
    [
        replace(revealed(), texts=(Shown("output", TEXT + " And pay him.", SALT),)),
        replace(revealed(), texts=(Shown("output", TEXT, b"t" * 32),)),
        replace(revealed(), texts=(Shown("disclosure", TEXT, SALT),)),
        replace(revealed(), texts=()),
        replace(revealed(), receipt=receipt(prompt="another")),
        replace(revealed(), receipt=receipt(version="sha256:" + "b" * 64)),
        replace(revealed(), way=replace(revealed().way, index=0, path=inclusion_proof(LEAVES, 0), size=len(LEAVES))),
    ],
    ids=["another text", "another salt", "another place", "no text", "another prompt", "another version", "elsewhere"],
)
def test_a_reveal_that_was_made_up(forged: Reveal) -> None:
    """Attack: the owner shows another text, another receipt, or a place that is somebody else's."""
    with pytest.raises(NotProven):
        verify_reveal(forged)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"format": "mentorplane-receipt/1"},
        {"at": "yesterday"},
        {"number": "7"},
        {"commitments": [{"place": "output", "commitment": commit(TEXT, SALT)}] * 2},
        {"device": "d-17"},
    ],
)
def test_a_receipt_of_another_form_is_refused(spoilt: dict[str, object]) -> None:
    """A version before, which commits to nothing, a member more, two commitments to one place: no reveal."""
    with pytest.raises(InvalidFormat):
        parse_reveal(replace(revealed(), receipt=receipt(**spoilt)).encode())


def test_the_roll_ups_of_a_day_have_one_form() -> None:
    """Each value once, in rising order; another order, a line more or less, a value twice are refused."""
    made = rollups_of("production", "2026-11-27", [LEAVES[2], LEAVES[0], LEAVES[0]])
    data = made.encode()
    assert parse_rollups(data) == made
    head, first, second, _ = data.split(b"\n")
    for spoilt in (
        b"\n".join((head, second, first, b"")),
        b"\n".join((head, first, first, b"")),
        data[:-1],
        data + b"\n",
        data.upper(),
        b"\n".join((head + b" x", first, b"")),
        b"",
    ):
        with pytest.raises(InvalidFormat):
            parse_rollups(spoilt)
    assert Rollups("production", "2026-11-27", made.values[:1]).digest != made.digest


def test_without_evidence_nothing_is_vouched_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file alone shows that the text is the receipt's; the rest is its owner's word, and the answer is no."""
    file = tmp_path / "run.reveal"
    file.write_bytes(revealed().encode())
    assert main(["verify", str(file), "--json"]) == NOT_VERIFIED
    document = json.loads(capsys.readouterr().out)
    assert {check["name"]: check["ok"] for check in document["checks"]} == {
        "texts": True,
        "release": False,
        "version": False,
        "day": False,
    }
    assert main(["verify", str(file)]) == NOT_VERIFIED
    assert TEXT not in capsys.readouterr().out  # what is not shown to be true is not printed as if it were
    file.write_bytes(replace(revealed(), texts=(Shown("output", "made up", SALT),)).encode())
    assert main(["verify", str(file)]) == NOT_VERIFIED
    for options in (["--nonce", "n"], ["--rollups", str(file)]):
        assert main(["verify", str(file), *options]) == INVALID_INPUT
    capsys.readouterr()
