"""Times on the command line: UTC, in the forms in which our own answers show them."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

__all__ = ["TIME", "parse_time"]

TIME = "YYYY-MM-DD[THH:MM:SSZ]"
_FORMS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")


def parse_time(text: str | datetime) -> datetime:
    """Return a time in UTC.

    >>> parse_time("2026-03-01 09:30").isoformat()
    '2026-03-01T09:30:00+00:00'
    """
    if isinstance(text, datetime):  # what the option's default gives
        return text
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise typer.BadParameter(f"expected a day such as 2026-03-01, or a time such as 2026-03-01T09:30:00Z, got {text!r}")
