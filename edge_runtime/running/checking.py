"""The named checks of what a model answered.

    schema         it is JSON and fits the output schema
    validators     it meets what the script expects of it
    tools          it calls tools that were offered, with arguments that fit
    crisis         nothing in it reads like a crisis
    values         it names nobody, and gives no number or address, that nobody gave
    injection      nothing in it gives an assistant orders
    marker         it does not repeat what marks the material
    placeholders   it holds none that this session does not know

Promises: an answer that fails one is not shown, but for `placeholders`: such a one stays in the text and is flagged;
what is said of a failure names places and types, never a text. A model's words are read as a person's are.
Does not: ask again (see `asking`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from audit.frozen import frozen, member
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.contract import check_output
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.core.pipeline import Checked, answer_of, check_answer
from edge_runtime.core.reader import Reading
from edge_runtime.core.reader.crisis import classify_crisis
from edge_runtime.core.reader.names import word_keys
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.reply import Check, ToolCall
from edge_runtime.running.records import Run
from edge_runtime.running.talk import Talk

__all__ = [
    "CRISIS",
    "INJECTION",
    "SCHEMA",
    "VALIDATORS",
    "VALUES",
    "Answer",
    "Called",
    "Given",
    "Taken",
    "check",
    "misfits",
]

SCHEMA, VALIDATORS, TOOLS, MARKER, PLACEHOLDERS = "schema", "validators", "tools", "marker", "placeholders"
CRISIS, VALUES, INJECTION = "crisis", "values", "injection"
_IDENTIFYING = frozenset({"ADDRESS", "BANK", "CARD", "EMAIL", "ID_NUMBER", "IP", "PERSON", "PHONE", "URL"})
"""Types of which a model must not bring in a value: whom it names, or what number it gives, is somebody's."""
_FLAGGED_ONLY = frozenset({PLACEHOLDERS})
_PRONOUNS = """
you/I your/my yourself/myself you're/I'm you've/I've you'd/I'd
du/ich dich/mich dir/mir dein/mein deine/meine deinem/meinem sich/mich
tu/je te/me toi/moi ta/ma ton/mon tes/mes vous/me votre/ma se/me ti/mí tus/mis
"""
_I = dict(pair.split("/") for pair in _PRONOUNS.split())
_YOU = re.compile(rf"\b(?:{'|'.join(sorted(_I, key=len, reverse=True))})\b", re.IGNORECASE)


@frozen
class Called:
    """A call as it arrived, restored."""

    id: str
    name: str
    arguments: str = member(repr=False)


@frozen
class Answer:
    """One whole answer, restored: its text or its calls, and the placeholders in it that nobody knows."""

    text: str = member(repr=False)
    calls: tuple[Called, ...] = ()
    unknown: tuple[str, ...] = ()


@frozen
class Taken:
    """An answer after its checks. `ok`: it may be shown."""

    text: str = member(repr=False)
    output: JsonObject | None = member(repr=False)
    calls: tuple[ToolCall, ...]
    problems: tuple[tuple[str, str], ...]
    made: tuple[str, ...]
    """The names of the checks that were made."""

    @property
    def ok(self) -> bool:
        """Whether nothing but flags came up."""
        return not {name for name, _ in self.problems} - _FLAGGED_ONLY

    @property
    def checks(self) -> tuple[Check, ...]:
        """Each check that was made, and whether it passed."""
        failed = {name for name, _ in self.problems}
        return tuple(Check(name, name not in failed) for name in self.made)

    @property
    def said(self) -> tuple[str, ...]:
        """What came up, in words without a text."""
        return tuple(said for _, said in self.problems)


