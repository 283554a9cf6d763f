"""V6 under rules by kind of change: each test is an attack on the quorum, or what must pass beside it."""

from __future__ import annotations

import dataclasses

import pytest

from edge_runtime.core import canonical
from edge_runtime.core.approval import ApprovalRule, ApprovalRules, Changed, When
from edge_runtime.core.basis import encode_basis, parse_basis
from edge_runtime.core.coverage import Before, Shortfall, lacking, shortfalls
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.manifest import TIERS
from edge_runtime.core.quorum import AllOf, AtLeast
from edge_runtime.core.statements import Statement, open_statement
from edge_runtime.core.trust import TrustState, adopt, changed_closures
from tests.core.adoption import refused
from tests.simulator import Organisation, prompt_document, rules, tier_rules

COACHES = ("learning-designer", "facilitator", "community-host")
EVERYBODY = (*COACHES, "compliance", "safety-owner", "employee-representative")
Key = tuple[str, str]
OPENER: Key = ("prompt", "opener")
LOOSENING = ApprovalRule(
    "loosening",
    "more would leave the device",
    When(changes=("loosening",)),
    AllOf(("compliance", AtLeast(1, EVERYBODY))),
)
FILING = ApprovalRule("filing", "it is found elsewhere", When(changes=("filing",)), AtLeast(1, COACHES))
WORDS = ApprovalRule(
    "words",
    "people read it",
    When(tiers=("R2",), changes=tuple(sorted({"addition", "contract", "loosening", "measured", "removal", "wording"}))),
    AtLeast(2, COACHES),
)
SAFETY = ApprovalRule(
    "safety", "those who answer for it", When(tiers=("R4",)), AtLeast(2, ("compliance", "safety-owner"))
)
MEASURED = ApprovalRule("measured", "they have a say", When(changes=("measured",)), "employee-representative")
GUARDED = ApprovalRule("guarded", "this folder is guarded", When(paths=("prompt/safety/**",)), "safety-owner")
SIZE = ApprovalRule("size", "many changes at once", When(at_least_changed=3), AtLeast(3, EVERYBODY))
OWN = ApprovalRules((WORDS, FILING, LOOSENING, SAFETY, MEASURED, GUARDED, SIZE), "safety-owner")
FOUNDERS = [("p-tom", "facilitator"), ("p-ines", "compliance"), ("p-sam", "safety-owner"), ("p-host", "community-host")]


def start(made: ApprovalRules = OWN, **prompts: dict[str, object]) -> tuple[Organisation, TrustState]:
    """Return an organisation under these rules with some prompts, and a device that runs its first release."""
    organisation = Organisation()
    organisation.people["p-host"] = ("community-host",)
    organisation.people["p-rita"] = ("employee-representative",)
    documents = organisation.base_documents()
    documents["approval-rules", "approval-rules"] = canonical.encode(made.as_json())
    for name, changes in prompts.items():
        documents["prompt", name] = canonical.encode(prompt_document(name, **changes))
    organisation.sign(documents, FOUNDERS)
    return organisation, adopt(None, organisation.deliver()).state


def changed(name: str = "opener", **changes: object) -> dict[Key, bytes]:
    return {("prompt", name): canonical.encode(prompt_document(name, **changes))}


def verdict(
    organisation: Organisation,
    state: TrustState,
    documents: dict[Key, bytes],
    approvers: list[tuple[str, str]],
    **more: object,
) -> str:
    """Return "adopted", or what the device says is missing, of a release with these approvals."""
    manifest, before = organisation.build(documents, **more), len(organisation.statements)  # type: ignore[arg-type]
    organisation.vouch(manifest, approvers)
    try:
        adopt(state.basis(), organisation.deliver(manifest, seen_size=state.checkpoint.size))
    except NotTrusted as error:
        return str(error) if error.check == "V6" else f"{error.check}: {error}"
    finally:
        organisation.leaves.pop()
        del organisation.statements[before:]
    return "adopted"


ONE, OTHER = ("p-tom", "facilitator"), ("p-host", "community-host")
INES, SAM = ("p-ines", "compliance"), ("p-sam", "safety-owner")


def test_filing_takes_one_person_and_wording_two() -> None:
    """What is only found elsewhere is not what people read."""
    organisation, state = start()
    assert verdict(organisation, state, changed(folder="openings"), [ONE]) == "adopted"
    assert "1 more approval" in verdict(organisation, state, changed(fallback="New"), [ONE])
    assert verdict(organisation, state, changed(fallback="New"), [ONE, OTHER]) == "adopted"


