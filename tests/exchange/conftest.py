"""The seeded home of the server's tests, for the commands."""

from __future__ import annotations

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
