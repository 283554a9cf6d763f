"""What all tests share: how many examples property tests draw. Fixtures live beside the tests that use them."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100
settings.register_profile("default", deadline=None, max_examples=USUAL, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=200 * USUAL, print_blob=True)
settings.load_profile("default")


def examples(count: int) -> settings:
    """Return settings with `count` examples by default, and as many times more as the profile asks for."""
    return settings(max_examples=count * settings().max_examples // USUAL)
