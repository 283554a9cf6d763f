"""A developer's folder with one prompt of their own, and their home."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from control_plane.dev.checking import look
from control_plane.dev.publishing import Workshop
from edge_runtime import EdgeRuntime

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
OPENER = resources.files("prompt_library").joinpath("scripts", "openings", "compliment-first-opener.yaml")
QUESTION = "what felt different about it this time?"


class Desk:
    """One developer: a folder, a home that is open, and a device of theirs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.device = folder / "prompts", folder / "home", folder / "device"
        self.folder.mkdir()
        self.file = self.folder / "app-opener.yaml"
        self.save(OPENER.read_text("utf-8").replace("name: compliment-first-opener", "name: app-opener", 1))
        self.workshop = Workshop(self.home)

    def save(self, text: str) -> None:
        """Write the prompt of the app."""
        self.file.write_text(text, encoding="utf-8")

    def reword(self, text: str) -> None:
        """Change what the prompt asks."""
        before = self.file.read_text("utf-8")
        assert QUESTION in before
        self.save(before.replace(QUESTION, text))

    def publish(self) -> tuple[int, int]:
        """Publish the folder, which is sound."""
        found = look(self.folder)
        assert found.problems == ()
        return self.workshop.publish(found.contents, found.locales, NOW)

    def open(self, channel: str = "draft") -> EdgeRuntime:
        """Open the device of the developer."""
        return EdgeRuntime.open(
            self.device, trust=self.workshop.trust, source=str(self.workshop.site), channel=channel, model="none"
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A developer with one prompt of an app."""
    made = Desk(tmp_path)
    yield made
    made.workshop.close()
