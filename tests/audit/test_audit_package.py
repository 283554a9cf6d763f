"""The package as a whole: its error tree, what importing it loads, and its examples."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import audit
from audit import errors

MODULES = sorted(f"audit.{found.name}" for found in pkgutil.iter_modules(audit.__path__) if found.name != "__main__")


def test_error_tree_is_the_one_drawn() -> None:
    """The docstring of `audit.errors` draws exactly the classes that exist."""
    drawn = re.findall(r"^ +[├└]?[─ ]*([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert drawn == [one.__name__ for one in classes]
    assert [one.__bases__[0] for one in classes] == [Exception, audit.AuditError, audit.AuditError]


def test_all_is_sorted_and_there() -> None:
    """`__all__` is sorted and names what exists."""
    assert audit.__all__ == sorted(audit.__all__)
    assert all(hasattr(audit, name) for name in audit.__all__)


def test_import_is_light() -> None:
    """Importing the package loads no cryptography; the tree, tiles and records need none."""
    script = (
        "import sys, audit, audit.merkle, audit.tiles, audit.record, audit.folder\n"
        "assert not {name.partition('.')[0] for name in sys.modules} & {'cryptography', 'rfc8785'}"
    )
    root = Path(audit.__file__).parents[1]
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_and_the_module_says_what_it_is_for(name: str) -> None:
    """Each module has a docstring, and its doctests pass."""
    module = importlib.import_module(name)
    assert module.__doc__
    assert doctest.testmod(module).failed == 0
