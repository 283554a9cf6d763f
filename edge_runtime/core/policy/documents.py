"""Policy documents: canonical bytes or plain JSON objects to records and back, strictly.

    {"format": "mentorplane-policy/2", "name": "organisation", "folder": "", "owner": "compliance", "review_by": "",
     "tags": [], "vocabulary": {...}, "vocabulary_from": {"name": "standard", "digest": "sha256:..."},
     "ceiling": "cloud",
     "rules": [{"id": "health-stays-on-device", "because": "...", "when": {"labels": {"any_of": ["health"]}},
                "at_most": "device", "require": ["no-telemetry"]}]}

`vocabulary_from` says which governed vocabulary the words were taken from, and is held to them.
A layer that travels inside another document (the learner's preferences) has name, ceiling and
rules; a prompt carries rules alone.

Promises: unknown members are refused; `require` is absent or not empty, so that one record has one document
and `encode_policy(parse_policy(data))` is `data` again; every error about a rule names the rule.
Does not: read YAML, check signatures. Source: DESIGN section 5. Format: docs/formats.md, `mentorplane-policy/2`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from audit.frozen import frozen
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields
from edge_runtime.core.filing import Filing, read_filing
from edge_runtime.core.policy.rules import Condition, Layer, Route, Rule, verify_rule
from edge_runtime.core.policy.vocabulary import (
    Vocabulary,
    read_vocabulary,
    shown,
    vocabulary_digest,
    vocabulary_document,
)

__all__ = [
    "FORMAT",
    "MAX_BYTES",
    "MAX_RULES",
    "Policy",
    "encode_policy",
    "layer_document",
    "parse_policy",
    "policy_document",
    "read_layer",
    "read_policy",
    "read_rules",
    "rule_document",
]

FORMAT = "mentorplane-policy/2"
MAX_BYTES = 1_000_000
MAX_RULES = 1000
"""Most rules of one layer."""

_ROUTES = {str(route): route for route in Route}


@frozen
class Policy:
    """The organisation's policy: the vocabulary that every layer speaks, its own layer, and where both come from."""

    vocabulary: Vocabulary
    layer: Layer
    vocabulary_name: str = "standard"
    filing: Filing = Filing()


def parse_policy(data: bytes) -> Policy:
    """Return the policy that canonical bytes hold.

    Raises:
        InvalidDocument: not canonical, longer than `MAX_BYTES`, or refused by `read_policy`.
    """
    return read_policy(canonical.parse(data, max_bytes=MAX_BYTES))


def encode_policy(policy: Policy) -> bytes:
    """Return the canonical bytes that `parse_policy` reads back as `policy`."""
    return canonical.encode(policy_document(policy))


def read_policy(document: object) -> Policy:
    """Return the policy that a JSON object holds.

    Raises:
        InvalidDocument: an unknown format or member, or a vocabulary, ceiling or rule that is malformed.
    """
    fields = Fields(document, FORMAT)
    vocabulary = read_vocabulary(fields.json_object("vocabulary"))
    policy = Policy(
        vocabulary, _read_layer(fields, vocabulary), _read_source(fields, vocabulary), filing=read_filing(fields)
    )
    fields.close()
    return policy


def _read_source(fields: Fields, vocabulary: Vocabulary) -> str:
    source = Fields(fields.json_object("vocabulary_from"), "vocabulary_from", tagged=False)
    name, digest = source.name("name"), source.digest("digest")
    source.close()
    if digest != vocabulary_digest(vocabulary):
        raise fields.refuse("vocabulary_from", "the digest of the words in member 'vocabulary'")
    return name


def policy_document(policy: Policy) -> JsonObject:
    """Return the JSON object that `read_policy` reads back as `policy`."""
    return {
        "format": FORMAT,
        "vocabulary": vocabulary_document(policy.vocabulary),
        "vocabulary_from": {"name": policy.vocabulary_name, "digest": vocabulary_digest(policy.vocabulary)},
        **policy.filing.as_json(),
        **layer_document(policy.layer),
    }


