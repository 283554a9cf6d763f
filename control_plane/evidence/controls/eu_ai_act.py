"""Controls of the EU AI Act, as data. Source: Regulation (EU) 2024/1689, in our own words."""

from __future__ import annotations

from audit.record import Act
from control_plane.evidence.controls.records import CHANGES, DECISIONS, READING, SAFEGUARDS, Control, Framework

__all__ = ["EU_AI_ACT"]

EU_AI_ACT = Framework(
    "eu-ai-act",
    "EU AI Act",
    (
        Control(
            "Art. 4",
            "AI literacy",
            "People who work with the system have the training for it.",
            filed=("ai-literacy",),
            unseen=(
                "whether the training was attended and understood",
                "who works with the assistant besides approvers",
            ),
        ),
        Control(
            "Art. 5(1)(f)",
            "No inference of emotions at work or in education",
            "Nothing released infers emotions of people at work or of learners.",
            acts=(Act.CHECKED, Act.RELEASED),
            filed=("emotion-review",),
            rules=("checked",),
            unseen=("what a model infers when a prompt does not ask for it",),
        ),
        Control(
            "Art. 9",
            "Risk management",
            "Risks are known, weighed and treated, again and again.",
            acts=(Act.CHECKED, Act.APPROVED, Act.WITHDRAWN),
            filed=("risk-assessment",),
            rules=("reviews",),
            unseen=("risks outside of prompts and policies",),
        ),
        Control(
            "Art. 11, Annex IV",
            "Technical documentation",
            "The system, its changes and its tests are documented and kept up to date.",
            acts=CHANGES,
            filed=("technical-documentation",),
            unseen=("documentation of the models' makers",),
        ),
        Control(
            "Art. 12(1)-(2)",
            "Records",
            "Events are recorded automatically, so that risks and substantial modifications can be traced.",
            acts=CHANGES,
            rules=("log", "witnesses", "settings"),
            unseen=("what devices ran: they keep receipts of their own, and send counts only",),
        ),
        Control(
            "Art. 14, 26(2), 26(5)",
            "Human oversight",
            "Named people with competence and authority oversee the system, and can stop it.",
            acts=DECISIONS,
            filed=("oversight-appointment",),
            rules=("approved", "separated"),
            unseen=("whether approvers read what they approved", "how mentors use or override an answer"),
        ),
        Control(
            "Art. 19(1), 26(6), 18",
            "Retention",
            "Logs are kept for six months at least, technical documentation for ten years.",
            acts=(Act.SETTINGS_CHANGED, Act.HOLD_PLACED, Act.HOLD_LIFTED),
            rules=("retention", "log"),
            unseen=("copies and backups, and whether the log's folder outlives this installation",),
        ),
        Control(
            "Art. 26(7), 50",
            "Notice to workers, disclosure to users",
            "Workers and their representatives are told before use; people know that they talk to an assistant.",
            acts=(Act.RELEASED,),
            filed=("worker-notice",),
            rules=("notice-before-release", "checked"),
            unseen=("whether the notice reached everybody",),
        ),
        Control(
            "Art. 26(9), 27",
            "Impact assessments",
            "The effect on people's rights and on their data is assessed before use.",
            filed=("dpia", "impact-assessment"),
            unseen=("whether the assessment fits what was released since",),
        ),
        Control(
            "Art. 72-73",
            "After release: watching, and serious incidents",
            "Use is watched, and serious incidents are reported and tied to what was live.",
            acts=SAFEGUARDS,
            filed=("incident-procedure",),
            unseen=("incidents that nobody reported here",),
        ),
        Control(
            "Art. 21, 26(8)",
            "Showing the records",
            "Authorities and auditors get the records when they ask.",
            acts=READING,
            rules=("reading",),
            unseen=("what readers did with what they read",),
        ),
    ),
)
