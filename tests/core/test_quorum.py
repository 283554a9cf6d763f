"""Quorum trees: what they count is held against a brute-force definition, on random trees and signatures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.quorum import (
    AllOf,
    AnyOf,
    AtLeast,
    Missing,
    Tree,
    describe,
    find_missing,
    implies,
    parse_tree,
    roles_of,
    tree_json,
)
from tests.conftest import examples

ROLES = ("a", "b", "c")
PEOPLE = ("p1", "p2", "p3")


def trees(depth: int = 2) -> st.SearchStrategy[Tree]:
    """Return trees that somebody could meet."""
    inner = st.sampled_from(ROLES) if depth == 0 else st.one_of(st.sampled_from(ROLES), trees(depth - 1))
    some = st.lists(inner, min_size=1, max_size=3, unique=True).map(tuple)
    made: st.SearchStrategy[Tree] = st.one_of(
        st.builds(AtLeast, st.integers(1, 2), some), st.builds(AllOf, some), st.builds(AnyOf, some)
    )
    return made.filter(lambda tree: find_missing(tree, ()).roles != ())


SIGNERS = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(ROLES)), max_size=4)


def parts(tree: Tree) -> Iterator[list[tuple[str, ...]]]:
    """Yield every list of places that meets a tree, from the definition: each place is one role."""
    if isinstance(tree, str):
        yield [(tree,)]
    elif isinstance(tree, AnyOf):
        for one in tree.of:
            yield from parts(one)
    elif isinstance(tree, AllOf):
        yield from _product(tree.of)
    else:
        roles = [one for one in tree.of if isinstance(one, str)]
        inner = [one for one in tree.of if not isinstance(one, str)]
        for number in range(min(tree.at_least, len(inner)) + 1):
            people = tree.at_least - number
            if people == 0 or roles:
                for some in combinations(inner, number):
                    for places in _product(some):
                        yield [*places, *([tuple(roles)] * people)]


def _product(trees: Iterable[Tree]) -> Iterator[list[tuple[str, ...]]]:
    found: list[list[tuple[str, ...]]] = [[]]
    for one in trees:
        found = [before + places for before in found for places in parts(one)]
    yield from found


def is_met(tree: Tree, signers: Iterable[tuple[str, str]]) -> bool:
    """Return whether some people, each in one place, meet the tree: every arrangement is tried."""
    signed = set(signers)
    people = sorted({person for person, _ in signed})
    for places in parts(tree):
        for chosen in permutations(people, len(places)):
            if all(any((one, role) in signed for role in place) for one, place in zip(chosen, places, strict=True)):
                return True
    return False


def fewest_more(tree: Tree, signers: list[tuple[str, str]], at_most: int = 6) -> int:
    """Return how many newcomers, each in one role, meet the tree at the fewest: every choice is tried."""
    level = [tuple(signers)]
    for more in range(at_most + 1):
        if any(is_met(tree, signed) for signed in level):
            return more
        level = list({tuple(sorted({*signed, (f"n{more}", role)})) for signed in level for role in ROLES})
    raise AssertionError("nobody could meet it")


@examples(60)
@given(trees().filter(lambda tree: min(map(len, parts(tree))) <= 5), SIGNERS)
def test_what_is_missing_is_what_brute_force_says(tree: Tree, signers: list[tuple[str, str]]) -> None:
    """The fewest people, and just the roles in which one more person makes it fewer."""
    found = find_missing(tree, signers)
    fewest = fewest_more(tree, signers)
    assert found.people == fewest
    assert (fewest == 0) == is_met(tree, signers)
    helpful = {r for r in ROLES if fewest and fewest_more(tree, [*signers, ("new", r)]) < fewest}
    assert set(found.roles) == helpful


@examples(60)
@given(trees(), SIGNERS, SIGNERS)
def test_one_more_signature_never_unmeets_a_quorum(
    tree: Tree, signers: list[tuple[str, str]], more: list[tuple[str, str]]
) -> None:
    """More signatures, in whatever order, never ask for more people."""
    assert find_missing(tree, [*more, *signers]).people <= find_missing(tree, signers).people
    assert find_missing(tree, [*signers, *more]) == find_missing(tree, [*more, *signers])


@examples(60)
@given(trees(), trees(), SIGNERS)
def test_what_is_proved_to_imply_does(tree: Tree, other: Tree, signers: list[tuple[str, str]]) -> None:
    """Whoever meets a tree meets what it is said to imply; a tree implies itself."""
    assert implies(tree, tree)
    if implies(tree, other) and is_met(tree, signers):
        assert is_met(other, signers)


@examples(40)
@given(trees())
def test_a_tree_reads_back_as_it_was_written(tree: Tree) -> None:
    """What is parsed is what was encoded, and it is described in its own roles."""
    assert parse_tree(tree_json(tree)) == tree
    assert all(role in describe(tree) for role in roles_of(tree))


def test_one_person_never_fills_two_places() -> None:
    """Somebody with both roles counts once in an all_of, whichever role each signature is in."""
    both = AllOf(("compliance", AtLeast(1, ("compliance", "facilitator"))))
    alone = [("p-ines", "compliance"), ("p-ines", "facilitator")]
    assert find_missing(both, alone) == Missing(1, ("compliance", "facilitator"))
    assert find_missing(both, [*alone, ("p-tom", "facilitator")]) == Missing(0, ())


def test_a_person_is_put_where_they_are_needed() -> None:
    """Who could fill either place leaves the narrow one to whom fits nowhere else, and the reverse."""
    tree = AllOf(("a", "b"))
    assert find_missing(tree, [("p1", "a"), ("p1", "b"), ("p2", "a")]).people == 0
    assert find_missing(tree, [("p1", "a"), ("p1", "b")]) == Missing(1, ("a", "b"))


def test_the_cheapest_way_is_what_is_missing() -> None:
    """Of two ways the one that needs fewer more people; of two that need as many, the roles of both."""
    tree = AnyOf((AtLeast(3, ("a",)), AllOf(("b", "c"))))
    assert find_missing(tree, ()) == Missing(2, ("b", "c"))
    assert find_missing(tree, [("p1", "a")]) == Missing(2, ("a", "b", "c"))
    assert find_missing(tree, [("p1", "a"), ("p2", "a")]) == Missing(1, ("a",))


def test_excluded_people_do_not_count() -> None:
    """The author's signature fills no place."""
    assert find_missing("a", [("p1", "a")], excluded=frozenset({"p1"})) == Missing(1, ("a",))


