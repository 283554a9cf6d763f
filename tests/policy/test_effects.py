"""What changes for the person being coached: cases before and after, by the functions of a device."""

from __future__ import annotations

from typing import Any

from audit.frozen import replace
from control_plane.diffs.effects import NOT_SHOWN, CaseEffect, World, effects_of
from edge_runtime.core.policy import DEFAULT_VOCABULARY, Condition, Layer, Policy, Route, Rule
from edge_runtime.core.prompt import Prompt
from tests.policy.scripts import TEXT, prompt

KEY = ("prompt", "opener")
REDACTS = Rule(
    "covered", "personal data is covered", (Condition("entities", "any_of", ("EMAIL", "PHONE")),), Route.REDACTED
)


def policy(ceiling: Route = Route.CLOUD) -> Policy:
    """Return a policy that covers addresses and numbers."""
    return Policy(DEFAULT_VOCABULARY, Layer("organisation", ceiling, (REDACTS,)))


def effect(before: Prompt | None, after: Prompt | None, *, rules: Policy | None = None, **case: Any) -> CaseEffect:
    """Return the effect of a change on one case."""
    given = {"id": "one", "because": "x", "inputs": {"work": "the plan"}, **case}
    old, new = World(before, policy()), World(after, rules or policy())
    [found] = effects_of(KEY, old, new, cases={"cases": [given]})
    return found


def words(found: CaseEffect) -> list[tuple[str, str]]:
    """Return the words of the reply that change."""
    return [(span.op, span.text) for span in found.reply if span.op != "same"]


def test_another_wording_is_shown_word_by_word() -> None:
    """The reply before, the reply after, and just the words between them."""
    found = effect(prompt(placement="device"), prompt(placement="device", fill={"message": "What came of {{ work }}?"}))
    assert found.before is not None
    assert found.after is not None
    assert (found.before.reply, found.after.reply) == ("What did you learn from the plan?", "What came of the plan?")
    assert words(found) == [("removed", "did you learn from"), ("added", "came of")]
    assert (found.changes, found.notes) == (True, ())


def test_an_instruction_that_changes_says_that_its_reply_is_not_shown() -> None:
    """Where a model would answer, nobody knows its reply here, and the page says so."""
    found = effect(prompt(), prompt(instruction="Ask gently about {{ work }}."))
    assert NOT_SHOWN in found.notes
    assert words(found) == []
    on_device = effect(prompt(placement="device"), prompt(placement="device", instruction="Ask gently."))
    assert on_device.notes == ()
    local = {"capabilities": ["local-model"]}
    with_model = effect(
        prompt(placement="device"), prompt(placement="device", instruction="Ask gently."), context=local
    )
    assert with_model.notes == (NOT_SHOWN,)


def test_what_may_leave_is_shown_covered() -> None:
    """The text that may leave is the one that a device would send, findings covered and people's words marked."""
    found = effect(prompt(), prompt(), inputs={"work": "Mail sam@example.org about it"})
    assert found.after is not None
    assert found.after.route == "redacted"
    assert "sam@example.org" not in found.after.leaves
    assert "[EMAIL_1]" in found.after.leaves
    assert "<data marker work>" in found.after.leaves
    assert "sam@example.org" in found.after.reply  # the person reads their own words
    assert not found.changes


def test_a_policy_alone_changes_where_it_runs() -> None:
    """The same script under a tighter policy stays on the device, and says why."""
    found = effect(prompt(), prompt(), rules=policy(Route.DEVICE))
    assert found.before is not None
    assert found.after is not None
    assert (found.before.route, found.after.route) == ("redacted", "device")
    assert found.after.leaves == ""
    assert "no language model answers any more" in found.notes
    assert any("from redacted to device" in note for note in found.notes)


def test_a_crisis_is_answered_by_the_hand_off() -> None:
    """No case shows coaching where a device would stop it."""
    found = effect(prompt(), prompt(), inputs={"work": "I want to kill myself"})
    assert found.after is not None
    assert (found.after.route, found.after.outcome, found.after.reply) == ("hand-off", "handed-off", "")


def test_inputs_that_one_side_refuses_are_told() -> None:
    """A new input is refused by the old script; the page shows that instead of a reply."""
    more = prompt(inputs={"work": TEXT, "when": TEXT})
    found = effect(prompt(), more, inputs={"work": "the plan", "when": "now"})
    assert found.before is not None
    assert (found.before.outcome, found.before.route) == ("refused", "")
    assert "undeclared 'when'" in found.before.because[0]


def test_new_and_removed_scripts_have_one_side() -> None:
    """A side on which the script is not there is empty, and its reply is all added or all removed."""
    made, gone = effect(None, prompt(placement="device")), effect(prompt(placement="device"), None)
    assert (made.before, gone.after) == (None, None)
    assert [op for op, _ in words(made)] == ["added"]
    assert [op for op, _ in words(gone)] == ["removed"]


def test_an_output_that_does_not_fit_shows_the_fallback() -> None:
    """What a person reads then is the fallback, on either side."""
    short = {"type": "object", "properties": {"message": {"type": "string", "maxLength": 3}}}
    found = effect(prompt(), prompt(output=short))
    assert found.after is not None
    assert (found.after.outcome, found.after.reply) == ("fallback", "What did you do since we last met?")


def test_other_rules_with_the_same_outcome_change_nothing_for_a_person() -> None:
    """Which rule keeps a text on the device matters to approvers; the person reads the same."""
    other = Policy(
        DEFAULT_VOCABULARY, Layer("organisation", Route.CLOUD, (replace(REDACTS, id="other", because="so"),))
    )
    found = effect(prompt(), prompt(), rules=other, inputs={"work": "Mail sam@example.org"})
    assert found.before is not None
    assert found.after is not None
    assert found.before.because != found.after.because
    assert (found.changes, found.notes) == (False, ("a language model may answer, told the same as before",))
