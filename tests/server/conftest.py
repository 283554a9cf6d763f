"""A seeded home made once and copied for each test, with a clock that stands still and keys that open cheaply.

What people did before a test begins is made once too: a stage is a function that acts on a seeded home, and `after`
gives the people on a copy of what it left. Processes of tests that run at once share what is made in SQLite.

Tests run on SQLite. Those marked `databases`, one by one or by module, run on PostgreSQL as well, on a server that the
tests start themselves or that `DATABASE_URL` names (see `tests.postgres`); with `--database postgresql` all run there.
Each test has a database of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from control_plane.accounts import people
from control_plane.plane import ControlPlane, open_plane
from control_plane.seed import Rewording, seed
from control_plane.settings import Argon2, Settings
from tests import postgres as postgres_server
from tests.conftest import unmeasured
from tests.postgres import postgres  # noqa: F401 - a fixture
from tests.server.acts import Acts
from tests.server.library import library
from tests.store import place, store  # noqa: F401 - fixtures

Stage = Callable[[Acts, "Clock"], None]
Named = Callable[[Settings], Settings]
CHEAP = Argon2(memory_kib=8, passes=1, lanes=1)
CHANGE = Rewording("maya", "opener", "You did", "You really did")
SQLITE, POSTGRES = "sqlite", "postgresql"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `databases` on both, unless one was asked for."""
    both = metafunc.definition.get_closest_marker("databases") and not metafunc.config.getoption("database")
    if both and "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", [SQLITE, POSTGRES], indirect=True)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database that the test runs on."""
    return str(getattr(request, "param", request.config.getoption("database") or SQLITE))


@pytest.fixture
def sqlite_only(kind: str) -> None:
    """Skip the test on PostgreSQL."""
    if kind != SQLITE:
        pytest.skip("about SQLite: its file, or rows of a wrong type")


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: int) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    """The clock of the test's control plane."""
    return Clock()


@contextmanager
def database(server: str, template: str = "") -> Iterator[str]:
    """Give the URL of a new database on a server, a copy of another if asked; "" stands for SQLite in the home."""
    if not server:
        yield ""
        return
    with postgres_server.database(server, template) as url:
        yield url


@pytest.fixture
def server(request: pytest.FixtureRequest, kind: str) -> str:
    """The server of the test's kind of database; "" for SQLite, which needs none."""
    return str(request.getfixturevalue("postgres")) if kind == POSTGRES else ""


def seeded(acts: Acts, clock: Clock) -> None:
    """Leave the home with one release and one open proposal."""


def withdrawn(acts: Acts, clock: Clock) -> None:
    """Go through the whole workflow: release 2 is out, and what release 1 brought is partly withdrawn."""
    acts.approve_fully()
    acts.release()
    acts.withdraw("tom", "closing")


def worded(acts: Acts, clock: Clock) -> None:
    """Leave two releases and a withdrawal, with reasons to search for."""
    acts.check()
    acts.approve("tom", reason="Clearer for Müller's TEAM, and naïve readers")
    acts.approve("ines", reason="clearer: I asked the team")
    acts.release()
    acts.withdraw("sam", "closing")


@dataclass(frozen=True)
class Template:
    """A home to copy, and the time at which it was left."""

    settings: Settings
    now: datetime


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, Stage], Template]]:
    """Give what a stage leaves, made once for each server; what is made is measured where it is tested."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with ExitStack() as stack:

        @cache
        def made(server: str, stage: Stage) -> Template:
            like = None if stage is seeded else made(server, seeded).settings
            folder = (
                tmp_path_factory.mktemp("template") if server else shared / f"{stage.__module__}.{stage.__qualname__}"
            )
            with FileLock(f"{folder}.lock"), unmeasured():
                url = stack.enter_context(database(server, like.database_url if like else ""))
                settings, left = Settings(home=folder / "home", argon2=CHEAP, database_url=url), folder / "left"
                if not left.exists():
                    left.write_text(_left_by(stage, settings, like).isoformat(), "utf-8")
                return Template(settings, datetime.fromisoformat(left.read_text("utf-8")))

        yield made


def _left_by(stage: Stage, settings: Settings, like: Settings | None) -> datetime:
    """Make the home that a stage leaves, and return the time at which it was left."""
    if like:
        shutil.copytree(like.home, settings.home)
    clock = Clock()
    plane = open_plane(settings, clock=clock)
    if like is None:
        seed(plane, library=library(), change=CHANGE)
    stage(Acts(plane), clock)
    plane.close()
    return clock.now


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Named:
    """Let `DATABASE_URL` name the database of a home, as commands find it."""

    def naming(settings: Settings) -> Settings:
        monkeypatch.setenv("DATABASE_URL", settings.database_url)
        return settings

    return naming


@pytest.fixture
def settings(
    templates: Callable[[str, Stage], Template], server: str, named: Named, tmp_path: Path
) -> Iterator[Settings]:
    """The settings of a copy of the seeded home."""
    with copied(templates(server, seeded), server, tmp_path) as settings:
        yield named(settings)


@contextmanager
def copied(template: Template, server: str, folder: Path) -> Iterator[Settings]:
    """Give the settings of a copy of a template."""
    shutil.copytree(template.settings.home, folder / "home")
    with database(server, template.settings.database_url) as url:
        yield Settings(home=folder / "home", argon2=CHEAP, database_url=url)


@pytest.fixture
def plane(settings: Settings, clock: Clock) -> Iterator[ControlPlane]:
    """A control plane with release 1 and proposal 2, which is open and not checked."""
    plane = open_plane(settings, clock=clock)
    yield plane
    plane.close()


@pytest.fixture
def after(
    templates: Callable[[str, Stage], Template], server: str, named: Named, tmp_path: Path, clock: Clock
) -> Iterator[Callable[[Stage], Acts]]:
    """Give the demo people, acting on a copy of what a stage left, at the time at which it was left."""
    with ExitStack() as stack:

        def opened(stage: Stage) -> Acts:
            template = templates(server, stage)
            clock.now = template.now
            plane = open_plane(named(stack.enter_context(copied(template, server, tmp_path))), clock=clock)
            stack.callback(plane.close)
            return Acts(plane)

        yield opened


@pytest.fixture
def acts(plane: ControlPlane) -> Acts:
    """The demo people, acting on the control plane."""
    return Acts(plane)


@pytest.fixture
def empty(server: str, named: Named, tmp_path: Path, clock: Clock) -> Iterator[ControlPlane]:
    """A control plane with one administrator and nothing else."""
    with database(server) as url:
        settings = Settings(home=tmp_path / "empty", argon2=CHEAP, database_url=url)
        plane = open_plane(named(settings), clock=clock)
        people.enrol_all(plane, [(people.NewPerson("ada", "Ada", ("administrator",)), "ada has a secret")])
        yield plane
        plane.close()
