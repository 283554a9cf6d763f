"""Witness policies: what is read, what is refused, and that the quorum is the one that brute force finds."""

from __future__ import annotations

import json
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import InvalidFormat, NotProven
from audit.checkpoint import Checkpoint, cosign, sign_checkpoint
from audit.merkle import leaf_hash
from audit.note import Algorithm, Signer, add_signatures, sign_note
from audit.policy import (
    NO_WITNESS,
    Group,
    Log,
    Policy,
    PolicyWitness,
    evaluate,
    parse_policy,
    probe,
    verify_checkpoint,
)
from tests.audit.audit_logs import ORIGIN, UNSAFE_LOG_SIGNER, VECTORS

VECTOR: dict[str, Any] = json.loads((VECTORS / "mentorplane" / "audit" / "policy.json").read_bytes())
UNSAFE_WITNESSES = {
    name: Signer(f"{name}.example", bytes([at]) * 32, Algorithm.COSIGNATURE) for at, name in enumerate("abcdef", 40)
}
SIGNED = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(b"entry")), [UNSAFE_LOG_SIGNER])
LOG_LINE = f"log {UNSAFE_LOG_SIGNER.verifier.vkey}\n"


def witness_lines(names: str) -> str:
    """Return the lines that define these witnesses."""
    return "".join(f"witness {name} {UNSAFE_WITNESSES[name].verifier.vkey}\n" for name in names)


def policy_of(rest: str, names: str = "abc") -> Policy:
    """Return the policy of the test log and these witnesses that ends in these lines."""
    return parse_policy((LOG_LINE + witness_lines(names) + rest).encode())


def cosigned_by(names: str, data: bytes = SIGNED) -> bytes:
    """Return the checkpoint under the cosignatures of these witnesses."""
    return add_signatures(data, b"".join(cosign(data, UNSAFE_WITNESSES[name], time_s=9) for name in names))


@pytest.mark.parametrize("case", VECTOR["policies"], ids=lambda case: case["what"])
def test_published_policies_give_the_published_verdicts(case: dict[str, Any]) -> None:
    """Each policy reads back, and each set of cosigners is a quorum or none, by names and over real signatures."""
    policy = parse_policy(case["policy"].encode())
    assert parse_policy(policy.encode()) == policy
    probe(policy)
    for verdict in case["verdicts"]:
        assert policy.is_met_by(verdict["cosigners"]) is verdict["met"], verdict
    for note in case.get("checkpoints", ()):
        assert evaluate(policy, note["checkpoint"].encode()).ok is note["accepted"], note["what"]


@pytest.mark.parametrize("case", VECTOR["malformed"], ids=lambda case: case["what"])
def test_published_malformed_policies_are_refused(case: dict[str, Any]) -> None:
    """What is malformed, ambiguous or empty is refused while parsing, even if no witness is asked for."""
    data = bytes.fromhex(case["hex"]) if "hex" in case else case["policy"].encode()
    for allow in (False, True):
        with pytest.raises(InvalidFormat):
            parse_policy(data, allow_unwitnessed=allow)


def test_attack_empty_quorum() -> None:
    """`quorum none` is refused, unless asked for; then the verdict says that no outside witness signed."""
    data = (LOG_LINE + "quorum none\n").encode()
    with pytest.raises(InvalidFormat, match="quorum none"):
        parse_policy(data)
    policy = parse_policy(data, allow_unwitnessed=True)
    probe(policy)
    verdict = evaluate(policy, SIGNED)
    assert (verdict.ok, verdict.witnessed, verdict.because) == (True, False, NO_WITNESS)
    assert policy.unwitnessed
    assert evaluate(policy_of("quorum a\n"), SIGNED).because == NO_WITNESS


@pytest.mark.parametrize(
    ("groups", "quorum"),
    [
        ((Group("g", 0, ("a",)),), "g"),
        ((Group("g", 0, ()),), "g"),
        ((Group("g", 0, ("a",)), Group("h", 1, ("g",))), "h"),
    ],
)
def test_attack_threshold_that_nobody_has_to_meet(groups: tuple[Group, ...], quorum: str) -> None:
    """A policy put together in code so that zero signatures satisfy it does not pass the probe, nor encode."""
    log = Log(UNSAFE_LOG_SIGNER.verifier)
    policy = Policy((log,), (PolicyWitness("a", UNSAFE_WITNESSES["a"].verifier),), groups, quorum)
    with pytest.raises(NotProven):
        probe(policy)
    with pytest.raises(ValueError, match="expected"):
        policy.encode()


