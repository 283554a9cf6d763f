"""What Presidio and DataFog find in the same texts; nothing where `make accuracy` did not install them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .found import Found

__all__ = ["PYTHON", "read_all"]

PYTHON = Path(os.environ.get("MENTORPLANE_PII_PYTHON", str(Path(sys.prefix) / "peers" / "pii" / "bin" / "python")))
NOT_PERSONAL = frozenset({"DATE_TIME", "NRP"})
"""Types of Presidio's that our test sets do not mark; `Presidio, less` is Presidio without them."""


def read_all(texts: Sequence[str]) -> dict[str, list[Found]]:
    """Return by peer what it finds in each text."""
    if not PYTHON.exists():
        return {}
    script = Path(__file__).with_name("pii_peers.py")
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    done = subprocess.run([str(PYTHON), str(script)], input=lines, check=True, stdout=subprocess.PIPE, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        "Presidio": [_found(answer["presidio"], frozenset()) for answer in answers],
        "Presidio, less": [_found(answer["presidio"], NOT_PERSONAL) for answer in answers],
        "DataFog": [_found(answer["datafog"], NOT_PERSONAL) for answer in answers],
    }


def _found(places: list[tuple[str, int, int]], without: frozenset[str]) -> Found:
    kept = sorted({(start, end) for kind, start, end in places if kind not in without})
    return Found(tuple(kept))
