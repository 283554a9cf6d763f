"""Reversible redaction: values out, placeholders in, and back again, all through one session.

Promises: 1. what `redact` makes, `restore` undoes exactly, also when the text already held look-alikes such as
`[PERSON_1]` (they become placeholders themselves). 2. One value has one placeholder in every text of a session;
so have the spellings of one person, and a first name alone where only one person bears it. 3. A value that was
once covered is covered wherever it comes again, whether or not the reader found it there. 4. No repr shows a value.
Does not: find values (see `reader`), scan what leaves (see `raw_values`), keep or encrypt the table (the shell does).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from audit.frozen import frozen, member
from edge_runtime.core.raw_values import LITERAL, PLACEHOLDER, Entry, PlaceholderTable, find_raw_values
from edge_runtime.core.reader.names import word_keys
from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.numbers import reading_of_number
from edge_runtime.core.reader.records import Entity, Reading
from edge_runtime.core.restoring import Restorer

__all__ = [
    "Covered",
    "Entry",
    "PlaceholderTable",
    "Redacted",
    "Restored",
    "cover_inputs",
    "find_raw_values",
    "redact",
    "restore",
]

_POSSESSIVE = re.compile(r"['\u2019\u02bc](?:s|S)?$")
_ELISION = re.compile(r"(?:[cdjlmnst]|qu)['\u2019\u02bc](?=\w)", re.IGNORECASE)
"""French before a vowel, as in d'Anna."""
_ENDS_IN_S_LIST = """
agnes alexis andreas carlos charles chris denis dennis elias hans ines james jens jonas jules julius louis lucas
lukas marcos marius mathias matthias nicolas nikolas niklas thomas tobias tomas
"""
_ENDS_IN_S = frozenset(_ENDS_IN_S_LIST.split())
"""Names of which the last letter is no possessive, though what is left may be a name as well."""
_TITLES = frozenset({"dr", "mr", "mrs", "ms", "prof", "sir", "herr", "frau", "mme", "sra", "sr"})
_NUMBERS = frozenset({"PHONE", "BANK", "CARD", "ID_NUMBER"})


@frozen
class Covered:
    """A placeholder in a redacted text: its place there, and which spelling of the value it stands for."""

    start: int
    end: int
    type: str
    placeholder: str
    form: int


@frozen
class Redacted:
    """A text with placeholders, and where they are."""

    text: str = member(repr=False)
    spans: tuple[Covered, ...]


@frozen
class Restored:
    """A text with its values back, and the placeholders in it that the table does not know."""

    text: str = member(repr=False)
    unknown: tuple[str, ...]


@frozen
class _Place:
    start: int
    end: int
    type: str


def cover_inputs(
    values: Mapping[str, Any], read: Callable[[str, str], Reading], table: PlaceholderTable
) -> tuple[dict[str, Any], PlaceholderTable]:
    """Return inputs with every finding covered, numbers and choices too, and the table; a list as one text, as read.

    Args:
        values: inputs by name.
        read: gives the reading of an input's text, by its name and that text.
        table: the placeholders so far.
    """
    covered = dict(values)
    for name, value in values.items():
        if isinstance(value, bool):
            continue
        text = "\n".join(value) if isinstance(value, list) else str(value)
        reading = reading_of_number(value) if type(value) is int else read(name, text)
        redacted, table = redact(text, reading, table)
        if isinstance(value, list):
            covered[name] = [redacted.text] if value else []
        elif isinstance(value, str) or redacted.spans:
            covered[name] = redacted.text
    return covered, table


def redact(text: str, reading: Reading, table: PlaceholderTable) -> tuple[Redacted, PlaceholderTable]:
    """Return `text` with every finding of `reading` replaced, and the table with what was new."""
    if reading.text_length != len(text):
        raise ValueError(f"expected the reading of a text of {len(text)} characters, got one of {reading.text_length}")
    covered, after = _written(text, _places(text, reading, table), table)
    if after.entries != table.entries:  # what is new may also stand where the reader did not find it
        covered, after = _written(text, _places(text, reading, after), table)
    return covered, after


def _written(text: str, places: list[_Place], table: PlaceholderTable) -> tuple[Redacted, PlaceholderTable]:
    writer = _Writer(table, {_person_key(text[p.start : p.end]) for p in places if p.type == "PERSON"})
    pieces: list[str] = []
    spans: list[Covered] = []
    length = last = 0
    for place in places:
        entry, form = writer.cover(place.type, text[place.start : place.end])
        length += place.start - last
        spans.append(Covered(length, length + len(entry.placeholder), entry.type, entry.placeholder, form))
        length += len(entry.placeholder)
        pieces += [text[last : place.start], entry.placeholder]
        last = place.end
    pieces.append(text[last:])
    return Redacted("".join(pieces), tuple(spans)), writer.table()


def restore(text: str | Redacted, table: PlaceholderTable) -> Restored:
    """Return `text` with values for placeholders; unknown placeholders stay and are named.

    A `Redacted` comes back letter by letter. In any other text, such as a model's answer, a placeholder
    becomes the spelling of the value that came first in the session.
    """
    if isinstance(text, Redacted):
        return Restored(_restore_exactly(text, table), ())
    restorer = Restorer(table)
    restored = restorer.feed(text) + restorer.close()
    return Restored(restored, restorer.unknown)


def _restore_exactly(redacted: Redacted, table: PlaceholderTable) -> str:
    forms = {entry.placeholder: entry.forms for entry in table.entries}
    pieces: list[str] = []
    last = 0
    for span in redacted.spans:
        pieces += [redacted.text[last : span.start], forms[span.placeholder][span.form]]
        last = span.end
    return "".join((*pieces, redacted.text[last:]))


