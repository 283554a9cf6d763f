# ruff: noqa: N999 - PyInstaller gives the name
"""Read by PyInstaller when an app imports `edge_runtime`; imported by nothing of ours.

Promises: modules that are imported late, the reader's model and the desk's pages come along; so do the number formats
that `core.reader.checksums` asks for by name. Does not: bring the command line, or what an extra needs that the app
does not import itself.
"""

from __future__ import annotations

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

_APART = ("cli", "freezing", "mcp", "proving", "serving")
"""Commands and their extras: an app that wants one of them imports it."""


def _belongs(module: str) -> bool:
    return not module.startswith(tuple(f"edge_runtime.{folder}" for folder in _APART))


hiddenimports = [*collect_submodules("edge_runtime", filter=_belongs), *collect_submodules("stdnum")]
datas = [*collect_data_files("edge_runtime"), *copy_metadata("mentorplane")]
