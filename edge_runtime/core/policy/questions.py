"""Questions that people ask of a policy, answered by asking it.

Promises: `worst_route_with` asks at the least context, where the policy is loosest, so its answer bounds every
text of that sensitivity; `check_blocks_the_impossible` is the refutation probe of check V9.
Does not: compare two policies (see `compare`). Source: DESIGN sections 5 and 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edge_runtime.core.policy.compare import least_context
from edge_runtime.core.policy.documents import Policy
from edge_runtime.core.policy.evaluate import Context, Decision, Value, compile_policy
from edge_runtime.core.policy.rules import Layer, Route
from edge_runtime.core.policy.vocabulary import Attribute, Vocabulary

__all__ = ["check_blocks_the_impossible", "impossible_contexts", "worst_route_with"]

_IMPOSSIBLE = "?impossible"  # no attribute or value of a vocabulary is spelled like this


def worst_route_with(layers: Iterable[Layer], vocabulary: Vocabulary, sensitivities: Mapping[str, Value]) -> Decision:
    """Return the loosest decision for any text with these `sensitivities`, as in "can a crisis ever leave".

    >>> from edge_runtime.core.policy.vocabulary import DEFAULT_VOCABULARY
    >>> layer = Layer("organisation", Route.REDACTED)
    >>> str(worst_route_with([layer], DEFAULT_VOCABULARY, {"crisis": "crisis"}).route)
    'redacted'

    Raises:
        ValueError: not a sensitivity of the vocabulary, or none of its values; the answer would be a
            reassuring `block` that no real text gets.
    """
    for name, value in sensitivities.items():
        attribute = vocabulary.find(name)
        if attribute is None or attribute.permission or not _is_known(value, attribute):
            raise ValueError(f"expected sensitivities of the vocabulary, got another name or value for {name}")
    return compile_policy(layers, vocabulary).decide(least_context(vocabulary, sensitivities))


def check_blocks_the_impossible(policy: Policy) -> bool:
    """Return whether `policy` blocks every one of `impossible_contexts`."""
    compiled = compile_policy([policy.layer], policy.vocabulary)
    return all(compiled.decide(c).route is Route.BLOCK for c in impossible_contexts(policy.vocabulary))


def impossible_contexts(vocabulary: Vocabulary) -> tuple[Context, ...]:
    """Return contexts that no device can mean: one unknown sensitivity, and nothing else that restricts."""
    probes = [least_context(vocabulary, {_IMPOSSIBLE: None})]
    for attribute in vocabulary.attributes:
        if not attribute.permission:
            value = _IMPOSSIBLE if attribute.ordered else frozenset({_IMPOSSIBLE})
            probes.append(least_context(vocabulary, {attribute.name: value}))
    return tuple(probes)


def _is_known(value: Value, attribute: Attribute) -> bool:
    if isinstance(value, frozenset):
        return not attribute.ordered and all(map(attribute.knows, value))
    return value is None or (attribute.ordered and attribute.knows(value))
