"""Quorums: trees over roles that say which people, together, are enough.

    compliance                                   one person who signs in that role
    {at_least: 2, of: [facilitator, …]}          so many different people (or inner trees), out of these
    {all_of: [TREE, …]}                          every one of these, each by people of its own
    {any_of: [TREE, …]}                          one of these

A tree is unfolded into *ways*: each way is a list of places, each place a set of roles. A way is met when every place
is filled by a person of its own who signed in one of the place's roles: each person fills one place, so nobody is
counted twice, however many roles they hold and however a tree is written.

Promises: nobody at all never meets a quorum; one more signature never unmeets it; what is missing is exact: the fewest
people who would meet it, and just the roles in which one more person brings that number down. A tree that nobody could
meet, that is empty, or that unfolds beyond a bound is refused when it is read.
Does not: know who is eligible, or who wrote what (see `approval`). Format: docs/formats.md, Approval rules.
Source: Kuhn's augmenting paths; the places that an alternating path reaches are those one more person could free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, product
from typing import TypeAlias

from audit.frozen import frozen
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields, is_name

__all__ = [
    "AllOf",
    "AnyOf",
    "AtLeast",
    "Missing",
    "Tree",
    "describe",
    "find_missing",
    "implies",
    "parse_tree",
    "roles_of",
    "tree_json",
    "ways_of",
]

MAX_DEPTH = 4
MAX_MEMBERS = 50
MAX_PLACES = 50
MAX_WAYS = 200


@frozen
class AtLeast:
    """So many different members: people who sign in one of the roles, or inner trees that are met, each once."""

    at_least: int
    of: tuple[Tree, ...]


@frozen
class AllOf:
    """Every inner tree, each met by people of its own."""

    of: tuple[Tree, ...]


@frozen
class AnyOf:
    """One of the inner trees."""

    of: tuple[Tree, ...]


Tree: TypeAlias = "str | AtLeast | AllOf | AnyOf"
"""A quorum; a name alone is one person in that role."""
Place = frozenset[str]
Way = tuple[Place, ...]


@frozen
class Missing:
    """So many more people, at the fewest, and the roles in which one more person makes it fewer; (0, ()) when met."""

    people: int
    roles: tuple[str, ...]


NOBODY_CAN = Missing(1, ())
"""What is missing where no signature helps: a tree that has no way, or none within bounds."""


def parse_tree(document: object, *, depth: int = MAX_DEPTH) -> Tree:
    """Return the quorum that a JSON value holds.

    Raises:
        InvalidDocument: another shape, nothing to be met, more than anybody could meet, too deep or too large.
    """
    tree = _parse(document, depth)
    if sum(1 for _ in _members(tree)) > MAX_MEMBERS:
        raise InvalidDocument(f"quorum: expected at most {MAX_MEMBERS} roles and inner quorums")
    if not ways_of(tree):
        raise InvalidDocument("quorum: expected no more people than its members can bring")
    return tree


def _parse(document: object, depth: int) -> Tree:
    if isinstance(document, str):
        if not is_name(document):
            raise InvalidDocument("quorum: expected the name of a role")
        return document
    if depth == 0:
        raise InvalidDocument(f"quorum: expected at most {MAX_DEPTH} quorums within one another")
    fields = Fields(document, "quorum", tagged=False)
    member = next((name for name in ("all_of", "any_of") if fields.holds(name)), "of")
    at_least = fields.integer("at_least", at_least=1, at_most=MAX_PLACES) if member == "of" else 0
    inner = fields.items(member, lambda one: _parse(one, depth - 1), at_most=MAX_MEMBERS)
    fields.close()
    if not inner or len(set(inner)) != len(inner):
        raise InvalidDocument(f"quorum: expected one or more members of {member!r}, each once")
    if member == "of":
        return AtLeast(at_least, inner)
    return AllOf(inner) if member == "all_of" else AnyOf(inner)


def tree_json(tree: Tree) -> object:
    """Return the tree as the JSON value that `parse_tree` reads back."""
    if isinstance(tree, str):
        return tree
    inner = [tree_json(one) for one in tree.of]
    if isinstance(tree, AtLeast):
        return {"at_least": tree.at_least, "of": inner}
    return {"all_of" if isinstance(tree, AllOf) else "any_of": inner}


def _members(tree: Tree) -> Iterator[Tree]:
    yield tree
    for one in () if isinstance(tree, str) else tree.of:
        yield from _members(one)


def roles_of(tree: Tree) -> frozenset[str]:
    """Return every role that the tree names."""
    return frozenset(one for one in _members(tree) if isinstance(one, str))


@lru_cache(maxsize=256)
def ways_of(tree: Tree) -> tuple[Way, ...]:
    """Return the ways to meet a tree, none twice, shortest first; none at all if nobody can.

    Raises:
        InvalidDocument: there are more than `MAX_WAYS`, or one takes more than `MAX_PLACES` people.
    """
    if isinstance(tree, str):
        return ((frozenset({tree}),),)
    if isinstance(tree, AnyOf):
        return _bounded(way for one in tree.of for way in ways_of(one))
    if isinstance(tree, AllOf):
        return _joined(tree.of)
    anybody = frozenset(one for one in tree.of if isinstance(one, str))
    inner = [one for one in tree.of if not isinstance(one, str)]
    found: list[Way] = []
    for number in range(min(tree.at_least, len(inner)) + 1):
        people = tree.at_least - number
        if people and not anybody:
            continue
        for some in combinations(inner, number):
            found += ((*way, *(anybody,) * people) for way in _joined(some))
            if len(found) > MAX_MEMBERS * MAX_WAYS:
                raise _too_many()
    return _bounded(found)


def _joined(trees: Sequence[Tree]) -> tuple[Way, ...]:
    """Return the ways to meet all of these trees by different people."""
    found: tuple[Way, ...] = ((),)
    for one in trees:
        found = _bounded((*before, *way) for before, way in product(found, ways_of(one)))
    return found


def _bounded(ways: Iterable[Way]) -> tuple[Way, ...]:
    kept: dict[Way, None] = {}
    for way in ways:
        kept[tuple(sorted(way, key=sorted))] = None
        if len(kept) > MAX_WAYS or len(way) > MAX_PLACES:
            raise _too_many()
    return tuple(sorted(kept, key=len))


def _too_many() -> InvalidDocument:
    return InvalidDocument(f"quorum: expected at most {MAX_WAYS} ways to meet it, of {MAX_PLACES} people each")


def find_missing(tree: Tree, signers: Iterable[tuple[str, str]], *, excluded: frozenset[str] = frozenset()) -> Missing:
    """Return what a quorum still lacks. Never raises: a tree beyond the bounds is met by nobody.

    Args:
        tree: what is asked.
        signers: pairs of person id and role, as signed.
        excluded: people who do not count: authors.
    """
    held: dict[str, set[str]] = {}
    for person, role in signers:
        if person not in excluded:
            held.setdefault(person, set()).add(role)
    try:
        ways = ways_of(tree)
    except (InvalidDocument, RecursionError):
        return NOBODY_CAN
    found = [_missing_of(way, [frozenset(roles) for roles in held.values()]) for way in ways if way]
    if not found:
        return NOBODY_CAN
    fewest = min(people for people, _ in found)
    return Missing(fewest, tuple(sorted({role for people, roles in found if people == fewest for role in roles})))


def _missing_of(way: Way, people: Sequence[Place]) -> tuple[int, Place]:
    """Return how many places nobody fills, and the roles of those that one more person would fill or free."""
    filled = _match(way, people)
    open_places = set(range(len(way))) - set(filled.values())
    reached, waiting = set(open_places), list(open_places)
    while waiting:
        place = waiting.pop()
        for person, other in filled.items():
            if other not in reached and way[place] & people[person]:
                reached.add(other)
                waiting.append(other)
    return len(open_places), frozenset(role for place in reached for role in way[place])


def _match(places: Sequence[Place], people: Sequence[Place]) -> dict[int, int]:
    """Return a place for as many people as can be: by person, the place they fill."""
    filled: dict[int, int] = {}
    for place in range(len(places)):
        _fill(place, places, people, filled=filled, tried=set())
    return filled


def _fill(
    place: int, places: Sequence[Place], people: Sequence[Place], *, filled: dict[int, int], tried: set[int]
) -> bool:
    for person, roles in enumerate(people):
        if person in tried or not places[place] & roles:
            continue
        tried.add(person)
        if person not in filled or _fill(filled[person], places, people, filled=filled, tried=tried):
            filled[person] = place
            return True
    return False


def implies(tree: Tree, other: Tree) -> bool:
    """Return whether whoever meets `tree` is sure to meet `other` also: proved, never guessed.

    It is proved way by way: for each way of `tree` there is one of `other` whose every place is held by a place of its
    own that asks for nothing but the same roles or fewer. Where that fails the answer is no, although it might be yes.
    """
    try:
        ways, others = ways_of(tree), ways_of(other)
    except (InvalidDocument, RecursionError):
        return False
    return bool(ways) and all(any(_holds(way, wanted) for wanted in others) for way in ways)


def _holds(way: Way, wanted: Way) -> bool:
    """Return whether each wanted place has a place of its own in `way` whose roles are all among its own."""
    numbered = [frozenset(str(n) for n, place in enumerate(wanted) if own <= place) for own in way]
    return len(_match([frozenset({str(n)}) for n in range(len(wanted))], numbered)) == len(wanted)


def describe(tree: Tree) -> str:
    """Return the tree in words: what people read.

    >>> describe(AllOf(("employee-representative", AtLeast(2, ("compliance", "facilitator")))))
    'employee-representative, and 2 of compliance, facilitator'
    """
    if isinstance(tree, str):
        return tree
    inner = [
        one if isinstance(one, str) else describe(one) if _is_flat(one) else f"({describe(one)})" for one in tree.of
    ]
    if isinstance(tree, AtLeast):
        return f"{tree.at_least} of {', '.join(inner)}"
    return (", and " if isinstance(tree, AllOf) else ", or ").join(inner)


def _is_flat(tree: Tree) -> bool:
    return isinstance(tree, AtLeast) and all(isinstance(one, str) for one in tree.of)
