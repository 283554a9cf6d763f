"""Publishing with witnesses: cosigned when they answer, never held up for long, never failing when they do not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from audit.note import Algorithm, Signer, parse_note
from audit.policy import Group, Log, Policy, PolicyWitness
from control_plane import checkpoints, ledger, trust, verifying
from control_plane.accounts import tokens
from control_plane.lifecycle import releases
from control_plane.plane import ControlPlane
from control_plane.publish import publish, publish_waiting
from control_plane.repository import Site
from edge_runtime import EdgeRuntime
from edge_runtime.core.release import parse_release, release_path
from edge_runtime.core.trustfile import parse_trust
from tests.audit.witnesses import UNSAFE_SEED, Running, running
from tests.published import fingerprint
from tests.server.acts import Acts, newest
from tests.server.conftest import Clock

UNSAFE_WITNESS = Signer("w.example", UNSAFE_SEED, Algorithm.COSIGNATURE)


@pytest.fixture
def witness(acts: Acts, tmp_path: Path) -> Iterator[Running]:
    """A witness that knows the log of the home, and the policy that asks for it."""
    with witnessing(acts.plane, tmp_path / "witness") as one:
        write_policy(acts.plane, one.address[1])
        yield one


@contextmanager
def witnessing(plane: ControlPlane, folder: Path) -> Iterator[Running]:
    """A witness that knows the log of a home, with the same clock."""
    with running(folder, [plane.keys.log.verifier]) as one:
        one.clock.now_s = int(plane.now().timestamp())
        yield one


def write_policy(plane: ControlPlane, port: int, *, others: tuple[PolicyWitness, ...] = ()) -> None:
    """Ask for the witness at this port, or for all of several."""
    known = PolicyWitness("outside", UNSAFE_WITNESS.verifier, f"http://127.0.0.1:{port}")
    members = tuple(each.name for each in (known, *others))
    group = Group("all-of-them", len(members), members)
    policy = Policy((Log(plane.keys.log.verifier),), (known, *others), (group,), "all-of-them")
    plane.settings.witness_policy.write_bytes(policy.encode())


@contextmanager
def deaf() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def lines(plane: ControlPlane) -> int:
    """How many signatures the published checkpoint has."""
    return len(parse_note(ledger.checkpoint(plane)).signatures)


def published(plane: ControlPlane) -> Checkpoint:
    """The published checkpoint."""
    return parse_checkpoint(parse_note(ledger.checkpoint(plane)).text)


def test_an_act_is_cosigned_before_it_returns(acts: Acts, witness: Running) -> None:
    """With a witness that answers, the published checkpoint carries its line and the log is not self-contained."""
    tokens.issue_token(acts.plane, "tom")
    assert lines(acts.plane) == 2
    report = verifying.verify(acts.plane)
    assert (report.ok, report.self_contained, report.problems) == (True, False, ())
    assert checkpoints.newest(acts.plane) == published(acts.plane)


def test_a_release_carries_the_cosignatures_to_devices(acts: Acts, witness: Running) -> None:
    """The checkpoint in the release file is the cosigned one."""
    acts.approve_fully()
    acts.release()
    site = Site(acts.plane.site, acts.plane.keys, acts.plane.now())
    released = site.target(release_path(acts.plane.channel))
    assert released is not None
    assert len(parse_note(parse_release(released).log.checkpoint).signatures) == 2


@pytest.mark.parametrize("how", ["refuses", "does not answer", "lies"])
def test_a_witness_that_is_down_holds_up_no_act(acts: Acts, tmp_path: Path, how: str) -> None:
    """The act is done and published under the log's signature alone; verify says that the quorum is missing."""
    with ExitStack() as stack:
        one = stack.enter_context(running(tmp_path / "witness", [acts.plane.keys.log.verifier]))
        port = stack.enter_context(deaf())
        if how == "refuses":
            with socket.create_server(("127.0.0.1", 0)) as closed:
                port = closed.getsockname()[1]
        if how == "lies":
            stranger = stack.enter_context(running(tmp_path / "stranger", []))
            port = stranger.address[1]
        write_policy(acts.plane, port)
        size = published(acts.plane).size
        tokens.issue_token(acts.plane, "tom")
        assert (published(acts.plane).size, lines(acts.plane)) == (size + 1, 1)
        report = verifying.verify(acts.plane)
        assert (report.ok, report.self_contained) == (False, True)
        assert "does not satisfy the witness policy" in "\n".join(report.problems)
        write_policy(acts.plane, one.address[1])
        assert ledger.ask_witnesses(acts.plane), "the timer asks again"
        assert (lines(acts.plane), verifying.verify(acts.plane).ok) == (2, True)


@pytest.mark.attack("witness below quorum")
def test_fewer_than_the_quorum_replace_nothing(acts: Acts, tmp_path: Path) -> None:
    """One of two needed cosignatures is not published as if it were enough."""
    with running(tmp_path / "witness", [acts.plane.keys.log.verifier]) as one, deaf() as port:
        other = Signer("other.example", b"\x09" * 32, Algorithm.COSIGNATURE).verifier
        silent = PolicyWitness("silent", other, f"http://127.0.0.1:{port}")
        write_policy(acts.plane, one.address[1], others=(silent,))
        tokens.issue_token(acts.plane, "tom")
        assert lines(acts.plane) == 1
        assert not ledger.ask_witnesses(acts.plane, timeout_s=0.05)


