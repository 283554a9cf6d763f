"""Looking at a folder, and a registry that says what a test wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from control_plane.sync.records import Change, LiveSource, Proposed, Snapshot

INCLUDE = "kind: include\nname: {}\nformat: mentorplane-include/1\ntitle: T\nlocale: en\ntier: R2\ntext: {}\n"


def include(name: str, text: str = "Be kind.") -> str:
    """Return the YAML of an include: the smallest source."""
    return INCLUDE.format(name, text)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder but what sync keeps for itself, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".mentorplane-sync" not in path.parts
    }


@dataclass
class Told:
    """A registry that says what it was told, and keeps what is proposed to it."""

    files: Mapping[str, str]
    release: int = 1
    name: str = "https://coach.example"
    kinds: Mapping[str, str] = field(default_factory=dict)
    proposed: list[Change] = field(default_factory=list)

    def snapshot(self, channel: str) -> Snapshot:
        """Return the includes by path; the name of each is in its text."""
        sources = [LiveSource("include", text.split("\n")[1][6:], path, text, 1) for path, text in self.files.items()]
        return Snapshot(channel or "production", self.release, f"sha256:{self.release:064}", tuple(sources))

    def propose(self, change: Change) -> Proposed:
        """Keep a change."""
        self.proposed.append(change)
        return Proposed(len(self.proposed), 1, "open", "sha256:x")