class _Writer:
    """Gives out placeholders for one text: from the table where it has them, new ones where not."""

    def __init__(self, table: PlaceholderTable, people: set[str]) -> None:
        self._entries = list(table.entries)
        self._index = {(entry.type, key): at for at, entry in enumerate(self._entries) for key in entry.keys}
        self._numbers: dict[str, int] = {}
        for entry in self._entries:
            self._numbers[entry.type] = max(self._numbers.get(entry.type, 0), entry.number)
        self._people = {person for person in people if " " in person}

    def table(self) -> PlaceholderTable:
        return PlaceholderTable(tuple(self._entries))

    def cover(self, kind: str, value: str) -> tuple[Entry, int]:
        """Return the entry of `value` and the number of its spelling there."""
        key = _key(kind, value)
        at = self._index.get((kind, key))
        if at is None and kind == "PERSON":
            at = self._same_person(key)
        if at is None:
            at = self._add(kind, key, value)
        entry = self._entries[at]
        keys = entry.keys if key in entry.keys else (*entry.keys, key)
        forms = entry.forms if value in entry.forms else (*entry.forms, value)
        self._entries[at] = entry = Entry(entry.type, entry.number, keys, forms)
        self._index[kind, key] = at
        return entry, forms.index(value)

    def _same_person(self, key: str) -> int | None:
        """Return the entry of the one person who also goes by `key`, or none."""
        possessive = self._index.get(("PERSON", f"{key}s"))  # what came first as German writes it: "Annas Idee"
        if possessive is not None and not _has_own_s(f"{key}s"):
            return possessive
        known = {full: at for (kind, full), at in self._index.items() if kind == "PERSON" and " " in full}
        everybody = known.keys() | self._people
        if " " not in key:
            bearers = {full for full in everybody if key in full.split()}
            return known.get(bearers.pop()) if len(bearers) == 1 else None
        # A full name after the first name alone: the same person, if nobody else bears that first name.
        for part in key.split():
            at = self._index.get(("PERSON", part))
            if at is not None and all(full == key or part not in full.split() for full in everybody):
                return at
        return None

    def _add(self, kind: str, key: str, value: str) -> int:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        self._entries.append(Entry(kind, self._numbers[kind], (key,), (value,)))
        return len(self._entries) - 1


def _key(kind: str, value: str) -> str:
    """Return what all spellings of one value have in common."""
    if kind == LITERAL:
        return value
    if kind == "PERSON":
        return _person_key(value)
    plain = normalise(value).text.casefold()
    if kind in _NUMBERS:
        return "".join(word_keys(plain)) or value
    return ("" if kind == "EMAIL" else " ").join(plain.split()) or value


def _person_key(value: str) -> str:
    words = word_keys(normalise(value).text)
    return " ".join(word for word in words if word not in _TITLES) or " ".join(words) or value


def _places(text: str, reading: Reading, table: PlaceholderTable) -> list[_Place]:
    """Return what to cover, in order and without overlap: look-alikes, findings, and values known already."""
    found = [_Place(look.start(), look.end(), LITERAL) for look in PLACEHOLDER.finditer(text)]
    people = {_person_key(text[one.start : one.end]) for one in reading.entities if one.type == "PERSON"}
    people |= {key for entry in table.entries if entry.type == "PERSON" for key in entry.keys}
    people |= {part for key in people for part in key.split()}
    for entity in reading.entities:
        start, end = entity.start, entity.end
        if entity.type == "PERSON":
            start, end = _bare(text, entity, people)
        found.append(_Place(start, end, entity.type))
    return _joined((*_joined(found), *_known(text, table)))


def _bare(text: str, entity: Entity, people: set[str]) -> tuple[int, int]:
    """Return where a name stands without what a sentence puts before and after it."""
    start, end = entity.start, entity.end
    if (tail := _POSSESSIVE.search(text[start:end])) and tail.start() > 0:
        end = start + tail.start()
    elided = _ELISION.match(text, start, end)
    if elided and (elided[0][0].islower() or _person_key(text[elided.end() : end]) in people):
        start = elided.end()
    key = _person_key(text[start:end])
    if entity.source == "encoder" and key[-1:] == "s" and key[:-1] in people and not _has_own_s(key):
        end -= 1  # a host's name is found without it
    return start, end


def _has_own_s(key: str) -> bool:
    return key.rpartition(" ")[2] in _ENDS_IN_S


def _known(text: str, table: PlaceholderTable) -> Iterable[_Place]:
    normalised = normalise(text)
    for kind, finder in table.finders().items():
        for _, start, end in finder.find(normalised.text):
            place = normalised.original(start, end)
            yield _Place(place.start, place.end, kind)


def _joined(places: Iterable[_Place]) -> list[_Place]:
    """Return `places` in order; those that overlap become one, of the type of the longest that is no look-alike."""
    joined: list[list[_Place]] = []
    end = 0
    for place in sorted(places, key=lambda place: (place.start, -place.end)):
        if place.start >= place.end:
            continue
        if joined and place.start < end:
            joined[-1].append(place)
        else:
            joined.append([place])
        end = max(end, place.end)
    return [_union(group) for group in joined]


def _union(group: list[_Place]) -> _Place:
    longest = max(group, key=lambda place: (place.end - place.start, -place.start))
    start, end = group[0].start, max(place.end for place in group)
    if longest.type == LITERAL and (longest.start, longest.end) != (start, end):
        longest = next(place for place in group if place.type != LITERAL)
    return _Place(start, end, longest.type)
