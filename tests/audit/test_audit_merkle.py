"""Trees and proofs: the published vectors, a brute-force definition, and the frontier."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import InvalidFormat, NotProven
from audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    parse_frontier,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.audit.audit_logs import VECTORS
from tests.conftest import examples

FACTS = json.loads((VECTORS / "rfc6962_constants.json").read_bytes())
INCLUSION = sorted((VECTORS / "merkle" / "inclusion").rglob("*.json"))
CONSISTENCY = sorted((VECTORS / "merkle" / "consistency").rglob("*.json"))


def split(size: int) -> int:
    """The largest power of two strictly below a size, by trying."""
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, word for word."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, word for word."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def hashes(count: int) -> list[bytes]:
    """Distinct leaf hashes."""
    return [leaf_hash(seq.to_bytes(4, "big")) for seq in range(count)]


def unpack(value: str | None) -> bytes:
    """The bytes of a vector's field."""
    return base64.b64decode(value or "")


def test_hashes_and_roots_equal_the_published_constants() -> None:
    """Leaf, node, empty root and the roots of sizes 0 to 8 are those of RFC 6962."""
    leaves = [leaf_hash(bytes.fromhex(text)) for text in FACTS["leaf_inputs_hex"]]
    assert [leaf.hex() for leaf in leaves] == FACTS["leaf_hashes_hex"]
    roots = {size: root_of(leaves[: int(size)]).hex() for size in FACTS["roots_by_size_hex"]}
    assert roots == FACTS["roots_by_size_hex"]
    assert leaf_hash(FACTS["leaf_hash"]["input_utf8"].encode()).hex() == FACTS["leaf_hash"]["hash_hex"]
    node = FACTS["node_hash"]
    assert node_hash(node["left_utf8"].encode(), node["right_utf8"].encode()).hex() == node["hash_hex"]
    assert FACTS["empty_root_hex"] == EMPTY_ROOT.hex() == Frontier().root.hex()


def test_all_vectors_are_present() -> None:
    """The two parametrised tests below run over 98 files each."""
    assert (len(INCLUSION), len(CONSISTENCY)) == (98, 98)


@pytest.mark.parametrize("file", INCLUSION, ids=lambda file: "/".join(file.parts[-2:]))
def test_inclusion_vector(file: Path) -> None:
    """The inclusion verifier accepts and refuses exactly what the vector says."""
    case = json.loads(file.read_bytes())

    def verify() -> None:
        verify_inclusion(
            leaf=unpack(case["leafHash"]),
            index=case["leafIdx"],
            size=case["treeSize"],
            proof=[unpack(one) for one in case["proof"] or []],
            root=unpack(case["root"]),
        )

    if case["wantErr"]:
        with pytest.raises(NotProven):
            verify()
    else:
        verify()


@pytest.mark.parametrize("file", CONSISTENCY, ids=lambda file: "/".join(file.parts[-2:]))
def test_consistency_vector(file: Path) -> None:
    """The consistency verifier accepts and refuses exactly what the vector says."""
    case = json.loads(file.read_bytes())

    def verify() -> None:
        verify_consistency(
            size1=case["size1"],
            root1=unpack(case["root1"]),
            size2=case["size2"],
            root2=unpack(case["root2"]),
            proof=[unpack(one) for one in case["proof"] or []],
        )

    if case["wantErr"]:
        with pytest.raises(NotProven):
            verify()
    else:
        verify()


@pytest.mark.parametrize("size", [0, 1, 5])
def test_size_0_is_refused_as_an_old_size_always(size: int) -> None:
    """A consistency proof from the empty tree proves nothing, even to the empty tree."""
    root = root_of(hashes(size))
    with pytest.raises(NotProven):
        verify_consistency(size1=0, root1=EMPTY_ROOT, size2=size, root2=root, proof=())
    with pytest.raises(ValueError, match="expected an old size"):
        consistency_proof(hashes(size), 0)


@pytest.mark.parametrize("size", range(1, 18))
def test_proofs_equal_the_recursive_definition_exhaustively(size: int) -> None:
    """For every small tree, roots and all proofs are those of RFC 6962, and verify."""
    leaves = hashes(size)
    root = root_of(leaves)
    assert root == mth(leaves)
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        assert list(proof) == path(index, leaves)
        verify_inclusion(leaf=leaves[index], index=index, size=size, proof=proof, root=root)
    for old in range(1, size + 1):
        proof = consistency_proof(leaves, old)
        assert list(proof) == subproof(old, leaves, True)
        verify_consistency(size1=old, root1=mth(leaves[:old]), size2=size, root2=root, proof=proof)


@examples(60)
@given(st.integers(1, 700).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1), st.integers(1, n))))
def test_proofs_of_larger_trees_equal_the_definition(case: tuple[int, int, int]) -> None:
    """The same for trees that span several tiles."""
    size, index, old = case
    leaves = hashes(size)
    assert root_of(leaves) == mth(leaves) == Frontier().extend(leaves).root
    assert list(inclusion_proof(leaves, index)) == path(index, leaves)
    assert list(consistency_proof(leaves, old)) == subproof(old, leaves, True)


@examples(200)
@given(
    st.integers(-2, 40),
    st.integers(-2, 40),
    st.lists(st.sampled_from([*hashes(3), b"", b"\0" * 31]), max_size=6),
    st.sampled_from([*hashes(3), b"short"]),
)
def test_garbage_is_refused_with_the_right_error_only(first: int, second: int, proof: list[bytes], root: bytes) -> None:
    """Whatever the arguments, a verifier raises `NotProven` or nothing, and accepts no proof from nowhere."""
    leaf = leaf_hash(b"never appended")
    with pytest.raises(NotProven):
        verify_inclusion(leaf=leaf, index=first, size=second, proof=proof, root=root)
    with pytest.raises(NotProven):
        verify_consistency(size1=first, root1=leaf, size2=second, root2=root, proof=proof)


@examples(100)
@given(st.integers(1, 90), st.data())
def test_attack_flipped_bit_in_any_part_of_a_proof(size: int, data: st.DataObject) -> None:
    """One flipped bit in a leaf, a proof hash or a root is refused."""
    leaves = hashes(size)
    index = data.draw(st.integers(0, size - 1))
    parts = [leaves[index], root_of(leaves), *inclusion_proof(leaves, index)]
    part, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[part] = (int.from_bytes(parts[part], "big") ^ (1 << bit)).to_bytes(32, "big")
    with pytest.raises(NotProven):
        verify_inclusion(leaf=parts[0], index=index, size=size, proof=parts[2:], root=parts[1])


def test_frontier_has_the_root_of_every_size_and_reads_back() -> None:
    """Appending one leaf at a time gives each tree's root, and the encoding round-trips at each size."""
    frontier, leaves = Frontier(), hashes(300)
    for size, leaf in enumerate(leaves, 1):
        frontier = frontier.append(leaf)
        assert (frontier.size, frontier.root) == (size, root_of(leaves[:size]))
        assert parse_frontier(frontier.encode()) == frontier
    assert parse_frontier(Frontier().encode()) == Frontier()


def test_frontier_of_the_wrong_length_is_refused() -> None:
    """Every truncation, an extension, and a size with other binary digits are refused."""
    data = Frontier().extend(hashes(7)).encode()
    bad = [data[:cut] for cut in range(len(data))]
    bad += [data + b"\0", (8).to_bytes(8, "big") + data[8:], b"\xff" * 8 + b"\0" * 32 * 64]
    for one in bad:
        with pytest.raises(InvalidFormat):
            parse_frontier(one)
