"""The report to read in a pack: one page of HTML that needs nothing else, and the same as PDF.

Promises: the page loads nothing, runs no script, and escapes every text of a person; both say the same.
Does not: decide what to say (see `report_data`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from audit.pack.check import PackReport
from control_plane.evidence.report_data import ReportData, report_data

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["report_files", "report_html"]

_PAGES = Path(__file__).parent / "pages"


def report_files(files: Mapping[str, bytes], report: PackReport, *, made_at: datetime) -> dict[str, bytes]:
    """Return the two reports of a pack by path."""
    from control_plane.evidence.report_pdf import report_pdf

    data = report_data(files, report, made_at=made_at)
    return {"report.html": report_html(data), "report.pdf": report_pdf(data, made_at=made_at)}


def report_html(data: ReportData) -> bytes:
    """Return the report as a page."""
    return page("pack.html").render(report=data, style=style()).encode("utf-8", "replace")


@lru_cache(maxsize=8)
def page(name: str) -> Template:
    """Return a template of this package; every text in it is escaped."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((_PAGES / name).read_text("utf-8"))


@lru_cache(maxsize=1)
def style() -> str:
    """Return the style sheet that stands in every page."""
    return (_PAGES / "report.css").read_text("utf-8")