def test_acts_at_once_end_cosigned(acts: Acts, witness: Running) -> None:
    """Many acts at once leave one history that the witness cosigned once asked again, with fewer lines than acts."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: tokens.issue_token(acts.plane, "tom"), range(16)))
    assert ledger.ask_witnesses(acts.plane)
    assert (lines(acts.plane), verifying.verify(acts.plane).ok) == (2, True)


def test_publishing_again_keeps_the_cosignatures(acts: Acts, witness: Running) -> None:
    """Neither publishing nor a start nor writing everything anew takes a witness's line away."""
    publish(acts.plane)  # the first time devices are told of the policy, which is an entry of its own
    before = ledger.checkpoint(acts.plane)
    publish(acts.plane)
    releases.recover(acts.plane)
    ledger.publish_log(acts.plane, afresh=True)
    assert ledger.checkpoint(acts.plane) == before


def test_attack_a_fork_is_refused_by_the_witness(acts: Acts, witness: Running) -> None:
    """Whoever holds the log's key and rewrites everything gets no cosignature for another history."""
    plane = acts.plane
    tokens.issue_token(plane, "tom")
    honest = published(plane)
    forged = sign_checkpoint(Checkpoint(honest.origin, honest.size, b"\x07" * 32), [plane.keys.log])
    (plane.site / "log" / "checkpoint").write_bytes(forged)
    assert not ledger.ask_witnesses(plane, timeout_s=2.0)
    assert ledger.checkpoint(plane) == forged
    assert not verifying.verify(plane).ok


@pytest.mark.parametrize("text", [b"", b"quorum none\n", b"witness w nonsense\nquorum w\n"])
def test_a_policy_that_is_none_is_a_problem_that_verify_reports_and_no_act_fails(acts: Acts, text: bytes) -> None:
    """A malformed policy, or one that asks for nobody, satisfies nothing; all else is still verified, acts go on."""
    acts.plane.settings.witness_policy.write_bytes(text)
    tokens.issue_token(acts.plane, "tom")
    assert lines(acts.plane) == 1
    report = verifying.verify(acts.plane)
    assert (report.ok, report.self_contained, report.size) == (False, True, published(acts.plane).size)
    [line] = report.problems
    assert "witness policy" in line


@pytest.mark.attack("witness below quorum")
def test_a_release_waits_for_its_witness_and_devices_follow(acts: Acts, tmp_path: Path) -> None:
    """Devices learn the policy from the trust file; a release that no witness saw reaches nobody until one did.

    Meanwhile the channel goes on as it was, with the newest withdrawals, and a look at it succeeds.
    """
    plane = acts.plane
    with witnessing(plane, tmp_path / "witness") as one:
        write_policy(plane, one.address[1])
        publish(plane)
        edge = EdgeRuntime.open(tmp_path / "device", trust=plane.settings.home / "trust", source=str(plane.site))
        assert (edge.refresh().release, edge.state and edge.state.checkpoint.witnesses) == (1, 1)
        with deaf() as port:
            write_policy(plane, port)
            acts.approve_fully()
            acts.release()
            assert (edge.refresh().ok, edge.status().release) == (True, 1)
            publish_waiting(plane)
            assert (edge.refresh().ok, edge.status().release) == (True, 1)
        write_policy(plane, one.address[1])
        assert ledger.ask_witnesses(plane)
        publish_waiting(plane)
        assert (edge.refresh().release, edge.state and edge.state.checkpoint.witnesses) == (2, 1)
        before = fingerprint(plane.site)
        publish_waiting(plane)
        assert fingerprint(plane.site) == before


def test_a_second_source_goes_into_the_trust_file(acts: Acts) -> None:
    """One line in the home: devices learn the address from what targets sign, and the change is logged."""
    plane = acts.plane
    (plane.settings.home / "second-source").write_text("https://withdrawals.example\n")
    publish(plane)
    told = parse_trust(trust.signed_trust(plane) or b"")
    assert (told.second_source, told.witness_policy) == ("https://withdrawals.example", "")
    assert newest(plane).act == "trust-changed"


def test_a_log_that_does_not_grow_is_cosigned_anew(acts: Acts, witness: Running, clock: Clock) -> None:
    """An hour later the same checkpoint has a newer line of the witness, alone; asked at once nothing changes."""
    tokens.issue_token(acts.plane, "tom")
    before, known = ledger.checkpoint(acts.plane), checkpoints.lines(acts.plane)
    assert ledger.ask_witnesses(acts.plane, anew_after_s=1800)
    assert ledger.checkpoint(acts.plane) == before
    clock.advance(hours=1)
    witness.clock.now_s = int(clock().timestamp())
    assert ledger.ask_witnesses(acts.plane, anew_after_s=1800)
    after = ledger.checkpoint(acts.plane)
    assert (after != before, lines(acts.plane)) == (True, 2)
    assert parse_note(after).text == parse_note(before).text
    assert checkpoints.lines(acts.plane) == known, "the first time is what is remembered"
    assert verifying.verify(acts.plane).ok
