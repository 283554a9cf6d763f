"""The model card: what the reader's model is, what it learned from, how well it did, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.frozen import frozen
from models import base
from models.data.digests import DataSet
from models.gate import GateChoice
from models.recipe import Recipe
from models.thresholds import Choice

__all__ = ["Report", "model_card"]

_HEAD = """# Model card: reader

A small encoder that reads one sentence at a time on the device: who and what is named in it, what it is about,
whether it undertakes something. It runs on one core without a network. `reader.json` is what a device checks.

- **Made by** `make models` out of {base}, {base_licence}, SHA-256 `{weights}`; {layers} layers, 384 wide.
- **Licence** Apache-2.0. No text of a person is in it that was not made up or published.
- **For** redacting and routing notes of coaching and mentoring before anything leaves the device.
- **Not for** judging people, inferring emotions, deciding on anybody's work, diagnosing, or finding people in need on
  its own: crisis phrases are found by a list as well, and neither replaces a person.
- **Languages** English first; crisis and injection in German, French and Spanish from few examples.
"""


@frozen
class Report:
    """What a run of the recipe measured."""

    recipe: Recipe
    choices: tuple[Choice, ...]
    float_choices: Mapping[str, float]
    clean_touched: float
    names_f2: float
    injection_false: float
    gate: GateChoice
    data: tuple[DataSet, ...]


def model_card(report: Report) -> str:
    """Return the card as Markdown."""
    head = _HEAD.format(
        base=base.NAME, base_licence=base.LICENCE, weights=base.WEIGHTS_SHA256, layers=report.recipe.layers
    )
    return "\n".join([head, *_scores(report), *_gate(report.gate), *_data(report.data), *_weak()])


def _scores(report: Report) -> Sequence[str]:
    rows = [
        f"| `{one.name}` | {one.threshold:.2f} | {one.metric} | {one.score:.3f} | "
        f"{report.float_choices[one.name]:.3f} | {one.examples} |"
        for one in report.choices
    ]
    return [
        "## Scores where thresholds were chosen",
        "",
        "On lines kept back from training, by shape, not on a test: the same people wrote them. `make accuracy`",
        "measures on lines of other people. Float is the same threshold before weights were made 8-bit numbers.",
        "",
        "| What | Threshold | Metric | Score | Float | Cases |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"Personal against not, by overlap, patterns aside: F2 {report.names_f2:.3f}; {report.clean_touched:.1%} of",
        f"clean sentences touched. Injection at its threshold marks {report.injection_false:.1%} of harmless ones.",
        "",
    ]


def _gate(gate: GateChoice) -> Sequence[str]:
    return [
        "## First stage",
        "",
        f"`gate.onnx` passes {gate.recall:.2%} of {gate.examples} sentences that hold something, every crisis too,",
        f"and lets the reader skip {gate.skipped_share:.1%} of those that hold nothing.",
        "",
    ]


def _data(data: Sequence[DataSet]) -> Sequence[str]:
    rows = [f"| {one.name} | {one.licence} | {one.examples} | `{one.digest[7:19]}` |" for one in data]
    return ["## Data", "", "| Set | Licence | Lines | SHA-256 |", "|---|---|---|---|", *rows, ""]


def _weak() -> Sequence[str]:
    return [
        "## Known weaknesses",
        "",
        "- One sentence at a time: what only the sentence before makes clear is not seen. For a crisis alone, a",
        "  short message is read as a whole too.",
        "- Attacks longer than a sentence were left out of training, since nobody said which sentence is the attack.",
        "- Few examples stand behind some labels; the table says how many.",
        "",
    ]
