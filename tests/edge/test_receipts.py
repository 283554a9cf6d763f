"""The receipts of a home: what opens their commitments is there alone, and can be destroyed."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit.commitment import commit
from audit.frozen import replace
from audit.merkle import leaf_hash, verify_inclusion
from edge_runtime.cli.edge import app
from edge_runtime.core.errors import InvalidDocument, Unavailable
from edge_runtime.core.receipt import FORMAT_1, Receipt
from edge_runtime.receipts import Receipts
from edge_runtime.salts import KEPT
from tests.core.test_receipt import receipt

TEXTS = {"output": "You will write to Mara.", "input/notes": "We agreed that I write to Mara."}


@pytest.fixture
def receipts(tmp_path: Path) -> Receipts:
    """The receipts of an empty home."""
    return Receipts(tmp_path)


def opens(receipts: Receipts, made: Receipt, place: str, text: str) -> bool:
    """Return whether this home shows that a receipt commits to a text."""
    return (place, commit(text, receipts.salt(made, place))) in made.commitments


def test_only_the_home_opens_its_commitments(receipts: Receipts, tmp_path: Path) -> None:
    """With the salts each text is the one committed to, and no other; a copy of the chain alone shows nothing."""
    made = receipts.append(receipt(), TEXTS)
    assert [place for place, _ in made.commitments] == ["input/notes", "output"]
    assert all(opens(receipts, made, place, text) for place, text in TEXTS.items())
    assert not opens(receipts, made, "output", TEXTS["output"] + " ")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "receipts.jsonl").write_bytes((tmp_path / "receipts.jsonl").read_bytes())
    with pytest.raises(Unavailable):
        Receipts(elsewhere).salt(made, "output")


def test_one_text_twice_leaves_two_commitments(receipts: Receipts) -> None:
    """Attack: to see in a home, without its salts, that somebody said the same again."""
    first, second = (receipts.append(receipt(), TEXTS) for _ in range(2))
    assert not {made for _, made in first.commitments} & {made for _, made in second.commitments}


def test_what_was_said_in_a_crisis_can_never_be_opened(receipts: Receipts, tmp_path: Path) -> None:
    """Without texts a receipt looks like any other, and its secret is nowhere in the home."""
    made = receipts.append(receipt(route="hand-off", outcome="handed-off"))
    assert [place for place, _ in made.commitments] == ["output"]
    assert not (tmp_path / "salts").exists()
    receipts.append(receipt(), TEXTS)
    assert not any(opens(receipts, made, "output", text) for text in ("", *TEXTS.values()))


def test_secrets_are_the_owners_alone(receipts: Receipts, tmp_path: Path) -> None:
    """Receipts, roll-ups and salts are read by nobody else on the machine."""
    receipts.gather("production", "2026-11-27", [receipts.append(receipt(), TEXTS)])
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert {path.name for path in kept} == {"receipts.jsonl", "rollups.jsonl", "2026-11-27"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE((tmp_path / "salts").stat().st_mode) == 0o700


def test_forgetting_closes_what_it_names_and_nothing_else(receipts: Receipts, tmp_path: Path) -> None:
    """Days before the one that is named are closed for good, their receipts stay in the chain, and later days open."""
    old = receipts.append(receipt(at="2026-11-26T23:59:59Z"), TEXTS)
    new = receipts.append(receipt(at="2026-11-27T00:00:00Z"), TEXTS)
    secret = (tmp_path / "salts" / "2026-11-26").read_bytes()
    assert receipts.forget("2026-11-27") == 1
    with pytest.raises(Unavailable, match="2026-11-26"):
        receipts.salt(old, "output")
    assert opens(receipts, new, "output", TEXTS["output"])
    assert receipts.verify() == 2
    assert not any(secret in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert receipts.forget("2026-11-27") == 0


def test_old_secrets_are_destroyed_by_themselves(receipts: Receipts, tmp_path: Path) -> None:
    """So many days with a run are kept open; a clock set years forward for a day closes one of them, not all."""
    first = receipts.append(receipt(at="2000-01-01T10:00:00Z"), TEXTS)
    for day in range(KEPT - 1):
        (tmp_path / "salts" / f"2001-{1 + day // 28:02}-{1 + day % 28:02}").write_bytes(b"x" * 32)
    assert opens(receipts, first, "output", TEXTS["output"])
    receipts.append(receipt(at="2099-01-01T10:00:00Z"), TEXTS)
    with pytest.raises(Unavailable):
        receipts.salt(first, "output")
    assert len(list((tmp_path / "salts").iterdir())) == KEPT


def test_a_chain_of_the_version_before_goes_on(receipts: Receipts, tmp_path: Path) -> None:
    """What an earlier program wrote is read, linked to, and stays as it is."""
    before = replace(receipt(previous=""), form=FORMAT_1).encode() + b"\n"
    (tmp_path / "receipts.jsonl").write_bytes(before)
    made = receipts.append(receipt(), TEXTS)
    assert (made.number, made.form, receipts.verify()) == (2, "mentorplane-receipt/2", 2)
    assert (tmp_path / "receipts.jsonl").read_bytes().startswith(before)


def test_the_power_fails_while_a_secret_is_drawn(receipts: Receipts, tmp_path: Path) -> None:
    """A secret that was not written whole was never used: another is drawn. One that is damaged opens nothing."""
    (tmp_path / "salts").mkdir()
    (tmp_path / "salts" / ".2026-11-27").write_bytes(b"half")
    made = receipts.append(receipt(), TEXTS)
    assert opens(receipts, made, "output", TEXTS["output"])
    (tmp_path / "salts" / "2026-11-27").write_bytes(b"damaged")
    with pytest.raises(Unavailable):
        receipts.append(receipt(), TEXTS)
    assert receipts.verify() == 1


def test_a_roll_up_leads_from_each_receipt_of_its_day_to_one_root(receipts: Receipts) -> None:
    """Every receipt of the day, and no other, has a place in it."""
    made = [receipts.append(receipt(at=f"2026-11-{day}T10:00:00Z"), TEXTS) for day in (26, 27, 27, 28)]
    rolled = receipts.gather("production", "2026-11-27", made)
    assert rolled is not None
    assert (rolled.first, rolled.last) == (2, 3)
    places = [receipts.place_of(one) for one in made]
    assert [place is not None for place in places] == [False, True, True, False]
    for place, one in zip(places, made, strict=True):
        if place is not None:
            root = bytes.fromhex(rolled.root.removeprefix("sha256:"))
            verify_inclusion(
                leaf=leaf_hash(one.encode()), index=place.index, size=place.size, proof=place.path, root=root
            )
    assert receipts.gather("production", "2026-12-01", made) is None


def test_a_receipt_that_was_changed_after_its_roll_up(receipts: Receipts, tmp_path: Path) -> None:
    """Attack: the owner writes another receipt into a day that was told, chain and all. The roll-up no longer fits."""
    made = receipts.append(receipt(), TEXTS)
    receipts.gather("production", made.day, [made])
    forged = replace(made, outcome="filled")
    (tmp_path / "receipts.jsonl").write_bytes(forged.encode() + b"\n")
    assert receipts.verify() == 1
    with pytest.raises(InvalidDocument, match="roll-up"):
        receipts.place_of(forged)


@pytest.mark.parametrize("before", [None, b"x" * 9_000], ids=["new", "there before, for all to read"])
def test_what_is_revealed_is_a_file_of_its_owner_alone(
    receipts: Receipts, tmp_path: Path, before: bytes | None
) -> None:
    """P2: whatever the umask and whatever lay there, nobody else on the machine reads the text."""
    receipts.append(receipt(), TEXTS)
    (tmp_path / "generations").mkdir()
    file = tmp_path / "run.reveal"
    if before is not None:
        file.write_bytes(before)
        file.chmod(0o666)
    mask = os.umask(0)
    try:
        given = ["reveal", "1", str(file), "--home", str(tmp_path), "--text", "output=-"]
        done = CliRunner().invoke(app, given, input=TEXTS["output"])
    finally:
        os.umask(mask)
    assert (done.exit_code, stat.S_IMODE(file.stat().st_mode)) == (0, 0o600)
    assert json.loads(file.read_bytes())["texts"][0]["text"] == TEXTS["output"]
