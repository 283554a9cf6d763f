"""Attacks with the keys of people who did not hold their role: the attacker has every key of the server and of the log.

The same attacks on the pure verification, and more of them, stand in tests/core/test_mandates.py.
"""

from __future__ import annotations

import pytest
from tuf.api.metadata import TargetFile

from audit.record import Act, LeafObject
from edge_runtime.core.canonical import digest
from edge_runtime.core.grants import Grant
from edge_runtime.core.manifest import Manifest
from edge_runtime.core.statements import open_statement
from edge_runtime.core.trustfile import Term, encode_trust, parse_trust
from tests.attacks.world import TERM_END, World, wording
from tests.mandates import granted, seconds
from tests.simulator import AT, ORGANISATION

LATER = "2026-05-04T09:30:00Z"


def approved(world: World, *, at: str = AT) -> Manifest:
    """Have the next manifest signed by its author, and by Tom and Ines at a time that they write."""
    manifest = world.organisation.build(wording("Third"))
    world.author(manifest)
    for person in ("p-tom", "p-ines"):
        world.state(manifest, "approve", person, at=at)
    return manifest


def witnessed(world: World, manifest: Manifest, *, at: str, whole: bool = False) -> None:
    """Have the log take approvals and release, and two of three witnesses cosign it first at a time."""
    world.organisation.log_release(manifest)
    size = len(world.organisation.leaves) - (0 if whole else 1)
    for envelope in world.organisation.statements[-2:]:
        assert open_statement(envelope).manifest == manifest.digest
        world.organisation.cosigned[digest(envelope.payload)] = (size, seconds(at))


def with_witnesses(world: World) -> None:
    """Have the trust file name three witnesses, of whom it takes two, and the device follow."""
    world.organisation.witnesses, world.organisation.cosigning = (1, 2, 3), (1, 3)
    world.organisation.witnessed_from = len(world.organisation.leaves)
    world.published.publish()
    assert world.edge.refresh().ok


@pytest.mark.attack("approval after the grant ended")
@pytest.mark.parametrize("who", ["whose term ended", "who never had one"])
def test_somebody_who_does_not_hold_the_role_approves(world: World, who: str) -> None:
    """Eligible, with a key of their own, and no term in force: V6."""
    manifest = world.organisation.build(wording("Third"))
    world.author(manifest, "p-tom")
    at = LATER if who == "whose term ended" else AT
    world.state(manifest, "approve", "p-ines" if who == "whose term ended" else "p-noa", at=at)
    world.forge(manifest)
    assert "held their role" in world.refused("V6").message
    world.heals()


@pytest.mark.attack("approval after the grant ended", "back-dated approval")
@pytest.mark.parametrize("at", ["2020-01-01T00:00:00Z", AT, "2029-01-01T00:00:00Z"])
def test_somebody_who_is_no_longer_eligible_signs_as_if_before(world: World, at: str) -> None:
    """Who is no longer in the keyring for a role does not count, whatever time they write into what they sign: V6."""
    world.organisation.people["p-ines"] = ("administrator",)
    manifest = world.organisation.build(wording("Third"))
    world.author(manifest, "p-tom")
    world.state(manifest, "approve", "p-ines", role="community-host", at=at)
    world.forge(manifest)
    world.refused("V6")
    world.heals()


@pytest.mark.attack("back-dated approval")
def test_an_approval_with_an_early_time_that_witnesses_saw_late(world: World) -> None:
    """Statement and entry of the log say a time within the term; the quorum of witnesses cosigned after it: V6."""
    with_witnesses(world)
    manifest = approved(world, at=AT)
    witnessed(world, manifest, at=LATER)
    world.forge(manifest, logged=False)
    assert "first term" in world.refused("V6").message


@pytest.mark.attack("approval before the grant began")
def test_the_log_has_the_approval_before_the_grant(world: World) -> None:
    """A grant that says an earlier beginning, and that the log has after the approval: V6. Before it, it counts."""
    organisation = world.organisation
    assert organisation.terms is not None
    organisation.terms = {**organisation.terms, "p-tom": Term("")}
    grant = Grant("g-1", ORGANISATION, "p-tom", "facilitator", since="2026-03-02T09:00:00Z", until=TERM_END)
    manifest = approved(world)
    organisation.log_release(manifest)
    organisation.mandated["p-tom"] = (granted(organisation, grant, "p-ines", "p-sam"),)
    world.forge(manifest)
    assert "before the approval" in world.refused("V6").message
    organisation.logged.clear()
    organisation.log_release(manifest)
    world.published.publish(manifest)
    assert world.edge.refresh().release == 3


@pytest.mark.attack("approval after the grant ended", "ended grant left out of the keyring")
def test_an_ended_grant_is_left_out_of_the_keyring(world: World) -> None:
    """An approval after a grant was ended: V6; with online keys alone the trust file does not forget the end: V2."""
    organisation = world.organisation
    assert organisation.terms is not None
    before = encode_trust(organisation.trust())
    ended = organisation.log(Act.ROLE_ENDED, LeafObject("grant", "p-tom.facilitator"))
    organisation.terms = {**organisation.terms, "p-tom": Term(TERM_END, {"p-tom.facilitator": ended})}
    assert organisation.manifest is not None
    organisation.log_release(organisation.manifest)
    world.published.publish()
    assert world.edge.refresh().ok
    manifest = approved(world)
    world.forge(manifest)
    assert "nobody had ended" in world.refused("V6").message
    assert parse_trust(before).terms != organisation.terms
    with world.next("targets", by="releases") as targets:
        targets.targets["trust.json"] = TargetFile.from_data("trust.json", before, ["sha256"])
    name = f"{digest(before).removeprefix('sha256:')}.trust.json"
    (world.published.folder / "targets" / name).write_bytes(before)
    with world.next("snapshot") as snapshot:
        snapshot.meta["targets.json"].version += 1
    with world.next("timestamp") as timestamp:
        timestamp.snapshot_meta.version += 1
    world.refused("V2")


@pytest.mark.attack("first cosigned checkpoint of an approval swapped")
@pytest.mark.parametrize("how", ["a later one", "an earlier one"])
def test_another_checkpoint_in_place_of_the_first(world: World, how: str) -> None:
    """One that was cosigned after the term, or in it and before the log had the approval: V6. The first one counts."""
    with_witnesses(world)
    early = len(world.organisation.leaves)
    manifest = approved(world, at=AT)
    witnessed(world, manifest, at=AT)
    genuine = dict(world.organisation.cosigned)
    at, size = (LATER, len(world.organisation.leaves)) if how == "a later one" else (AT, early)
    world.organisation.cosigned = dict.fromkeys(genuine, (size, seconds(at)))
    world.forge(manifest, logged=False)
    world.refused("V6")
    world.organisation.cosigned = genuine
    world.published.publish(manifest)
    assert world.edge.refresh().release == 3


@pytest.mark.attack("proof of another entry for an approval")
def test_the_entry_of_another_act_for_an_approval(world: World) -> None:
    """The log holds something else where an approval should be, a rejection, or one of another statement: V6."""
    manifest = approved(world)
    organisation = world.organisation
    organisation.log_release(manifest)
    tom, ines = (digest(envelope.payload) for envelope in organisation.statements[-2:])
    organisation.logged[tom] = organisation.logged[ines]
    world.forge(manifest)
    assert "this very approval" in world.refused("V6").message
    world.heals()
