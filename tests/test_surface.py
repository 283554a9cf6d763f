"""What each package shows: its error tree as drawn, its public names, and the sizes that keep it readable."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("audit", "control_plane", "edge_runtime", "prompt_library")
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 40


def modules_of(package: str) -> Iterator[ModuleType]:
    """Yield the package and every module below it, imported."""
    root = importlib.import_module(package)
    yield root
    for info in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not info.name.endswith("__main__"):
            yield importlib.import_module(info.name)


def drawn_tree(docstring: str) -> dict[str, str]:
    """Return the parent of each class that a docstring draws; "" for the root."""
    lines = docstring.splitlines()
    first = next((i for i, line in enumerate(lines) if "── " in line), None)
    if first is None:
        return {}
    parents, path = {}, [(-1, "")]
    for line in lines[first - 1 :]:
        match = re.match(r"[\s│├└─]*([A-Z]\w*)(\s{2,}.*|\s*)$", line)
        if not match:
            if line.strip():
                break
            continue
        while path[-1][0] >= match.start(1):
            path.pop()
        parents[match[1]] = path[-1][1]
        path.append((match.start(1), match[1]))
    return parents


def public_errors(package: str) -> dict[str, str]:
    """Return the public exception classes that a package defines, each with its parent among them, or ""."""
    classes = {
        value
        for module in modules_of(package)
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Exception) and not name.startswith("_")
        if value.__module__ == module.__name__
    }
    return {cls.__name__: next((b.__name__ for b in cls.__bases__ if b in classes), "") for cls in classes}


def test_a_drawn_tree_is_read() -> None:
    """Each name has the one above it to the left as its parent; what is said beside a name is no name."""
    drawn = drawn_tree("A\n├── B   what it means\n│   └── C\n└── D")
    assert drawn == {"A": "", "B": "A", "C": "B", "D": "A"}


@pytest.mark.parametrize("package", ["audit", "control_plane", "edge_runtime"])
def test_the_error_tree_is_the_one_drawn(package: str) -> None:
    """Every public error of a package stands in the drawing of its `errors` module, below the right parent."""
    own, core = public_errors(package), public_errors("edge_runtime")
    trees = [drawn_tree(m.__doc__ or "") for m in modules_of(package) if m.__name__.endswith(".errors")]
    drawn = {name: parent for tree in trees for name, parent in tree.items() if name in own or name not in core}
    assert own == {name: parent if parent in own else "" for name, parent in drawn.items()}


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_exist(package: str) -> None:
    """Every name of every `__all__` can be imported and stands there once; those of `__init__` are sorted."""
    for module in modules_of(package):
        names = list(getattr(module, "__all__", ()))
        assert [name for name in names if not hasattr(module, name)] == [], module.__name__
        assert len(set(names)) == len(names), module.__name__
        if hasattr(module, "__path__"):
            assert names == sorted(names, key=_sort_key), module.__name__


def _sort_key(name: str) -> tuple[int, str]:
    """Order as ruff does: constants, classes, the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


@pytest.mark.parametrize("package", PACKAGES)
def test_files_and_functions_stay_small(package: str) -> None:
    """No file is longer than 400 lines, no function body longer than 40, its docstring aside."""
    long = []
    for path in (ROOT / package).rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if source.count("\n") > MAX_FILE_LINES:
            long.append(f"{path.relative_to(ROOT)}: {source.count(chr(10))} lines")
        functions = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
        long += [
            f"{path.relative_to(ROOT)}: {function.name} has {_length(function)} lines"
            for function in functions
            if _length(function) > MAX_FUNCTION_LINES
        ]
    assert long == []


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    has_docstring = ast.get_docstring(node) is not None and len(node.body) > 1
    first = node.body[1] if has_docstring else node.body[0]
    return (node.end_lineno or 0) - min(first.lineno, first.end_lineno or 0) + 1