def test_a_new_text_hidden_in_a_change_of_filing_is_refused() -> None:
    """A change that also files takes what each of its kinds asks for."""
    organisation, state = start()
    said = verdict(organisation, state, changed(folder="openings", fallback="New"), [ONE])
    assert (
        "lacks 1 more approval, in a role of community-host or facilitator or learning-designer, because people read it"
        in said
    )


def test_a_loosening_hidden_in_a_wording_change_is_refused() -> None:
    """A placement further, a class lower, a rule less beside a new text: compliance is asked, whatever it says."""
    organisation, state = start()
    for slipped in ({"placement": "cloud"}, {"tier": "R1"}, {"disclosure": " "}):
        said = verdict(organisation, state, changed(fallback="New", **slipped), [ONE, OTHER])
        assert "in a role of compliance, because more would leave the device" in said, said
    assert verdict(organisation, state, changed(placement="cloud"), [ONE, OTHER, INES]) == "adopted"
    assert verdict(organisation, state, changed(placement="device"), [ONE]) != "adopted"  # no rule for tightening alone


def test_a_tier_stated_lower_is_judged_at_the_tier_before() -> None:
    """A script of R2 that calls itself R0 takes the quorum of R2, and is a loosening besides."""
    organisation, state = start()
    said = verdict(organisation, state, changed(tier="R0"), [INES])
    assert "because people read it" in said
    assert verdict(organisation, state, changed(tier="R0"), [ONE, OTHER, INES]) == "adopted"


def test_one_person_filling_two_places_is_refused() -> None:
    """Ines may sign as compliance and as anybody else: with both signatures she is still one person."""
    organisation, state = start(ApprovalRules((LOOSENING, SAFETY), "safety-owner"))
    organisation.people["p-ines"] = ("compliance", "community-host")
    both = [INES, ("p-ines", "community-host")]
    assert "1 more approval" in verdict(organisation, state, changed(placement="cloud"), both)
    assert verdict(organisation, state, changed(placement="cloud"), [INES, ONE]) == "adopted"


def test_what_is_measured_takes_those_who_are_measured() -> None:
    """A rule against telemetry that goes is a change of what is measured, however many others agree; in haste too."""
    quiet = {"id": "quiet", "because": "b", "when": {}, "at_most": "redacted", "require": ["no-telemetry"]}
    organisation, state = start(opener={"rules": [quiet]})
    said = verdict(organisation, state, changed(), [ONE, OTHER, INES])
    assert "in a role of employee-representative, because they have a say" in said
    everybody = [ONE, OTHER, INES, ("p-rita", "employee-representative")]
    assert verdict(organisation, state, changed(), everybody) == "adopted"
    assert "they have a say" in verdict(organisation, state, changed(), [SAM, INES], emergency=True)
    assert verdict(organisation, state, changed(), [*everybody, SAM], emergency=True) == "adopted"


def test_attack_two_releases_that_go_round_whoever_is_measured() -> None:
    """The first of the two is the rules without them: a device refuses it until they agree, in haste too."""
    organisation, state = start()
    without = dataclasses.replace(OWN, rules=tuple(rule for rule in OWN.rules if rule is not MEASURED))
    dropped = {("approval-rules", "approval-rules"): canonical.encode(without.as_json())}
    others = [INES, SAM, ONE, OTHER]
    for emergency in (False, True):
        assert "they have a say" in verdict(organisation, state, dropped, others, emergency=emergency)
    assert verdict(organisation, state, dropped, [*others, ("p-rita", "employee-representative")]) == "adopted"


def test_moving_a_script_out_of_a_guarded_folder_is_judged_there() -> None:
    """The path before counts as well as the one after."""
    organisation, state = start(opener={"folder": "safety/crisis"})
    for folder in ("openings", "safety/crisis", "safety"):
        said = verdict(organisation, state, changed(folder=folder, fallback="New"), [ONE, OTHER])
        assert "safety-owner, because this folder is guarded" in said
    assert verdict(organisation, state, changed(folder="openings"), [ONE, SAM]) == "adopted"


def test_size_counts_what_is_removed_too() -> None:
    """Three changes at once take three people, one of them being a removal."""
    organisation, state = start(a={}, b={}, c={})
    two = {**changed("a", fallback="New"), **changed("b", fallback="New")}
    assert verdict(organisation, state, two, [ONE, OTHER]) == "adopted"
    manifest = organisation.build(two)
    entries = tuple(entry for entry in manifest.entries if entry.name != "c")
    assert "because many changes" in verdict(organisation, state, two, [ONE, OTHER], entries=entries)
    assert verdict(organisation, state, two, [ONE, OTHER, INES], entries=entries) == "adopted"


