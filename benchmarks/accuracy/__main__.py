"""Print the table: `make accuracy`, or `python -m benchmarks.accuracy --model FOLDER` for a model not yet shipped.

`--only presidio` leaves the written test lines unread, so that they are looked at once, at the end.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from rich.console import Console
from rich.table import Table

from edge_runtime.encoder import PACKAGED
from models.data.example import Example
from models.data.shared import held_out_rows

from . import ours, peers
from .sets import DATA, written_lines
from .table import Row, label_rows, personal_rows

KINDS = (
    ("personal, coaching", r"held-out-entities-(?:coaching|clean)", ("≥ 0.95", "≤ 2 %")),
    ("personal, letters and forms", r"held-out-entities-general", ("≥ 0.93", "")),
    ("personal, German, French, Spanish", r"held-out-(?:de|fr|es)-(?:entities|clean)", ("", "")),
)
"""The written test sets in which personal data is measured, by family."""


def main() -> None:
    """Read both test sets with every system, and print what each finds."""
    parser = argparse.ArgumentParser(prog="make accuracy ARGS=…", description=__doc__)
    parser.add_argument("--model", type=Path, default=PACKAGED, help="the folder of the model to measure")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the written test lines")
    parser.add_argument("--only", choices=("presidio", "written"), help="one of the two test sets")
    parser.add_argument("--limit", type=int, help="read that many texts of each set, for a trial")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    arguments = parser.parse_args()
    rows: list[Row] = []
    if arguments.only != "written":
        rows += _personal(
            "personal, presidio-research", ("≥ 0.93", ""), held_out_rows()[: arguments.limit], model=arguments.model
        )
    if arguments.only != "presidio":
        examples = written_lines(arguments.data)[: arguments.limit]
        for title, family, bars in KINDS:
            chosen = [example for example in examples if re.match(family, example.family)]
            rows += _personal(title, bars, chosen, model=arguments.model)
        found = ours.read_all([example.text for example in examples], arguments.model)
        rows += label_rows(list(zip(examples, found, strict=True)))
    _print(rows, as_json=arguments.json)


def _personal(title: str, bars: tuple[str, str], examples: Sequence[Example], *, model: Path) -> list[Row]:
    """Return the rows of one test set for every system."""
    if not examples:
        sys.stderr.write(f"{title}: no texts, left out\n")
        return []
    texts = [example.text for example in examples]
    found = ours.read_all(texts, model)
    rows = personal_rows(title, "ours", bars, list(zip(examples, found, strict=True)))
    for system, theirs in peers.read_all(texts).items():
        rows += personal_rows(title, system, ("", ""), list(zip(examples, theirs, strict=True)))
    return rows


def _print(rows: Sequence[Row], *, as_json: bool) -> None:
    if as_json:
        names = [field.name for field in fields(Row)]  # type: ignore[arg-type]
        sys.stdout.write(json.dumps([{name: getattr(row, name) for name in names} for row in rows], indent=1) + "\n")
        return
    table = Table("what", "system", "metric", "score", "95 % of resamples", "cases", "bar")
    for row in rows:
        between = f"{row.low:.3f} – {row.high:.3f}"
        table.add_row(row.what, row.system, row.metric, f"{row.score:.3f}", between, str(row.cases), row.bar)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