@pytest.mark.parametrize(
    "tree", [AtLeast(0, ("a",)), AtLeast(1, ()), AllOf(()), AnyOf(()), AtLeast(2, (AllOf(("a",)),))]
)
def test_an_empty_quorum_is_never_met(tree: Tree) -> None:
    """A tree that slipped past the reader is met by nobody, however many sign."""
    everybody = [(person, role) for person in PEOPLE for role in ROLES]
    assert find_missing(tree, ()).people == 1
    assert find_missing(tree, everybody).people == 1
    assert not implies(tree, "a")


def wide(number: int) -> list[object]:
    """Return so many different quorums of two ways each."""
    return [{"any_of": [f"a{n}", f"b{n}"]} for n in range(number)]


@pytest.mark.parametrize(
    "document",
    [
        None,
        3,
        [],
        {},
        "Not a name",
        {"at_least": 1},
        {"of": ["a"]},
        {"at_least": 1, "of": []},
        {"at_least": 0, "of": ["a"]},
        {"at_least": True, "of": ["a"]},
        {"at_least": 51, "of": ["a"]},
        {"at_least": 1, "of": ["a", "a"]},
        {"at_least": 2, "of": [{"all_of": ["a"]}]},
        {"at_least": 1, "of": ["a"], "all_of": ["b"]},
        {"all_of": ["a"], "any_of": ["b"]},
        {"all_of": []},
        {"any_of": []},
        {"all_of": "a"},
        {"all_of": ["a"], "more": 1},
        {"all_of": [{"all_of": [{"all_of": [{"all_of": [{"all_of": ["a"]}]}]}]}]},
        {"all_of": wide(8)},
        {"at_least": 4, "of": wide(12)},
        {"any_of": [f"r{n}" for n in range(51)]},
        {"all_of": [{"at_least": 30, "of": ["a"]}, {"at_least": 30, "of": ["b"]}]},
    ],
    ids=str,
)
def test_a_tree_that_is_empty_unmeetable_or_too_large_is_refused(document: object) -> None:
    """Nothing to meet, more than anybody could bring, two forms at once, too deep, too many ways: all refused."""
    with pytest.raises(InvalidDocument):
        parse_tree(document)


def test_a_small_document_cannot_cost_much() -> None:
    """A tree made to explode is refused after few steps, not after 10^12."""
    bomb = {"at_least": 12, "of": [{"all_of": [f"x{n}", f"y{n}"]} for n in range(16)]}
    with pytest.raises(InvalidDocument, match="ways"):
        parse_tree(bomb)
