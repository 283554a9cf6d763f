"""A world small enough to enumerate, and the lattice read aloud: a second implementation for the tests.

The reference works on plain documents, asks one condition at a time, and shares no code with the product.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import strategies as st

from edge_runtime.core.policy import Context, Layer, Value, read_layer, read_vocabulary

ROUTES = ("block", "device", "redacted", "cloud")

SMALL_DOCUMENT: dict[str, Any] = {
    "sensitivities": {"labels": {"set": ["health", "legal"]}, "tier": {"levels": ["R0", "R1", "R2"]}},
    "permissions": {"consents": {"set": ["analytics", "cloud"]}, "agreement": {"maximum": 2}},
}
SMALL = read_vocabulary(SMALL_DOCUMENT)
OBLIGATIONS = ("local-log-only", "no-telemetry")

Document = dict[str, Any]


def subsets(values: Iterable[str]) -> list[frozenset[str]]:
    """Return every subset."""
    kept = sorted(values)
    return [frozenset(c) for size in range(len(kept) + 1) for c in itertools.combinations(kept, size)]


def all_contexts(*, unassessed: bool = True) -> list[Context]:
    """Return every context of the small world, with or without sensitivities that nobody assessed."""
    extra: list[Value] = [None] if unassessed else []
    labels: list[Value] = [*subsets(["health", "legal"]), *extra]
    tiers: list[Value] = ["R0", "R1", "R2", *extra]
    consents, agreements = subsets(["analytics", "cloud"]), range(3)
    return [
        Context({"labels": a, "tier": b}, {"consents": c, "agreement": d})
        for a, b, c, d in itertools.product(labels, tiers, consents, agreements)
    ]


def holds(name: str, test: Document, context: Context) -> bool:
    """Return whether one condition holds, read straight off its words."""
    ((operator, operand),) = test.items()
    if name in SMALL_DOCUMENT["sensitivities"]:
        value: Any = context.sensitivities[name]
        if value is None:
            return True
        if operator == "any_of":
            return any(wanted in value for wanted in operand)
        if operator == "all_of":
            return all(wanted in value for wanted in operand)
        assert operator == "at_least"
        levels = SMALL_DOCUMENT["sensitivities"][name]["levels"]
        return bool(levels.index(value) >= levels.index(operand))
    given: Any = context.permissions[name]
    if operator == "missing_any_of":
        return any(wanted not in given for wanted in operand)
    if operator == "missing_all_of":
        return all(wanted not in given for wanted in operand)
    assert operator == "below"
    return bool(given < operand)


def reference_decision(layers: Iterable[Document], context: Context) -> tuple[int, set[str], set[tuple[str, str]]]:
    """Return route, obligations, and the (layer, rule) pairs that set the route."""
    bounds: list[tuple[int, tuple[str, str]]] = []
    obligations: set[str] = set()
    for layer in layers:
        bounds.append((ROUTES.index(layer["ceiling"]), (layer["name"], "ceiling")))
        for rule in layer["rules"]:
            if all(holds(name, test, context) for name, test in rule["when"].items()):
                bounds.append((ROUTES.index(rule["at_most"]), (layer["name"], rule["id"])))
                obligations |= set(rule.get("require", []))
    route = min((bound for bound, _ in bounds), default=0)
    return route, obligations, {who for bound, who in bounds if bound == route}


def build(documents: Iterable[Document]) -> list[Layer]:
    """Return the layers that the documents hold."""
    return [read_layer(document, SMALL) for document in documents]


def random_test(draw: random.Random, name: str) -> Document:
    """Return a random test on one attribute of the small world."""
    if name == "tier":
        return {"at_least": draw.choice(["R1", "R2"])}
    if name == "agreement":
        return {"below": draw.choice([1, 2])}
    operators = ["any_of", "all_of"] if name == "labels" else ["missing_any_of", "missing_all_of"]
    kind = "sensitivities" if name == "labels" else "permissions"
    return {draw.choice(operators): draw.sample(SMALL_DOCUMENT[kind][name]["set"], draw.randint(1, 2))}


def random_rule(draw: random.Random, rule_id: str) -> Document:
    """Return a random rule of the small world."""
    tested = draw.sample(["labels", "tier", "consents", "agreement"], draw.choice([0, 1, 1, 2, 2, 3, 4]))
    rule = {
        "id": rule_id,
        "because": f"reason of {rule_id}",
        "when": {name: random_test(draw, name) for name in tested},
        "at_most": draw.choice(ROUTES),
    }
    require = draw.sample(OBLIGATIONS, draw.choice([0, 0, 1, 2]))
    return {**rule, "require": require} if require else rule


def random_layers(draw: random.Random) -> list[Document]:
    """Return one to three random layers; most ceilings are high, so that the rules matter."""
    return [
        {
            "name": f"layer-{number}",
            "ceiling": draw.choice(["cloud", "cloud", "cloud", "redacted", "device", "block"]),
            "rules": [random_rule(draw, f"r{n}") for n in range(draw.randint(0, 4))],
        }
        for number in range(draw.choice([1, 1, 2, 3]))
    ]


def changed_layers(draw: random.Random, layers: list[Document]) -> list[Document]:
    """Return `layers` after one or two small edits of the kind that people propose."""
    changed = [{**layer, "rules": list(layer["rules"])} for layer in layers]
    for _ in range(draw.randint(1, 2)):
        layer = draw.choice(changed)
        edit = draw.choice(["add", "remove", "replace", "ceiling", "bound", "drop-layer", "split"])
        if edit == "ceiling":
            layer["ceiling"] = draw.choice(ROUTES)
        elif edit == "drop-layer" and len(changed) > 1:
            changed.remove(layer)
        elif edit == "add" or not layer["rules"]:
            layer["rules"].append(random_rule(draw, f"n{draw.randrange(10**9)}"))
        else:
            _edit_rule(draw, layer["rules"], edit)
    return changed


def _edit_rule(draw: random.Random, rules: list[Document], edit: str) -> None:
    place = draw.randrange(len(rules))
    if edit == "remove":
        del rules[place]
    elif edit == "bound":
        rules[place] = {**rules[place], "at_most": draw.choice(ROUTES)}
    elif edit == "split":
        rules.append({**rules[place], "id": f"s{draw.randrange(10**9)}"})
    else:
        rules[place] = random_rule(draw, rules[place]["id"])


layers_documents = st.integers(0, 2**32).map(lambda seed: random_layers(random.Random(seed)))
rule_documents = st.integers(0, 2**32).map(lambda seed: random_rule(random.Random(seed), "another"))


def at_or_above(context: Context) -> Iterator[Context]:
    """Yield every context with at least the sensitivity and at most the permission of `context`."""
    levels = SMALL_DOCUMENT["sensitivities"]["tier"]["levels"]

    def rank(given: Context) -> tuple[Any, int, Any, int]:
        labels, tier = given.sensitivities["labels"], given.sensitivities["tier"]
        return (
            frozenset(["health", "legal"]) if labels is None else labels,
            2 if tier is None else levels.index(tier),
            given.permissions["consents"],
            int(str(given.permissions["agreement"])),
        )

    low = rank(context)
    for other in all_contexts():
        high = rank(other)
        if low[0] <= high[0] and low[1] <= high[1] and high[2] <= low[2] and high[3] <= low[3]:
            yield other
