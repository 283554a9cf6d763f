"""Attacks on the log, on withdrawals and on models: the attacker holds the online keys and that of the log."""

from __future__ import annotations

import pytest

from edge_runtime.core.manifest import Model
from edge_runtime.core.release import encode_withdrawals
from tests.attacks.world import World, wording
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
