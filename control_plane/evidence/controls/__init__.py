"""Reports for those who ask by a rule's name: each control, the entries that evidence it, and the gaps that show.

Promises: a report lists what the log holds and what it lacks, and says what the product cannot see; it passes no
judgement, and never says that anything satisfies a rule.
Does not: give legal advice, or know what lies outside of the log unless it was filed (see `filed`).

Modules: `records` (what a control is); `eu_ai_act`, `iso_42001`, `soc2`, `works_council` (the controls as data);
`rules` (how a gap is recognised); `report` (the pass over the log, and the report).
"""

from control_plane.evidence.controls.report import FRAMEWORKS, ControlsReport, Found, report_controls

__all__ = ["FRAMEWORKS", "ControlsReport", "Found", "report_controls"]
