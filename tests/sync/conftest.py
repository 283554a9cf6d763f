"""The seeded home of the server's tests, as the registry of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane.client import Client, Options
from control_plane.settings import Settings
from control_plane.sync.records import Registry
from control_plane.sync.registry import ClientRegistry
from tests.server.acts import Acts, inside
from tests.server.conftest import (  # noqa: F401 - fixtures
    acts,
    clock,
    kind,
    named,
    plane,
    server,
    settings,
    templates,
)
from tests.serving import served


@pytest.fixture
def home(acts: Acts) -> Registry:  # noqa: F811
    """The home as a registry, with Maya as the author."""
    name = f"home:{acts.plane.organisation}"
    return ClientRegistry(inside(acts.plane, acts.id("maya")), name, lambda: acts.passphrase("maya"))


@pytest.fixture(params=["home", "server"])
def registry(request: pytest.FixtureRequest, settings: Settings, acts: Acts) -> Iterator[Registry]:  # noqa: F811
    """The same registry, reached both ways."""
    if request.param == "home":
        yield request.getfixturevalue("home")
        return
    with served(settings) as url, Client(Options(url, acts.people["maya"]["token"])) as client:
        yield ClientRegistry(client, url, lambda: acts.passphrase("maya"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "folder"