def test_a_change_that_no_rule_fits_is_refused_however_many_approve() -> None:
    """Rules that are silent about a change forbid it: here filing, and tightening."""
    organisation, state = start(ApprovalRules((SAFETY, WORDS), "safety-owner"))
    everybody = [*FOUNDERS, ("p-rita", "employee-representative")]
    for change in ({"folder": "openings"}, {"placement": "device"}):
        assert "no approval rule applies" in verdict(organisation, state, changed(**change), everybody)
    assert verdict(organisation, state, changed(fallback="New"), everybody) == "adopted"


def test_a_removal_takes_the_quorum_of_what_goes() -> None:
    """And of its kind of change, at its tier."""
    organisation, state = start(gone={})
    manifest = organisation.build({})
    entries = tuple(entry for entry in manifest.entries if entry.name != "gone")
    assert "because people read it" in verdict(organisation, state, {}, [ONE], entries=entries)
    assert verdict(organisation, state, {}, [ONE, OTHER], entries=entries) == "adopted"


def test_settings_take_the_highest_tier() -> None:
    """How long a release is valid is not a matter of one coach; a shorter time is tightening, a longer one is not."""
    organisation, state = start()
    assert "those who answer" in verdict(organisation, state, {}, [ONE, OTHER], valid_for_s=86_400)
    assert verdict(organisation, state, {}, [INES, SAM], valid_for_s=86_400) == "adopted"
    organisation, state = start(
        dataclasses.replace(
            OWN,
            rules=(
                *OWN.rules,
                dataclasses.replace(MEASURED, id="m", when=When(changes=("loosening",), kinds=("release",))),
            ),
        )
    )
    assert verdict(organisation, state, {}, [INES, SAM], valid_for_s=86_400) == "adopted"
    assert "they have a say" in verdict(organisation, state, {}, [INES, SAM], valid_for_s=10**8)


def test_an_emergency_takes_its_own_quorum_and_never_less_than_the_floor() -> None:
    """One safety owner may do it where the floor is one, and not where it is two."""
    organisation, state = start()
    hasty = {"emergency": True}
    assert verdict(organisation, state, changed(placement="device"), [SAM], **hasty) == "adopted"
    assert "this is an emergency release" in verdict(
        organisation, state, changed(placement="device"), [ONE, OTHER], **hasty
    )
    organisation.floor["R2"] = 2
    said = verdict(organisation, state, changed(placement="device"), [SAM], **hasty)
    assert "because tier R2 takes 2 people at the least" in said


def test_an_emergency_toggled_after_the_approval_is_refused() -> None:
    """Approvals of the calm manifest do not serve for the hasty one, nor the reverse."""
    for calm_first in (True, False):
        organisation, state = start()
        approved = organisation.build(changed(placement="device"), emergency=not calm_first)
        toggled = dataclasses.replace(approved, emergency=calm_first)
        organisation.statements += [organisation.state("author", approved, person="p-maya", role="author")]
        organisation.statements += [organisation.state("approve", approved, person=p, role=r) for p, r in [*FOUNDERS]]
        organisation.log_release(toggled)
        refused("V6", organisation.deliver(toggled, seen_size=state.checkpoint.size), state)


@pytest.mark.parametrize("what", ["rules", "settings"])
def test_an_emergency_never_changes_the_rules_or_the_settings_alone(what: str) -> None:
    """What could undo the quorums for good takes the ordinary quorum also in haste."""
    organisation, state = start()
    longer = dataclasses.replace(OWN, grant_days=57)
    weaker = {("approval-rules", "approval-rules"): canonical.encode(longer.as_json())}
    documents, more = (weaker, {}) if what == "rules" else ({}, {"valid_for_s": 10**8})
    assert "those who answer" in verdict(organisation, state, documents, [SAM], emergency=True, **more)
    assert verdict(organisation, state, documents, [SAM, INES], emergency=True, **more) == "adopted"


def test_an_author_never_approves_in_an_emergency() -> None:
    """Authorship excludes there too, floor and quorum."""
    organisation, state = start()
    organisation.people["p-maya"] = ("author", "safety-owner")
    said = verdict(organisation, state, changed(placement="device"), [("p-maya", "safety-owner")], emergency=True)
    assert "this is an emergency release" in said


