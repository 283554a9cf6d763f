"""The table of commands in README.md, made from the help texts themselves.

`make docs` writes it (`python -m tests.command_table --write`); tests/test_readme.py holds the page to it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer.main

from edge_runtime.cli import build

program = cache(build)
"""The whole command line, made once for a process: `program()`."""
README = Path(__file__).parent.parent / "README.md"
_BLOCK = re.compile(r"(<!-- commands -->\n).*?(<!-- end of commands -->)", re.DOTALL)


@cache
def commands(word: str = "") -> dict[str, Any]:
    """Return every command by its full name, as they are known where `word` is the first that is typed."""
    return dict(_walk(typer.main.get_command(program(word)), ""))


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    for word, child in sorted(getattr(command, "commands", {}).items()):
        if not child.hidden:
            yield from _walk(child, f"{name} {word}".strip())
    if not hasattr(command, "commands"):
        yield name, command


def table() -> str:
    """Return the table: a command, and the first sentence of its help."""
    rows = (f"| `mentorplane {name}` | {_sentence(command.help or '')} |" for name, command in commands().items())
    return "\n".join(["| Command | What it does |", "|---|---|", *rows]) + "\n"


def _sentence(text: str) -> str:
    first = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    return re.split(r"(?<=\.)\s", first, maxsplit=1)[0].rstrip(".").replace("|", "\\|")


def with_table(page: str) -> str:
    """Return the page with its table of commands made anew."""
    return _BLOCK.sub(lambda match: match[1] + table() + match[2], page)


if __name__ == "__main__":
    if "--write" in sys.argv:
        README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(table())
