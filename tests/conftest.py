"""What all tests share: how many examples property tests draw. Fixtures live beside the tests that use them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=20_000, print_blob=True)
settings.load_profile("default")
