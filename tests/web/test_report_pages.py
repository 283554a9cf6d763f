"""The pages that compliance reads, in a real browser: nothing is cut off on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from control_plane.evidence.controls.report import FRAMEWORKS, ControlsReport, Evidence, Found, controls_html
from control_plane.evidence.controls.rules import Lack
from control_plane.evidence.report import report_html
from control_plane.evidence.report_data import Line, ReleaseStory, ReportData

CUT_OFF = """[...document.querySelectorAll("html, .scroll")].filter((e) => e.scrollWidth > e.clientWidth).map(
  (e) => e.className || e.tagName)"""
pytestmark = pytest.mark.timeout(120)


def pack_page() -> bytes:
    """The report of a pack with a long name in every place."""
    line = Line(
        index=123_456,
        at="2026-03-01 12:00 UTC",
        act="withdrawal lifted",
        what="release-1",
        person="p-0123456789ab",
        name="Oluwaseun Adebayo-Marsh-Featherstonehaugh",
        role="release-manager",
        meaning="authorship",
        reason="Read-every-script-and-text-of-the-starter-library.",
    )
    story = ReleaseStory("Release 1 on production", "sha256:" + "ab" * 32, "R4", line, (line, line), (line,))
    return report_html(
        ReportData(
            title="Evidence pack",
            log="mentorplane/an-organisation-with-a-long-name.example",
            about="The period",
            made_at="2026-03-01 12:00 UTC",
            integrity=True,
            completeness=True,
            contents_ok=True,
            facts=(("Root", "cd" * 32),),
            checked=("checked",),
            releases=(story,),
            more_releases=0,
            counts=(("withdrawal-lifted", 3),),
            sample=(line,),
            nonce="dice-" * 20,
            population=1,
            erased=(),
            remarks=(),
        )
    )


def controls_page() -> bytes:
    """A report by rule book in which every control has evidence and a gap."""
    rules = FRAMEWORKS["eu-ai-act"]
    evidence = (Evidence("data protection impact assessment", 1000, (999_995, 999_996, 999_997, 999_998, 999_999)),)
    controls = tuple(
        Found(one.reference, one.title, one.asks, evidence, (Lack("a gap", (1,)),), one.unseen)
        for one in rules.controls
    )
    log = "mentorplane/an-organisation-with-a-long-name.example"
    report = ControlsReport(rules.name, rules.title, "organisation", log, "", "", "now", 5, controls)
    return controls_html(report)


@pytest.mark.parametrize("made", [pack_page, controls_page])
def test_nothing_is_cut_off_on_a_phone(browser: Browser, tmp_path: Path, made: object) -> None:
    """At 360 pixels neither the page nor a table in it has to be moved sideways."""
    file = tmp_path / "page.html"
    file.write_bytes(made())  # type: ignore[operator]
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(file.as_uri())
    assert page.evaluate(CUT_OFF) == []
    page.close()
