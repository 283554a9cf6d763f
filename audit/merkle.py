"""Merkle trees over leaf hashes: roots, proofs and their verification.

Promises:
1. Hashes and tree shape are those of RFC 6962; a lone right node is promoted, never duplicated.
2. The verifiers return nothing or raise `NotProven`, whatever sizes, hashes and proofs they are given.
3. The shape of a proof is defined once (`inclusion_ranges`, `consistency_ranges`), for trees in memory and
   for trees in tiles.

It does not read, store or sign anything. A consistency proof from size 0 proves nothing and is refused always: a
caller for whom an empty log is a legitimate start says so itself.

Source: RFC 6962 section 2.1; the iterative verifiers follow RFC 9162 sections 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from audit.errors import InvalidFormat, NotProven
from audit.frozen import frozen

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1
MAX_ENTRY_BYTES = 65_535  # what an entry bundle can state as a length
_sha256 = hashlib.sha256
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash one log entry."""
    return _sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Hash log entries, many at once."""
    sha256 = _sha256
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash an inner node from its two children."""
    return _sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root of the tree with these leaf hashes."""
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    while len(level) > 1:
        parents = [_sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            parents.append(level[-1])
        level = parents
    return level[0]


def _split(start: int, end: int) -> int:
    """Return where the tree over leaves [start, end) divides: after the largest power of two below its size."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def inclusion_ranges(index: int, size: int) -> tuple[tuple[int, int], ...]:
    """Return the leaf ranges [start, end) whose roots make up the inclusion proof, leaf sibling first.

    >>> inclusion_ranges(2, 5)
    ((3, 4), (0, 2), (4, 5))
    """
    if not 0 <= index < size:
        raise ValueError(f"expected an index below the size {size}, got {index}")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + (1 << ((end - start - 1).bit_length() - 1))  # `_split`, at each of many steps
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return tuple(reversed(ranges))


def consistency_ranges(size1: int, size2: int) -> tuple[tuple[int, int], ...]:
    """Return the leaf ranges [start, end) whose roots make up the consistency proof.

    >>> consistency_ranges(3, 5)
    ((2, 3), (3, 4), (0, 2), (4, 5))
    """
    if not 0 < size1 <= size2:
        raise ValueError(f"expected an old size from 1 to {size2}, got {size1}")
    ranges = []
    start, end = 0, size2
    while end != size1:
        middle = _split(start, end)
        if size1 <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:  # the old tree is not one whole subtree from leaf 0, so its last part must be named
        ranges.append((start, end))
    return tuple(reversed(ranges))


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the proof that the leaf at `index` stands in the tree with these leaf hashes."""
    return tuple(root_of(leaf_hashes[a:b]) for a, b in inclusion_ranges(index, len(leaf_hashes)))


def consistency_proof(leaf_hashes: Sequence[bytes], size1: int) -> tuple[bytes, ...]:
    """Return the proof that the tree with these leaf hashes only appended to its first `size1` leaves."""
    return tuple(root_of(leaf_hashes[a:b]) for a, b in consistency_ranges(size1, len(leaf_hashes)))


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Verify that the leaf with hash `leaf` stands at `index` in the tree of `size` leaves with this root.

    Raises:
        NotProven: the proof does not lead from the leaf to the root.
    """
    _check_hashes((leaf, root, *proof))
    if not 0 <= index < size:
        raise NotProven(f"expected an index below the size {size}, got {index}")
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise NotProven(f"expected a shorter inclusion proof, got {len(proof)} hashes")
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise NotProven(f"expected a longer inclusion proof, got {len(proof)} hashes")
    if result != root:
        raise NotProven(f"expected the inclusion proof of leaf {index} to lead to the root, got another hash")


def verify_consistency(*, size1: int, root1: bytes, size2: int, root2: bytes, proof: Sequence[bytes]) -> None:
    """Verify that the tree of `size2` leaves only appended to the tree of `size1` leaves.

    Raises:
        NotProven: the proof does not lead to both roots, or `size1` is 0.
    """
    if not 0 < size1 <= size2:
        raise NotProven(f"expected an old size from 1 to {size2}, got {size1}")
    if size1 == size2:  # nothing is hashed here, so the vectors ask for equality only
        if proof or root1 != root2:
            raise NotProven("expected equal roots and no proof for equal sizes, got something else")
        return
    _check_hashes((root1, root2, *proof))
    path = list(proof)
    if size1 & (size1 - 1) == 0:  # the old tree is one whole subtree: its root starts the walk
        path.insert(0, root1)
    if not path:
        raise NotProven("expected a consistency proof, got no hashes")
    node, last = size1 - 1, size2 - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    if _walk_both(node, last, path) != (root1, root2):
        raise NotProven("expected the consistency proof to lead to both roots, got another hash")


def _walk_both(node: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Walk a consistency path upwards and return the old and the new root it leads to."""
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise NotProven("expected a shorter consistency proof, got hashes left over")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise NotProven("expected a longer consistency proof, got too few hashes")
    return old, new


def _check_hashes(hashes: Iterable[bytes]) -> None:
    for value in hashes:
        if len(value) != HASH_BYTES:
            raise NotProven(f"expected hashes of {HASH_BYTES} bytes, got one of {len(value)}")


@frozen
class Frontier:
    """The right edge of a tree: all that is needed to append to it and to know its root.

    `hashes` are the roots of the complete subtrees that the size's binary digits name, largest first. The
    default is the empty tree. A database that keeps one encoded frontier per log appends in O(log n) without
    reading any other leaf.

    >>> Frontier().append(leaf_hash(b"one")).append(leaf_hash(b"two")).size
    2
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Frontier:
        """Return the frontier of the tree with one leaf hash more."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """Return the frontier of the tree with these leaf hashes appended."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            node, carry = leaf, size
            while carry & 1:  # like a binary counter: each trailing one is a subtree that is now complete
                node = node_hash(hashes.pop(), node)
                carry >>= 1
            hashes.append(node)
            size += 1
        return Frontier(size, tuple(hashes))

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return fold_right(self.hashes)

    def encode(self) -> bytes:
        """Return the size as 8 bytes, big-endian, followed by the hashes."""
        return self.size.to_bytes(8, "big") + b"".join(self.hashes)


def fold_right(subtree_roots: Sequence[bytes]) -> bytes:
    """Join the roots of complete subtrees, largest first, into the root of the tree they make up."""
    if not subtree_roots:
        return EMPTY_ROOT
    *rest, result = subtree_roots
    for left in reversed(rest):
        result = node_hash(left, result)
    return result


def parse_frontier(data: bytes) -> Frontier:
    """Parse an encoded frontier.

    Raises:
        InvalidFormat: the length does not fit the size, or the size is out of range.
    """
    size, body = int.from_bytes(data[:8], "big"), data[8:]
    if len(data) < 8 or size > MAX_SIZE or len(body) != HASH_BYTES * size.bit_count():
        raise InvalidFormat(f"expected a size and one hash per binary one in it, got {len(data)} bytes")
    return Frontier(size, tuple(body[i : i + HASH_BYTES] for i in range(0, len(body), HASH_BYTES)))
