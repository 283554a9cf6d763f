"""Closures: a source with every include resolved, frozen as the canonical bytes whose digest people sign.

Promises: the same sources give the same bytes whatever their order, layout or quoting; what is frozen is read back with
the functions that a device uses, and its templates are checked after the includes stand in them; a missing include and
a cycle of includes are named; approval rules ask whoever represents people about every change of what is measured.
Does not: decide whether a closure may be released (see the workflow), store anything.
Formats: `mentorplane-prompt/1`, `mentorplane-policy/1`, `mentorplane-approval-rules/1` in docs/formats.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from control_plane.sources.parsing import (
    INCLUDE,
    PLAIN,
    Problem,
    Source,
    SourceError,
    problem_at,
    template_texts,
    texts_with_includes,
)
from control_plane.sources.strict_yaml import JsonPath, shown
from edge_runtime.core import canonical
from edge_runtime.core.agreement import parse_agreement
from edge_runtime.core.approval import REPRESENTATIVE, asks_representative, parse_rules
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_schema
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.filing import FILING
from edge_runtime.core.include import parse_include, passage_digest
from edge_runtime.core.model import parse_model_card
from edge_runtime.core.policy import DEFAULT_VOCABULARY, parse_policy, read_rules, read_vocabulary, vocabulary_digest
from edge_runtime.core.prompt import Prompt, parse_prompt
from edge_runtime.core.session_type import parse_session_type
from edge_runtime.core.template import check_template, uses_of
from edge_runtime.core.tools import RESULTS
from edge_runtime.core.vocabulary import parse_vocabulary

__all__ = ["CLOSURE_KINDS", "MAX_INCLUDE_DEPTH", "SCRIPTS", "UNREPRESENTED", "WORDS", "check_closure", "freeze"]

SCRIPTS = ("handoff", "prompt")
WORDS = ("permissions", "sensitivities")
"""The members of a vocabulary that go into a policy."""
_PARSERS: dict[str, Callable[[bytes], object]] = {
    "agreement": parse_agreement,
    "approval-rules": parse_rules,
    "include": parse_include,
    "model": parse_model_card,
    "policy": parse_policy,
    "session-type": parse_session_type,
    "vocabulary": parse_vocabulary,
}
CLOSURE_KINDS = tuple(sorted((*SCRIPTS, *_PARSERS)))
_NOT_FILED = ("approval-rules",)
UNREPRESENTED = (
    f"expected a rule that needs an {REPRESENTATIVE} for every change of what is measured, whatever its size"
)
MAX_INCLUDE_DEPTH = 8
MAX_RESOLVED = 100_000
"""Most characters of one text once its includes stand in it."""


def freeze(source: Source, sources: Iterable[Source] = ()) -> bytes:
    """Return the closure of `source`: canonical bytes that a device reads.

    Args:
        source: of any kind but cases.
        sources: where its includes, or the vocabulary of a policy, are found; others are passed over.

    Raises:
        SourceError: a missing include or vocabulary, a cycle of includes, or a text that is no template once they
            stand in it.
        InvalidDocument: another kind, or what a device would refuse.
    """
    if source.kind not in CLOSURE_KINDS:
        raise InvalidDocument(f"expected a source of kind {', '.join(CLOSURE_KINDS)}, got {source.kind}")
    document = {name: value for name, value in source.document.items() if name != "kind"}
    if source.kind not in _NOT_FILED:
        document = {**dict.fromkeys(FILING, ""), **document, "tags": sorted(document.get("tags", ()))}
    if source.kind in SCRIPTS:
        document = _resolved(source, document, _named("include", sources))
    elif source.kind == "include":
        document = _resolved_include(source, document, _named("include", sources))
    elif source.kind == "policy":
        document |= _words(source, _named("vocabulary", sources))
    try:
        data = canonical.encode(document)
        check_closure(source.kind, data)
    except SourceError:
        raise
    except InvalidDocument as error:
        expected = f"what can be released, got a problem: {error}"
        raise SourceError([problem_at(source, (), expected)]) from error
    return data


def check_closure(kind: str, data: bytes) -> None:
    """Check that a device would read `data` as a closure of that kind, its templates and schemas included.

    Raises:
        InvalidDocument: it would not, or people would be measured without a say; the message says what was expected.
    """
    if kind in SCRIPTS:
        prompt = parse_prompt(data)
        if kind == "handoff" and (prompt.tier, prompt.placement) != ("R4", "device"):
            raise InvalidDocument("expected tier R4 and placement device of a hand-off")
        check_schema(prompt.output)
        _check_templates(prompt)
        if prompt.tools:
            _check_tools(kind, prompt)
        read_rules(prompt.rules, DEFAULT_VOCABULARY)
    elif kind in _PARSERS:
        _PARSERS[kind](data)
        if kind == "approval-rules" and not asks_representative(parse_rules(data)):
            raise InvalidDocument(UNREPRESENTED)
    else:
        raise InvalidDocument(f"expected a closure of kind {', '.join(CLOSURE_KINDS)}, got another")


def _named(kind: str, sources: Iterable[Source]) -> dict[str, Source]:
    return {source.name: source for source in sources if source.kind == kind}


def _words(source: Source, vocabularies: Mapping[str, Source]) -> JsonObject:
    """Return the members that a vocabulary brings into a policy: its words, its name and their digest."""
    name = source.document["vocabulary"]
    found = vocabularies.get(name)
    if found is None:
        expected = f"a vocabulary {shown(name)}, got none of that name"
        raise SourceError([problem_at(source, ("vocabulary",), expected)])
    words = {member: found.document[member] for member in WORDS}
    try:
        digest = vocabulary_digest(read_vocabulary(words))
    except InvalidDocument as error:
        raise SourceError([problem_at(found, (), str(error).partition("expected ")[2])]) from error
    return {"vocabulary": words, "vocabulary_from": {"name": name, "digest": digest}}


def _check_templates(prompt: Prompt) -> None:
    inputs = set(prompt.inputs.inputs)
    outputs = set(prompt.output.get("properties", ()))
    document = {"instruction": prompt.instruction, "reply": prompt.reply, "fill": prompt.fill}
    for where, text in template_texts(document):
        try:
            check_template(text, inputs | outputs if where == ("reply",) else inputs)
        except InvalidDocument as error:
            raise InvalidDocument(f"{'.'.join(map(str, where))}: {error}") from error


def _check_tools(kind: str, prompt: Prompt) -> None:
    if kind == "handoff":
        raise InvalidDocument("expected no tools of a hand-off")
    for tool in prompt.tools:
        check_schema(tool.parameters)
    if RESULTS not in {use.name for use in uses_of(prompt.instruction) if use.how == "printed"}:
        raise InvalidDocument(f"expected {RESULTS!r} in the instruction of a script with tools")


def _resolved(source: Source, document: JsonObject, includes: Mapping[str, Source]) -> JsonObject:
    """Return the members of a script with the texts of its includes in place, and what those includes were."""
    texts: dict[str, str] = {}
    problems = list(_find_texts(source, document.get("includes", ()), includes, texts=texts))
    resolved: JsonObject = {**document, "rules": document.get("rules", [])}
    if not problems:
        for where, text in texts_with_includes(document):
            try:
                _replace(resolved, where, _spliced(text, texts))
            except KeyError as error:
                problems.append(problem_at(source, where, f"{shown(error.args[0])} to be listed in includes"))
            except InvalidDocument as error:
                problems.append(problem_at(source, where, str(error).removeprefix("expected ")))
        problems += _spliced_problems(source, resolved)
    if problems:
        raise SourceError(problems)
    resolved["includes"] = _listed(texts)
    return resolved


def _resolved_include(source: Source, document: JsonObject, includes: Mapping[str, Source]) -> JsonObject:
    """Return the members of an include with the texts of its own includes in place."""
    texts: dict[str, str] = {}
    problems = list(_find_texts(source, [source.name], {**includes, source.name: source}, texts=texts))
    if problems:
        raise SourceError(problems)
    text = texts.pop(source.name)
    return {**document, "text": text, "includes": _listed(texts)}


def _find_texts(
    source: Source, names: Iterable[str], includes: Mapping[str, Source], *, texts: dict[str, str]
) -> Iterable[Problem]:
    """Yield what is wrong with the includes that a source names; their texts go into `texts`."""
    for index, name in enumerate(names):
        try:
            _include_text(name, includes, texts=texts)
        except SourceError as error:
            yield from error.problems
        except InvalidDocument as error:
            where = ("includes", index) if source.kind in SCRIPTS else ("text",)
            yield problem_at(source, where, str(error).removeprefix("expected "))


def _listed(texts: Mapping[str, str]) -> list[JsonObject]:
    return [{"name": name, "digest": passage_digest(name, texts[name])} for name in sorted(texts)]


def _include_text(
    name: str, includes: Mapping[str, Source], *, texts: dict[str, str], above: tuple[str, ...] = ()
) -> str:
    """Return the text of an include with its own includes in place; `texts` keeps what was resolved already."""
    if name in texts:
        return texts[name]
    chain = (*above, name)
    if name in above:
        # Every file of the cycle is named: one of them is what somebody just wrote.
        expected = f"includes without a cycle, got {' -> '.join(map(shown, chain))}"
        raise SourceError([problem_at(includes[one], ("text",), expected) for one in above[above.index(name) :]])
    if name not in includes:
        raise InvalidDocument(f"expected an include {shown(name)}, got none of that name{_through(above)}")
    if len(chain) > MAX_INCLUDE_DEPTH:
        raise InvalidDocument(
            f"expected includes at most {MAX_INCLUDE_DEPTH} deep, got {' -> '.join(map(shown, chain))}"
        )
    text = str(includes[name].document["text"]).removesuffix("\n")
    inner = {found: _include_text(found, includes, texts=texts, above=chain) for found in INCLUDE.findall(text)}
    texts[name] = _spliced(text, inner)
    return texts[name]


def _spliced(text: str, includes: Mapping[str, str]) -> str:
    length = len(text) + sum(len(includes[name]) for name in INCLUDE.findall(text))
    if length > MAX_RESOLVED:
        raise InvalidDocument(f"expected at most {MAX_RESOLVED} characters once includes are in place, got {length}")
    return INCLUDE.sub(lambda found: includes[found[1]], text)


def _spliced_problems(source: Source, document: JsonObject) -> Iterable[Problem]:
    """Yield what is wrong with the texts of a script because of what its includes brought in."""
    inputs = set(document["inputs"]["properties"])
    outputs = set(document["output"].get("properties", ()))
    for where, text in template_texts(document):
        try:
            check_template(text, inputs | outputs if where == ("reply",) else inputs)
        except InvalidDocument as error:
            message = str(error).partition("expected ")[2]
            yield problem_at(source, where, f"{message} once includes are in place, in {'.'.join(map(str, where))}")
    for name in PLAIN:
        if any(mark in document[name] for mark in ("{{", "{%", "{#")):
            yield problem_at(source, (name,), f"plain text once includes are in place, in {name}")


def _replace(document: JsonObject, where: JsonPath, text: str) -> None:
    """Put `text` at a place of a script; what is changed on the way there is copied first."""
    holder: Any = document
    for part in where[:-1]:
        holder[part] = holder[part].copy()
        holder = holder[part]
    holder[where[-1]] = text


def _through(above: tuple[str, ...]) -> str:
    return f" (named by {shown(above[-1])})" if above else ""
