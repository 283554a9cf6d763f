"""What all tests share: how many examples property tests draw, on what database, and what is measured.

Fixtures live beside their tests. `--database postgresql` runs every test that has a database on PostgreSQL, and no
other test; without it those marked `databases` run on both kinds, the others on SQLite. `make fuzz` draws 200 times the
examples, and tries every place where a test marked `sampled` tries some.
Coverage is not measured where a test repeats what others run: the examples of a property, the places of a sampled
test, and the second kind of database. Tracing makes those three times as slow and finds hardly a line more.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache

import pytest
import typer.testing
from _pytest.doctest import DoctestModule
from coverage import Coverage
from hypothesis import settings
from sqlalchemy.dialects import registry

os.environ["MENTORPLANE_READER"] = "none"  # what a model adds is tested where one is opened

MEMORY, ROOM = "/dev/shm", 2**31
"""Where homes of tests lie, if there is room: what is synced is synced all the same, but waits for no disk."""
if "PYTEST_DEBUG_TEMPROOT" not in os.environ and os.access(MEMORY, os.W_OK):
    stand = os.statvfs(MEMORY)
    if stand.f_bavail * stand.f_frsize >= ROOM and not stand.f_flag & os.ST_NOEXEC:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = MEMORY

# A database that is named for the tests is none for what they start; processes of tests that run at once still know it.
if named := os.environ.pop("DATABASE_URL", ""):
    os.environ["MENTORPLANE_TEST_POSTGRES"] = named

registry.register("sqlite", "tests.dialects", "SQLite")
registry.register("postgresql.psycopg", "tests.dialects", "PostgreSQL")
gc.disable()  # until all is collected: what is imported and collected stays
typer.testing._get_command = cache(typer.testing._get_command)  # to read all commands takes longer than most take
USUAL = 100
LONG = ("tests/test_wheel", "tests/server/test_r", "tests/server/test_state", "tests/server", "tests/web", "tests/test")
"""What takes longest, in the order in which to begin; the rest is short."""
settings.register_profile("default", deadline=None, max_examples=USUAL, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=200 * USUAL, print_blob=True)
settings.load_profile("default")


def drawn(count: int) -> int:
    """Return how many to draw instead of `count`: as many times more as the profile asks for."""
    return count * settings().max_examples // USUAL


def examples(count: int) -> settings:
    """Return settings with `count` examples by default, and as many times more as the profile asks for."""
    return settings(max_examples=drawn(count))


def places(size: int, about: int) -> range:
    """Return about so many places below `size`, an odd step apart so that each bit has its turn; all in `make fuzz`."""
    return range(0, size, 1 if settings().max_examples > USUAL else size // about | 1)


@contextmanager
def unmeasured() -> Iterator[None]:
    """Measure no coverage meanwhile: for what only leads to what a test is about."""
    measuring = Coverage.current() if sys.gettrace() else None
    if measuring is not None:
        measuring.stop()
    try:
        yield
    finally:
        if measuring is not None:
            measuring.start()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Ask on which kind of database to run."""
    parser.addoption("--database", choices=("sqlite", "postgresql"), help="run all that has a database on this kind")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Look for no doctests among the tests: looking takes longer than running all that the packages have."""
    return [one for one in (yield) if not isinstance(one, DoctestModule)]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Measure no coverage where a test repeats what others run; put long files first, so that no core waits for one."""
    if config.getoption("database"):
        config.hook.pytest_deselected(items=[item for item in items if "kind" not in getattr(item, "fixturenames", ())])
        items[:] = [item for item in items if "kind" in getattr(item, "fixturenames", ())]
    for item in items:
        if any(map(item.get_closest_marker, ("hypothesis", "sampled"))) or "[postgresql" in item.name:
            item.add_marker("no_cover")
    items.sort(key=lambda item: next((n for n, start in enumerate(LONG) if item.nodeid.startswith(start)), len(LONG)))


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what was imported and collected: all of it stays until the end."""
    gc.collect()
    gc.freeze()
    gc.enable()
