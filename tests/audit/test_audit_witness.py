"""What a witness decides: the published replies, every flipped byte, and never two histories."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import InvalidFormat, NotProven
from audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from audit.lines import encode_hashes, parse_base64, parse_decimal, parse_hashes
from audit.merkle import consistency_proof, leaf_hash, root_of
from audit.note import Algorithm, Signer, parse_note, parse_signatures, parse_vkey
from audit.witness.decide import SIZE_TYPE, AddCheckpoint, Answer, decide, parse_request, receive, state_name
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, VECTORS

VECTOR: dict[str, Any] = json.loads((VECTORS / "mentorplane" / "audit" / "witness.json").read_bytes())
COSIGNATURES: dict[str, Any] = json.loads((VECTORS / "mentorplane" / "audit" / "cosignature.json").read_bytes())
GOLDEN = (VECTORS / "mentorplane" / "audit" / "add-checkpoint.txt").read_bytes()
WITNESS = Signer("w.example", b"\x31" * 32, Algorithm.COSIGNATURE)
HASHES = [leaf_hash(b"%d" % index) for index in range(40)]
OTHERS = [*HASHES[:4], *(leaf_hash(b"other %d" % index) for index in range(4, 40))]


def request(old: int, size: int, hashes: list[bytes] = HASHES) -> bytes:
    """Return the request of an honest log with these leaves."""
    note = sign_checkpoint(Checkpoint(ORIGIN, size, root_of(hashes[:size])), [UNSAFE_LOG_SIGNER])
    return AddCheckpoint(old, consistency_proof(hashes[:size], old) if old else (), note).encode()


def play(
    body: bytes, latest: Checkpoint | None, signer: Signer = WITNESS, log: Any = UNSAFE_LOG_SIGNER.verifier, at: int = 5
) -> tuple[Answer, Checkpoint | None]:
    """Return a witness's answer and what it then remembers."""
    received = receive(body, [log])
    answer = received if isinstance(received, Answer) else decide(received, latest, signer, time_s=at)
    return answer, latest if answer.note is None else parse_checkpoint(parse_note(answer.note).text)


def assert_reply(answer: Answer, expected: dict[str, Any]) -> None:
    """The reply is the published one, in status, type and, where it is fixed, body."""
    assert (answer.status, answer.content_type) == (expected["status"], expected["content_type"])
    if "body" in expected:
        assert answer.body.decode() == expected["body"]


def test_published_requests_get_the_published_replies() -> None:
    """One after another: status, type, body byte for byte, and the size that is known then."""
    signer = Signer(VECTOR["witness"].partition("+")[0], bytes.fromhex(VECTOR["seed_hex"]), Algorithm.COSIGNATURE)
    assert signer.verifier.vkey == VECTOR["witness"]
    latest: Checkpoint | None = None
    for step in VECTOR["steps"]:
        answer, latest = play(step["request"].encode(), latest, signer, parse_vkey(VECTOR["log"]), step["time"])
        assert_reply(answer, step)
        assert (latest.size if latest else 0) == step["latest"], step["what"]
    assert {step["status"] for step in VECTOR["steps"]} == {200, 400, 403, 404, 409, 422}


def test_published_race_has_the_published_outcomes() -> None:
    """Of two requests from one size, the first to be decided is cosigned and the other gets 409 and the new size."""
    race = VECTOR["race"]
    signer = Signer(VECTOR["witness"].partition("+")[0], bytes.fromhex(VECTOR["seed_hex"]), Algorithm.COSIGNATURE)
    log = parse_vkey(VECTOR["log"])
    for outcome in race["outcomes"]:
        latest: Checkpoint | None = open_checkpoint(race["before"].encode(), [log], log.name).checkpoint
        for reply in outcome["replies"]:
            answer, latest = play(race["requests"][reply["request"]].encode(), latest, signer, log, race["time"])
            assert_reply(answer, reply)
        assert latest is not None
        assert latest.size == outcome["latest"]
        assert sorted(reply["status"] for reply in outcome["replies"]) == [200, 409]


@pytest.mark.parametrize("case", COSIGNATURES["good"], ids=lambda case: f"{case['what']} at {case['time']}")
def test_published_cosignatures_verify_and_are_reproduced(case: dict[str, Any]) -> None:
    """Each published line is the one that the published key makes, and states its time."""
    verifier = parse_vkey(COSIGNATURES["vkey"])
    signer = Signer(verifier.name, bytes.fromhex(COSIGNATURES["seed_hex"]), Algorithm.COSIGNATURE)
    (line,) = parse_signatures(case["line"].encode())
    assert verifier.verify(case["text"], line) == case["time"]
    assert signer.sign(case["text"], time_s=case["time"]).encode().decode() == case["line"]


