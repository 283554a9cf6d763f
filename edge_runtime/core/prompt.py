"""A prompt's closure: one approved script with every include resolved, frozen, ready for a device.

Promises: strict parse; templates use declared variables only and nothing but variables, `if`, `for` and the
short filter list; the input contract is the checked subset of JSON Schema (see `contract`).
Does not: render (see `template`), decide (see `policy`). Format: docs/formats.md, `mentorplane-prompt/2`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from audit.frozen import frozen, member
from edge_runtime.core import canonical
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import InputContract, parse_inputs
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.expected import read_validators
from edge_runtime.core.fields import Fields
from edge_runtime.core.filing import Filing, Translation, read_filing, read_locale, read_translation
from edge_runtime.core.include import read_includes
from edge_runtime.core.manifest import TIERS
from edge_runtime.core.tools import Tool, read_tools, require_results

__all__ = [
    "COMPATIBILITY",
    "FORMAT",
    "MAX_BYTES",
    "PLACEMENTS",
    "Prompt",
    "keeps_compatible",
    "parse_prompt",
    "read_prompt",
]

FORMAT = "mentorplane-prompt/2"
MAX_BYTES = 200_000
PLACEMENTS = ("device", "redacted", "cloud")
COMPATIBILITY = (
    "none",
    "backward",
    "backward-transitive",
    "forward",
    "forward-transitive",
    "full",
    "full-transitive",
)
"""What a changed contract may not break: callers and readers of the version before, of the new one, of every one."""
DEFAULT_COMPATIBILITY = "backward"
"""What counts where neither a script nor the approval rules state a mode."""


def keeps_compatible(mode: str, other: str) -> bool:
    """Return whether a mode of compatibility asks for all that another asks for.

    >>> keeps_compatible("full", "backward"), keeps_compatible("full", "backward-transitive")
    (True, False)
    """
    return _asks(other) <= _asks(mode)


def _asks(mode: str) -> set[str]:
    direction, _, transitive = mode.partition("-")
    directions = {"full": {"backward", "forward"}, "none": set[str]()}.get(direction, {direction})
    return {f"{one}{suffix}" for one in directions for suffix in (("", "-transitive") if transitive else ("",))}


@frozen
class Prompt:
    """One closure. `instruction` is what a language model is told; `fill` makes the output without one.

    `fill` is a JSON value whose texts are templates over the inputs, or `{"extract": "summary", "from": INPUT,
    "at_most": N}`: N sentences of that input. `reply` is a template over inputs and output fields: the text a
    person reads. `fallback` is shown when neither way gives an output that fits the `output` JSON Schema.
    `compatibility` is "" where the organisation's counts. `validators` are expectations of any output and its reply, in
    the words of `expected`; `tools` is what a language model may ask the app to do.
    """

    name: str
    title: str
    purpose: str
    target_behaviour: str
    tier: str
    placement: str
    locale: str
    filing: Filing
    translation_of: Translation | None
    audience: tuple[str, ...]
    competencies: tuple[str, ...]
    session_types: tuple[str, ...]
    disclosure: str
    inputs: InputContract
    output: JsonObject
    instruction: str
    fill: JsonObject
    reply: str
    fallback: str
    max_tokens: int
    rules: tuple[JsonObject, ...]
    includes: tuple[tuple[str, str], ...]
    compatibility: str = ""
    validators: Mapping[str, Any] = member(default=MappingProxyType({}))
    tools: tuple[Tool, ...] = ()


def parse_prompt(data: bytes) -> Prompt:
    """Return the prompt that the canonical bytes of a closure hold.

    Raises:
        InvalidDocument: malformed; the message names the member and what was expected.
    """
    return read_prompt(canonical.parse(data, max_bytes=MAX_BYTES))


def read_prompt(document: JsonObject) -> Prompt:
    """Return the prompt that a JSON object holds; see `parse_prompt`."""
    fields = Fields(document, FORMAT)
    name, locale = fields.name("name"), read_locale(fields)
    inputs, output = parse_inputs(fields.json_object("inputs")), fields.json_object("output")
    validators = fields.json_object("validators") if fields.holds("validators") else {}
    properties = output.get("properties")
    prompt = Prompt(
        name=name,
        title=fields.text("title", at_most=120),
        purpose=fields.text("purpose", at_most=500),
        target_behaviour=fields.text("target_behaviour", at_most=500),
        tier=fields.choice("tier", TIERS),
        placement=fields.choice("placement", PLACEMENTS),
        locale=locale,
        filing=read_filing(fields, optional=False),
        translation_of=read_translation(fields, name=name, locale=locale),
        audience=fields.texts("audience"),
        competencies=fields.texts("competencies"),
        session_types=fields.texts("session_types"),
        disclosure=fields.text("disclosure", at_most=1000),
        inputs=inputs,
        output=output,
        instruction=fields.text("instruction"),
        fill=fields.json_object("fill"),
        reply=fields.text("reply"),
        fallback=fields.text("fallback", at_most=4000),
        max_tokens=fields.integer("max_tokens", at_most=32_000),
        rules=fields.items("rules", _as_object, at_most=100),
        includes=read_includes(fields),
        compatibility=fields.choice("compatibility", COMPATIBILITY) if fields.holds("compatibility") else "",
        validators=read_validators(validators, inputs.inputs, properties if isinstance(properties, dict) else {}),
        tools=read_tools(fields),
    )
    fields.close()
    if prompt.tools:
        require_results(inputs.inputs)
    return prompt


def _as_object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise InvalidDocument(f"{FORMAT}: expected objects in member 'rules'")
    return value
