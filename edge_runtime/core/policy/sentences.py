"""Contexts, rules and changes as plain English sentences, for the people who approve them.

    a text about health, with every consent given: before it stayed on the device; now it may leave after redaction

Phrases exist for the attributes of the default vocabulary; any other attribute is named as it is.
Promises: one sentence for one record, on one line, whatever order the record lists things in.
Does not: translate, decide. Source: DESIGN section 5.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge_runtime.core.policy.evaluate import Context, Decision, Value
from edge_runtime.core.policy.rules import Condition, Layer, Route, Rule
from edge_runtime.core.policy.vocabulary import ALL_OF, BELOW, MISSING_ALL_OF, Attribute, Vocabulary

__all__ = ["change_sentence", "context_sentence", "decision_sentence", "layer_sentences", "rule_sentence"]

_PHRASES = {
    "labels": "about {}",
    "entities": "that names {}",
    "crisis": "with signs of {}",
    "injection": "with {} instructions to the model hidden in it",
    "tier": "for a prompt of {}",
    "staleness": "while the policy on the device is {}",
    "ai_streak": "after {} exchanges with the assistant alone",
}
_FULL = {"consents": "with every consent given", "capabilities": "", "agreement": ""}
_LACKING = {
    "consents": "with every consent but {}",
    "capabilities": "on a device without {}",
    "agreement": "under version {} of the agreement",
}
_MISSING = {
    "consents": "with {} missing from the consents",
    "capabilities": "with {} missing from the device",
    "agreement": "with version {} of the agreement not yet accepted",
}
_WORDS = {
    "labels": {
        "career_intent": "career plans",
        "family": "family matters",
        "finance": "money matters",
        "hr_conflict": "a conflict at work",
        "legal": "legal matters",
        "performance": "performance at work",
    },
    "entities": {
        "ADDRESS": "an address",
        "BANK": "a bank account",
        "CARD": "a payment card",
        "DATE_OF_BIRTH": "a date of birth",
        "EMAIL": "an e-mail address",
        "HEALTH": "a health detail",
        "ID_NUMBER": "an identity number",
        "IP": "a network address",
        "LOCATION": "a place",
        "ORG": "an organisation",
        "PERSON": "a person",
        "PHONE": "a phone number",
        "SALARY": "a salary",
        "TERM": "a protected term",
        "URL": "a web address",
    },
    "crisis": {"crisis": "a crisis"},
    "tier": {f"R{number}": f"tier R{number}" for number in range(5)},
    "capabilities": {"cloud-model": "a cloud model", "local-model": "a local model"},
}
_ORDER = ("labels", "entities", "crisis", "injection", "tier", "ai_streak", "staleness", "consents")

_BEFORE = {
    Route.BLOCK: "it was blocked",
    Route.DEVICE: "it stayed on the device",
    Route.REDACTED: "it could leave after redaction",
    Route.CLOUD: "it could leave as it is",
}
_NOW = {
    Route.BLOCK: "it is blocked",
    Route.DEVICE: "it stays on the device",
    Route.REDACTED: "it may leave after redaction",
    Route.CLOUD: "it may leave as it is",
}
_BOUND = {
    Route.BLOCK: "it is blocked",
    Route.DEVICE: "it stays on the device",
    Route.REDACTED: "it leaves only after redaction",
    Route.CLOUD: "it may leave as it is",
}


def context_sentence(context: Context, vocabulary: Vocabulary) -> str:
    """Return what kind of text, and with which permissions, `context` stands for."""
    sensitivities: list[str] = []
    permissions: list[str] = []
    for attribute in _ordered(vocabulary):
        if attribute.permission:
            permissions.append(_permission_phrase(attribute, context.permissions.get(attribute.name)))
        else:
            sensitivities.append(_sensitivity_phrase(attribute, context.sensitivities.get(attribute.name)))
    head = " ".join(filter(None, ["a text", *sensitivities]))
    if head == "a text":
        head = "a text with nothing sensitive"
    return ", ".join(filter(None, [head, *permissions]))


def decision_sentence(decision: Decision) -> str:
    """Return what happens now, such as "it stays on the device, with no-telemetry"."""
    return _NOW[decision.route] + _with(decision.obligations)


def change_sentence(context: Context, before: Decision, after: Decision, *, vocabulary: Vocabulary) -> str:
    """Return what a change of policy means at one context."""
    head = context_sentence(context, vocabulary)
    same = set(before.obligations) == set(after.obligations)
    was = _BEFORE[before.route] + ("" if same else _with(before.obligations))
    now = _NOW[after.route] + ("" if same else _with(after.obligations) or ", with no obligation")
    return f"{head}: before {was}; now {now}"


def rule_sentence(rule: Rule, vocabulary: Vocabulary) -> str:
    """Return what `rule` says: when, at most, with which obligations, and why."""
    conditions = {condition.attribute: condition for condition in rule.when}
    sensitivities: list[str] = []
    permissions: list[str] = []
    for attribute in _ordered(vocabulary):
        if attribute.name in conditions:
            into = permissions if attribute.permission else sensitivities
            into.append(_condition_phrase(attribute, conditions[attribute.name]))
    head = " ".join(["a text", *sensitivities]) if sensitivities else "any text"
    when = ", ".join([head, *permissions])
    return f"{when}: {_BOUND[rule.at_most]}{_with(rule.require)}, because {rule.because}"


def layer_sentences(layer: Layer, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return what `layer` says: its ceiling first, then each rule by id."""
    rules = sorted(layer.rules, key=lambda rule: rule.id)
    return f"any text: {_BOUND[layer.ceiling]}", *(rule_sentence(rule, vocabulary) for rule in rules)


