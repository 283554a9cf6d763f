"""The built-in checks: each finds what it is for, and lets a sound script pass."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from control_plane.policy.cases import run_cases
from control_plane.policy.checks import Candidate
from control_plane.policy.checks.built_in import BUILT_IN
from control_plane.policy.checks.legal import LEGAL_TAGS
from control_plane.policy.checks.records import CheckResult
from control_plane.policy.checks.running import run_checks
from control_plane.policy.checks.told import CONTEXT_TOKENS
from control_plane.sources.closures import CLOSURE_KINDS, freeze
from edge_runtime.core import canonical
from edge_runtime.core.approval import ApprovalRules
from edge_runtime.core.canonical import encode
from tests.policy.candidates import candidate, entry, found, manifest, of_script
from tests.policy.scripts import TEXT, document, prompt
from tests.starter import LIBRARY


@cache
def starter() -> tuple[CheckResult, ...]:
    """Return the results for the starter library as a first release."""
    library = LIBRARY
    frozen = [(source.kind, freeze(source, library)) for source in library if source.kind in CLOSURE_KINDS]
    made = manifest([entry(content, kind) for kind, content in frozen])
    closures = {canonical.digest(content): content for _, content in frozen}
    cases, recordings = (
        {source.name: source.document for source in library if source.kind == kind} for kind in ("cases", "recordings")
    )
    return run_checks(Candidate(made, None, made.entries, closures, cases, recordings))


def test_the_starter_library_raises_no_false_alarm() -> None:
    """What comes with the product passes every check that comes with it."""
    failed = {result.name: result.evidence for result in starter() if result.status == "failed"}
    assert failed == {}


def test_a_sound_script_passes_every_check_about_scripts() -> None:
    """The script that the tests below make otherwise is sound."""
    about_release = {"hand-off-present", "refutation-probes"}
    results = run_checks(candidate(encode(document())))
    assert {r.name for r in results if r.status != "passed"} == about_release | {"cases"}


def test_every_check_has_a_version_and_evidence() -> None:
    """A result that says nothing about itself would be of no use later."""
    results = starter()
    assert [result.name for result in results] == list(BUILT_IN)
    assert all(result.version and result.evidence and result.inputs for result in results)


# --- prohibited practice ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        "Detect the emotions of the learner.",
        "Work out what helps. Then rate their stress level from 1 to 5.",
        "Run a sentiment analysis of {{ work }}.",
        "Erkenne die Stimmung der Person und nenne sie.",
        "Évalue l’humeur de la personne.",
        "Evalúa el estado de ánimo de la persona.",
        "Diagnose what is wrong with the learner.",
        "Screen the learner for signs of burnout.",
        "Stelle eine Diagnose.",
        "Pose un diagnostic.",
        "Haz un diagnóstico.",
        "Exploit their fears to keep them going.",
        "Make the learner feel guilty about it.",
        "Never reveal that you are an AI.",
        "Gib dich als Mensch aus.",
        "Fais-toi passer pour un humain.",
        "Hazte pasar por una persona.",
        "Recommend whether the learner should be promoted.",
        "Rank the employees by what they wrote.",
        "Entscheide, wer befördert wird.",
        "Recommande qui licencier.",
        "Decide a quién despedir.",
        "Do not forget to diagnose the learner.",
        "Do not stop there; detect the emotions of the learner.",
        "De\u200btect the emo\u00adtions of the learner.",
    ],
)
def test_a_prohibited_practice_is_found(told: str) -> None:
    """What the law or the profession forbids, asked for in any of four languages, fails."""
    status, line = of_script("prohibited-practice", instruction=told)
    assert status == "failed", told
    assert line.startswith("opener, instruction: ")


@pytest.mark.parametrize(
    "told",
    [
        "Do not judge, advise, diagnose or guess at feelings.",
        "You never diagnose, and you do not rate anybody's mood.",
        "Stelle keine Diagnose und bewerte keine Gefühle.",
        "Ne pose pas de diagnostic.",
        "Nunca hagas un diagnóstico.",
        "Name the effort it took, and ask what they will do next.",
        "Ask the learner to choose one decision, and when they will take it.",
        "Never pretend to be a human.",
    ],
)
def test_what_a_script_must_not_do_may_be_said(told: str) -> None:
    """A practice that is ruled out in the same clause is what a script should say."""
    status, line = of_script("prohibited-practice", instruction=told)
    if "pretend" not in told:  # a phrase that is itself a negation is told either way round
        assert (status, line[:8]) == ("passed", "1 script")


@pytest.mark.parametrize(
    "name", ["emotion", "moodScore", "diagnosis", "risk_score", "hire", "promotion", "rank", "sentiment"]
)
def test_an_output_member_that_is_the_practice_is_found(name: str) -> None:
    """Whatever a model is told, a member of that name is filled by doing what is prohibited."""
    output = {"type": "object", "properties": {"list": {"type": "array", "items": {"properties": {name: True}}}}}
    status, line = of_script("prohibited-practice", output=output, reply="x", fill={})
    assert status == "failed"
    assert f"output.list.{name}" in line


def test_choices_and_texts_without_a_model_are_read_too() -> None:
    """A practice in what is filled in, replied, or chosen from counts like one in the instruction."""
    bad = "We detect the mood of everybody."
    for changed in (
        {"fill": {"message": bad}},
        {"reply": bad},
        {"fallback": bad},
        {"output": {"type": "object", "properties": {"message": {"enum": [bad]}}}},
    ):
        assert of_script("prohibited-practice", **changed)[0] == "failed"


# --- people ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("disclosure", "locale", "status"),
    [
        ("You are using an assistant.", "en", "passed"),
        ("This is an AI, not a person.", "en-GB", "passed"),
        ("Only what you approve leaves this device.", "en", "failed"),
        ("You are using an assistant.", "de", "failed"),
        ("Sie nutzen einen Assistenten.", "de", "passed"),
        ("Vous utilisez un assistant.", "fr", "passed"),
        ("Usas un asistente.", "es", "passed"),
        ("This is not an assistant.", "en", "failed"),
        ("Stai usando un assistente.", "it", "notice"),
    ],
)
def test_an_ai_is_disclosed_in_the_language_of_the_script(disclosure: str, locale: str, status: str) -> None:
    """A person is told that an assistant speaks, in words they read, and it is not denied."""
    assert of_script("ai-disclosure", disclosure=disclosure, locale=locale)[0] == status


def _handoff(text: str, fallback: str = "Call 112.") -> Candidate:
    situation = {"type": "string", "enum": ["self", "other"], "x-data-class": "R0"}
    content = encode(
        document(
            tier="R4",
            placement="device",
            inputs={"situation": situation},
            instruction="No model.",
            fill={"message": text},
            fallback=fallback,
        )
    )
    return candidate(content, kind="handoff")


@pytest.mark.parametrize(
    "text",
    [
        "Call Samaritans on 116 123.",
        "Write to help@mentors.org.",
        "Llama al 024 en todo momento, o ve a https://ayuda.es.",
        "{% if situation == 'self' %}Call 112.{% else %}Call 988.{% endif %}",
    ],
)
def test_a_hand_off_with_contacts_passes(text: str) -> None:
    """A number or an address in every situation is a way to reach a person."""
    assert found("hand-off-contacts", _handoff(text))[0] == "passed"


@pytest.mark.parametrize(
    "text",
    [
        "Please talk to a person now.",
        "Call TODO or 112.",
        "Call <your number> or 112.",
        "Call [number] or 112.",
        "Call 000000.",
        "Insert the phone number here, or 112.",
        "Nummer einfügen: 112",
        "{% if situation == 'self' %}Call 112.{% else %}Talk to somebody.{% endif %}",
        "Talk to somebody by 2027-01-31.",
    ],
)
def test_a_hand_off_with_a_blank_is_found(text: str) -> None:
    """A placeholder, or a situation in which nobody can be reached, fails; a date is no number."""
    assert found("hand-off-contacts", _handoff(text))[0] == "failed"


def test_a_fallback_without_contacts_is_found() -> None:
    """What is shown when all else fails leads to a person, too."""
    assert found("hand-off-contacts", _handoff("Call 112.", fallback="Talk to somebody."))[0] == "failed"


# --- what a model is told --------------------------------------------------------------------------------------------

SENSITIVE = {"type": "string", "maxLength": 200, "x-data-class": "R2"}


@pytest.mark.parametrize(
    ("schema", "told", "status"),
    [
        (SENSITIVE, "{{ work }}", "passed"),
        (SENSITIVE, "{% if work %}{{ work|trim }}{% endif %}", "passed"),
        ({**SENSITIVE, "x-untrusted": False}, "{{ work }}", "failed"),
        ({**SENSITIVE, "x-untrusted": False, "x-data-class": "R1"}, "{{ work }}", "passed"),
        ({**SENSITIVE, "enum": ["a"], "x-untrusted": False}, "{{ work }}", "passed"),
        (SENSITIVE, "{{ work|upper }}", "failed"),
        (SENSITIVE, "{{ work|first }}", "failed"),
        (SENSITIVE, "{% for one in work %}{{ one }}{% endfor %}", "failed"),
    ],
)
def test_untrusted_inputs_stand_apart(schema: dict[str, Any], told: str, status: str) -> None:
    """A text of somebody reaches a model between the lines that mark it as data, whole, or the check fails."""
    assert of_script("untrusted-delimited", inputs={"work": schema}, instruction=told)[0] == status


def test_a_budget_that_no_model_reads_is_found() -> None:
    """The instruction, the longest inputs and the answer are estimated, and the bound is stated."""
    long = {"type": "string", "maxLength": 100_000, "x-data-class": "R1"}
    status, line = of_script("token-budget", inputs={"work": long})
    assert status == "failed"
    assert f"{CONTEXT_TOKENS} or fewer" in line
    assert "at most" in line
    middle = {**long, "maxLength": 40_000}
    assert of_script("token-budget", inputs={"work": middle})[0] == "notice"
    assert of_script("token-budget", inputs={"work": long}, instruction="Say hello.")[0] == "passed"


# --- recorded outputs ------------------------------------------------------------------------------------------------


def _recorded(script: dict[str, Any] | None = None, **said: Any) -> tuple[str, str]:
    recording = {"id": "one", "model": "small", "inputs": {"work": "the plan"}, **said}
    given = candidate(encode(document(**(script or {}))), recordings={"opener": {"recordings": [recording]}})
    status, lines = found("recorded-outputs", given)
    return status, lines[0]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"output": {"message": "You made a plan."}}, "passed"),
        ({"answer": 'Here it is: {"message": "You made a plan."}'}, "passed"),
        ({"output": {"message": "You made a plan."}, "expect": {"reply_contains": ["plan"]}}, "passed"),
        ({"output": {"message": "x", "mood": "sad"}, "refused": True}, "passed"),
        ({"output": {"message": "x", "mood": "sad"}}, "failed"),
        ({"answer": "I would rather not."}, "failed"),
        ({"answer": "I would rather not.", "refused": True}, "passed"),
        ({"output": {"message": "x"}, "refused": True}, "failed"),
        ({"output": {"message": "x"}, "expect": {"reply_contains": ["plan"]}}, "failed"),
        ({"output": {"message": "x"}, "expect": {"output": {"message": "y"}}}, "failed"),
        ({"output": {"message": "x"}, "inputs": {"other": "y"}}, "failed"),
    ],
)
def test_recorded_outputs_are_held_to_schema_and_assertions(said: dict[str, Any], status: str) -> None:
    """What models gave must still be taken, say what was expected of it, or be refused where that is expected."""
    assert _recorded(**said)[0] == status


def test_validators_of_a_script_refuse_a_recorded_output_as_a_device_would() -> None:
    """What the script itself expects holds for recordings and for the fill, and is said without a schema's name."""
    script = {"validators": {"reply_lacks": ["boss"], "verbatim": {"message": "work"}}}
    status, line = _recorded(script, output={"message": "Ask the boss."})
    assert (status, "validators refuse" in line, "boss" in line) == ("failed", True, False)
    assert _recorded(script, output={"message": "Ask the boss."}, refused=True)[0] == "passed"
    assert _recorded(script, output={"message": "the plan"})[0] == "passed"
    assert run_cases(prompt(**script), {"cases": [_case(falls_back=True)]}, None) == ()
    assert run_cases(prompt(**script), {"cases": [_case(falls_back=False)]}, None)


