"""Attacks on the log, on withdrawals and on models: the attacker holds the online keys and that of the log."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tuf.api.metadata import TargetFile

from audit.frozen import replace
from edge_runtime.core.canonical import digest
from edge_runtime.core.manifest import Model
from edge_runtime.core.release import encode_withdrawals
from edge_runtime.core.trustfile import encode_trust, parse_trust
from tests.attacks.world import World, wording
from tests.edge.sources import serving
from tests.simulator import CHANNEL


@pytest.mark.attack("missing log entry")
@pytest.mark.parametrize("how", ["none", "of another act", "of another release"])
def test_a_release_that_the_log_does_not_hold(world: World, how: str) -> None:
    """People approved it, and the log has no entry of it, one of another act, or one of another release: V7."""
    manifest = world.organisation.build(wording("Third"))
    world.author(manifest, "p-tom", "p-ines")
    leaves = world.organisation.leaves
    if how == "of another act":
        world.organisation.log_release(manifest)
        leaves[-1] = leaves[-1].replace(b'"released"', b'"rejected"')
    elif how == "of another release":
        world.organisation.log_release(world.organisation.build(wording("Fourth")))
    world.forge(manifest, logged=False)
    world.refused("V7")
    world.heals()


@pytest.mark.attack("log fork")
@pytest.mark.parametrize("more", [0, 1])
def test_another_history_under_the_name_of_the_log(world: World, more: int) -> None:
    """An entry of before is another one, with a release after it or none: V7, and the evidence is kept."""
    leaves = world.organisation.leaves
    leaves[0] = leaves[0].replace(b"p-sam", b"p-tom")
    if more:
        world.published.release(wording("Third"))
    else:
        world.published.write_log()
    world.refused("V7", but="evidence")
    assert len(world.edge.evidence()) == 1
    world.heals()


@pytest.mark.attack("log fork")
def test_a_log_that_shrank(world: World) -> None:
    """A release stands in a log that has fewer entries than the device saw: V7."""
    world.published.release(wording("Third"))
    del world.organisation.leaves[:-1]
    world.published.publish()
    world.refused("V7", but="evidence")
    world.heals()


def _witnessed(world: World) -> None:
    """Have the organisation name three witnesses, of whom it takes two, and the device follow a release of theirs."""
    world.organisation.witnesses = (1, 2, 3)
    world.organisation.cosigning = (1, 3)
    world.published.publish()
    assert world.edge.refresh().ok
    assert not world.edge.status().self_contained
    assert world.edge.status().as_json()["release"] == 2


@pytest.mark.attack("witness below quorum")
@pytest.mark.parametrize("cosigning", [(), (2,), (2, 2), (2, 4, 5)])
def test_a_release_that_too_few_witnesses_saw(world: World, cosigning: tuple[int, ...]) -> None:
    """None, one of two that it takes, one of them twice, or strangers besides: V7; with enough it is adopted."""
    _witnessed(world)
    world.organisation.cosigning = cosigning
    world.published.release(wording("Third"))
    world.refused("V7")
    world.organisation.cosigning = (2, 3)
    world.published.publish()
    assert world.edge.refresh().release == 3
    assert world.device().state == world.edge.state


@pytest.mark.attack("witness below quorum")
def test_the_witnesses_are_dropped_by_the_server(world: World) -> None:
    """With the online keys alone nobody changes whom the trust file names: V2, since targets are signed elsewhere."""
    _witnessed(world)
    named = parse_trust(world.site.target("trust.json") or b"")
    forged = encode_trust(replace(named, witness_policy="", self_contained=True))
    with world.next("targets", by="releases") as targets:
        targets.targets["trust.json"] = TargetFile.from_data("trust.json", forged, ["sha256"])
    (world.published.folder / "targets" / f"{digest(forged).removeprefix('sha256:')}.trust.json").write_bytes(forged)
    with world.next("snapshot") as snapshot:
        snapshot.meta["targets.json"].version += 1
    with world.next("timestamp") as timestamp:
        timestamp.snapshot_meta.version += 1
    world.refused("V2")


@pytest.mark.attack("withdrawal hidden")
@pytest.mark.parametrize("first", [True, False], ids=["a first installation", "a device that follows"])
def test_a_second_source_that_the_trust_file_names(world: World, tmp_path: Path, first: bool) -> None:
    """The server hides a withdrawal, and the app names no other source: the one of the signed trust file tells."""
    second = tmp_path / "second"
    (second / "withdrawals").mkdir(parents=True)
    with serving(second) as server:
        world.organisation.second_source = server.address
        world.published.publish()
        if first:
            shutil.rmtree(world.home)
        else:
            assert world.edge.refresh().notes == ("second source: expected a withdrawal list, got no such file",)
        hidden = tuple(world.organisation.withdrawals)
        world.organisation.withdraw("prompt", "opener")
        told = encode_withdrawals(CHANNEL, tuple(world.organisation.withdrawals))
        (second / "withdrawals" / f"{CHANNEL}.json").write_bytes(told)
        world.organisation.withdrawals[:] = hidden
        edge = world.device()
        assert edge.refresh().ok
        assert (edge.prompts(), world.device().prompts()) == ((), ())
        assert all(b"device" not in request.lower() for request in server.asked)


@pytest.mark.attack("withdrawal list shortened")
@pytest.mark.parametrize("how", ["the last", "the first", "other order", "another's"])
def test_a_list_without_one_of_its_withdrawals(world: World, how: str) -> None:
    """The last or the first of two left out, their order changed, another in the place of one: V6, and both stay."""
    world.organisation.withdraw("prompt", "opener")
    world.published.publish()
    assert world.edge.refresh().ok
    whole = world.organisation.withdrawals
    first, last = whole
    again = world.organisation.state(
        "withdraw", world.organisation.manifest, person="p-ines", refs=[], previous=""  # type: ignore[arg-type]
    )  # fmt: skip
    forged = {"the last": (first,), "the first": (last,), "other order": (last, first), "another's": (again, last)}[how]
    state, before = world.edge.state, world.held()
    world.written(production_withdrawals=encode_withdrawals(CHANNEL, forged))
    result = world.edge.refresh()
    assert (result.ok, result.check) == (False, "V6")
    assert (world.edge.state, world.held()) == (state, before)
    assert (world.edge.prompts(), world.device().prompts()) == ((), ())


@pytest.mark.attack("model file swapped")
def test_a_model_that_this_device_does_not_hold(world: World) -> None:
    """A release that people approved relies on another model file than the device has: V8."""
    model = Model("reader", "sha256:" + "0" * 64, 1)
    manifest = world.organisation.build(wording("Third"), models=(model,))
    for act, person, role in (
        ("author", "p-maya", "author"),
        ("approve", "p-tom", "facilitator"),
        ("approve", "p-ines", "compliance"),
        ("approve", "p-sam", "safety-owner"),
    ):
        world.state(manifest, act, person, role=role)
    world.forge(manifest)
    world.refused("V8")
    world.heals()
