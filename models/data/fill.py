"""Fill the slots of a template with values, and keep every mark in its place.

Promises: the value of a slot becomes an entity of its type, unless it lies within one that was marked by hand; a
product or a project becomes none; the same seed gives the same text.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping

from audit.frozen import replace
from models.data import values
from models.data.example import Example, Mark, moved_marks
from models.data.lists import Lists
from models.data.markup import SLOTS, Template

__all__ = ["fill", "swap_names"]

_TITLES = ("Dr ", "Dr. ", "Mr ", "Mrs ", "Ms ", "Prof. ", "Herr ", "Frau ", "Mme ", "Sra. ")
_LIST_OF = {
    "FIRST": "first_names",
    "LAST": "last_names",
    "ORG": "organisations",
    "LOCATION": "places",
    "DOB": "births",
    "HEALTH": "health",
    "SALARY": "salaries",
    "PRODUCT": "products",
    "PROJECT": "projects",
}
_STATES = ("CA", "NY", "TX", "WA", "OH", "MA", "IL", "GA", "FL", "OR")
SWAPPED = 0.6
"""How often a name that was written out is changed for another in a copy."""


def fill(template: Template, lists: Lists, rng: random.Random) -> Example:
    """Return the template with a value in every slot."""
    changes: list[tuple[int, int, str]] = []
    found: list[tuple[str, int, int]] = []
    for slot in template.slots:
        before, value = _value(slot.kind, lists, rng)
        changes.append((slot.start, slot.end, before + value))
        found.append((SLOTS[slot.kind], len(before), len(value)))
    text, moved = _changed(template.text, changes)
    entities = moved_marks(template.entities, moved)
    if entities is not None:
        filled = [
            Mark(kind, moved(slot.start) + offset, moved(slot.start) + offset + length)
            for slot, (kind, offset, length) in zip(template.slots, found, strict=True)
            if kind
        ]
        entities = _joined(entities, filled)
    return Example(
        text=text,
        lang=template.lang,
        family=template.family,
        voice=template.voice,
        entities=entities,
        parts=moved_marks(template.parts, moved),
        labels=template.labels,
    )


def swap_names(example: Example, lists: Lists, rng: random.Random) -> Example:
    """Return the example with many of its persons, organisations and places changed for others."""
    changes = [
        (mark.start, mark.end, _instead(example.text[mark.start : mark.end], mark, lists, rng=rng))
        for mark in example.entities or ()
        if mark.kind in {"PERSON", "ORG", "LOCATION"} and rng.random() < SWAPPED
    ]
    text, moved = _changed(example.text, changes)
    entities, parts = (moved_marks(marks, moved) for marks in (example.entities, example.parts))
    return replace(example, text=text, entities=entities, parts=parts)


def _instead(old: str, mark: Mark, lists: Lists, *, rng: random.Random) -> str:
    if mark.kind == "ORG":
        new = lists.pick(rng, "organisations")
    elif mark.kind == "LOCATION":
        new = lists.pick(rng, "places")
    else:
        first, last = lists.pick(rng, "first_names"), lists.pick(rng, "last_names")
        new = f"{first} {last}" if " " in old else first
    return new.lower() if old.islower() else new


def _value(slot: str, lists: Lists, rng: random.Random) -> tuple[str, str]:
    """Return what stands before the value of a slot without belonging to it, and the value."""
    if name := _LIST_OF.get(slot):
        return "", lists.pick(rng, name)
    if slot == "PERSON":
        return _person(lists, rng)
    return "", _FORMS[slot](lists, rng)


def _person(lists: Lists, rng: random.Random) -> tuple[str, str]:
    first, last = lists.pick(rng, "first_names"), lists.pick(rng, "last_names")
    titled = rng.choice(_TITLES) if rng.random() < 0.1 else ""
    forms = {
        f"{first} {last}": 70,
        first: 0 if titled else 12,
        last: 60 if titled else 0,
        f"{first} {rng.choice('ABCDEFGHJKLMNPRSTW')}. {last}": 5,
        f"{first[0]}. {last}": 4,
        f"{first} {last}-{lists.pick(rng, 'last_names')}": 4,
        f"{last}, {first}": 2,
    }
    return titled, rng.choices(list(forms), list(forms.values()))[0]


def _address(lists: Lists, rng: random.Random) -> str:
    country, _, shape = rng.choice(lists.values("address_shapes")).partition("\t")
    while "{" in shape:
        start, end = shape.index("{"), shape.index("}")
        name = shape[start + 1 : end]
        if name == "street":
            piece = lists.pick(rng, "streets", country)
        elif name == "city":
            piece = lists.pick(rng, "places")
        elif name == "postcode":
            piece = values.postcode(rng, country)
        elif name == "state":
            piece = rng.choice(_STATES)
        elif name == "letter":
            piece = rng.choice("ABCD")
        elif name == "n":
            piece = str(rng.randrange(1, rng.choice((20, 200, 2000))))
        else:
            raise ValueError(f"expected a known piece of an address, got {name}")
        shape = shape[:start] + piece + shape[end + 1 :]
    return shape


def _email(lists: Lists, rng: random.Random) -> str:
    return values.email(rng, lists.pick(rng, "first_names"), lists.pick(rng, "last_names"))


_FORMS: Mapping[str, Callable[[Lists, random.Random], str]] = {
    "ADDRESS": _address,
    "EMAIL": _email,
    "ID": lambda lists, rng: values.from_shape(rng, lists.pick(rng, "ids")),
    "PHONE": lambda _, rng: values.phone(rng),
    "BANK": lambda _, rng: values.bank(rng),
    "CARD": lambda _, rng: values.card(rng),
    "URL": lambda _, rng: values.url(rng),
    "IP": lambda _, rng: values.ip_address(rng),
}


def _changed(text: str, changes: Iterable[tuple[int, int, str]]) -> tuple[str, Callable[[int], int]]:
    """Return `text` with its places replaced, and where any place outside them or at their edges went."""
    pieces: list[str] = []
    shifts: list[tuple[int, int]] = []
    last = shift = 0
    for start, end, new in changes:
        pieces += [text[last:start], new]
        last = end
        shift += len(new) - (end - start)
        shifts.append((end, shift))
    pieces.append(text[last:])

    def moved(place: int) -> int:
        return place + next((by for end, by in reversed(shifts) if place >= end), 0)

    return "".join(pieces), moved


def _joined(by_hand: tuple[Mark, ...], filled: list[Mark]) -> tuple[Mark, ...]:
    kept = [new for new in filled if all(new.end <= old.start or old.end <= new.start for old in by_hand)]
    return tuple(sorted([*by_hand, *kept], key=lambda mark: mark.start))
