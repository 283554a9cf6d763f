"""Paths of a folder: which are safe on every machine, and where a source lies whose own path is not.

Promises: what passes `is_safe` stays inside the folder, means the same file on Linux, macOS and Windows, is no hidden
file and none of Git's; two sources never share a path, not even where case makes no difference.
Source: Naming Files, Paths, and Namespaces (Microsoft); git-check-ref-format's reasons for the same rules.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from control_plane.sync.records import Key, LiveSource

__all__ = ["MAX_DEPTH", "is_safe", "places"]

MAX_DEPTH = 8
MAX_LENGTH = 200
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)", re.IGNORECASE)


def is_safe(path: str) -> bool:
    r"""Return whether a file of the folder may have this path.

    >>> is_safe("scripts/sessions/micro-session.yaml")
    True
    >>> [is_safe(path) for path in ("../a.yaml", "/a.yaml", "a/.git/b.yaml", "nul.yaml", "a\\b.yaml", "a.yaml.")]
    [False, False, False, False, False, False]
    """
    parts = path.split("/")
    return (
        len(path) <= MAX_LENGTH
        and len(parts) <= MAX_DEPTH
        and path.endswith((".yaml", ".yml"))
        and all(_SEGMENT.fullmatch(part) and not _DEVICES.match(part) and part[-1] != "." for part in parts)
    )


def places(sources: Iterable[LiveSource]) -> dict[Key, str]:
    """Return where each source lies: at the path that its author gave, or by its kind and name where that will not do.

    Kind and name are of a strict grammar, so that the second is always safe; a source that would take the path of
    another one's is moved as well.
    """
    found = sorted(sources, key=lambda source: source.key)
    fallback = {source.key: f"{source.kind}/{source.name}.yaml" for source in found}
    taken = Counter(path.casefold() for path in fallback.values())
    wanted = Counter(source.path.casefold() for source in found)
    folders = {part for source in found for part in _above(source.path.casefold())}

    def place(source: LiveSource) -> str:
        path = source.path
        alone = wanted[path.casefold()] == 1 and path.casefold() not in folders
        free = not taken[path.casefold()] or path == fallback[source.key]
        return path if is_safe(path) and alone and free else fallback[source.key]

    return {source.key: place(source) for source in found}


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
