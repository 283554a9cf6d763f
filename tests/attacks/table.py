"""The table of attacks and their tests, made from the marks in the tests themselves.

`python -m tests.attacks --write` puts it into docs/threat-model.md; `test_table` holds the page to it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.attacks import ATTACKS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
_BLOCK = re.compile(r"(<!-- attacks -->\n).*?(<!-- end of attacks -->)", re.DOTALL)


def marked() -> dict[str, list[str]]:
    """Return the tests that are marked for each attack, as `path::name`, in the order of paths and lines."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.attack(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                for name in dict.fromkeys(_attacks_of(node)):
                    found.setdefault(name, []).append(f"{path.relative_to(ROOT)}::{node.name}")
    return found


def _attacks_of(function: ast.FunctionDef) -> Iterator[str]:
    """Yield the attacks named by the marks on a test, or on the sets of parameters that it takes."""
    for decorator in function.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "attack":
                yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))  # type: ignore[misc]


def table() -> str:
    """Return the table: an attack, and its tests by file."""
    found = marked()
    rows = [f"| {name} | {_listed(found.get(name, []))} |" for name in ATTACKS]
    return "\n".join(["| Attack | Tests |", "|---|---|", *rows]) + "\n"


def _listed(tests: list[str]) -> str:
    files: dict[str, list[str]] = {}
    for test in tests:
        path, _, name = test.partition("::")
        files.setdefault(path, []).append(name.removeprefix("test_").replace("_", " "))
    return "; ".join(f"`{path}`: {', '.join(dict.fromkeys(names))}" for path, names in files.items())


def with_table(page: str) -> str:
    """Return the page with the table made anew."""
    return _BLOCK.sub(lambda match: match[1] + table() + match[2], page)
