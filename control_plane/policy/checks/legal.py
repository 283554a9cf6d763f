"""The check of legal tags: what a script may be used for in law is said by tags that its approvers see.

A tag that begins with `legal.` is one of those below. People answer for them: the check sees that they
are known and do not contradict what the script is given, never that they are true. Source: Regulation (EU) 2016/679.
"""

from __future__ import annotations

from control_plane.policy.checks.records import Candidate, Found

__all__ = ["LEGAL_TAGS", "check_legal_tags"]

LEGAL_TAGS = {
    "legal.no-personal-data": "nothing it is given is about a person",
    "legal.consent": "the person has agreed (GDPR Art. 6(1)(a))",
    "legal.contract": "needed for what was agreed with the person (GDPR Art. 6(1)(b))",
    "legal.legitimate-interests": "weighed against the person's interests (GDPR Art. 6(1)(f))",
    "legal.explicit-consent": "the person has agreed in so many words (GDPR Art. 9(2)(a))",
    "legal.vital-interests": "somebody may be in danger (GDPR Art. 6(1)(d), 9(2)(c))",
    "legal.works-agreement": "agreed with those who represent employees (GDPR Art. 88)",
}
_SENSITIVE = ("legal.explicit-consent", "legal.vital-interests")
_PREFIX = "legal."


def check_legal_tags(candidate: Candidate) -> Found:
    """Find legal tags that are unknown or contradict the inputs; a sensitive script without one is a notice."""
    problems, notices, evidence = [], [], []
    for entry, prompt in candidate.scripts():
        tags = [tag for tag in candidate.document(entry).get("tags", ()) if str(tag).startswith(_PREFIX)]
        classes = {declared.data_class for declared in prompt.inputs.inputs.values()}
        if set(tags) - set(LEGAL_TAGS):
            problems.append(f"{entry.name}: expected {', '.join(LEGAL_TAGS)} as legal tags, got another")
        if "legal.no-personal-data" in tags and max(classes, default="R0") > "R0":
            problems.append(f"{entry.name}: is tagged legal.no-personal-data and has an input of {max(classes)}")
        if "R3" in classes and tags and not set(tags) & set(_SENSITIVE):
            problems.append(
                f"{entry.name}: has an input of R3: expected {' or '.join(_SENSITIVE)} among its legal tags"
            )
        if "R3" in classes and not tags:
            notices.append(f"{entry.name}: has an input of R3 and no legal tag that says why it may be used")
        evidence += [f"{entry.name}: {tag}, {LEGAL_TAGS[tag]}" for tag in tags if tag in LEGAL_TAGS]
    return Found(tuple(problems), tuple(notices), tuple(evidence) or ("no legal tags",))