def test_attack_impossible_origin() -> None:
    """A policy refuses a checkpoint of an origin that no log can have, and one that nobody signed."""
    policy = policy_of("group g any a b c\nquorum g\n")
    probe(policy)
    impossible = "no log + has this"
    text = Checkpoint(impossible, 1, leaf_hash(b"entry")).encode()
    assert not evaluate(policy, sign_note(text, [UNSAFE_LOG_SIGNER])).ok
    unsigned = SIGNED.partition(b"\n\n")[0] + b"\n\n"
    assert not evaluate(policy, unsigned).ok
    assert not evaluate(policy, unsigned + cosign(SIGNED, UNSAFE_WITNESSES["a"], time_s=9)).ok
    assert not evaluate(policy, cosigned_by("a").replace(b"\n\n", b"\n", 1)).ok


def test_attack_log_known_under_an_impossible_origin() -> None:
    """A policy put together with a log key of an impossible name does not pass the probe."""
    origin = "impossible.invalid/no log has blanks + plus signs in its name"
    verifier = type(UNSAFE_LOG_SIGNER.verifier)(origin, UNSAFE_LOG_SIGNER.verifier.public_key)
    with pytest.raises(NotProven):
        probe(Policy((Log(verifier),), (), (), ""))


def test_attack_one_key_counts_once_and_a_log_key_never() -> None:
    """Twin witnesses with one key are refused; put together in code, they count as one, and the log's own as none."""
    a, twin = UNSAFE_WITNESSES["a"], Signer("twin.example", UNSAFE_WITNESSES["a"].seed, Algorithm.COSIGNATURE)
    own = Signer("own.example", UNSAFE_LOG_SIGNER.seed, Algorithm.COSIGNATURE)
    for other in (twin, own):
        with pytest.raises(InvalidFormat, match="every key once"):
            policy_of(f"witness x {other.verifier.vkey}\nquorum x\n")
    policy = Policy(
        (Log(UNSAFE_LOG_SIGNER.verifier),),
        tuple(PolicyWitness(one.name, one.verifier) for one in (a, twin, own)),
        (Group("two", 2, (a.name, twin.name, own.name)),),
        "two",
    )
    data = add_signatures(SIGNED, b"".join(cosign(SIGNED, one, time_s=9) for one in (a, twin, own)))
    assert not evaluate(policy, data).ok
    with pytest.raises(NotProven, match="quorum"):
        verify_checkpoint(policy, data)


def test_attack_every_flipped_byte_of_a_cosigned_checkpoint() -> None:
    """No byte can change without the policy refusing the checkpoint: every line in it is needed."""
    policy = policy_of("group g all a b\nquorum g\n")
    data = cosigned_by("ab")
    assert evaluate(policy, data).names == ("a", "b")
    for at in range(len(data)):
        for mask in (0x01, 0x20, 0x80):
            changed = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
            assert not evaluate(policy, changed).ok, at


def test_unknown_signatures_are_ignored_and_bad_known_ones_refuse() -> None:
    """A stranger's line changes nothing; a known witness's line that fails refuses the whole checkpoint."""
    policy = policy_of("quorum a\n", "ab")
    assert evaluate(policy, cosigned_by("abf")).names == ("a", "b")
    other = sign_checkpoint(Checkpoint(ORIGIN, 2, leaf_hash(b"other")), [UNSAFE_LOG_SIGNER])
    bad = add_signatures(cosigned_by("a"), cosign(other, UNSAFE_WITNESSES["b"], time_s=9))
    assert not evaluate(policy, bad).ok


def test_policy_without_a_log_accepts_nothing() -> None:
    """An empty set of logs is well formed and knows no checkpoint."""
    policy = parse_policy((witness_lines("a") + "quorum a\n").encode())
    probe(policy)
    assert not evaluate(policy, cosigned_by("a")).ok


