"""All data, parted into training and validation, and what of it one epoch reads.

Promises: a line is on one side by its shape, which its numbers and names do not change; values in slots and names come
from different lists on the two sides; the same seed and epoch give the same examples.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from audit.frozen import frozen, replace
from models.data import outside, shared
from models.data.example import Example
from models.data.fill import fill, swap_names
from models.data.lists import Lists, is_for_validation
from models.data.markup import Template, read_markup
from models.data.noise import lowered, noisy
from models.data.pieces import normalised, sentences_of

__all__ = ["WRITTEN", "Corpus", "Side", "load_corpus"]

WRITTEN = Path(__file__).parent / "written" / "train"
VALIDATION_SHARE = 0.15
SLOT_FILLS, NAME_SWAPS, READINGS, GRAVE_READINGS = 2, 1, 3, 2
"""How often an epoch reads a line with slots, a line with names beside its original, any other written line, and one
that was written about crises, of which there are as many as of all others."""
ALWAYS_JUDGED = ("injection", "crisis")
ROWS, ATTACKS, PROMPTS, EVERYDAY = 800, 800, 800, 500
"""How many an epoch reads of presidio-research, of attacks and harmless prompts, of everyday sentences."""


@frozen
class Side:
    """What one side of the split holds."""

    templates: tuple[Template, ...]
    rows: tuple[Example, ...]
    attacks: tuple[Example, ...]
    prompts: tuple[Example, ...]
    everyday: tuple[Example, ...]


class Corpus:
    """The two sides, read once."""

    def __init__(self, train: Side, validation: Side) -> None:
        self.train = train
        self.validation = validation

    def epoch(self, seed: str) -> list[Example]:
        """Return the examples of one epoch, in random order."""
        rng = random.Random(seed)  # noqa: S311 - examples are no secrets
        lists = Lists("train")
        side = self.train
        chosen = [one for template in side.templates for one in _copies(template, lists, rng)]
        for examples, count in (
            (side.rows, ROWS),
            (side.attacks, ATTACKS),
            (side.prompts, PROMPTS),
            (side.everyday, EVERYDAY),
        ):
            chosen += [noisy(one, rng) for one in rng.sample(examples, min(count, len(examples)))]
        read = [piece for one in chosen for piece in sentences_of(normalised(one))]
        rng.shuffle(read)
        return read

    def held_back(self) -> list[Example]:
        """Return the examples that thresholds are chosen on: every line once, lines with names in lower case too."""
        rng = random.Random("validation")  # noqa: S311 - examples are no secrets
        lists = Lists("validation")
        side = self.validation
        filled = [fill(template, lists, rng) for template in side.templates]
        filled += [lowered(one) for one in filled if one.entities and rng.random() < 0.25]
        filled += [*side.rows[:200], *side.attacks[:500], *side.prompts[:500], *side.everyday[:300]]
        return [piece for one in filled for piece in sentences_of(normalised(one))]


def load_corpus(folder: Path = WRITTEN) -> Corpus:
    """Read all data."""
    templates = [_judged(one) for path in sorted(folder.glob("*.txt")) for one in read_markup(path)]
    templates += outside.sentences_with_slots()
    prompts = list(outside.injection_prompts())
    everyday = list(shared.everyday_sentences())
    rows = list(shared.labelled_rows())

    def side(*, validation: bool) -> Side:
        return Side(
            templates=tuple(one for one in templates if _is_validation(one.text) == validation),
            rows=_on_side(rows, validation=validation, by_family=True),
            attacks=_on_side((one for one in prompts if one.labels["injection"]), validation=validation),
            prompts=_on_side((one for one in prompts if not one.labels["injection"]), validation=validation),
            everyday=_on_side(everyday, validation=validation),
        )

    return Corpus(side(validation=False), side(validation=True))


def _judged(template: Template) -> Template:
    """Return a line with what its writer took for granted: only those written as such are an attack or a crisis."""
    return replace(template, labels={**dict.fromkeys(ALWAYS_JUDGED, False), **template.labels})


def _copies(template: Template, lists: Lists, rng: random.Random) -> Iterator[Example]:
    if template.slots:
        for _ in range(SLOT_FILLS):
            yield noisy(fill(template, lists, rng), rng)
        return
    written = fill(template, lists, rng)
    if written.entities:
        yield noisy(written, rng)
        for _ in range(NAME_SWAPS):
            yield noisy(swap_names(written, lists, rng), rng)
        return
    readings = GRAVE_READINGS if "low_mood" in template.labels else READINGS
    for _ in range(readings if len(template.labels) > len(ALWAYS_JUDGED) else 1):
        yield noisy(written, rng)


def _on_side(examples: Iterable[Example], *, validation: bool, by_family: bool = False) -> tuple[Example, ...]:
    """Return the examples of one side in an order that means nothing."""
    kept = [one for one in examples if _is_validation(one.family if by_family else one.text) == validation]
    return tuple(sorted(kept, key=lambda one: hashlib.sha256(one.text.encode()).digest()))


def _is_validation(text: str) -> bool:
    shape = " ".join(re.findall(r"[^\W\d_]+", text.lower()))
    return is_for_validation(f"validation:{shape}", VALIDATION_SHARE)
