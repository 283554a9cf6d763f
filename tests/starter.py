"""The starter library, read once for all tests that look at it."""

from __future__ import annotations

from control_plane.sources.parsing import default_library

LIBRARY = default_library()
