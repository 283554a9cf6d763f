"""How fast an answer gets its values back, and what the last scan of a request costs.

Run `pytest -s benchmarks/test_restoring.py`. Targets: 50 MB/s restored, with a placeholder in each 120 characters, in
pieces as a socket gives them; and no ordinary message refused by the scan. Times are of the processor, the least of
many runs, and what comes out is checked first.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from benchmarks.test_reading import least
from edge_runtime.core.raw_values import Entry, PlaceholderTable, find_raw_values
from edge_runtime.core.reader import TextReader
from edge_runtime.core.redaction import redact, restore
from edge_runtime.core.restoring import Restorer
from models.data.lists import Lists
from models.data.shared import FOLDER

PEOPLE = 20
TABLE = PlaceholderTable(tuple(Entry("PERSON", n, (f"p{n}",), (f"Person Number{n}",)) for n in range(1, PEOPLE + 1)))
SENTENCE = (
    "You said that you would like to talk with {} about what went well on Friday, and to write down what comes next. "
)
TEXT = "".join(SENTENCE.format(f"[PERSON_{n % 25 + 1}]") for n in range(20_000))


@pytest.mark.parametrize(("size", "at_least"), [(16_384, 50), (1024, 0), (4, 0)])
@pytest.mark.parametrize("json_strings", [False, True])
def test_restoring_a_stream(size: int, at_least: int, json_strings: bool) -> None:
    """Megabytes of an answer in a second, by the size of its pieces; tokens are some four characters."""
    text = json.dumps([TEXT]) if json_strings else TEXT
    pieces = [text[at : at + size] for at in range(0, len(text), size)]

    def run() -> str:
        restorer = Restorer(TABLE, json_strings=json_strings)
        return "".join(map(restorer.feed, pieces)) + restorer.close()

    whole = json.loads(run())[0] if json_strings else run()
    assert whole == restore(TEXT, TABLE).text
    speed = len(text) / 1000 / least(run, 9)
    print(f"\nrestoring {'JSON' if json_strings else 'text'} in pieces of {size}: {speed:.0f} MB/s")
    assert speed >= at_least


def messages() -> Iterator[str]:
    """Messages of some two hundred words, of what people said in coaching by telephone and text."""
    path = FOLDER / "physical-activity-counseling" / "dialogues.jsonl"
    goals = FOLDER / "SMARTMiner" / "goals_all_148.json"
    if not path.exists():
        pytest.skip(f"no dialogues in {FOLDER}: MENTORPLANE_DATA names another folder")
    said = [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()]
    said += [goal["note"] for goal in json.loads(goals.read_text("utf-8"))]
    begun = ""
    for text in said:
        begun += f"{text} "
        if len(begun) > 1200:
            yield begun
            begun = ""


def test_the_last_scan() -> None:
    """No redacted message is refused, with twenty people known; the milliseconds of a scan are printed."""
    drawn, lists = random.Random(4), Lists("validation")
    hard = ["Asher", "Ida", "Ina", "Isa", "Amit", "Iman", "Ivan", "Ann", "Amy", "Dana", "Alan", "Eli"]
    took, refused, count = 0.0, 0, 0
    for message in messages():
        people = [
            f"{drawn.choice(hard) if n < 6 else lists.pick(drawn, 'first_names')} {lists.pick(drawn, 'last_names')}"
            for n in range(PEOPLE)
        ]
        text = f"{', '.join(people)} and +44 7700 900{count % 1000:03d}: {message}"
        redacted, table = redact(text, TextReader(names=people).read(text), PlaceholderTable())
        outgoing = redacted.text.encode()
        refused += bool(find_raw_values(outgoing, table))
        took += least(lambda sent=outgoing, known=table: find_raw_values(sent, known), 1)  # type: ignore[misc]
        count += 1
    print(f"\nthe last scan: {refused} of {count} messages refused, {took / count:.1f} ms each")
    assert refused == 0
