"""The seeded home of the server's tests, served for real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from control_plane.settings import Settings
from tests.server.acts import Acts
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
def url(settings: Settings, acts: Acts) -> Iterator[str]:  # noqa: F811
    """The address of a server with the seeded home."""
    with served(settings) as address:
        yield address
