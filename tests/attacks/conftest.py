"""The world of the attacks: made once, copied for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.world import World


@pytest.fixture(scope="session")
def world_once(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A device that followed from the first release to the second."""
    return World.made(tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(world_once: World, tmp_path: Path) -> World:
    """A copy of it."""
    return world_once.copy(tmp_path)
