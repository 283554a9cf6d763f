"""The way to a person (P6): hear a crisis in whatever was typed, and give the approved hand-off text.

Promises: every text among the inputs is heard, in lists too and however long, before a prompt is looked up or a
contract is checked; no model is waited for where the phrases say enough; there is always a text: the approved one of
the locale, or else the one compiled into the package.
Does not: call a model, send anything, decide whether the person goes on (see `session`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from edge_runtime.core.contract import check_inputs
from edge_runtime.core.handoff import handoff_text
from edge_runtime.core.locales import fallback_chain
from edge_runtime.core.pipeline import produce, reply_text
from edge_runtime.core.reader import MAX_TEXT_LENGTH
from edge_runtime.core.reader.crisis import classify_crisis
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.records import Crisis, Reading, Subject
from edge_runtime.core.trust import TrustState

__all__ = ["crisis_in", "handoff_for"]

OVERLAP = 400
"""How many characters two windows of a long text share, so that no sentence is cut from both."""


def crisis_in(inputs: Mapping[str, Any], read: Callable[[str], Reading] | None = None) -> str:
    """Return whom a crisis in any text of `inputs` concerns: `self`, `other`, or "" if there is none.

    Args:
        inputs: by name; texts in lists are heard too.
        read: gives the reading of a text; heard by phrases alone if none, or if reading fails (P6).
    """
    windows = [window for text in _texts(inputs) for window in _windows(text)]
    heard = [_by_phrases(window) for window in windows]
    if read is not None and ("crisis", "self") not in heard:  # a model could add nothing: it is not waited for
        heard = [_by_reading(read, window) for window in windows]
    subjects = {subject or "self" for level, subject in heard if level == "crisis"}
    return "self" if "self" in subjects else "other" if subjects else ""


def _by_phrases(text: str) -> tuple[Crisis, Subject]:
    return classify_crisis(normalise(text).text)


def _by_reading(read: Callable[[str], Reading], text: str) -> tuple[Crisis, Subject]:
    try:
        labels = read(text).labels
    except Exception:  # noqa: BLE001 - whatever becomes of the model, somebody in a crisis is heard
        return _by_phrases(text)
    return labels.crisis, labels.subject


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list | tuple):
        yield "\n".join(member for member in value if isinstance(member, str))


def _windows(text: str) -> Iterator[str]:
    for start in range(0, max(len(text), 1), MAX_TEXT_LENGTH - OVERLAP):
        yield text[start : start + MAX_TEXT_LENGTH]


def handoff_for(state: TrustState | None, *, locale: str, situation: str) -> str:
    """Return the text that leads to a person, for a locale such as `en` or `en-GB`; never empty."""
    texts = {language.lower(): text for language, text in state.handoffs.items()} if state else {}
    approved = next((texts[tag] for tag in fallback_chain(locale) if tag in texts), None)
    if approved is not None:
        try:
            values = check_inputs(approved.inputs, {"situation": situation})
            text = reply_text(approved, values, produce(approved, values))
        except Exception:  # noqa: BLE001 - P6: whatever is wrong with what was approved, a text comes
            text = ""
        if text:
            return text
    return handoff_text(locale, "other" if situation == "other" else "self").text
