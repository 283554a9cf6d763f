"""References: what one governed thing says of another, read from its closure.

Promises: pure; every reference has the place in the source where it stands, so that a dangling one is told there.
Does not: say whether what is named is there (see `coherence`).
"""

from __future__ import annotations

from collections.abc import Iterator

from control_plane.sources.closures import SCRIPTS
from control_plane.sources.strict_yaml import JsonPath
from edge_runtime.core.canonical import JsonObject

__all__ = ["agreement_versions", "references_of"]

Key = tuple[str, str]


def references_of(kind: str, document: JsonObject) -> Iterator[tuple[Key, JsonPath]]:
    """Yield kind and name of everything that a closure relies on, and where its source says so."""
    if "translation_of" in document:
        yield (kind, document["translation_of"]["name"]), ("translation_of", "name")
    if kind in SCRIPTS:
        for index, name in enumerate(document["session_types"]):
            yield ("session-type", name), ("session_types", index)
    if kind in {*SCRIPTS, "include"}:
        for index, include in enumerate(document["includes"]):
            yield ("include", include["name"]), ("includes", index)
    elif kind == "policy":
        yield ("vocabulary", document["vocabulary_from"]["name"]), ("vocabulary",)
    elif kind == "session-type":
        yield ("agreement", document["agreement"]), ("agreement",)
        yield ("handoff", document["handoff"]), ("handoff",)
        for number, stage in enumerate(document["stages"]):
            for index, name in enumerate(stage["prompts"]):
                yield ("prompt", name), ("stages", number, "prompts", index)


def agreement_versions(document: JsonObject) -> Iterator[tuple[int, JsonPath]]:
    """Yield the versions of an agreement that the rules of a policy or prompt ask for, and where."""
    for index, rule in enumerate(document.get("rules", ())):
        below = rule["when"].get("agreement", {}).get("below")
        if isinstance(below, int):
            yield below, ("rules", index, "when", "agreement", "below")
