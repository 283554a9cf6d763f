"""Attacks on the log at the server: checkpoints that go back, witnesses short of a quorum, a publication that hangs."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from audit.checkpoint import parse_checkpoint
from audit.errors import InvalidFormat
from audit.note import Algorithm, Signer, parse_note
from audit.policy import Group, Log, Policy, PolicyWitness
from control_plane import checkpoints, ledger, trust, verifying
from control_plane.accounts import tokens
from control_plane.db import read
from control_plane.evidence.gaps import find_gaps
from control_plane.ledger.publish import publish_covering, publishing
from control_plane.plane import ControlPlane
from tests.audit.witnesses import UNSAFE_SEED, running
from tests.server.acts import Acts

WITNESS = Signer("w.example", UNSAFE_SEED, Algorithm.COSIGNATURE).verifier
OTHER = Signer("other.example", b"\x09" * 32, Algorithm.COSIGNATURE).verifier


def ask_for(plane: ControlPlane, port: int, *, others: tuple[PolicyWitness, ...] = ()) -> None:
    """Put a policy into the home that asks for the witness at a port, and for others."""
    known = (PolicyWitness("outside", WITNESS, f"http://127.0.0.1:{port}"), *others)
    group = Group("everyone", len(known), tuple(one.name for one in known))
    plane.settings.witness_policy.write_bytes(
        Policy((Log(plane.keys.log.verifier),), known, (group,), "everyone").encode()
    )


def remembered(plane: ControlPlane) -> list[int]:
    """The sizes of every checkpoint that was remembered."""
    lines = (plane.settings.home / "checkpoints.log").read_bytes().split()
    return [parse_checkpoint(parse_note(base64.b64decode(line)).text).size for line in lines]


def test_a_cosignature_of_an_older_checkpoint_is_not_remembered_after_a_newer_one(acts: Acts, tmp_path: Path) -> None:
    """A crash left a checkpoint remembered and not published: what witnesses sign then must not put the log back."""
    plane, path = acts.plane, acts.plane.site / "log" / "checkpoint"
    old = path.read_bytes()
    tokens.issue_token(plane, "tom")
    path.write_bytes(old)
    with running(tmp_path / "witness", [plane.keys.log.verifier]) as one:
        ask_for(plane, one.address[1])
        assert ledger.ask_witnesses(plane)
    sizes = remembered(plane)
    assert sizes == sorted(sizes)
    newest = checkpoints.newest(plane)
    assert newest == checkpoints.published(plane)
    assert newest is not None
    assert newest.size == sizes[-1] > parse_checkpoint(parse_note(old).text).size
    assert verifying.verify(plane).ok


def test_one_witness_short_of_the_quorum_leaves_the_log_self_contained(acts: Acts, tmp_path: Path) -> None:
    """Two are asked for and one cosigned what is published: not verified, and nobody is told that it is witnessed."""
    plane = acts.plane
    with running(tmp_path / "witness", [plane.keys.log.verifier]) as one:
        ask_for(plane, one.address[1])
        tokens.issue_token(plane, "tom")
        assert not verifying.verify(plane).self_contained
        ask_for(plane, one.address[1], others=(PolicyWitness("second", OTHER, ""),))
    report = verifying.verify(plane)
    assert (report.ok, report.self_contained) == (False, True)


def test_a_policy_that_is_none_is_a_gap_and_hides_no_other(acts: Acts) -> None:
    """Whoever spoils the file of the policy spoils neither the search for gaps nor what it finds."""
    acts.plane.settings.witness_policy.write_bytes(b"quorum nobody\n")
    assert "witness policy" in "\n".join(gap.message for gap in find_gaps(acts.plane))


def test_a_publication_that_does_not_end_takes_no_act_back(acts: Acts) -> None:
    """Whoever waits in vain for their turn gets what a full disk gives, which an act that is committed survives."""
    with publishing(acts.plane), pytest.raises(OSError, match="fewer publications at once"):
        publish_covering(acts.plane, 10**6, timeout_s=0)


def test_a_checkpoint_in_another_spelling_is_found(acts: Acts) -> None:
    """Base64 with other trailing bits decodes alike; the file that only grows has one spelling."""
    path = acts.plane.settings.home / "checkpoints.log"
    for line in path.read_bytes().split():
        if line.endswith(b"="):
            at = line.index(b"=") - 1
            twin = line[:at] + bytes([line[at] + 1]) + line[at + 1 :]
            assert base64.b64decode(twin) == base64.b64decode(line)
            with pytest.raises(InvalidFormat):
                checkpoints.note_of(twin)
            path.write_bytes(path.read_bytes().replace(line, twin))
            assert not verifying.verify(acts.plane).ok
            return
    pytest.fail("expected a line with padding")


def test_a_witness_policy_alone_lets_no_device_claim_more(acts: Acts, tmp_path: Path) -> None:
    """The keys still lie on one machine: devices learn of the policy, and stay self-contained."""
    plane = acts.plane
    with running(tmp_path / "witness", [plane.keys.log.verifier]) as one:
        ask_for(plane, one.address[1])
        tokens.issue_token(plane, "tom")
    with read(plane.engine) as session:
        assert trust.trust_file(plane, session).self_contained