def read_layer(document: object, vocabulary: Vocabulary) -> Layer:
    """Return the layer `{"name", "ceiling", "rules"}` that a JSON object holds.

    Raises:
        InvalidDocument: another shape, or rules that `read_rules` refuses.
    """
    fields = Fields(document, "layer", tagged=False)
    layer = _read_layer(fields, vocabulary)
    fields.close()
    return layer


def layer_document(layer: Layer) -> JsonObject:
    """Return the JSON object that `read_layer` reads back as `layer`."""
    rules = [rule_document(rule) for rule in layer.rules]
    return {"name": layer.name, "ceiling": str(layer.ceiling), "rules": rules}


def read_rules(documents: Iterable[object], vocabulary: Vocabulary) -> tuple[Rule, ...]:
    """Return the rules that JSON objects hold, in their order.

    Raises:
        InvalidDocument: another shape, a rule that `verify_rule` refuses, or an id given twice.
    """
    rules: dict[str, Rule] = {}
    for number, document in enumerate(documents, 1):
        rule = _read_rule(document, number)
        verify_rule(rule, vocabulary)
        if rule.id in rules:
            raise InvalidDocument(f"rule {rule.id}: expected each id once, got it twice")
        rules[rule.id] = rule
    return tuple(rules.values())


def rule_document(rule: Rule) -> JsonObject:
    """Return the JSON object that `read_rules` reads back as `rule`."""
    document: JsonObject = {
        "id": rule.id,
        "because": rule.because,
        "when": {condition.attribute: _condition_document(condition) for condition in rule.when},
        "at_most": str(rule.at_most),
    }
    return {**document, "require": list(rule.require)} if rule.require else document


def _read_layer(fields: Fields, vocabulary: Vocabulary) -> Layer:
    name, ceiling = fields.name("name"), _ROUTES[fields.choice("ceiling", _ROUTES)]
    return Layer(name, ceiling, read_rules(fields.items("rules", _same, at_most=MAX_RULES), vocabulary))


def _same(member: object) -> object:
    return member


def _read_rule(document: object, number: int) -> Rule:
    rule_id = Fields(document, f"rule number {number}", tagged=False).name("id")
    form = f"rule {rule_id}"
    fields = Fields(document, form, tagged=False)
    require: tuple[str, ...] = ()
    if isinstance(document, dict) and "require" in document:
        require = _read_require(fields, form)
    rule = Rule(
        id=fields.name("id"),
        because=fields.text("because", at_most=500),
        when=_read_when(fields.json_object("when"), form),
        at_most=_ROUTES[fields.choice("at_most", _ROUTES)],
        require=require,
    )
    fields.close()
    if not rule.because.isprintable() or not rule.because.strip():
        raise fields.refuse("because", "one line of text")
    return rule


def _read_require(fields: Fields, form: str) -> tuple[str, ...]:
    names = fields.items("require", lambda name: Fields({"name": name}, form, tagged=False).name("name"))
    if not names or len(set(names)) != len(names):
        raise fields.refuse("require", "names, each once (or no such member)")
    return names


def _read_when(document: JsonObject, form: str) -> tuple[Condition, ...]:
    return tuple(_read_condition(name, document[name], form) for name in sorted(document))


def _read_condition(name: str, given: object, form: str) -> Condition:
    if not isinstance(given, dict) or len(given) != 1:
        raise InvalidDocument(f"{form}: expected one test for {shown(name)}, such as any_of or at_least")
    ((operator, operand),) = given.items()
    wants_list = operator.endswith("_of")
    if wants_list != isinstance(operand, list):
        expected = "a list" if wants_list else "a single value"
        got = type(operand).__name__
        raise InvalidDocument(f"{form}: expected {expected} after {shown(operator)} for {shown(name)}, got {got}")
    return Condition(name, operator, tuple(operand) if isinstance(operand, list) else (operand,))


def _condition_document(condition: Condition) -> dict[str, Any]:
    values = list(condition.values)
    return {condition.operator: values if condition.operator.endswith("_of") else values[0]}
