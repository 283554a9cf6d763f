"""The report of a pack as PDF: the same content as the page, for an archive or a printer.

Promises: the same data gives the same bytes; every character is shown, those that the font lacks
as their code.
Does not: anything else; `fpdf2` is imported here and nowhere else. Font: Source Sans Pro (SIL Open Font License).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from control_plane.evidence.report_data import Line, ReportData

__all__ = ["report_pdf"]

_FONT = "Source Sans"
_INK, _SOFT, _LINE = (28, 36, 48), (90, 102, 117), (205, 212, 221)
_GOOD, _BAD, _WASH = (18, 105, 74), (163, 38, 42), (244, 246, 249)
_GOOD_WASH, _BAD_WASH = (229, 244, 238), (251, 234, 234)
_WIDTH_MM = 178
_ROW_PT, _ROW_MM, _PAD_MM, _FOOT_MM = 8.8, 4.4, 1.2, 18


def report_pdf(data: ReportData, *, made_at: datetime) -> bytes:
    """Return the report as a PDF document."""
    pdf = _document(data, made_at)
    _head(pdf, data)
    _section(pdf, "The log")
    for name, value in data.facts:
        _fact(pdf, name, value)
    _section(pdf, "Releases")
    for story in data.releases:
        _story(pdf, story)
    if not data.releases:
        _text(pdf, "Nothing was released in these entries.", soft=True)
    _sample(pdf, data)
    if data.erased:
        _section(pdf, "Erased names and reasons")
        _text(pdf, "Their keys were destroyed, and the log says so. The entries themselves stand, and verify.")
        _bullets(pdf, [f"Entry {index}: erased by entry {event}" for index, event in data.erased[:200]])
    _section(pdf, "All acts, by kind")
    _table(
        pdf, ("Act", "Entries"), [(act.replace("-", " "), str(count)) for act, count in data.counts], widths=(60, 24)
    )
    _section(pdf, "What was verified")
    _bullets(pdf, data.checked)
    if data.remarks:
        _text(pdf, "To note", bold=True)
        _bullets(pdf, [f"{remark[:1].upper()}{remark[1:]}." for remark in data.remarks])
    _section(pdf, "What this does not prove")
    _bullets(pdf, data.limits)
    return bytes(pdf.output())


def _document(data: ReportData, made_at: datetime) -> Any:
    from fpdf import FPDF

    logging.getLogger("fontTools").setLevel(logging.WARNING)

    class Paged(FPDF):
        def footer(self) -> None:
            """Write the page number at the foot of every page."""
            self.set_y(-14)
            self.set_font(_FONT, size=8)
            self.set_text_color(*_SOFT)
            self.cell(0, 5, f"{_shown(data.log)}   page {self.page_no()} of {{nb}}", align="C")

    pdf = Paged(format="A4")
    pdf.set_creation_date(made_at)
    pdf.set_title(_shown(f"Evidence pack: {data.log}"))
    pdf.set_lang("en")
    pdf.set_margin(16)
    pdf.set_auto_page_break(True, margin=18)
    folder = _fonts()
    pdf.add_font(_FONT, "", str(folder / "SourceSansPro-Regular.ttf"))
    pdf.add_font(_FONT, "B", str(folder / "SourceSansPro-Semibold.ttf"))
    pdf.add_page()
    return pdf


@lru_cache(maxsize=1)
def _fonts() -> Path:
    import font_source_sans_pro

    return Path(font_source_sans_pro.__file__).parent / "files"


@lru_cache(maxsize=1)
def _known() -> frozenset[int]:
    """Return the code points that the font has."""
    from fontTools.ttLib import TTFont

    with TTFont(_fonts() / "SourceSansPro-Regular.ttf", lazy=True) as font:
        return frozenset(font.getBestCmap())


def _shown(text: str) -> str:
    """Return a text in which every character that the font lacks is its code."""
    known = _known()
    return "".join(
        c if ord(c) in known or c == "\n" else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"
        for c in text
    )


def _head(pdf: Any, data: ReportData) -> None:
    _text(pdf, data.title, size=11, bold=True, soft=True)
    _text(pdf, data.log, size=19, bold=True, height=9)
    _text(pdf, data.about, size=11)
    _text(pdf, f"Made {data.made_at}. Check it yourself: python -m audit verify PACK --vkey KEY", size=9, soft=True)
    pdf.ln(3)
    verdicts = (
        ("Integrity", data.integrity, "Nothing was changed since it was logged."),
        ("Completeness", data.completeness, "No entry was left out or put in."),
        (
            "Names and reasons",
            data.contents_ok,
            f"{len(data.erased)} erased, and logged as erased." if data.erased else "None is missing or altered.",
        ),
    )
    width, top = (_WIDTH_MM - 8) / 3, pdf.get_y()
    for at, (name, good, said) in enumerate(verdicts):
        left = pdf.l_margin + at * (width + 4)
        pdf.set_fill_color(*(_GOOD_WASH if good else _BAD_WASH))
        pdf.set_text_color(*(_GOOD if good else _BAD))
        pdf.rect(left, top, width, 17, style="F", round_corners=True, corner_radius=2)
        pdf.set_font(_FONT, "B", 10.5)
        pdf.set_xy(left + 3, top + 2.5)
        pdf.cell(width - 6, 5.5, f"{name}: {'verified' if good else 'NOT verified'}")
        pdf.set_font(_FONT, "", 8.5)
        pdf.set_xy(left + 3, top + 8.5)
        pdf.cell(width - 6, 5, said)
    pdf.set_xy(pdf.l_margin, top + 20)


def _section(pdf: Any, title: str) -> None:
    if pdf.get_y() > pdf.h - 50:  # a title does not stand alone at the foot of a page
        pdf.add_page()
    pdf.ln(4)
    _text(pdf, title, size=13, bold=True, height=7)
    pdf.set_draw_color(*_LINE)
    pdf.line(pdf.l_margin, pdf.get_y(), pdf.l_margin + _WIDTH_MM, pdf.get_y())
    pdf.ln(2)


def _text(
    pdf: Any, text: str, *, size: float = 10, bold: bool = False, soft: bool = False, height: float = 5.2
) -> None:
    pdf.set_font(_FONT, "B" if bold else "", size)
    pdf.set_text_color(*(_SOFT if soft else _INK))
    pdf.multi_cell(0, height, _shown(text), new_x="LMARGIN", new_y="NEXT", align="L", wrapmode="WORD")


def _fact(pdf: Any, name: str, value: str) -> None:
    pdf.set_font(_FONT, "", 10)
    pdf.set_text_color(*_SOFT)
    pdf.cell(42, 5.6, _shown(name))
    pdf.set_text_color(*_INK)
    long = " " not in value and len(value) > 40
    pdf.set_font(_FONT, "", 8.5 if long else 10)
    wrap = "CHAR" if long else "WORD"
    pdf.multi_cell(0, 5.6, _shown(value), new_x="LMARGIN", new_y="NEXT", align="L", wrapmode=wrap)


def _bullets(pdf: Any, lines: Sequence[str]) -> None:
    pdf.set_font(_FONT, "", 10)
    pdf.set_text_color(*_INK)
    for line in lines:
        pdf.cell(5, 5.4, "•")
        pdf.multi_cell(0, 5.4, _shown(line), new_x="LMARGIN", new_y="NEXT", align="L")


def _story(pdf: Any, story: Any) -> None:
    if pdf.get_y() > pdf.h - 60:
        pdf.add_page()
    _text(pdf, story.title + (f" (tier {story.tier})" if story.tier else ""), size=11.5, bold=True, height=6.5)
    _text(pdf, story.manifest, size=8, soft=True, height=4.4)
    line = story.released
    _text(pdf, f"Released by {line.name} ({line.role}), {line.at}, entry {line.index}.", height=5.6)
    pdf.ln(1)
    rows = [_row(one) for one in (*story.decisions, *story.withdrawals)]
    head = ("Entry", "Time (UTC)", "Act", "Who", "Meaning", "Reason")
    _table(pdf, head, rows, widths=(14, 29, 24, 44, 22, 45))
    pdf.ln(4)


def _row(line: Line) -> tuple[str, ...]:
    who = f"{line.name}\n{line.role}, {line.person}"
    return (str(line.index), line.at.removesuffix(" UTC"), line.act, who, line.meaning or "–", line.reason or "–")


def _sample(pdf: Any, data: ReportData) -> None:
    _section(pdf, "The sample")
    by = f"drawn by the nonce {data.nonce}" if data.nonce else "provisional: drawn without a nonce of the auditor's"
    _text(pdf, f"{len(data.sample)} of {data.population} changes, {by}.")
    pdf.ln(1)
    rows = [(str(one.index), one.at.removesuffix(" UTC"), one.act, one.what, one.name) for one in data.sample]
    _table(pdf, ("Entry", "Time (UTC)", "Act", "What", "Who"), rows, widths=(16, 30, 30, 56, 46))


def _table(pdf: Any, head: Sequence[str], rows: Sequence[Sequence[str]], *, widths: Sequence[int]) -> None:
    """Draw a table; lines are broken here, as the library's own tables take milliseconds for each cell."""
    if not rows:
        return
    _heading(pdf, head, widths)
    for row in rows:
        cells = [_wrapped(_shown(cell), width - 2 * _PAD_MM) for cell, width in zip(row, widths, strict=True)]
        while any(cells):
            fits = int((pdf.h - _FOOT_MM - pdf.get_y() - 2 * _PAD_MM) / _ROW_MM)
            if fits < min(3, max(map(len, cells))):
                pdf.add_page()
                _heading(pdf, head, widths)
                continue
            _lines(pdf, [cell[:fits] for cell in cells], widths)
            cells = [cell[fits:] for cell in cells]