def _ordered(vocabulary: Vocabulary) -> list[Attribute]:
    places = {name: place for place, name in enumerate(_ORDER)}
    return sorted(vocabulary.attributes, key=lambda a: (places.get(a.name, len(places)), a.name))


def _sensitivity_phrase(attribute: Attribute, value: Value) -> str:
    if value is None:
        return f"whose {_plain(attribute.name)} nobody assessed"
    if value == attribute.bottom:
        return ""
    words = _words(attribute, value if isinstance(value, frozenset) else [value])
    return _phrase(attribute).format(_join(words, "and"))


def _permission_phrase(attribute: Attribute, value: Value) -> str:
    name = _plain(attribute.name)
    if value == attribute.bottom:
        return _FULL.get(attribute.name, f"with all of {name}")
    if value is None or (not attribute.ordered and not value) or value == attribute.values[0]:
        return f"with no {name}" + (" given" if attribute.name == "consents" else "")
    if isinstance(value, frozenset):
        lacking = _words(attribute, set(map(str, attribute.values)) - value)
        return _LACKING.get(attribute.name, f"with all of {name} but {{}}").format(_join(lacking, "and"))
    return _LACKING.get(attribute.name, f"with {name} {{}}").format(*_words(attribute, [value]))


def _condition_phrase(attribute: Attribute, condition: Condition) -> str:
    word = "and" if condition.operator in {ALL_OF, MISSING_ALL_OF} else "or"
    words = _join(_words(attribute, condition.values), word)
    name = _plain(attribute.name)
    if not attribute.permission:
        top = condition.values[0] == attribute.values[-1]
        return _phrase(attribute).format(f"at least {words}" if attribute.ordered and not top else words)
    if condition.operator == BELOW:
        return _MISSING.get(attribute.name, f"with {name} below {{}}").format(words)
    return _MISSING.get(attribute.name, f"with {{}} missing from {name}").format(words)


def _phrase(attribute: Attribute) -> str:
    return _PHRASES.get(attribute.name, f"with {_plain(attribute.name)} {{}}")


def _words(attribute: Attribute, values: Iterable[object]) -> list[str]:
    words = _WORDS.get(attribute.name, {})
    return sorted(words.get(str(value), _plain(str(value))) for value in values)


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _join(words: list[str], conjunction: str) -> str:
    return " ".join(filter(None, [", ".join(words[:-1]), conjunction if words[1:] else "", words[-1]]))


def _with(obligations: Iterable[str]) -> str:
    names = sorted(obligations)
    return f", with {_join(names, 'and')}" if names else ""
