"""What is expected of an output and of what a person reads: one vocabulary for cases, recordings and validators.

    output                     these members, just so
    counts                     so many members in a list
    verbatim                   each text of a member stands word for word in an input
    reply_is, reply_contains, reply_lacks   the text that a person reads

Promises: the server holds examples to it before approval with the functions that a device holds a model's answer to;
total on any output; `said` names the assertion and the member and quotes nothing that a person or a model wrote.
Does not: check the schema (see `contract`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from audit.frozen import frozen, member
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.fields import Fields

__all__ = ["Unmet", "read_validators", "unmet_in_output", "unmet_in_reply"]

MAX_VALIDATORS = 30


@frozen
class Unmet:
    """One expectation that is not met: by which assertion, what is said of it, and both sides where there are two."""

    assertion: str
    said: str
    wanted: object = member(default=None, repr=False)
    got: object = member(default=None, repr=False)


def unmet_in_output(expect: Mapping[str, Any], output: JsonObject, values: Mapping[str, Any]) -> Iterator[Unmet]:
    """Yield how an output differs from what is expected of its members."""
    for name, wanted in expect.get("output", {}).items():
        if output.get(name) != wanted:
            yield Unmet("output", f"output member {name!r} differs", wanted, output.get(name))
    for name, bounds in expect.get("counts", {}).items():
        found = output.get(name, ())
        count = len(found) if isinstance(found, list | tuple | dict | str) else 0
        if not bounds["at_least"] <= count <= bounds["at_most"]:
            yield Unmet(
                "counts", f"expected {bounds['at_least']} to {bounds['at_most']} members of {name!r}, got {count}"
            )
    for name, source in expect.get("verbatim", {}).items():
        found, given = output.get(name, ()), values.get(source, "")
        texts = found if isinstance(found, list | tuple) else [found]
        if any(not isinstance(text, str) or text not in given for text in texts):
            yield Unmet("verbatim", f"expected {name!r} to stand word for word in {source!r}")


def unmet_in_reply(expect: Mapping[str, Any], reply: str) -> Iterator[Unmet]:
    """Yield how a reply differs from what is expected of its text."""
    if "reply_is" in expect and reply != expect["reply_is"].strip():
        yield Unmet("reply_is", "the reply differs", expect["reply_is"].strip(), reply)
    for number, text in enumerate(expect.get("reply_contains", ()), 1):
        if text not in reply:
            yield Unmet("reply_contains", f"the reply lacks text {number} of reply_contains", text, reply)
    for number, text in enumerate(expect.get("reply_lacks", ()), 1):
        if text in reply:
            yield Unmet("reply_lacks", f"the reply holds text {number} of reply_lacks", text)


def read_validators(document: JsonObject, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> JsonObject:
    """Return the expectations that a script states for its own output.

    Args:
        document: the member `validators`.
        inputs: the declared inputs, by name.
        outputs: the declared members of the output, by name.

    Raises:
        InvalidDocument: malformed, or about an input or an output that is not declared.
    """
    fields = Fields(document, "validators", tagged=False)
    for name in ("output", "counts", "verbatim"):
        if fields.holds(name):
            _require_known(name, fields.json_object(name), outputs)
    for name in ("reply_contains", "reply_lacks"):
        if fields.holds(name):
            fields.texts(name, at_most=MAX_VALIDATORS)
    if fields.holds("reply_is"):
        fields.text("reply_is")
    fields.close()
    for source in document.get("verbatim", {}).values():
        if source not in inputs or getattr(inputs[source], "type", "") not in {"string", "array"}:
            raise InvalidDocument("validators: expected inputs that are texts in member 'verbatim'")
    for bounds in document.get("counts", {}).values():
        inner = Fields(bounds, "validators counts", tagged=False)
        if inner.integer("at_least") > inner.integer("at_most"):
            raise InvalidDocument("validators: expected at_least to be no more than at_most in member 'counts'")
        inner.close()
    return document


def _require_known(name: str, expected: JsonObject, outputs: Mapping[str, Any]) -> None:
    unknown = sorted(set(expected) - set(outputs))
    if unknown or len(expected) > MAX_VALIDATORS:
        what = f"declared output members, got {unknown[0]!r}," if unknown else f"at most {MAX_VALIDATORS} members"
        raise InvalidDocument(f"validators: expected {what} in member {name!r}")
