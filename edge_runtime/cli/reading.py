"""`mentorplane edge read`, `redact` and `summarise`: what a device finds in texts of any length, with no home.

Promises: memory for one block or one line, however long the input; a bar only where a person watches; the text goes
nowhere but to standard output. Does not: decide anything (see `mentorplane edge decide`).
"""

from __future__ import annotations

import codecs
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from edge_runtime.cli.outcomes import JsonOption, NameOption, TermOption, exit_codes, why
from edge_runtime.cli.progress import progress
from edge_runtime.core.errors import InvalidDocument

if TYPE_CHECKING:
    from edge_runtime.core.reader import TextReader
    from edge_runtime.core.reader.blocks import Piece

__all__ = ["read", "redact", "summarise"]

CHUNK = 65_536
NAMES_LEFT = "note: people's names were looked for only as far as --name gives them: no model reads this language here"
FileArgument = Annotated[Path | None, typer.Argument(help="A text file; standard input if none.")]
ModelOption = Annotated[
    str, typer.Option("--model", envvar="MENTORPLANE_READER", help="Folder of the reader's model, or none.")
]
LinesOption = Annotated[bool, typer.Option("--jsonl", help='Take {"id","text"} lines, write a line for each.')]


def read(
    file: FileArgument = None,
    names: NameOption = [],
    terms: TermOption = [],
    model: ModelOption = "",
    jsonl: LinesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find what is personal in a text: types and places only. Needs no home and no network."""
    with exit_codes():
        reader = _reader(names, terms, model)
        if jsonl:
            _answer_lines(reader, file, _found)
            return
        found = _found(_pieces(reader, file, "reading"))
    lines = "\n".join(f"{e['type']:<8} {e['start']}-{e['end']}" for e in found["entities"]) or "nothing found"
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else lines)


def redact(
    file: FileArgument = None,
    names: NameOption = [],
    terms: TermOption = [],
    model: ModelOption = "",
    jsonl: LinesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Replace what is personal by placeholders, and say if names were not looked for. Needs no home and no network."""
    unread: set[str] = set()
    with exit_codes():
        reader = _reader(names, terms, model)
        if jsonl:
            _answer_lines(reader, file, lambda pieces: {"text": "".join(_covered(pieces, unread))})
        else:
            typer.echo('{"text": "' if as_json else "", nl=False)
            for covered in _covered(_pieces(reader, file, "covering"), unread):
                typer.echo(json.dumps(covered, ensure_ascii=False)[1:-1] if as_json else covered, nl=False)
            typer.echo('"}' if as_json else "")
    if "PERSON" in unread:
        typer.echo(NAMES_LEFT, err=True)


def summarise(
    file: FileArgument = None,
    at_most: Annotated[int, typer.Option(min=1, max=100, help="How many sentences.")] = 5,
    model: ModelOption = "",
    jsonl: LinesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Choose the sentences that best stand for a text, what was agreed first. Needs no home and no network."""
    with exit_codes():
        reader = _reader([], [], model)
        if jsonl:
            _answer_lines(reader, file, lambda pieces: {"lines": _summary(pieces, at_most)})
            return
        lines = _summary(_pieces(reader, file, "summarising"), at_most)
    typer.echo(json.dumps({"lines": lines}, ensure_ascii=False) if as_json else "\n".join(lines))


def _reader(names: list[str], terms: list[str], model: str) -> TextReader:
    from edge_runtime.core.reader import TextReader
    from edge_runtime.encoder import find_encoder

    return TextReader(names=names, terms=terms, encoder=find_encoder(model))


def _found(pieces: Iterator[Piece]) -> dict[str, Any]:
    """Return one reading of the pieces as a JSON object."""
    from edge_runtime.core.reader import as_json as reading_json
    from edge_runtime.core.reader.blocks import join_readings

    return reading_json(join_readings(piece.reading for piece in pieces))


def _covered(pieces: Iterator[Piece], unread: set[str]) -> Iterator[str]:
    """Yield the pieces with placeholders; the same value gets the same one through all of them.

    Args:
        pieces: of one text.
        unread: gets the types that nobody looked for in one of them.
    """
    from edge_runtime.core.redaction import PlaceholderTable
    from edge_runtime.core.redaction import redact as redact_text

    table = PlaceholderTable()
    for piece in pieces:
        unread |= {"PERSON"} - piece.reading.assessed
        redacted, table = redact_text(piece.text, piece.reading, table)
        yield redacted.text


def _summary(pieces: Iterator[Piece], at_most: int) -> list[str]:
    """Return the sentences that stand for the pieces: the best of each, and of those the best."""
    from edge_runtime.core.summary import Line, best_lines, lines_of

    chosen: list[Line] = []
    for piece in pieces:
        best = lines_of(piece.text, at_most=at_most, reading=piece.reading)
        chosen = best_lines([*chosen, *best], at_most=at_most) if chosen else best
    return [line.text for line in chosen]


def _pieces(reader: TextReader, file: Path | None, what: str) -> Iterator[Piece]:
    from edge_runtime.core.reader.blocks import read_pieces

    return read_pieces(reader, _chunks(file, what))


def _chunks(file: Path | None, what: str) -> Iterator[str]:
    """Yield a UTF-8 file, or standard input, as it comes."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    try:
        with _opened(file) as stream, progress(what, _size(file)) as advance:
            while data := stream.read(CHUNK):
                yield decoder.decode(data)
                done += len(data)
                advance(len(data))
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise InvalidDocument(f"expected UTF-8 text, got another byte after {done}") from error
    except (OSError, ValueError) as error:
        raise InvalidDocument(f"expected a file with text, got {why(error)}") from error


def _opened(file: Path | None) -> BinaryIO:
    return sys.stdin.buffer if file is None else file.open("rb")


def _size(file: Path | None) -> int | None:
    return None if file is None else file.stat().st_size


def _answer_lines(reader: TextReader, file: Path | None, answer: Callable[[Iterator[Piece]], dict[str, Any]]) -> None:
    """Answer each line that holds something, numbered from 1, as they come."""
    from edge_runtime.core.reader.blocks import read_pieces

    def of_text(text: str) -> dict[str, Any]:
        return answer(read_pieces(reader, [text]))

    try:
        with _opened(file) as stream, progress("lines", _size(file)) as advance:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    typer.echo(json.dumps(_answer(line, number, of_text)))
                advance(len(line))
    except (OSError, ValueError) as error:
        raise InvalidDocument(f"expected a file with lines, got {why(error)}") from error


def _answer(line: bytes, number: int, answer: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    try:
        item = json.loads(line.decode("utf-8-sig"))  # some editors begin a file with a mark
        name, text = item["id"], item["text"]
        if not isinstance(text, str):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidDocument(f'line {number}: expected {{"id": \u2026, "text": "\u2026"}} in UTF-8') from error
    start = time.perf_counter()
    answered = answer(text)
    return {"id": name, **answered, "ms": round((time.perf_counter() - start) * 1000, 3)}
