"""What is installed here: the version of this package, and the extras that parts of it need.

Promises: nothing is imported to find out. Does not: install anything.
"""

from __future__ import annotations

from importlib.util import find_spec

from edge_runtime.core.errors import Unavailable

__all__ = ["has_extra", "package_version", "require_extra"]

_NEEDED = {
    "cloud": ("litellm",),
    "mcp": ("mcp",),
    "otel": ("opentelemetry", "opentelemetry.trace"),
    "serve": ("starlette", "uvicorn"),
}


def package_version() -> str:
    """Return the version of this package, "" where it is built into an app."""
    from importlib.metadata import PackageNotFoundError, version  # an app starts without it

    try:
        return version("mentorplane")
    except PackageNotFoundError:
        return ""


def has_extra(name: str) -> bool:
    """Return whether what an extra brings is installed."""
    return all(find_spec(package) is not None for package in _NEEDED[name])


def require_extra(name: str) -> None:
    """Refuse to go on without an extra.

    Raises:
        Unavailable: it is missing.
    """
    if not has_extra(name):
        hint = f"pip install 'mentorplane[{name}]'"
        raise Unavailable(f"expected the extra [{name}] to be installed, got none", hint=hint)
