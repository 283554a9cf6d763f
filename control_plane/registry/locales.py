"""Translations: which there are, what each must have in common with its original, and which are stale, and why.

A translation is an entry of its own that names the original's wording by digest. What it needs, gives, measures and
promises must be what the original says (its *contract*); only texts differ, so that nobody gets other rules in another
language. When the original's wording changes, the translation stays in use and is *stale* until somebody has looked.

Promises: pure; a change of nothing but filing makes no translation stale. Does not: compare what texts say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from control_plane.sources.closures import SCRIPTS
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.filing import FILING

__all__ = ["contract_difference", "contract_of", "stale_because"]

UNKNOWN = "its wording is not known here"
_MAX_BYTES = 8_000_000
_WORDS = frozenset({"description", "title"})
_FORMS = frozenset({"maxLength", "minLength", "not", "pattern"})
_OF_MEMBERS = ("counts", "verbatim")
"""What a JSON Schema says about the form of texts, which differs between languages."""


def stale_because(closure: Callable[[str], bytes | None], *, translated: str, live: str) -> tuple[str, ...]:
    """Return which members of an original differ from those that were translated; () if none but its filing.

    Args:
        closure: returns the bytes of a closure by digest, None if there is none.
        translated: digest of the original as it was translated.
        live: digest of the original as it is.
    """
    if translated == live:
        return ()
    before, after = closure(translated), closure(live)
    if before is None or after is None:
        return (UNKNOWN,)
    old, new = (canonical.parse(data, max_bytes=_MAX_BYTES) for data in (before, after))
    return tuple(sorted(name for name in {*old, *new} - {*FILING} if old.get(name) != new.get(name)))


def contract_difference(kind: str, original: JsonObject, translation: JsonObject) -> str:
    """Return where the contract of a translation differs from the original's, as a dotted path; "" if nowhere."""
    return _difference(contract_of(kind, original), contract_of(kind, translation), ())


def contract_of(kind: str, document: JsonObject) -> JsonObject:
    """Return what all languages of a thing have in common, from its closure."""
    names = _Names(f".{document['locale'].lower()}")
    common: JsonObject = {"tier": document["tier"]}
    if kind in SCRIPTS:
        same = ("placement", "audience", "competencies", "max_tokens")
        common |= {name: document[name] for name in same}
        common["session_types"] = [names.original(name) for name in document["session_types"]]
        common["rules"] = [{**rule, "because": ""} for rule in document["rules"]]
        common["inputs"] = _shape(document["inputs"], _WORDS)
        common["output"] = _shape(document["output"], _WORDS | _FORMS)
        common["tools"] = [{**tool, "description": ""} for tool in document.get("tools", ())]
        common["validators"] = {name: document.get("validators", {}).get(name) for name in _OF_MEMBERS}
    elif kind == "session-type":
        common |= {"lengths": document["lengths"], "measures": _measures(document)}
        common |= {name: names.original(document[name]) for name in ("agreement", "handoff")}
        common["stages"] = [
            {"id": s["id"], "minutes": s["minutes"], "prompts": [names.original(name) for name in s["prompts"]]}
            for s in document["stages"]
        ]
        common["escalation"] = [names.original(one["to"]) for one in document["escalation"]]
        common["boundaries"] = len(document["boundaries"])
    elif kind == "agreement":
        common |= {"version": document["version"], "measures": _measures(document)}
        common["parties"] = [{"id": one["id"], "promises": len(one["promises"])} for one in document["parties"]]
        common["stored"] = [{**one, "what": ""} for one in document["stored"]]
        common["consents"] = [one["id"] for one in document["consents"]]
        common |= {name: len(document[name]) for name in ("scope", "outside")}
    return common


@dataclass(frozen=True, slots=True)
class _Names:
    """Names as the original has them: a translation may name other things in its own language."""

    suffix: str

    def original(self, name: str) -> str:
        return name.removesuffix(self.suffix)


def _measures(document: JsonObject) -> list[JsonObject]:
    return [{**one, "what": "", "why": ""} for one in document["measures"]]


def _shape(schema: Any, without: frozenset[str], *, of_schema: bool = True) -> Any:
    """Return a JSON Schema without the named keywords; a property may be called like a keyword."""
    if isinstance(schema, list):
        return [_shape(member, without) for member in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _shape(member, without, of_schema=name not in {"properties", "$defs"} or not of_schema)
        for name, member in schema.items()
        if not (of_schema and name in without)
    }


def _difference(one: Any, other: Any, path: tuple[str, ...]) -> str:
    if one == other:
        return ""
    if isinstance(one, dict) and isinstance(other, dict):
        differing = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
        name = differing[0]
        return _difference(one.get(name), other.get(name), (*path, name))
    return ".".join(path)
