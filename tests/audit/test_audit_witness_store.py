"""The home of a witness: no crash, failure or missing file makes it cosign two histories."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import AuditError, InvalidFormat, NotProven
from audit.note import Algorithm, Signer, parse_signatures, parse_vkey
from audit.witness.decide import Answer, Submission, receive, state_name
from audit.witness.store import (
    CLOCK_SLACK_S,
    EVIDENCE,
    KEY,
    MAX_LOGS,
    STATE,
    Home,
    Store,
    encode_key,
    encode_state,
    open_store,
    parse_key,
    parse_state,
)
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, VECTORS
from tests.audit.disks import Fault, Lossy, keep, lose
from tests.audit.witness_child import SIZES
from tests.audit.witnesses import HONEST, NOW_S, REWRITTEN, UNSAFE_SEED, HomeSteps, request, signed
from tests.vectors.generate import UNSAFE_WITNESS

GOLDEN = (VECTORS / "mentorplane" / "audit" / "witness.state").read_bytes()
ROOT = Path(__file__).parents[2]
STEPS_OF_A_START, STEPS_OF_A_STORE = 13, 4


def open_home(home: Path | Lossy, *, name: str = "w.example", seed: bytes = UNSAFE_SEED) -> Store:
    """Open a home on the disk or in memory."""
    files = Home(home) if isinstance(home, Path) else HomeSteps(home)
    return open_store(files, name=name, seed=lambda: seed)


def ask(store: Store, old: int, size: int, hashes: list[bytes] = HONEST, *, now_s: int = NOW_S) -> Answer:
    """Ask a store to cosign."""
    submission = receive(request(old, size, hashes), [UNSAFE_LOG_SIGNER.verifier])
    assert isinstance(submission, Submission)
    return store.answer(submission, now_s=now_s)


def size_of(store: Store) -> int:
    """Return the size that a store remembers of the test log."""
    kept = store.kept(state_name(ORIGIN))
    return kept.checkpoint.size if kept else 0


def assert_one_history(store: Store, at_least: int) -> None:
    """It remembers what it handed out, refuses every other history from there, and goes on with the one it knows."""
    size = size_of(store)
    assert size >= at_least
    for old in range(size, 12):
        assert ask(store, old, 12, REWRITTEN).status in ({200} if size < 3 and old == size else {409, 422}), (size, old)
        if size < 3 and old == size:
            return  # histories part at entry 2: up to there any of them is consistent
    assert ask(store, size, 20).status == 200


def test_a_witness_remembers_over_a_restart(tmp_path: Path) -> None:
    """Key and state are made once, for their owner only, and read back by the next start."""
    store = open_home(tmp_path / "home")
    vkey = store.signer.verifier.vkey
    assert ask(store, 0, 5).status == 200
    store.close()
    assert ask(store, 5, 8).status == 503
    again = open_home(tmp_path / "home", seed=b"\x99" * 32)
    assert again.signer.verifier.vkey == vkey
    assert_one_history(again, 5)
    again.close()
    for path in (tmp_path / "home" / KEY, tmp_path / "home" / STATE):
        assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == [".lock", KEY, STATE]


def test_one_process_at_a_time_has_a_home(tmp_path: Path) -> None:
    """A second opening is refused while the first is open, and changes nothing."""
    store = open_home(tmp_path)
    with pytest.raises(BlockingIOError):
        open_home(tmp_path)
    store.close()
    open_home(tmp_path).close()


def test_attack_key_that_vanished_is_not_remade(tmp_path: Path) -> None:
    """A state without its key, and a key without its state, are refused, start after start, and nothing is written."""
    store = open_home(tmp_path)
    assert ask(store, 0, 5).status == 200
    store.close()
    for name in (KEY, STATE):
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).unlink()
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        for _ in range(2):
            with pytest.raises(NotProven, match=f"beside|{name}"):
                open_home(tmp_path)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
        (tmp_path / name).write_bytes(data)
        (tmp_path / name).chmod(0o600)
    open_home(tmp_path).close()


def test_attack_another_key_put_in_place(tmp_path: Path) -> None:
    """The state is signed by the key of its witness: beside another key it is refused."""
    store = open_home(tmp_path)
    assert ask(store, 0, 5).status == 200
    store.close()
    (tmp_path / KEY).write_bytes(encode_key(Signer("w.example", b"\x77" * 32, Algorithm.COSIGNATURE)))
    with pytest.raises(NotProven):
        open_home(tmp_path)


def test_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """A key file whose mode was widened is not used."""
    open_home(tmp_path).close()
    (tmp_path / KEY).chmod(0o644)
    with pytest.raises(NotProven, match="owner only"):
        open_home(tmp_path)


def test_another_name_is_refused(tmp_path: Path) -> None:
    """A witness has the name it was made with; an impossible one makes no home that could not be opened."""
    with pytest.raises(ValueError, match="expected"):
        open_home(tmp_path, name="two words")
    open_home(tmp_path).close()
    with pytest.raises(InvalidFormat):
        open_home(tmp_path, name="other.example")
    open_home(tmp_path, name="").close()


def test_attack_every_flipped_byte_of_the_state(tmp_path: Path) -> None:
    """No byte of what a witness remembers can change without it refusing to start; nor can the file be cut."""
    store = open_home(tmp_path)
    assert ask(store, 0, 5).status == 200
    store.close()
    data = (tmp_path / STATE).read_bytes()
    signer = parse_key((tmp_path / KEY).read_bytes())
    for at in range(len(data)):
        for mask in (0x01, 0x20, 0x80):
            with pytest.raises(AuditError):
                parse_state(data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :], signer)
        with pytest.raises(AuditError):
            parse_state(data[:at], signer)
    (tmp_path / STATE).write_bytes(data[:-1])
    with pytest.raises(AuditError):
        open_home(tmp_path)


def test_key_and_state_read_back() -> None:
    """Both files have one form; the golden state is read with the published key only."""
    signer = Signer("w.example", UNSAFE_SEED, Algorithm.COSIGNATURE)
    assert parse_key(encode_key(signer)) == signer
    kept = parse_state(GOLDEN, UNSAFE_WITNESS)
    assert encode_state(UNSAFE_WITNESS, kept) == GOLDEN
    assert [one.checkpoint.size for one in kept.values()] == [8]
    with pytest.raises(NotProven):
        parse_state(GOLDEN, signer)
    data = encode_key(signer)
    for bad in (b"", data[:-1], data + b"\n", data.replace(b"w.example", b"v.example"), data.replace(b"+B", b"+A")):
        with pytest.raises(InvalidFormat):
            parse_key(bad)


def test_time_never_runs_backwards() -> None:
    """A clock a little behind states the time stated before; one far behind stops the witness until it is right."""
    store = open_home(Lossy())
    verify = store.signer.verifier.verify
    for old, size, now_s, stated in ((0, 3, NOW_S, NOW_S), (3, 4, NOW_S - CLOCK_SLACK_S, NOW_S)):
        (line,) = parse_signatures(ask(store, old, size, now_s=now_s).body)
        assert verify(signed(size).partition(b"\n\n")[0].decode() + "\n", line) == stated
    assert ask(store, 4, 5, now_s=NOW_S - CLOCK_SLACK_S - 1).status == 503
    assert size_of(store) == 4
    assert ask(store, 4, 5, now_s=NOW_S + 1).status == 200


def test_no_more_logs_than_the_state_can_hold() -> None:
    """The log after the last that fits is refused; those that are known go on."""
    store = open_home(Lossy())
    from audit.checkpoint import Checkpoint, sign_checkpoint
    from audit.witness.decide import AddCheckpoint

    for at in range(MAX_LOGS + 1):
        log = Signer(f"log-{at}.example", bytes([at + 1]) * 32)
        note = sign_checkpoint(Checkpoint(log.name, 1, HONEST[0], ("x" * 30_000,)), [log])
        submission = receive(AddCheckpoint(0, (), note).encode(), [log.verifier])
        assert isinstance(submission, Submission)
        assert store.answer(submission, now_s=NOW_S).status == (200 if at < MAX_LOGS else 503)
    assert len(parse_state(store._files.read(STATE), store.signer)) == MAX_LOGS


@pytest.mark.parametrize("fault", [Fault.FAILS, Fault.PERSISTS, Fault.HALF])
def test_a_store_that_fails_hands_out_nothing_and_recovers(fault: Fault) -> None:
    """At each step of storing: 503 and no cosignature; then what is on the disk decides, and there is one history."""
    for step in range(STEPS_OF_A_START, STEPS_OF_A_START + STEPS_OF_A_STORE):
        files = HomeSteps(Lossy(), step + STEPS_OF_A_STORE, fault)
        store = open_store(files, name="w.example", seed=lambda: UNSAFE_SEED)
        assert ask(store, 0, 3).status == 200
        failed = ask(store, 3, 5)
        assert (failed.status, failed.note) == (503, None)
        answer = ask(store, 3, 6, REWRITTEN)
        assert answer.status in {409, 422}
        answer = ask(store, 3, 6)
        assert answer.status == 200 or answer.body == b"5\n"
        assert_one_history(store, 5)


def test_a_store_that_cannot_recover_keeps_refusing() -> None:
    """While the state cannot be read back and written, nothing is decided."""
    files = HomeSteps(Lossy())
    store = open_store(files, name="w.example", seed=lambda: UNSAFE_SEED)
    assert ask(store, 0, 3).status == 200
    for at in range(2):  # the store fails, then the recovery from it
        files.at = files.steps
        assert ask(store, 3, 5).status == 503, at
    state = files.inner.read(STATE)
    files.inner.write(STATE, state[:-9])
    assert ask(store, 3, 5).status == 503
    files.inner.write(STATE, state)
    assert ask(store, 3, 5).status == 200


@pytest.mark.parametrize("choose", [lose, keep, lambda most: most // 2], ids=["lose", "keep", "half"])
def test_power_lost_at_each_step_leaves_one_history(choose: object) -> None:
    """Whatever part of what was not durable survives, the next start knows all that was handed out, or refuses."""
    for step in range(STEPS_OF_A_START + 3 * STEPS_OF_A_STORE + 1):
        disk = Lossy()
        handed_out = 0
        try:
            store = open_store(HomeSteps(disk, step, Fault.HALF), name="w.example", seed=lambda: UNSAFE_SEED)
            for size in SIZES:
                if ask(store, handed_out, size).status != 200:
                    break
                handed_out = size
        except OSError:
            assert step < STEPS_OF_A_START
        left = open_home(disk.crash(choose), seed=b"\x66" * 32)  # type: ignore[arg-type]
        if handed_out:
            assert left.signer.seed == UNSAFE_SEED
        assert_one_history(left, handed_out)


@given(st.data())
def test_power_lost_at_any_step_in_any_way_leaves_one_history(data: st.DataObject) -> None:
    """As above, with every choice of what survives drawn at random, twice in a row."""
    disk, handed_out = Lossy(), 0
    for _ in range(2):
        step = data.draw(st.integers(0, STEPS_OF_A_START + 3 * STEPS_OF_A_STORE))
        try:
            store = open_store(HomeSteps(disk, step), name="w.example", seed=lambda: UNSAFE_SEED)
            old = size_of(store)
            assert old >= handed_out
            for size in (old + 1, old + 3, old + 4):
                if ask(store, size_of(store), size).status == 200:
                    handed_out = size
        except OSError:
            pass
        disk = disk.crash(lambda most: data.draw(st.integers(0, most)))
    assert_one_history(open_home(disk), handed_out)


@pytest.mark.parametrize("fault", [Fault.KILL, Fault.KILL_HALF])
def test_attack_killed_at_each_step(tmp_path: Path, fault: Fault) -> None:
    """A real witness, killed at each step of its disk while it serves, starts again and knows all it handed out."""
    steps = STEPS_OF_A_START + len(SIZES) * STEPS_OF_A_STORE
    command = [sys.executable, "-m", "tests.audit.witness_child", tmp_path, fault.value, str(steps + 1)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    killed = [int(line) for line in done.stdout.split()]
    if fault is Fault.KILL:
        assert killed == list(range(steps))
    for folder in sorted(tmp_path.iterdir()):
        received = folder / "received"
        lines = received.read_bytes().split(b"\n")[:-1] if received.is_file() else []
        sizes = [int(line.partition(b" ")[0]) for line in lines]
        assert tuple(sizes) == SIZES[: len(sizes)]
        store = open_home(folder / "home", seed=b"\x66" * 32)
        for size, line in zip(sizes, lines, strict=True):
            (signature,) = parse_signatures(base64.b64decode(line.partition(b" ")[2]))
            text = signed(size).partition(b"\n\n")[0].decode() + "\n"
            assert parse_vkey(store.signer.verifier.vkey).verify(text, signature) == NOW_S
        assert_one_history(store, max(sizes, default=0))
        store.close()


def test_two_signed_histories_are_kept_as_evidence(tmp_path: Path) -> None:
    """Both notes are kept, each once; the refusal stands even when they cannot be written."""
    store = open_home(tmp_path)
    assert ask(store, 0, 5).status == 200
    for _ in range(2):
        assert ask(store, 5, 5, REWRITTEN).status == 422
    kept = sorted(path.read_bytes() for path in (tmp_path / EVIDENCE).iterdir())
    assert len(kept) == 2
    assert signed(5, REWRITTEN) in kept
    store.close()
    files = HomeSteps(Lossy())
    store = open_store(files, name="w.example", seed=lambda: UNSAFE_SEED)
    assert ask(store, 0, 5).status == 200
    files.at = files.steps
    assert ask(store, 5, 5, REWRITTEN).status == 422
    assert ask(store, 5, 6).status == 200
