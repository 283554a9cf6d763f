"""Diffs: what changed between two closures, member by member and word by word.

Promises: closures with other bytes never give an empty diff; joining what stayed and what was removed gives the text
before, joining what stayed and what was added gives the text after, blanks included; changed words are not cut up.
Does not: say what a change means for a route (see `edge_runtime.core.policy`). Source: `difflib` (Ratcliff, Obershelp).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal, Protocol

from edge_runtime.core import canonical

__all__ = ["Differing", "FieldDiff", "Op", "Span", "as_text", "diff_closures", "diff_texts", "field_texts"]

Op = Literal["same", "added", "removed"]
MAX_CLOSURE_BYTES = 8_000_000
_TOKEN = re.compile(r"\s|\w+|[^\w\s]")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_CONTEXT = 60
"""Characters of unchanged text shown on each side of a change in a terminal."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text that stayed, was added or was removed."""

    op: Op
    text: str


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """A member that changed, by its path within the closure, and its text before and after in one row of spans."""

    field: str
    spans: tuple[Span, ...]


def diff_closures(before: bytes | None, after: bytes | None) -> tuple[FieldDiff, ...]:
    """Return the members that differ, sorted by path; None stands for a closure that is not there.

    Raises:
        InvalidDocument: one of them is not canonical bytes.
    """
    old = field_texts(before) if before is not None else {}
    new = field_texts(after) if after is not None else {}
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return tuple(FieldDiff(name, diff_texts(old.get(name, ""), new.get(name, ""))) for name in names)


def field_texts(closure: bytes) -> dict[str, str]:
    """Return the text of every member of a closure by its path, such as `fill.message` or `rules[stale].at_most`.

    Texts stand as they are; other values, and texts that could be taken for one, stand as JSON. Members of a list
    that have an `id` or a `name` go by it, and their order is a text of its own.
    """
    return dict(_texts(canonical.parse(closure, max_bytes=MAX_CLOSURE_BYTES), ""))


def diff_texts(before: str, after: str) -> tuple[Span, ...]:
    """Return the spans that lead from one text to the other; whole words, whatever was removed first."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    removed, added = "", ""
    spans: list[Span] = []
    for op, i1, i2, j1, j2 in SequenceMatcher(None, old, new).get_opcodes():
        same = "".join(old[i1:i2]) if op == "equal" else ""
        # A blank between two changed words belongs to the change: "one two" for "three four", not word by word.
        if same and not (
            same.isspace() and "\n" not in same and (removed or added) and i2 < len(old) and j2 < len(new)
        ):
            spans += _changed(removed, added)
            spans.append(Span("same", same))
            removed, added = "", ""
        else:
            removed += "".join(old[i1:i2])
            added += "".join(new[j1:j2])
    return (*spans, *_changed(removed, added))


class Spanned(Protocol):
    """A `Span`, of ours or of a client."""

    @property
    def op(self) -> Op:
        """Whether it stayed, was added or was removed."""

    @property
    def text(self) -> str:
        """The text."""


class Differing(Protocol):
    """A `FieldDiff`, of ours or of a client."""

    @property
    def field(self) -> str:
        """The path of the member."""

    @property
    def spans(self) -> Sequence[Spanned]:
        """Its text before and after."""


def as_text(diffs: Iterable[Differing]) -> str:
    """Return diffs for a terminal: `-[was]` and `+[is]`; long unchanged text is cut, no control character remains."""
    lines: list[str] = []
    for diff in diffs:
        shown = "".join(_marked(span, index, len(diff.spans)) for index, span in enumerate(diff.spans))
        lines.append(f"{_printable(diff.field)}:")
        lines += [f"    {line}" for line in shown.split("\n")]
    return "\n".join(lines) + "\n" if lines else ""


def _changed(removed: str, added: str) -> list[Span]:
    found: list[Span] = []
    if removed:
        found.append(Span("removed", removed))
    if added:
        found.append(Span("added", added))
    return found


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _texts(member, _below(path, key))
    elif isinstance(value, list) and any(isinstance(member, dict | list) for member in value):
        labels = _labels(value)
        if labels is None:
            for index, member in enumerate(value):
                yield from _texts(member, f"{path}[{index}]")
        else:
            yield path, "\n".join(labels)
            for label, member in zip(labels, value, strict=True):
                yield from _texts(member, f"{path}[{label}]")
    elif isinstance(value, str) and value and not _is_json(value):
        yield path, value
    else:
        yield path, json.dumps(value, ensure_ascii=False, sort_keys=True)


def _labels(members: list[Any]) -> list[str] | None:
    """Return what the members of a list are called, if each has a plain `id` or `name` of its own."""
    labels = [str(member.get("id", member.get("name", ""))) if isinstance(member, dict) else "" for member in members]
    distinct = len(set(labels)) == len(labels)
    named = all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", label) for label in labels)
    return labels if distinct and named else None


def _below(path: str, key: str) -> str:
    if _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _marked(span: Spanned, index: int, count: int) -> str:
    text = _printable(span.text)
    if span.op != "same":
        return f"{'-' if span.op == 'removed' else '+'}[{text}]"
    if len(text) <= 2 * _CONTEXT + 5:
        return text
    head = text[:_CONTEXT] if index else ""
    tail = text[-_CONTEXT:] if index < count - 1 else ""
    return f"{head} \u2026 {tail}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
