"""A small library for the server's tests: policy, vocabulary, approval rules, hand-off, two prompts, include, cases."""

from __future__ import annotations

OPENER = "scripts/opener.yaml"
CLOSING = "scripts/closing.yaml"
POLICY = "policies/organisation.yaml"
STANCE = "includes/stance.yaml"
WORDS = "vocabularies/words.yaml"

_SCRIPT = """kind: {kind}
format: mentorplane-prompt/2
name: {name}
title: {name} in one line
purpose: Start or end well.
target_behaviour: The learner says what they did.
tier: {tier}
placement: {placement}
locale: en
owner: learning-designer
review_by: 2027-05-31
audience: [mentor, learner]
competencies: [trust-and-safety]
session_types: []
disclosure: You are using an assistant. Only what you approve leaves this device.
includes: [{includes}]
inputs:
  type: object
  additionalProperties: false
  required: [{input}]
  properties:
    {input}: {{{schema}}}
output:
  type: object
  additionalProperties: false
  required: [message]
  properties:
    message: {{type: string, minLength: 1}}
instruction: |
  Say something about {{{{ {input} }}}}.
  {stance}
fill:
  message: "{fill}"
reply: "{{{{ message }}}}"
fallback: {fallback}
max_tokens: 100
"""

_TEXT = "type: string, maxLength: 200, minLength: 1, x-data-class: R1"
_USES_STANCE = '{% include "stance" %}'


def script(
    name: str, *, tier: str = "R2", placement: str = "redacted", fill: str = "You did {{ work }}.", kind: str = "prompt"
) -> str:
    """Return the YAML of a script with one input."""
    handoff = kind == "handoff"
    return _SCRIPT.format(
        kind=kind,
        name=name,
        tier=tier,
        placement=placement,
        fill=fill,
        input="situation" if handoff else "work",
        schema="type: string, enum: [self, other], x-data-class: R0" if handoff else _TEXT,
        includes="" if handoff else "stance",
        fallback="Call 112 now." if handoff else "Think about one piece of work.",
        stance="" if handoff else _USES_STANCE,
    )


def policy(*, at_most: str = "device") -> str:
    """Return the YAML of a policy with one rule about health."""
    return f"""kind: policy
format: mentorplane-policy/2
name: organisation
vocabulary: words
ceiling: cloud
rules:
  - id: health-stays
    because: health statements stay on the device
    when: {{labels: {{any_of: [health]}}}}
    at_most: {at_most}
"""


VOCABULARY = """kind: vocabulary
format: mentorplane-vocabulary/1
name: words
title: A few words
purpose: Name what the tests ask for.
permissions:
  consents: {set: [cloud]}
sensitivities:
  labels: {set: [health, legal]}
  tier: {levels: [R0, R1, R2, R3, R4]}
meanings:
  consents: What the person allowed.
  labels: What the text is about.
  tier: How sensitive the script is.
"""

RULES = """kind: approval-rules
format: mentorplane-approval-rules/2
name: approval-rules
rules:
  - id: everyday
    because: a colleague looks at every change
    when: {tiers: [R0, R1]}
    need: {at_least: 1, of: [learning-designer, facilitator, community-host]}
  - id: work-content
    because: two others than the author read it
    when: {tiers: [R2, R3]}
    need: {at_least: 2, of: [learning-designer, facilitator, community-host]}
  - id: safety
    because: those who answer for safety decide
    when: {tiers: [R4]}
    need: {at_least: 2, of: [compliance, safety-owner]}
  - id: measured
    because: people who are measured have a say
    when: {changes: [measured]}
    need: employee-representative
emergency: {at_least: 1, of: [compliance, safety-owner]}
proposal_expires_days: 60
checks_fresh_days: 14
grant_days: 56
review_due_days: 7
"""

CASES = """kind: cases
format: mentorplane-cases/1
name: opener
cases:
  - id: names-the-work
    because: the message names the work
    inputs: {work: the checklist}
    expect:
      output: {message: You did the checklist.}
"""


def stance(text: str = "Ask before you advise.") -> str:
    """Return the YAML of the include."""
    head = "kind: include\nformat: mentorplane-include/1\nname: stance\ntitle: Stance\ntier: R1\nlocale: en\n"
    return f"{head}text: {text}\n"


def library() -> dict[str, str]:
    """Return the YAML files of the library by path."""
    return {
        OPENER: script("opener"),
        CLOSING: script("closing", tier="R1", fill="Thank you for {{ work }}."),
        "scripts/handoff.yaml": script(
            "reach-a-person", kind="handoff", tier="R4", placement="device", fill="Call 112 now."
        ),
        POLICY: policy(),
        "approval-rules.yaml": RULES,
        "cases/opener.yaml": CASES,
        STANCE: stance(),
        WORDS: VOCABULARY,
    }
