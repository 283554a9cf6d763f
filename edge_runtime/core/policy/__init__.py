"""The policy: a monotone lattice of routes, its documents, decisions, comparisons and sentences.

    >>> vocabulary = DEFAULT_VOCABULARY
    >>> health = Condition("labels", "any_of", ("health",))
    >>> rule = Rule("health-stays", "health is special-category data", (health,), Route.DEVICE, ("no-telemetry",))
    >>> policy = compile_policy([Layer("organisation", Route.CLOUD, (rule,))], vocabulary)
    >>> decision = policy.decide(least_context(vocabulary, {"labels": frozenset({"health"})}))
    >>> print(decision.route, decision.obligations, decision.rules[0].rule)
    device ('no-telemetry',) health-stays

Routes are ordered `block` < `device` < `redacted` < `cloud`, and a decision is the least of all that applies.
More sensitivity never loosens it, more permission never tightens it, another rule or layer only tightens it.
Source: DESIGN section 5; the rooms: `vocabulary`, `rules`, `documents`, `evaluate`, `compare`, `questions`,
`sentences`.
"""

from edge_runtime.core.policy.compare import (
    Change,
    Comparison,
    Loosening,
    Tightening,
    compare,
    find_loosening,
    find_loosenings,
    find_tightenings,
    least_context,
    least_contexts,
)
from edge_runtime.core.policy.documents import (
    FORMAT,
    Policy,
    encode_policy,
    layer_document,
    parse_policy,
    policy_document,
    read_layer,
    read_policy,
    read_rules,
    rule_document,
)
from edge_runtime.core.policy.evaluate import (
    CompiledPolicy,
    Context,
    Decision,
    Reason,
    Value,
    compile_policy,
    decide,
)
from edge_runtime.core.policy.questions import (
    check_blocks_the_impossible,
    impossible_contexts,
    worst_route_with,
)
from edge_runtime.core.policy.rules import CEILING, Condition, Layer, Route, Rule, verify_rule
from edge_runtime.core.policy.sentences import (
    change_sentence,
    context_sentence,
    decision_sentence,
    layer_sentences,
    rule_sentence,
)
from edge_runtime.core.policy.vocabulary import (
    DEFAULT_VOCABULARY,
    Attribute,
    Vocabulary,
    describe_changes,
    read_vocabulary,
    vocabulary_digest,
    vocabulary_document,
)

__all__ = [
    "CEILING",
    "DEFAULT_VOCABULARY",
    "FORMAT",
    "Attribute",
    "Change",
    "Comparison",
    "CompiledPolicy",
    "Condition",
    "Context",
    "Decision",
    "Layer",
    "Loosening",
    "Policy",
    "Reason",
    "Route",
    "Rule",
    "Tightening",
    "Value",
    "Vocabulary",
    "change_sentence",
    "check_blocks_the_impossible",
    "compare",
    "compile_policy",
    "context_sentence",
    "decide",
    "decision_sentence",
    "describe_changes",
    "encode_policy",
    "find_loosening",
    "find_loosenings",
    "find_tightenings",
    "impossible_contexts",
    "layer_document",
    "layer_sentences",
    "least_context",
    "least_contexts",
    "parse_policy",
    "policy_document",
    "read_layer",
    "read_policy",
    "read_rules",
    "read_vocabulary",
    "rule_document",
    "rule_sentence",
    "verify_rule",
    "vocabulary_digest",
    "vocabulary_document",
    "worst_route_with",
]
