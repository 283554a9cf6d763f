"""A seeded home made once and copied for each test, with a clock that stands still and keys that open cheaply.

`MENTORPLANE_TEST_POSTGRES=postgresql://user@host:port` runs the same tests on PostgreSQL, a database for each.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from control_plane import people
from control_plane.plane import ControlPlane, open_plane
from control_plane.seed import Rewording, seed
from control_plane.settings import Argon2, Settings
from tests.server.acts import Acts
from tests.server.library import library

CHEAP = Argon2(memory_kib=8, passes=1, lanes=1)
CHANGE = Rewording("maya", "opener", "You did", "You really did")


POSTGRES = os.environ.get("MENTORPLANE_TEST_POSTGRES", "")


@contextmanager
def database(template: str = "") -> Iterator[str]:
    """Give the URL of a new database, a copy of another if asked; "" stands for SQLite in the home."""
    if not POSTGRES:
        yield ""
        return
    name = f"mentorplane_{secrets.token_hex(6)}"
    server = create_engine(POSTGRES.replace("postgresql://", "postgresql+psycopg://") + "/postgres").execution_options(
        isolation_level="AUTOCOMMIT"
    )
    with server.connect() as connection:
        copied = f" TEMPLATE {template.rpartition('/')[2]}" if template else ""
        connection.execute(text(f"CREATE DATABASE {name}{copied}"))
        yield f"{POSTGRES}/{name}"
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a home with one release and one open proposal."""
    with database() as url:
        settings = Settings(home=tmp_path_factory.mktemp("template") / "home", argon2=CHEAP, database_url=url)
        plane = open_plane(settings)
        seed(plane, library=library(), change=CHANGE)
        plane.close()
        yield settings


@pytest.fixture
def settings(template: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The settings of a copy of the template."""
    shutil.copytree(template.home, tmp_path / "home")
    with database(template.database_url) as url:
        yield Settings(home=tmp_path / "home", argon2=CHEAP, database_url=url)


@pytest.fixture
def plane(settings: Settings, clock: Clock) -> Iterator[ControlPlane]:
    """A control plane with release 1 and proposal 2, which is open and not checked."""
    plane = open_plane(settings, clock=clock)
    yield plane
    plane.close()


@pytest.fixture
def acts(plane: ControlPlane) -> Acts:
    """The demo people, acting on the control plane."""
    return Acts(plane)


@pytest.fixture
def empty(tmp_path: Path, clock: Clock) -> Iterator[ControlPlane]:
    """A control plane with one administrator and nothing else."""
    with database() as url:
        plane = open_plane(Settings(home=tmp_path / "empty", argon2=CHEAP, database_url=url), clock=clock)
        people.enrol(plane, login="ada", name="Ada", roles=["administrator"], passphrase="ada has a secret")
        yield plane
        plane.close()
