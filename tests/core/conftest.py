"""Fixtures of the core: an organisation in memory, and a device that runs its first release."""

from __future__ import annotations

import pytest

from edge_runtime.core.trust import TrustState, adopt
from tests.simulator import Organisation


@pytest.fixture
def organisation() -> Organisation:
    """An organisation whose first release is out."""
    made = Organisation()
    made.release(made.base_documents())
    return made


@pytest.fixture
def adopted(organisation: Organisation) -> TrustState:
    """The state of a device that runs the first release."""
    return adopt(None, organisation.deliver()).state
