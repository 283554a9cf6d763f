"""Waiting for a stage: what a generation holds while the newest release is not for this device yet.

Metadata, targets and parts of such a generation are those of the newest release, so that rollback and forks are seen as
ever; below `running/` lies the release that runs, as it was adopted. It counts because people signed it: each start
verifies it again (V4 to V9) under the newest trust file and the newest withdrawals, and takes neither from `running/`.

    home/rollout-key                     32 random bytes; made when a release first has stages, never sent
    home/generations/NNNNNN/running/     release file, parts and basis of what runs, if that is not the newest

Does not: decide (see `core.rollout`).
"""

from __future__ import annotations

import os
from pathlib import Path

from audit.frozen import frozen
from edge_runtime.core.rollout import KEY_BYTES, Rollout
from edge_runtime.core.trust import Adoption

__all__ = ["Standing", "load_key", "running_in"]

KEY_FILE = "rollout-key"
RUNNING = "running"
RELEASE = "release.json"


@frozen
class Standing:
    """What a home runs, and how far the newest release is rolled out that it knows."""

    adoption: Adoption
    rollout: Rollout

    @property
    def waits(self) -> bool:
        """Return whether another release runs than the newest."""
        return self.adoption.state.manifest_digest != self.rollout.manifest


def running_in(generation: Path) -> Path | None:
    """Return the folder of what runs in a generation, None if that is the newest release."""
    folder = generation / RUNNING
    return folder if folder.is_dir() else None


def load_key(home: Path) -> bytes:
    """Return the key by which this device draws its place in a rollout, made now if there is none.

    Call while the home is locked. One that a crash cut off drew nothing yet; one that is lost is drawn anew.
    """
    path = home / KEY_FILE
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) == KEY_BYTES:
        return key
    path.unlink(missing_ok=True)
    key = os.urandom(KEY_BYTES)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