def _case(**expect: Any) -> dict[str, Any]:
    return {"id": "x", "because": "y", "inputs": {"work": "the plan"}, "expect": expect}


def test_a_recorded_output_that_would_be_cut_short_is_found() -> None:
    """An answer that is longer than max_tokens allows was never whole."""
    recording = {"id": "one", "model": "x", "inputs": {"work": "x"}, "output": {"message": "word " * 400}}
    given = candidate(encode(document()), recordings={"opener": {"recordings": [recording]}})
    assert found("token-budget", given)[0] == "failed"


# --- language, tags, contracts ---------------------------------------------------------------------------------------


def test_hard_texts_are_a_notice() -> None:
    """A text of long words in long sentences is told to approvers, who judge it."""
    hard = "Organisational responsibilities necessitate comprehensive consideration, notwithstanding " * 8
    assert of_script("readability", fallback=hard)[0] == "notice"
    assert of_script("readability", fallback="We met. You told me what you did. " * 10)[0] == "passed"


@pytest.mark.parametrize(
    ("tags", "data_class", "status"),
    [
        ([], "R3", "notice"),
        (["legal.explicit-consent"], "R3", "passed"),
        (["legal.legitimate-interests"], "R3", "failed"),
        (["legal.no-personal-data"], "R2", "failed"),
        (["legal.no-personal-data"], "R0", "passed"),
        (["legal.gdpr"], "R0", "failed"),
        (["short"], "R1", "passed"),
    ],
)
def test_legal_tags_are_known_and_do_not_contradict(tags: list[str], data_class: str, status: str) -> None:
    """A tag about law is one that is defined, and fits what the script is given."""
    inputs = {"work": {**TEXT, "x-data-class": data_class}}
    assert of_script("legal-tags", tags=tags, inputs=inputs, tier="R3")[0] == status
    assert all(tag.startswith("legal.") for tag in LEGAL_TAGS)