@pytest.mark.parametrize("case", COSIGNATURES["bad"], ids=lambda case: case["what"])
def test_published_bad_cosignatures_do_not_verify(case: dict[str, Any]) -> None:
    """Another time, text or length, and a plain signature in its place, are refused."""
    (line,) = parse_signatures(case["line"].encode())
    with pytest.raises(NotProven):
        parse_vkey(COSIGNATURES["vkey"]).verify(COSIGNATURES["bad_text"], line)


def test_golden_request_reads_back() -> None:
    """The published request has one form."""
    assert parse_request(GOLDEN).encode() == GOLDEN
    assert parse_request(GOLDEN).old_size == 3


def test_attack_every_flipped_byte_of_a_request() -> None:
    """No byte of a request can change and still be cosigned, and nothing is remembered of it."""
    body = request(3, 8)
    before = Checkpoint(ORIGIN, 3, root_of(HASHES[:3]))
    assert play(body, before)[0].status == 200
    for at in range(len(body)):
        for mask in (0x01, 0x20, 0x80):
            answer, latest = play(body[:at] + bytes([body[at] ^ mask]) + body[at + 1 :], before)
            assert answer.status in {400, 403, 404, 409, 422}, at
            assert latest == before


def test_a_cosignature_opens_as_one_outside_witness() -> None:
    """What is stored is the checkpoint under the log's signature and the witness's; strangers' lines are not kept."""
    stranger = Signer("stranger", b"\x55" * 32)
    note = sign_checkpoint(Checkpoint(ORIGIN, 2, root_of(HASHES[:2])), [UNSAFE_LOG_SIGNER, stranger])
    answer, _ = play(AddCheckpoint(0, (), note).encode(), None, at=1234)
    assert answer.note is not None
    opened = open_checkpoint(answer.note, [UNSAFE_LOG_SIGNER.verifier, WITNESS.verifier], ORIGIN)
    assert [(one.name, one.time_s) for one in opened.witnesses] == [("w.example", 1234)]
    assert [line.name for line in parse_note(answer.note).signatures] == [ORIGIN, "w.example"]
    assert answer.note.endswith(answer.body)


def test_the_size_is_told_in_a_conflict() -> None:
    """409 carries the known size, a newline, and the type that the format asks for; no state means size 0."""
    answer, _ = play(request(3, 8), Checkpoint(ORIGIN, 5, root_of(HASHES[:5])))
    assert (answer.status, answer.body, answer.content_type) == (409, b"5\n", SIZE_TYPE)
    answer, _ = play(request(3, 8), None)
    assert (answer.status, answer.body) == (409, b"0\n")


def test_two_roots_at_one_size_are_marked_as_proof_of_a_fork() -> None:
    """Only two signed roots at one size are: a proof that fails may be the submitter's fault."""
    before = Checkpoint(ORIGIN, 8, root_of(HASHES[:8]))
    assert play(request(8, 8, OTHERS), before)[0].conflict
    assert not play(request(8, 9, OTHERS), before)[0].conflict


def test_two_keys_of_one_log_are_both_accepted() -> None:
    """A log that changes its key is known under either; a line of a known key that fails refuses the request."""
    new = Signer(ORIGIN, b"\x09" * 32)
    logs = [UNSAFE_LOG_SIGNER.verifier, new.verifier]
    checkpoint = Checkpoint(ORIGIN, 2, root_of(HASHES[:2]))
    for signers in ([UNSAFE_LOG_SIGNER], [new], [new, UNSAFE_LOG_SIGNER]):
        body = AddCheckpoint(0, (), sign_checkpoint(checkpoint, signers)).encode()
        assert not isinstance(receive(body, logs), Answer)
    other = sign_checkpoint(Checkpoint(ORIGIN, 3, root_of(HASHES[:3])), [new]).partition(b"\n\n")[2]
    bad = receive(AddCheckpoint(0, (), sign_checkpoint(checkpoint, [UNSAFE_LOG_SIGNER]) + other).encode(), logs)
    assert isinstance(bad, Answer)
    assert bad.status == 403


