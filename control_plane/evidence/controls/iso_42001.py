"""Controls of ISO/IEC 42001, as data: an AI management system, in our own words. Source: ISO/IEC 42001:2023."""

from __future__ import annotations

from audit.record import Act
from control_plane.evidence.controls.records import CHANGES, DECISIONS, PEOPLE, READING, Control, Framework

__all__ = ["ISO_42001"]

ISO_42001 = Framework(
    "iso-42001",
    "ISO/IEC 42001",
    (
        Control(
            "A.3.2",
            "Roles and responsibilities",
            "Who answers for what is assigned.",
            acts=PEOPLE,
            rules=("separated",),
            unseen=("responsibilities outside of this product",),
        ),
        Control(
            "A.5",
            "Impact assessment",
            "Effects on people and society are assessed and documented.",
            filed=("impact-assessment", "dpia"),
            unseen=("whether the assessment fits what was released since",),
        ),
        Control(
            "A.6.2.3-A.6.2.5",
            "Design, verification and deployment",
            "Changes are specified, verified and released by a plan.",
            acts=CHANGES,
            rules=("checked", "approved", "separated"),
            unseen=("tests that were run elsewhere",),
        ),
        Control(
            "A.6.2.6",
            "Operation and monitoring",
            "The system in use is watched, repaired and updated.",
            acts=(Act.WITHDRAWN, Act.WITHDRAWAL_LIFTED, Act.RECOVERED, Act.EXPORTED),
            rules=("exports", "reviews"),
            unseen=("what devices ran: they keep receipts of their own",),
        ),
        Control(
            "A.6.2.7",
            "Technical documentation",
            "Those who need it have the documentation of the system.",
            filed=("technical-documentation",),
            unseen=("who has read it",),
        ),
        Control(
            "A.6.2.8",
            "Event logs",
            "It is decided in which phases events are logged, at least in use.",
            acts=CHANGES,
            rules=("log", "witnesses", "settings"),
            unseen=("events outside of this product",),
        ),
        Control(
            "A.8.3, A.8.4",
            "External reporting, incidents",
            "Adverse effects can be reported, and incidents are communicated.",
            acts=(Act.WITHDRAWN,),
            filed=("incident-procedure",),
            unseen=("reports that did not lead to an act here",),
        ),
        Control(
            "Clause 7.2",
            "Competence",
            "People have the competence for what they do.",
            filed=("ai-literacy",),
            unseen=("competence itself",),
        ),
        Control(
            "Clause 7.5",
            "Documented information",
            "Documents are approved, versioned, protected and kept.",
            acts=(*DECISIONS, Act.RELEASED),
            rules=("approved", "retention"),
            unseen=("documents outside of this product, unless they were filed",),
        ),
        Control(
            "Clause 8.2",
            "Risk assessment",
            "Risks are assessed at planned intervals.",
            acts=(Act.CHECKED,),
            filed=("risk-assessment",),
            rules=("reviews",),
            unseen=("how well risks were assessed",),
        ),
        Control(
            "Clause 9.2",
            "Internal audit",
            "Audits are held at planned intervals, on evidence.",
            acts=READING,
            filed=("internal-audit",),
            rules=("reading",),
            unseen=("what the audit found",),
        ),
    ),
)
