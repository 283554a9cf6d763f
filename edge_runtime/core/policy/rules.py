"""Rules and layers: *when* and *at most*, and nothing else.

A rule is a conjunction of conditions, an upper bound for the route, and obligations. A layer is a ceiling
and rules: the organisation's policy, a prompt's manifest, the learner's preferences and the state of the
device are layers alike, and each can only restrict.

Promises: `verify_rule` accepts exactly the rules that the lattice can express, so a decision never loosens
for a more sensitive text. Does not: decide. Source: DESIGN section 5.
"""

from __future__ import annotations

import enum
import math

from audit.frozen import frozen
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.policy.vocabulary import (
    ANY_OF,
    AT_LEAST,
    MISSING_ANY_OF,
    Attribute,
    Vocabulary,
    shown,
)

__all__ = ["CEILING", "MAX_DISJUNCTS", "Condition", "Layer", "Route", "Rule", "verify_rule"]

CEILING = "ceiling"
"""The id under which a layer's ceiling appears among the rules that decided; no rule may bear it."""
MAX_DISJUNCTS = 4096
"""Most combinations of single values that one rule may stand for; comparing policies visits each."""


class Route(enum.IntEnum):
    """How far a text may go; the lower, the tighter."""

    BLOCK = 0
    DEVICE = 1
    REDACTED = 2
    CLOUD = 3

    def __str__(self) -> str:
        return self.name.lower()


@frozen
class Condition:
    """One test on one attribute; an ordered attribute is tested against a single value."""

    attribute: str
    operator: str
    values: tuple[str | int, ...]


@frozen
class Rule:
    """When every condition holds (none: always), at most `at_most`, and everything in `require`."""

    id: str
    because: str
    when: tuple[Condition, ...]
    at_most: Route
    require: tuple[str, ...] = ()


@frozen
class Layer:
    """A ceiling and rules that restrict it; the rules may be none, and their order means nothing."""

    name: str
    ceiling: Route
    rules: tuple[Rule, ...] = ()


def verify_rule(rule: Rule, vocabulary: Vocabulary) -> None:
    """Return if `rule` is one that the lattice can express in `vocabulary`.

    Raises:
        InvalidDocument: an unknown attribute or value, a test in the wrong direction, an empty list, a test
            that always or never holds, an attribute tested twice, or more than `MAX_DISJUNCTS` disjuncts.
    """
    if not isinstance(rule, Rule):
        raise InvalidDocument(f"expected a rule, got {type(rule).__name__}")
    try:
        _verify_parts(rule)
        tested = [_verify_condition(condition, vocabulary) for condition in rule.when]
        if len(set(tested)) != len(tested):
            raise InvalidDocument("expected one test per attribute, got two")
        if math.prod(map(_disjunct_count, rule.when)) > MAX_DISJUNCTS:
            raise InvalidDocument(f"expected at most {MAX_DISJUNCTS} combinations of values, got more")
    except InvalidDocument as error:
        raise InvalidDocument(f"rule {shown(rule.id)}: {error}") from error


def _verify_parts(rule: Rule) -> None:
    if not isinstance(rule.id, str) or rule.id in {"", CEILING}:
        raise InvalidDocument(f"expected an id other than {CEILING}")
    if not isinstance(rule.because, str) or not rule.because:
        raise InvalidDocument("expected a reason in because")
    if type(rule.at_most) is not Route:
        raise InvalidDocument(f"expected a route in at_most, got {type(rule.at_most).__name__}")
    if not isinstance(rule.when, tuple) or not isinstance(rule.require, tuple):
        raise InvalidDocument("expected tuples in when and require")
    if not all(isinstance(obligation, str) and obligation for obligation in rule.require):
        raise InvalidDocument("expected names in require")


def _verify_condition(condition: Condition, vocabulary: Vocabulary) -> str:
    if not isinstance(condition, Condition):
        raise InvalidDocument(f"expected a condition, got {type(condition).__name__}")
    attribute = vocabulary.find(condition.attribute)
    if attribute is None:
        raise InvalidDocument(f"expected an attribute of the vocabulary, got {shown(condition.attribute)}")
    if condition.operator not in attribute.operators:
        expected = " or ".join(attribute.operators)
        kind = "permission" if attribute.permission else "sensitivity"
        raise InvalidDocument(f"expected {expected} for the {kind} {attribute.name}, got {shown(condition.operator)}")
    _verify_values(condition, attribute)
    return attribute.name


def _verify_values(condition: Condition, attribute: Attribute) -> None:
    values = condition.values
    if not isinstance(values, tuple) or not values:
        raise InvalidDocument(f"expected at least one value for {attribute.name}, got none")
    for value in values:
        if not attribute.knows(value):
            raise InvalidDocument(f"expected a value of {attribute.name}, got {shown(value)}")
    if len(set(values)) != len(values):
        raise InvalidDocument(f"expected each value of {attribute.name} once, got one twice")
    if attribute.ordered and len(values) != 1:
        raise InvalidDocument(f"expected a single value for {attribute.name}, got {len(values)}")
    if attribute.ordered and values[0] == attribute.values[0]:
        always = "always" if condition.operator == AT_LEAST else "never"
        raise InvalidDocument(
            f"expected a value above {values[0]} for {attribute.name}, got a test that {always} holds"
        )


def _disjunct_count(condition: Condition) -> int:
    return len(condition.values) if condition.operator in {ANY_OF, MISSING_ANY_OF} else 1