@pytest.mark.parametrize("size", ["0", "7"])
def test_malformed_checkpoint_needs_no_decision(size: str) -> None:
    """A signed text of a known origin that is no checkpoint is malformed, an unsigned one is not even looked at."""
    text = f"{ORIGIN}\n{size}\nno root\n"
    signed = text.encode() + b"\n" + UNSAFE_LOG_SIGNER.sign(text).encode()
    unsigned = text.encode() + b"\n" + Signer(ORIGIN, b"\x09" * 32).sign(text).encode()
    for note, status in ((signed, 400), (unsigned, 403)):
        answer = receive(AddCheckpoint(0, (), note).encode(), [UNSAFE_LOG_SIGNER.verifier])
        assert isinstance(answer, Answer)
        assert answer.status == status


def test_an_empty_log_with_a_false_root_counts_only_if_its_log_signed() -> None:
    """422 for what the log signed; 403 for what a stranger signed in its name, alone or with a line that fails."""
    text = f"{ORIGIN}\n0\n{'A' * 43}=\n"
    own, stranger = UNSAFE_LOG_SIGNER.sign(text).encode(), Signer(ORIGIN, b"\x09" * 32).sign(text).encode()
    bad = UNSAFE_LOG_SIGNER.sign(f"{ORIGIN}\n1\n{'A' * 43}=\n").encode()
    for lines, status in ((own, 422), (stranger, 403), (bad, 403), (stranger + own, 422)):
        note = text.encode() + b"\n" + lines
        answer = receive(AddCheckpoint(0, (), note).encode(), [UNSAFE_LOG_SIGNER.verifier])
        assert isinstance(answer, Answer)
        assert answer.status == status


@pytest.mark.parametrize(
    "made",
    [AddCheckpoint(-1, (), b""), AddCheckpoint(1, (b"short",), b""), AddCheckpoint(1, (bytes(32),) * 64, b"")],
)
def test_wrong_fields_are_never_written(made: AddCheckpoint) -> None:
    """A request that would not read back is not encoded."""
    with pytest.raises(ValueError, match="expected"):
        made.encode()


def test_a_request_beyond_its_bound_is_refused() -> None:
    """Nothing longer than a note and its proof is parsed."""
    with pytest.raises(InvalidFormat):
        parse_request(b"old 0\n\n" + b"x" * 1_100_000)


def test_the_name_of_a_log_is_the_digest_of_its_origin() -> None:
    """As the format says: SHA-256 of the origin in hex."""
    assert state_name("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


Sizes = st.integers(0, 39)


@given(st.lists(st.tuples(Sizes, Sizes, st.booleans()), max_size=12))
def test_no_order_of_requests_gets_two_histories_cosigned(steps: list[tuple[int, int, bool]]) -> None:
    """Whatever is asked from two histories that part at entry 4, all that is cosigned is of one, and never shrinks."""
    latest: Checkpoint | None = None
    cosigned: list[Checkpoint] = []
    for old, size, rewritten in steps:
        hashes = OTHERS if rewritten else HASHES
        body = request(min(old, size), size, hashes)
        answer, latest = play(body, latest)
        if answer.status == 200:
            assert latest is not None
            cosigned.append(latest)
    assert [one.size for one in cosigned] == sorted(one.size for one in cosigned)
    roots = [{one.root for one in cosigned} <= {root_of(h[: o.size]) for o in cosigned} for h in (HASHES, OTHERS)]
    assert any(roots)


@given(st.binary(max_size=60), st.integers(0, 400))
def test_any_bytes_get_an_answer(noise: bytes, at: int) -> None:
    """Receiving never raises, and what parses has one form."""
    for body in (noise, GOLDEN[:at] + noise + GOLDEN[at:], GOLDEN[:at] + noise):
        received = receive(body, [UNSAFE_LOG_SIGNER.verifier, parse_vkey(VECTOR["log"])])
        assert not isinstance(received, Answer) or received.status in {400, 403, 404, 422}
        try:
            assert parse_request(body).encode() == body
        except InvalidFormat:
            continue


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.integers(0, 2**63 - 1))
def test_lines_read_back(hashes: list[bytes], number: int) -> None:
    """Hashes and numbers are read from the one form in which they are written."""
    assert list(parse_hashes(encode_hashes(hashes).decode().split("\n")[:-1])) == hashes
    assert parse_decimal(str(number), "number") == number
    with pytest.raises(InvalidFormat):
        parse_decimal(f"0{number}", "number")
    with pytest.raises(InvalidFormat):
        parse_base64("QUJ=")