class Given:
    """What a person, the host and the script gave: what an answer may hold."""

    def __init__(self, talk: Talk, run: Run) -> None:
        self._talk = talk
        prompt = run.prompt
        approved = (prompt.instruction, prompt.reply, prompt.fallback, prompt.disclosure, *_texts(prompt.fill))
        covered = (form for entry in talk.memory.placeholders.table.entries for form in entry.forms)
        words = word_keys(normalise("\n".join((*_texts(run.values), *approved, *talk.known, *covered))).text)
        self._words = frozenset(words)
        self._joined = "".join(words)

    def faults_of(self, text: str, *, read: Callable[[str], Reading] | None = None) -> Iterator[tuple[str, str]]:
        """Yield what the reader, or another one, finds in a text of a model that nobody should be shown."""
        try:
            reading = (read or self._talk.read)(text)
        except InvalidDocument:
            yield VALUES, "the answer is too long to be read"
            return
        if reading.labels.crisis == "crisis" or _to_oneself(text):
            yield CRISIS, "the answer reads like a crisis"
        if reading.labels.injection:
            yield INJECTION, "the answer reads like orders to an assistant"
        for kind in self._foreign(text, reading):
            yield VALUES, f"the answer holds a value of type {kind} that nobody gave"

    def _foreign(self, text: str, reading: Reading) -> list[str]:
        found = set()
        for entity in reading.entities:
            words = word_keys(normalise(text[entity.start : entity.end]).text)
            known = self._words.issuperset(words) or "".join(words) in self._joined
            if entity.type in _IDENTIFYING and not known:
                found.add(entity.type)
        return sorted(found)


def check(run: Run, answer: Answer, given: Given, *, marker: str) -> Taken:
    """Return an answer after its checks."""
    return _check_calls(run, answer, given) if answer.calls else _check_text(run, answer, given, marker=marker)


def _check_text(run: Run, answer: Answer, given: Given, *, marker: str) -> Taken:
    made = (SCHEMA, VALIDATORS, CRISIS, VALUES, INJECTION, MARKER, PLACEHOLDERS)
    flags = _flags(answer)
    try:
        output = answer_of(answer.text)
    except InvalidDocument as error:
        return Taken("", None, (), ((SCHEMA, str(error)), *flags), made=(SCHEMA,))
    checked = check_answer(run.prompt, run.values, output)
    problems = misfits(checked)
    if checked.schema:
        return Taken("", None, (), (*problems, *flags), made=(SCHEMA,))
    problems += given.faults_of("\n".join(_texts(output, _names(run.prompt.output))))
    if marker in answer.text:
        problems.append((MARKER, "the answer repeats what marks the material"))
    return Taken(checked.text, output, (), (*problems, *flags), made=made)


def misfits(checked: Checked) -> list[tuple[str, str]]:
    """Return what is wrong with an output by its prompt, by check."""
    return [(SCHEMA, said) for said in checked.schema] + [(VALIDATORS, said) for said in checked.validators]


def _check_calls(run: Run, answer: Answer, given: Given) -> Taken:
    offered = {tool.name: tool for tool in run.tools}
    problems: list[tuple[str, str]] = []
    calls: list[ToolCall] = []
    for called in answer.calls:
        if called.name not in offered:
            problems.append((TOOLS, "the answer calls a tool that was not offered"))
            continue
        try:
            arguments = json.loads(called.arguments or "{}")
        except (ValueError, RecursionError):
            problems.append((TOOLS, f"the arguments for {called.name} are not JSON"))
            continue
        said = check_output(offered[called.name].parameters, arguments)
        problems += [(TOOLS, f"{called.name}: {one}") for one in said]
        calls.append(ToolCall(called.id, called.name, arguments))
    declared = _names([tool.parameters for tool in run.tools])
    problems += given.faults_of("\n".join(_texts([call.arguments for call in calls], declared)))
    made = (TOOLS, CRISIS, VALUES, INJECTION, PLACEHOLDERS)
    return Taken("", None, tuple(calls), (*problems, *_flags(answer)), made=made)


def _to_oneself(text: str) -> bool:
    """Return whether a text reads like a crisis once it is said to oneself: a model speaks to "you"."""
    turned = _YOU.sub(lambda found: _I[found[0].lower()], normalise(text).text)
    return classify_crisis(turned)[0] == "crisis"


def _flags(answer: Answer) -> Iterable[tuple[str, str]]:
    if answer.unknown:
        yield PLACEHOLDERS, f"placeholders that this session does not know, left as they are: {len(answer.unknown)}"


def _texts(value: Any, declared: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield every text in a JSON value; names of members too, where nobody declared them: a model chose those."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in declared:
                yield name
            yield from _texts(inner, declared)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, declared)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _names(schema: Any) -> frozenset[str]:
    """Return every name of a member in a JSON Schema."""
    if isinstance(schema, Mapping):
        return frozenset(schema).union(*map(_names, schema.values()))
    return frozenset().union(*map(_names, schema)) if isinstance(schema, list) else frozenset()
