"""What a works council asks about an assistant at work, as data.

Sources: EU AI Act Art. 26(7); GDPR Art. 5, 30, 35, 88.
"""

from __future__ import annotations

from audit.record import Act
from control_plane.evidence.controls.records import CHANGES, ERASURE, PEOPLE, READING, Control, Framework

__all__ = ["WORKS_COUNCIL"]

WORKS_COUNCIL = Framework(
    "works-council",
    "Works council",
    (
        Control(
            "AI Act Art. 26(7)",
            "Notice before use",
            "Workers and their representatives are told before the assistant is used.",
            filed=("worker-notice",),
            rules=("notice-before-release",),
            unseen=("whether the notice reached everybody",),
        ),
        Control(
            "Co-determination",
            "Agreement",
            "What was agreed about the assistant is written down and in force.",
            filed=("works-agreement",),
            unseen=("whether practice follows the agreement",),
        ),
        Control(
            "Purpose",
            "No watching of performance or behaviour",
            "What is released does not score people, and does not infer emotions; texts stay on the device.",
            acts=(Act.CHECKED, Act.RELEASED),
            filed=("emotion-review",),
            rules=("checked",),
            unseen=("what supervisors infer from results", "other systems"),
        ),
        Control(
            "Changes",
            "Nothing changes unseen",
            "Each change has an author, approvers other than the author, a reason and a date.",
            acts=CHANGES,
            rules=("approved", "separated"),
            unseen=("changes of the software itself",),
        ),
        Control(
            "GDPR Art. 35",
            "Impact on data protection",
            "The impact on the protection of personal data is assessed.",
            filed=("dpia",),
            unseen=("whether the assessment fits what was released since",),
        ),
        Control(
            "GDPR Art. 30",
            "Record of processing",
            "Purposes, categories, recipients and time limits are recorded.",
            filed=("records-of-processing",),
            unseen=("processing outside of this product",),
        ),
        Control(
            "GDPR Art. 5(1)(e), 17",
            "Retention and erasure",
            "Names and reasons are kept no longer than agreed, and erased on request unless a hold forbids it.",
            acts=ERASURE,
            rules=("retention",),
            unseen=("copies and backups outside of this home",),
        ),
        Control(
            "Access",
            "Who looks at the record",
            "Reading and exporting the record leaves a trace.",
            acts=READING,
            rules=("reading", "settings"),
            unseen=("who reads an exported copy",),
        ),
        Control(
            "Roles",
            "Who may decide",
            "It is known who may approve, stop, read and erase.",
            acts=PEOPLE,
            unseen=("whoever has the machine itself",),
        ),
        Control(
            "Qualification",
            "Training",
            "Those who work with the assistant are trained for it.",
            filed=("ai-literacy",),
            unseen=("whether the training was attended and understood",),
        ),
    ),
)
