"""What PyInstaller must know to put the runtime into a desktop app; it finds this folder by itself.

The runtime imports most of its modules when they are first used, and reads its model as files: neither shows in an
app's own imports. See docs/desktop.md.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["hook_dirs"]


def hook_dirs() -> list[str]:
    """Return where PyInstaller finds our hook; the entry point `pyinstaller40` names this function."""
    return [str(Path(__file__).parent)]
