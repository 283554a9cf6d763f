"""Controls of SOC 2, as data. Source: AICPA Trust Services Criteria (2017, points of focus 2022), in our own words."""

from __future__ import annotations

from audit.record import Act
from control_plane.evidence.controls.records import CHANGES, ERASURE, PEOPLE, READING, Control, Framework

__all__ = ["SOC2"]

SOC2 = Framework(
    "soc2",
    "SOC 2",
    (
        Control(
            "CC1.4",
            "Competence",
            "People have the training for what they do.",
            filed=("ai-literacy",),
            unseen=("competence itself",),
        ),
        Control(
            "CC3.2",
            "Risk assessment",
            "Risks to the objectives are identified and analysed.",
            filed=("risk-assessment",),
            rules=("reviews",),
            unseen=("risks outside of prompts and policies",),
        ),
        Control(
            "CC4.1",
            "Evaluations of controls",
            "Controls are evaluated, and the evaluation has evidence.",
            acts=READING,
            filed=("internal-audit",),
            unseen=("what the evaluation found",),
        ),
        Control(
            "CC6.1-CC6.3",
            "Access: granted, changed, removed",
            "Access is given to those who need it, by those who may, and taken away in time.",
            acts=PEOPLE,
            rules=("separated",),
            unseen=("accounts of the machine and of the database", "when somebody left the organisation"),
        ),
        Control(
            "CC6.5, P4.3",
            "Disposal of personal data",
            "Personal data is erased when it is due, and kept when it must be.",
            acts=ERASURE,
            rules=("retention",),
            unseen=("copies and backups outside of this home",),
        ),
        Control(
            "CC7.2",
            "Monitoring",
            "Anomalies are noticed: the record reaches those who watch, and nobody switches it off unseen.",
            acts=(Act.EXPORTED, Act.SETTINGS_CHANGED, Act.RECOVERED, Act.REFUSED, Act.SIGNED_IN_FAILED),
            rules=("exports", "settings", "log", "witnesses"),
            unseen=("what the SIEM made of it",),
        ),
        Control(
            "CC7.3-CC7.4",
            "Response to incidents",
            "Incidents are handled by a procedure, and what is harmful is stopped.",
            acts=(Act.WITHDRAWN, Act.WITHDRAWAL_LIFTED),
            filed=("incident-procedure",),
            unseen=("incidents that did not lead to an act here",),
        ),
        Control(
            "CC8.1",
            "Change management",
            "Changes are requested, tested, approved by others than their authors, and then released: each of them.",
            acts=(*CHANGES, Act.STAGE_CHANGED, Act.TRUST_CHANGED),
            rules=("checked", "approved", "separated", "log"),
            unseen=("changes of the software itself", "requests in another system, unless an entry names the ticket"),
        ),
    ),
)