def test_a_release_whose_contents_are_withheld_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """A server that hides what a change was cannot have it judged as less: the device must see both sides."""
    organisation.release(changed(placement="cloud"))
    whole = organisation.deliver(seen_size=adopted.checkpoint.size)
    for digest in changed_closures(adopted.basis(), organisation.manifest):  # type: ignore[arg-type]
        hidden = {one: data for one, data in whole.closures.items() if one != digest}
        assert refused_at(dataclasses.replace(whole, closures=hidden), adopted) in {"V5", "V6"}
        swapped = {**whole.closures, digest: canonical.encode(prompt_document(title="another"))}
        assert refused_at(dataclasses.replace(whole, closures=swapped), adopted) in {"V5", "V6"}


def refused_at(delivery: object, state: TrustState) -> str:
    """Return the check at which a delivery is refused, having left the state as it was."""
    before = encode_basis(state.basis(), ())
    with pytest.raises(NotTrusted) as caught:
        adopt(state.basis(), delivery)  # type: ignore[arg-type]
    assert encode_basis(state.basis(), ()) == before
    return str(caught.value.check)


def test_opening_again_needs_no_contents_of_before(organisation: Organisation, adopted: TrustState) -> None:
    """The kinds that were worked out are kept beside the generation, so the step verifies without the old contents."""
    organisation.release(changed(fallback="New"))
    delivery = organisation.deliver(seen_size=adopted.checkpoint.size)
    adoption = adopt(adopted.basis(), delivery)
    assert adoption.changes == (Changed("prompt", "opener", ("wording",), ("prompt/opener",)),)
    basis, growth, changes = parse_basis(encode_basis(adopted.basis(), delivery.growth, adoption.changes))
    eager = {e.digest for e in adoption.state.manifest.entries if e.kind != "prompt"}
    kept = {digest: data for digest, data in delivery.closures.items() if digest in eager}
    again = dataclasses.replace(delivery, closures=kept, growth=growth, changes=changes)
    assert adopt(basis, again).state == adoption.state


def test_a_change_left_out_of_what_was_kept_is_refused(organisation: Organisation, adopted: TrustState) -> None:
    """A basis that was edited to know no change is no way to open what was never adopted."""
    organisation.release(changed(fallback="New"))
    delivery = organisation.deliver(seen_size=adopted.checkpoint.size)
    assert refused_at(dataclasses.replace(delivery, changes=()), adopted) == "V6"


def test_a_device_that_missed_releases_asks_for_the_least() -> None:
    """P5: it follows over a change of filing that one person approved, and over an emergency; the floor holds still."""
    organisation, state = start()
    organisation.sign(changed(folder="openings"), [ONE])
    hasty = organisation.build(changed(folder="openings", placement="device"), emergency=True)
    organisation.vouch(hasty, [SAM])
    organisation.manifest = hasty
    organisation.sign(changed("more"), [ONE, OTHER])
    late = organisation.deliver(seen_size=state.checkpoint.size)
    assert adopt(state.basis(), late).changes is None
    organisation.floor["R2"] = 2
    refused("V6", organisation.deliver(seen_size=state.checkpoint.size), state)


def test_what_is_missing_says_why_in_one_line() -> None:
    """The rule that asks for most comes first, the floor is told only where it asks for more, the author last."""
    missing = [
        Shortfall(None, 1, (), "tier R2 takes 2 people at the least"),
        Shortfall(None, 1, ("compliance",), "it loosens"),
        Shortfall(None, 2, ("facilitator", "compliance"), "people read it"),
        Shortfall(None, 1, ("author",), "nobody has signed as its author"),
    ]
    assert lacking(missing, None) == (
        "2 more approvals, in a role of facilitator or compliance, because people read it; "
        "and 1 more approval, in a role of compliance, because it loosens; and its author's signature"
    )


def test_no_rules_and_no_floor_approve_nothing(organisation: Organisation) -> None:
    """Where nothing is asked nobody is enough: no rule set, a tier without a floor."""
    manifest = organisation.manifest
    assert manifest is not None
    digest = manifest.digest
    statements: list[Statement] = [open_statement(one) for one in organisation.statements]

    def missing(rule_sets: list[ApprovalRules], floor: dict[str, int]) -> tuple[Shortfall, ...]:
        before = Before.nothing(manifest)
        changes = {e.key: Changed(e.kind, e.name, ("addition",), ()) for e in manifest.entries}
        return shortfalls(
            manifest, digest, statements=statements, rules=rule_sets, floor=floor, before=before, changes=changes
        )

    floor = dict.fromkeys(TIERS, 1)
    assert missing([rules()], floor) == ()
    assert missing([], floor)
    assert missing([tier_rules({"R0": "compliance"})], floor)
    assert missing([rules()], {})
    assert missing([rules()], dict.fromkeys(TIERS, 0))
