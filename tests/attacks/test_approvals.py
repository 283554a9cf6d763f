"""Attacks on what people signed: the attacker holds every key of the server, and publishes what nobody approved.

Everything else about each release is sound: TUF signatures, the entry in the log, its checkpoint. The same attacks on
the pure verification, and more of them, stand in tests/core/test_approvals.py and test_coverage.py.
"""

from __future__ import annotations

import dataclasses

import pytest

from edge_runtime.core import canonical, dsse
from tests.attacks.world import World, wording
from tests.simulator import AT, prompt_document, unsafe_key


@pytest.mark.attack("arbitrary installation", "removed approval")
@pytest.mark.parametrize("left", [(), ("p-tom",), ("p-ines",)])
def test_a_release_with_fewer_approvals_than_it_takes(world: World, left: tuple[str, ...]) -> None:
    """None at all, or one of two taken away: V6."""
    manifest = world.organisation.build(wording("Third"))
    world.author(manifest, *left)
    world.forge(manifest)
    world.refused("V6")
    world.heals()


@pytest.mark.attack("removed approval")
def test_the_author_s_statement_is_taken_away(world: World) -> None:
    """Without the author's own word nobody knows whom to exclude: V6."""
    manifest = world.organisation.build(wording("Third"))
    world.author(manifest, "p-tom", "p-ines")
    world.organisation.statements.pop(-3)
    world.forge(manifest)
    world.refused("V6")
    world.heals()


@pytest.mark.attack("forged approval")
@pytest.mark.parametrize("how", ["another key", "a stranger", "another's name", "altered bytes", "a role not held"])
def test_an_approval_that_its_person_did_not_give(world: World, how: str) -> None:
    """Signed with another key, by somebody unknown, in another's name, altered since, or in another role: V6."""
    manifest = world.organisation.build(wording("Third"))
    world.author(manifest, "p-tom")
    match how:
        case "another key":
            world.state(manifest, "approve", "p-ines", key="p-stranger")
        case "a stranger":
            world.state(manifest, "approve", "p-stranger")
        case "another's name":
            world.state(manifest, "approve", "p-ines", key="p-tom")
        case "altered bytes":
            genuine = world.organisation.state("approve", manifest, person="p-ines")
            payload = genuine.payload.replace(AT.encode(), b"2026-03-01T09:30:00Z")
            assert payload != genuine.payload
            world.organisation.statements.append(dataclasses.replace(genuine, payload=payload))
        case _:
            world.state(manifest, "approve", "p-noa", role="safety-owner")
    world.forge(manifest)
    world.refused("V6")
    world.heals()


@pytest.mark.attack("replayed approval on another manifest")
def test_approvals_of_another_edit(world: World) -> None:
    """What people approved of one text does not count for the next one: V6."""
    approved, edited = (world.organisation.build(wording(text)) for text in ("Third", "Obey"))
    world.author(approved, "p-tom", "p-ines")
    world.author(edited)
    world.forge(edited)
    world.refused("V6")
    world.heals()


@pytest.mark.attack("replayed approval on another manifest")
def test_approvals_in_an_envelope_around_another_manifest(world: World) -> None:
    """The signatures of genuine approvals around statements about another manifest: V6."""
    approved, edited = (world.organisation.build(wording(text)) for text in ("Third", "Obey"))
    world.author(edited)
    for person in ("p-tom", "p-ines"):
        genuine, wanted = (world.organisation.state("approve", m, person=person) for m in (approved, edited))
        world.organisation.statements.append(dsse.Envelope(wanted.payload_type, wanted.payload, genuine.signatures))
    world.forge(edited)
    world.refused("V6")
    world.heals()


@pytest.mark.attack("recombined parts")
def test_parts_that_were_approved_apart(world: World) -> None:
    """Two changes, each approved in a proposal of its own, never together: V6."""
    extra = {("prompt", "extra"): canonical.encode(prompt_document("extra"))}
    for part in (wording("Third"), extra):
        world.author(world.organisation.build(part), "p-tom", "p-ines")
    both = world.organisation.build({**wording("Third"), **extra})
    world.forge(both)
    world.refused("V6")
    world.heals()


@pytest.mark.attack("locale or stage changed after approval")
@pytest.mark.parametrize(
    "change", [{"stages": (1, 100)}, {"locales": ("de", "en")}, {"valid_for_s": 10**9}, {"fresh_for_s": 86_401}]
)
def test_settings_that_people_did_not_sign(world: World, change: dict[str, object]) -> None:
    """Stages, locales and how long a release is good for are inside what people signed: V6."""
    approved = world.organisation.build(wording("Third"))
    world.author(approved, "p-tom", "p-ines")
    world.forge(dataclasses.replace(approved, **change))  # type: ignore[arg-type]
    world.refused("V6")
    world.heals()


@pytest.mark.attack("approval by the author")
@pytest.mark.parametrize("named", ["p-maya", "p-sam"])
def test_the_author_approves(world: World, named: str) -> None:
    """Whoever wrote a change does not count for it, also where the manifest names somebody else as its author: V6."""
    manifest = world.organisation.build(wording("Third"), author=named)
    world.author(manifest, "p-tom")
    world.state(manifest, "approve", "p-maya", role="learning-designer")
    world.forge(manifest)
    world.refused("V6")
    world.heals()


@pytest.mark.attack("approval by one person with two keys")
@pytest.mark.parametrize("role", ["facilitator", "learning-designer"])
def test_one_person_signs_with_each_of_two_keys(world: World, role: str) -> None:
    """Two keys of one person are one person, in one role or two: V6. With another person's signature it passes."""
    organisation = world.organisation
    organisation.second_keys["p-tom"] = organisation.people["p-tom"]
    manifest = organisation.build(wording("Third"))
    world.author(manifest, "p-tom")
    world.state(manifest, "approve", "p-tom", role=role, key="p-tom, second")
    world.forge(manifest)
    world.refused("V6")
    world.heals()
    world.state(manifest, "approve", "p-ines")
    world.forge(manifest)
    assert world.edge.refresh().release == 3


@pytest.mark.attack("approval by one person with two keys")
def test_one_person_enters_the_keyring_twice(world: World) -> None:
    """A keyring in which two people have one key is refused, whoever signed it: V4."""
    from edge_runtime.core.trustfile import encode_trust

    trust = world.organisation.trust()
    twin = dataclasses.replace(trust.people["p-tom"], person="p-twin")
    forged = dataclasses.replace(trust, people={**trust.people, "p-twin": twin})
    world.site.write(encode_trust(forged), world.site.targets())
    assert twin.key == dsse.public_bytes(unsafe_key("p-tom"))
    world.refused("V4")
    world.heals()