def _heading(pdf: Any, head: Sequence[str], widths: Sequence[int]) -> None:
    pdf.set_fill_color(*_WASH)
    pdf.rect(pdf.l_margin, pdf.get_y(), sum(widths), _ROW_MM + 2 * _PAD_MM, style="F")
    pdf.set_font(_FONT, "B", _ROW_PT)
    pdf.set_text_color(*_SOFT)
    _lines(pdf, [[cell] for cell in head], widths)
    pdf.set_font(_FONT, "", _ROW_PT)
    pdf.set_text_color(*_INK)


def _lines(pdf: Any, cells: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    """Draw what stands side by side, and the rule below it."""
    left, top = pdf.l_margin, pdf.get_y() + _PAD_MM
    for cell, width in zip(cells, widths, strict=True):
        for number, line in enumerate(cell):
            if line:
                pdf.text(left + _PAD_MM, top + (number + 0.74) * _ROW_MM, line)
        left += width
    bottom = top + max(map(len, cells)) * _ROW_MM + _PAD_MM
    pdf.set_draw_color(*_LINE)
    pdf.line(pdf.l_margin, bottom, left, bottom)
    pdf.set_xy(pdf.l_margin, bottom)


@lru_cache(maxsize=1)
def _advances() -> dict[str, float]:
    """Return the width of each character in millimetres at the size of a table."""
    from fontTools.ttLib import TTFont

    with TTFont(_fonts() / "SourceSansPro-Regular.ttf", lazy=True) as font:
        metrics, scale = font["hmtx"], _ROW_PT / 72 * 25.4 / font["head"].unitsPerEm
        return {chr(code): metrics[name][0] * scale for code, name in font.getBestCmap().items()}


def _wrapped(text: str, width: float) -> list[str]:
    """Break a text into lines of at most this width: between words, or within one that is too long."""
    advances = _advances()
    lines = []
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        for word in paragraph.split(" "):
            piece = f" {word}" if line else word
            size = sum(advances.get(c, 0.0) for c in piece)
            if line and used + size > width:
                lines.append(line)
                line, used, piece = "", 0.0, word
                size = sum(advances.get(c, 0.0) for c in piece)
            for c in piece if size > width else ():
                if used + advances.get(c, 0.0) > width:
                    lines.append(line)
                    line, used = "", 0.0
                line, used = line + c, used + advances.get(c, 0.0)
            if size <= width:
                line, used = line + piece, used + size
        lines.append(line)
    return lines
