"""The way to a person (P6): hear a crisis in whatever was typed, and give the approved hand-off text.

Promises: every text among the inputs is heard, however it is nested and however long, before a prompt is looked up or
a contract is checked; no model is waited for where the phrases say enough; going on holds for what was said until then,
and for no crisis that is new; there is always a text: the approved one of the locale, or else the one compiled into the
package. Both are in memory: no file is read for them.
Does not: call a model, send anything, decide whether the person goes on (see `session`).
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from edge_runtime.core.contract import check_inputs
from edge_runtime.core.handoff import handoff_text
from edge_runtime.core.locales import fallback_chain
from edge_runtime.core.pipeline import produce, reply_text
from edge_runtime.core.reader import MAX_TEXT_LENGTH
from edge_runtime.core.reader.crisis import classify_crisis
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.records import Crisis, Reading, Subject
from edge_runtime.core.reader.sentences import sentence_spans
from edge_runtime.core.trust import TrustState

__all__ = ["Heard", "crisis_in", "handoff_for"]

OVERLAP = 400
"""How many characters two windows of a long text share, so that no sentence is cut from both."""
_SPEAKER = re.compile(r"\A\w{1,20}:\s+")
"""Who said it, in a conversation that comes as one text."""


def crisis_in(inputs: Mapping[Any, Any], read: Callable[[str], Reading] | None = None) -> str:
    """Return whom a crisis in any text of `inputs` concerns: `self`, `other`, or "" if there is none.

    Args:
        inputs: by name; texts in lists and objects are heard too, and the names in objects.
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


class Heard:
    """What was said in this conversation when the person was asked to turn to somebody: digests under a key of its own.

    A sentence counts as often as it was said at once: who says it once more says something new.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._sentences: Counter[bytes] = Counter()

    def add(self, inputs: Mapping[str, Any], handed: str) -> None:
        """Remember what was said, and the text that was given for it, which a chat has in it from then on."""
        said = Counter(self._digest(text[s.start : s.end]) for text in _texts(inputs) for s in sentence_spans(text))
        given = Counter(self._digest(handed[s.start : s.end]) for s in sentence_spans(handed))
        self._sentences = (self._sentences | said) + given

    def is_all_of_crisis(self, inputs: Mapping[str, Any], read: Callable[[str], Reading]) -> bool:
        """Tell whether there is no crisis left in `inputs` without what was heard, and something was."""
        left = Counter(self._sentences)
        texts = list(_texts(inputs))
        rest = [self._without(text, left) for text in texts]
        return rest != texts and not crisis_in(dict(enumerate(rest)), read)

    def _without(self, text: str, left: Counter[bytes]) -> str:
        """Return a text with blanks for sentences that were heard, each as often as it was."""
        pieces, last = [], 0
        for span in sentence_spans(text):
            digest = self._digest(text[span.start : span.end])
            if left[digest] > 0:
                left[digest] -= 1
                pieces += [text[last : span.start], " " * (span.end - span.start)]
                last = span.end
        return "".join((*pieces, text[last:]))

    def _digest(self, sentence: str) -> bytes:
        plain = _SPEAKER.sub("", normalise(sentence).text.casefold()).strip()
        return blake2b(plain.encode("utf-8", "replace"), key=self._key, digest_size=16).digest()


def _texts(inputs: Any) -> Iterator[str]:
    """Yield every text in a value, those of one list together, as a prompt has them."""
    waiting: list[Any] = list(inputs.values()) if isinstance(inputs, Mapping) else [inputs]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping | list | tuple | set | frozenset) and id(value) not in seen:
            seen.add(id(value))
            members = [*value.keys(), *value.values()] if isinstance(value, Mapping) else list(value)
            texts = [member for member in members if isinstance(member, str)]
            if isinstance(value, Mapping):
                yield from texts
            elif texts:
                yield "\n".join(texts)
            waiting += [member for member in members if not isinstance(member, str)]


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