def test_a_translation_of_another_wording_is_stale() -> None:
    """Changing the original alone leaves its translation stale; one of nothing fails."""
    original = encode(document())
    of = {"name": "opener", "digest": canonical.digest(original)}
    german = encode(document(name="opener.de", locale="de", translation_of=of))
    assert found("translation-stale", candidate(original, german))[0] == "passed"
    reworded = encode(document(title="Another"))
    status, lines = found("translation-stale", candidate(reworded, german, before=(original, german)))
    assert (status, lines[0]) == ("notice", "prompt opener.de: the translation is stale, opener is worded anew")
    assert found("translation-stale", candidate(german))[0] == "failed"


def test_a_change_cannot_excuse_its_own_break() -> None:
    """The mode in force counts beside the new one: lowering it takes a version of its own."""
    plain = document()
    broken = document(inputs={"work": TEXT, "when": TEXT})
    assert found("contract", candidate(encode(broken), before=(encode(plain),)))[0] == "failed"
    excused = encode({**broken, "compatibility": "none"})
    assert found("contract", candidate(excused, before=(encode(plain),)))[0] == "failed"
    lowered = encode({**plain, "compatibility": "none"})
    assert found("contract", candidate(excused, before=(lowered,)))[0] == "passed"


def test_a_script_inherits_the_mode_of_the_approval_rules_in_force() -> None:
    """Where the script says nothing, the organisation's mode counts, by the rules in force, not those beside it."""
    plain, broken = encode(document()), encode(document(inputs={"work": TEXT, "when": TEXT}))
    loose, strict = (
        encode(ApprovalRules((), "compliance", compatibility=mode).as_json()) for mode in ("none", "backward")
    )
    for before, after, status in ((loose, loose, "passed"), (loose, strict, "passed"), (strict, loose, "failed")):
        old = manifest([entry(plain), entry(before, "approval-rules")])
        new = manifest([entry(broken, epoch=2), entry(after, "approval-rules")], 2, old.digest)
        held = {canonical.digest(data): data for data in (plain, broken, loose, strict)}
        introduced = tuple(one for one in new.entries if one not in old.entries)
        assert found("contract", Candidate(new, old, introduced, held, {}))[0] == status


def test_an_optional_input_breaks_nobody() -> None:
    """What callers may leave out can be added, under the mode that scripts inherit."""
    more = encode(document(inputs={"work": TEXT, "when": TEXT}, required=["work"]))
    assert found("contract", candidate(more, before=(encode(document()),)))[0] == "passed"