def test_words_are_octets_and_blanks_are_spaces_and_tabs_only() -> None:
    """Names may be any octets beyond ASCII, compared as they are; they read back to the same bytes."""
    name = b"caf\xe9\xc2\xa0x"
    vkey = UNSAFE_WITNESSES["a"].verifier.vkey.encode()
    data = (
        LOG_LINE.encode() + b"\t witness \t" + name + b" " + vkey + b" https://w.example/\t\n \n# \xff\nquorum " + name
    )
    policy = parse_policy(data + b" \n")
    assert policy.witnesses[0].url == "https://w.example/"
    assert b"witness " + name + b" " in policy.encode()
    assert policy.is_met_by([policy.witnesses[0].name])
    with pytest.raises(InvalidFormat):
        parse_policy(data.replace(b"\nquorum caf", b"\nquorum cav") + b"\n")


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy over up to six witnesses, with groups of groups, in which each name is a member at most once."""
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True))
    free, groups = list(names), []
    for at in range(draw(st.integers(0, 4))):
        members = draw(st.lists(st.sampled_from(free), min_size=1, max_size=4, unique=True))
        groups.append(Group(f"g{at}", draw(st.integers(1, len(members))), tuple(members)))
        free = [name for name in free if name not in members] + [f"g{at}"]
    quorum = draw(st.sampled_from([*names, *(group.name for group in groups)]))
    witnesses = tuple(PolicyWitness(name, UNSAFE_WITNESSES[name].verifier) for name in names)
    return Policy((Log(UNSAFE_LOG_SIGNER.verifier),), witnesses, tuple(groups), quorum)


def counted(policy: Policy, name: str, cosigners: frozenset[str]) -> bool:
    """Say by definition, from the top down, whether a name has witnessed."""
    group = next((group for group in policy.groups if group.name == name), None)
    if group is None:
        return name in cosigners
    return len([one for one in group.members if counted(policy, one, cosigners)]) >= group.threshold


@given(policies())
def test_any_policy_agrees_with_brute_force(policy: Policy) -> None:
    """Any policy reads back and passes the probe, and every set of cosigners gets the verdict of the definition."""
    assert parse_policy(policy.encode()) == policy
    probe(policy)
    names = [witness.name for witness in policy.witnesses]
    sets = chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))
    for cosigners in map(frozenset, sets):
        met = counted(policy, policy.quorum, cosigners)
        assert policy.is_met_by(cosigners) is met
        assert policy.is_met_by([*cosigners, *cosigners, "stranger", policy.quorum + "x"]) is met


@given(policies(), st.sets(st.sampled_from("abcdef")))
def test_any_cosigned_checkpoint_agrees_with_brute_force(policy: Policy, cosigners: set[str]) -> None:
    """Over real signatures the verdict is that of the names, and more cosignatures never turn a yes into a no."""
    verdict = evaluate(policy, cosigned_by("".join(sorted(cosigners))) if cosigners else SIGNED)
    known = cosigners & {witness.name for witness in policy.witnesses}
    assert verdict.ok is counted(policy, policy.quorum, frozenset(known))
    if verdict.ok:
        assert set(verdict.names) == known
        assert evaluate(policy, cosigned_by("abcdef")).ok


@given(st.binary(max_size=80), st.integers(0, 400))
def test_any_bytes_raise_invalid_format_or_round_trip(noise: bytes, at: int) -> None:
    """Parsing raises nothing but `InvalidFormat`, and evaluating never raises."""
    whole = (LOG_LINE + witness_lines("ab") + "group g 1 a b\nquorum g\n").encode()
    for data in (noise, whole[:at] + noise + whole[at:], whole[:at] + noise):
        try:
            policy = parse_policy(data)
        except InvalidFormat:
            continue
        assert parse_policy(policy.encode()) == policy
    assert not evaluate(parse_policy(whole), noise).ok


def test_a_policy_beyond_its_bounds_is_refused() -> None:
    """A file too long, and more groups than any reader should walk, are refused; 32 of each kind are read."""
    with pytest.raises(InvalidFormat, match="bytes"):
        parse_policy(b"#" * 200_001)
    many = "".join(f"group g{at} 1 {'a' if at == 0 else f'g{at - 1}'}\n" for at in range(1001))
    with pytest.raises(InvalidFormat, match="at most"):
        policy_of(many + "quorum g9\n")
    logs = "".join(f"log {Signer(f'log-{at}', bytes([at + 1]) * 32).verifier.vkey}\n" for at in range(32))
    signers = [Signer(f"w-{at}", bytes([at + 101]) * 32, Algorithm.COSIGNATURE) for at in range(32)]
    witnesses = "".join(f"witness w{at} {one.verifier.vkey}\n" for at, one in enumerate(signers))
    groups = "".join(f"group g{at} any w{at}\n" for at in range(31))
    policy = parse_policy(
        f"{logs}{witnesses}{groups}group all 31 {' '.join(f'g{i}' for i in range(31))}\nquorum all\n".encode()
    )
    assert parse_policy(policy.encode()) == policy
    assert policy.is_met_by([f"w{at}" for at in range(31)])
    assert not policy.is_met_by([f"w{at}" for at in range(1, 32)])


@pytest.mark.parametrize("name", ["two words", "line\nbreak", "", "none"])
def test_wrong_fields_are_never_written(name: str) -> None:
    """A policy that would not read back the same is not encoded."""
    witness = PolicyWitness(name, UNSAFE_WITNESSES["a"].verifier)
    with pytest.raises(ValueError, match="expected"):
        Policy((Log(UNSAFE_LOG_SIGNER.verifier),), (witness,), (), name).encode()
    url = PolicyWitness("a", UNSAFE_WITNESSES["a"].verifier, "u v")
    with pytest.raises(ValueError, match="expected"):
        Policy((Log(UNSAFE_LOG_SIGNER.verifier),), (url,), (), "a").encode()
