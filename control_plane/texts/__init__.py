"""Texts of people, kept outside the log: display names and reasons, encrypted under a key per person, class and month.

Promises: the database holds no such text in clear; what a leaf commits to can be opened here until its key is
destroyed, and never after; a key is destroyed only together with a leaf that names it, never under a legal hold, and
is destroyed again when a restored database brings it back.
Does not: reach copies outside this home (see docs/threat-model.md), or hold what people write into prompts, policies
and cases: that is governed content, which devices run.

Modules: `sealing` (keys and encryption), `reading` (what can still be opened), `openness`, `holds`. See `keeping` for
how long they are kept.
"""

from control_plane.texts.reading import display_names, erasures, reasons, reveal, shown_reasons
from control_plane.texts.sealing import Said, say

__all__ = ["Said", "display_names", "erasures", "reasons", "reveal", "say", "shown_reasons"]
