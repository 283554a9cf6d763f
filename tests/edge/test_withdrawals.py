"""What a withdrawal does on a device: it stops a prompt or a channel, says what runs instead, and is lifted."""

from __future__ import annotations

from pathlib import Path

import pytest

from control_plane.repository import Site
from edge_runtime import EdgeRuntime, InvalidDocument, NotTrusted
from edge_runtime.core import canonical
from edge_runtime.core.release import encode_withdrawals, withdrawals_path
from edge_runtime.delivery import TRUST_PATH
from tests.published import Published, adopted, published_once
from tests.simulator import CHANNEL, prompt_document

NOTES = "We agreed on two things. I will write to Mara by Thursday. The weather was fine. Priya asked a good question."


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release in a folder."""
    return published_once(tmp_path)


@pytest.fixture
def edge(published: Published, tmp_path: Path) -> EdgeRuntime:
    """A device that has adopted it."""
    return adopted(published, tmp_path)


def scripts(*names: str) -> dict[tuple[str, str], bytes]:
    return {("prompt", name): canonical.encode(prompt_document(name)) for name in names}


def test_a_withdrawal_reaches_the_device_and_survives_a_restart(
    edge: EdgeRuntime, published: Published, tmp_path: Path
) -> None:
    """After a refresh a withdrawn prompt answers with its fallback text, in this process or the next."""
    published.organisation.withdraw("prompt", "opener")
    published.publish()

    assert edge.refresh().ok
    for runtime in (edge, EdgeRuntime.open(tmp_path / "home", trust=published.trust)):
        assert runtime.prompts() == ()
        session = runtime.session(learner="u1")
        reply = session.run("opener", {"notes": NOTES})
        assert (reply.outcome, reply.route, reply.text) == ("withdrawn", "block", prompt_document()["fallback"])
        for act in (session.render, session.preview, session.decide):
            with pytest.raises(NotTrusted, match="withdrawn"):
                act("opener", {"notes": NOTES})


@pytest.mark.parametrize(("then", "check"), [("empty", "V6"), ("gone", "V2")])
@pytest.mark.attack("rollback of the withdrawal list")
def test_the_list_is_emptied_or_vanishes(
    edge: EdgeRuntime, published: Published, tmp_path: Path, then: str, check: str
) -> None:
    """Attack: with every online key, the list is published anew without the withdrawal, or not at all: refused.

    The prompt stays stopped, in this process and the next.
    """
    published.organisation.withdraw("prompt", "opener")
    published.publish()
    assert edge.refresh().ok
    site = Site(published.folder, published.keys, published.now)
    targets, path = site.targets(), withdrawals_path(CHANNEL)
    targets[path] = encode_withdrawals(CHANNEL, ())
    if then == "gone":
        del targets[path]
        targets["channels/another.json"] = b"{}"
    trust = site.target(TRUST_PATH)
    assert trust is not None
    site.write(trust, targets)
    for runtime in (edge, EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))):
        assert runtime.refresh().check == check
        assert runtime.prompts() == ()


def stopped(published: Published, name: str, instead: str = "") -> None:
    """Withdraw a prompt; another one of that name, if it is live, runs instead."""
    organisation = published.organisation
    other = organisation.manifest.find("prompt", instead) if instead else None  # type: ignore[union-attr]
    organisation.withdraw("prompt", name, replacement=other.digest if other else "")


def test_a_withdrawn_prompt_runs_what_replaces_it_and_says_so(edge: EdgeRuntime, published: Published) -> None:
    """The reply names what ran and what was asked for; so does the receipt, by version."""
    published.release(scripts("second", "closer"))
    stopped(published, "opener", "second")
    stopped(published, "second", "closer")
    published.publish()
    assert edge.refresh().ok
    reply = edge.session(learner="u1").run("opener", {"notes": NOTES})
    assert (reply.outcome, reply.prompt, reply.instead_of) == ("filled", "closer", "opener")
    assert reply.version == published.organisation.manifest.find("prompt", "closer").digest  # type: ignore[union-attr]
    assert set(edge.prompts()) == {"opener", "second", "closer"}


def test_replacements_in_a_circle_run_nothing(edge: EdgeRuntime, published: Published) -> None:
    """Two prompts that replace each other, both withdrawn: the fallback text of the one that was asked for."""
    published.release(scripts("second"))
    stopped(published, "opener", "second")
    stopped(published, "second", "opener")
    published.publish()
    assert edge.refresh().ok
    assert edge.session(learner="u1").run("second", {"notes": NOTES}).outcome == "withdrawn"
    assert edge.prompts() == ()


def test_a_replacement_that_does_not_take_the_inputs_does_not_run(edge: EdgeRuntime, published: Published) -> None:
    """What the host gives fits the prompt that it asked for: then it gets a text, not an error."""
    inputs = {"type": "object", "additionalProperties": False, "required": [], "properties": {}}
    published.release(
        {("prompt", "bare"): canonical.encode(prompt_document("bare", inputs=inputs, fill={}, reply="Go."))}
    )
    stopped(published, "opener", "bare")
    published.publish()
    assert edge.refresh().ok
    assert edge.session(learner="u1").run("opener", {"notes": NOTES}).outcome == "withdrawn"
    with pytest.raises(InvalidDocument):
        edge.session(learner="u1").run("opener", {"note": NOTES})


def test_a_whole_channel_stops_when_two_people_say_so(edge: EdgeRuntime, published: Published) -> None:
    """One person's word about everything is not enough, nor is it twice; the hand-off text stays."""
    for person, outcome in (("p-tom", "filled"), ("p-tom", "filled"), ("p-ines", "withdrawn")):
        published.organisation.withdraw("prompt", "", person=person)
        published.publish()
        assert edge.refresh().ok
        assert edge.session(learner="u1").run("opener", {"notes": NOTES}).outcome == outcome
    crisis = edge.session(learner="u1").run("opener", {"notes": "I want to kill myself"})
    assert crisis.outcome == "handed-off"


def test_a_release_that_lifts_the_withdrawal_runs_the_prompt_again(edge: EdgeRuntime, published: Published) -> None:
    """It names the very withdrawal; what is withdrawn once more later stands stopped again."""
    organisation = published.organisation
    stopped(published, "opener")
    published.publish()
    edge.refresh()
    lifted = canonical.digest(organisation.withdrawals[-1].payload)
    manifest = organisation.build({}, lifts=(lifted,))
    organisation.vouch(manifest, (("p-tom", "facilitator"), ("p-ines", "community-host")))
    organisation.manifest = manifest
    published.publish()
    assert edge.refresh().ok
    assert edge.session(learner="u1").run("opener", {"notes": NOTES}).outcome == "filled"
    stopped(published, "opener")
    published.publish()
    assert edge.refresh().ok
    assert edge.session(learner="u1").run("opener", {"notes": NOTES}).outcome == "withdrawn"
