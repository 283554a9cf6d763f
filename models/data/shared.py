"""Public data sets in a folder that `MENTORPLANE_DATA` names, with their README: what of them is learned from.

Promises: sentences whose shape is held out are left out; a set is used only for what its README allows. Without
the folder nothing is yielded, and the model that comes of it is another one.
Does not use: strings of BIPIA, which are attacks only by where they stand; SMARTMiner, whose goals are habits as
often as undertakings; requests that do harm.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge_runtime.core.reader.normalise import normalise
from edge_runtime.core.reader.sentences import sentence_spans
from models.data.example import Example, Mark
from models.data.outside import family_of, is_held_out

__all__ = ["FOLDER", "everyday_sentences", "held_out_rows", "labelled_rows"]

FOLDER = Path(os.environ.get("MENTORPLANE_DATA") or Path(__file__).parents[3] / "shared" / "data")
MAX_LENGTH = 300

_PRESIDIO = "presidio-research/generated_large.json"
_TYPES = {
    "PERSON": "PERSON",
    "ORGANIZATION": "ORG",
    "LOCATION": "LOCATION",
    "ADDRESS": "ADDRESS",
    "CREDIT_CARD": "CARD",
    "PHONE_NUMBER": "PHONE",
    "EMAIL_ADDRESS": "EMAIL",
    "IBAN_CODE": "BANK",
    "US_SSN": "ID_NUMBER",
    "US_DRIVER_LICENSE": "ID_NUMBER",
    "DOMAIN_NAME": "URL",
    "IP_ADDRESS": "IP",
}
_BORN = "{{date_of_birth}}"


def labelled_rows() -> Iterator[Example]:
    """Yield the rows of presidio-research whose sentences are not held out."""
    for row in _rows(held_out=False):
        yield _example(row)


def held_out_rows() -> list[Example]:
    """Return the rows of presidio-research whose sentences are kept for the test; none without the folder."""
    return [_example(row) for row in _rows(held_out=True)]


def _rows(*, held_out: bool) -> Iterator[dict[str, Any]]:
    path = FOLDER / _PRESIDIO
    if path.exists():
        for row in json.loads(path.read_text(encoding="utf-8")):
            if is_held_out(row["masked"]) == held_out:
                yield row


def _example(row: dict[str, Any]) -> Example:
    marks = []
    for span in sorted(row["spans"], key=lambda span: int(span["start_position"])):
        kind = _TYPES.get(span["entity_type"])
        if span["entity_type"] == "DATE_TIME" and _BORN in row["masked"]:
            kind = "DATE_OF_BIRTH"
        if kind:
            marks.append(Mark(kind, span["start_position"], span["end_position"]))
    return Example(
        text=row["full_text"],
        lang="en",
        family=family_of(row["masked"]),
        voice="document",
        entities=_trimmed(row["full_text"], marks),
        parts=None,
        labels={"injection": False, "crisis": False},
    )


def _trimmed(text: str, marks: list[Mark]) -> tuple[Mark, ...]:
    """Return the marks without outer blanks; pieces of one address that stand side by side become one."""
    joined: list[Mark] = []
    for mark in marks:
        piece = text[mark.start : mark.end]
        start = mark.start + len(piece) - len(piece.lstrip())
        end = mark.start + len(piece.rstrip())
        before = joined[-1] if joined else None
        if before and before.kind == mark.kind == "ADDRESS" and not text[before.end : start].strip(", \n"):
            joined[-1] = Mark("ADDRESS", before.start, end)
        elif start < end and (before is None or before.end <= start):
            joined.append(Mark(mark.kind, start, end))
    return tuple(joined)


def everyday_sentences() -> Iterator[Example]:
    """Yield ordinary sentences of mail, counselling, meetings and lessons, for what they surely are not."""
    none = {"injection": False, "crisis": False}
    for line in _lines("EmailIntentDataSet/Ask0729-fixed.txt"):
        verdict, _, text = line.partition("\t")
        if verdict == "No":
            yield from _plain(text, "email", "mail", labels={**none, "commitment": False, "agreed_action": False})
    for line in _lines("physical-activity-counseling/dialogues.jsonl"):
        said = json.loads(line)
        judged = none if said["social_exchange"] == "Approve/Encourage" else {**none, **_NO_PRAISE}
        yield from _plain(said["text"], "counselling", "spoken", labels=judged)
    for line in _lines("QMSum/val.jsonl"):
        for turn in json.loads(line)["meeting_transcripts"][:40:3]:
            yield from _plain(turn["content"], "meetings", "spoken", labels=none)
    path = FOLDER / "conversational-uptake/uptake_data.csv"
    if path.exists():
        with path.open(encoding="utf-8", newline="") as rows:
            for row in list(csv.DictReader(rows))[::4]:
                yield from _plain(row["student_text"], "lessons", "spoken", labels=none)


_NO_PRAISE = dict.fromkeys(("affirmation", "praise_generic", "praise_first_person"), False)


def _lines(name: str) -> Iterator[str]:
    path = FOLDER / name
    if path.exists():
        yield from filter(None, path.read_text(encoding="utf-8", errors="replace").split("\n"))


def _plain(raw: str, family: str, voice: str, *, labels: dict[str, bool]) -> Iterator[Example]:
    text = " ".join(normalise(raw).text.split())
    for span in sentence_spans(text)[:2]:
        piece = text[span.start : span.end]
        if 12 <= len(piece) <= MAX_LENGTH:
            yield Example(text=piece, lang="en", family=family, voice=voice, entities=None, parts=None, labels=labels)
