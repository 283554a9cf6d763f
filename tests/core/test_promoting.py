"""V6 where entries come from another channel: what was signed there counts as authorship, never as approval."""

from __future__ import annotations

import pytest

from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.manifest import Manifest
from edge_runtime.core.trust import adopt
from tests.core.adoption import refused
from tests.core.test_coverage import ONE, OTHER, changed, start
from tests.simulator import Organisation


def promoted() -> tuple[Organisation, Manifest]:
    """Return an organisation whose author signed for the pilot, and a manifest for production of the same entries."""
    organisation = Organisation()
    organisation.people["p-maya"] = ("author", "learning-designer")
    manifest = organisation.build(organisation.base_documents())
    organisation.statements.append(
        organisation.state("author", manifest, person="p-maya", role="author", channel="pilot")
    )
    organisation.statements.append(organisation.state("author", manifest, person="p-sam", role="safety-owner", refs=[]))
    organisation.log_release(manifest)
    return organisation, manifest


def test_approvals_of_the_pilot_used_on_production_are_refused() -> None:
    """Authorship counts on every channel, an approval on its own alone."""
    organisation, manifest = promoted()
    on_pilot = [organisation.state("approve", manifest, person=p, channel="pilot") for p in ("p-tom", "p-ines")]
    here = [organisation.state("approve", manifest, person=p) for p in ("p-tom", "p-ines")]
    organisation.statements += on_pilot
    refused("V6", organisation.deliver(manifest))
    organisation.statements += here
    assert adopt(None, organisation.deliver(manifest)).state.manifest == manifest


def test_the_author_on_the_pilot_does_not_approve_on_production() -> None:
    """Somebody who wrote a part stays its author when another person promotes it."""
    organisation, manifest = promoted()
    approvers = [("p-tom", "facilitator"), ("p-maya", "learning-designer")]
    organisation.statements += [organisation.state("approve", manifest, person=p, role=r) for p, r in approvers]
    assert "1 more approval" in str(refused("V6", organisation.deliver(manifest)))


def test_authorship_of_another_organisation_does_not_count() -> None:
    """Only within the organisation does a statement cross channels."""
    organisation, manifest = promoted()
    organisation.statements[0] = organisation.state(
        "author", manifest, person="p-maya", role="author", channel="pilot", organisation="other"
    )
    organisation.statements += [organisation.state("approve", manifest, person=p) for p in ("p-tom", "p-ines")]
    assert "its author's signature" in str(refused("V6", organisation.deliver(manifest)))


@pytest.mark.parametrize(("approvers", "adopted"), [([ONE, OTHER], True), ([], False)])
def test_whoever_promotes_wrote_nothing_and_new_devices_ask_for_what_is_promoted(
    approvers: list[tuple[str, str]], adopted: bool
) -> None:
    """A promotion by the quorum of what it brings is adopted on a first installation too, and by less nowhere."""
    organisation, state = start()
    manifest = organisation.build(changed("more"))
    organisation.statements += [
        organisation.state("author", manifest, person="p-maya", role="author", channel="pilot"),
        organisation.state("author", manifest, person="p-sam", role="safety-owner", refs=[]),
        *(organisation.state("approve", manifest, person=person, role=role) for person, role in approvers),
    ]
    organisation.log_release(manifest)
    for before in (None, state.basis()):
        delivery = organisation.deliver(manifest, seen_size=state.checkpoint.size if before else 0)
        if adopted:
            assert adopt(before, delivery).state.manifest == manifest
        else:
            with pytest.raises(NotTrusted, match="more approval"):
                adopt(before, delivery)
