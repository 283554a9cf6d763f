"""An organisation begins: custodians, a pool of people with keys of either custody, and a first release."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from control_plane import verifying
from control_plane.accounts import people
from control_plane.ceremony.beginning import begin
from control_plane.ceremony.carrying_out import carry_out
from control_plane.ceremony.orders import Order
from control_plane.ceremony.pool import create_member_key, enrol_pool, parse_pool
from control_plane.custody.keyfile import KeyFile
from control_plane.errors import Conflict, Refused
from control_plane.granting import grants
from control_plane.lifecycle import releases
from control_plane.overview import queries
from control_plane.plane import ControlPlane, open_plane
from control_plane.reviewing import proposals, review
from control_plane.settings import Settings
from edge_runtime.core.errors import InvalidDocument
from tests.published import fingerprint
from tests.server.conftest import CHEAP, Clock
from tests.server.custodians import Organisation, device, with_signatures
from tests.server.library import library

POOL = """\
people:
  - {login: lena, name: Lena Okafor, roles: [administrator, author]}
  - {login: ruth, name: Ruth Adeyemi, roles: [compliance]}
  - {login: sam, name: Sam Novak, roles: [safety-owner]}
  - {login: tom, name: Tom Baptiste, roles: [facilitator]}
  - {login: ines, name: Ines Carvalho, roles: [community-host]}
  - {login: nora, name: Nora Haddad, roles: [employee-representative]}
  - {login: remy, name: Remy Fontaine, roles: [release-manager]}
"""


def secret(login: str) -> str:
    """The passphrase that somebody chose at the table."""
    return f"{login} has a secret"


def listed(key: KeyFile, login: str = "kai", role: str = "learning-designer") -> str:
    """Somebody's lines in the file of people, with a key of their own."""
    own = f"person: {key.person}, public: {key.public.hex()!r}, proof: {key.proof.hex()!r}"
    return f"  - {{login: {login}, name: Kai, roles: [{role}], {own}}}\n"


@pytest.fixture
def organisation(tmp_path: Path, clock: Clock) -> Organisation:
    """Custodians without an installation yet."""
    return Organisation(ControlPlane.__new__(ControlPlane))


def begun(organisation: Organisation, tmp_path: Path, clock: Clock, pool: str = POOL) -> tuple[ControlPlane, Order]:
    """Begin, up to the order that nobody has signed yet."""
    settings = Settings(home=tmp_path / "server", argon2=CHEAP)
    members = parse_pool(pool.encode(), "people.yaml")
    order = begin(settings, organisation.custody, members, ask=secret, clock=clock)
    return open_plane(settings, clock=clock), order


def test_an_organisation_begins_with_custodians_and_releases(
    organisation: Organisation, tmp_path: Path, clock: Clock
) -> None:
    """People of either custody are signed into the keyring by custodians, hold first grants, and make release 1."""
    key = create_member_key(tmp_path / "kai.key", passphrase="a phrase of kai's own", cost=CHEAP)
    plane, order = begun(organisation, tmp_path, clock, POOL + listed(key))
    carry_out(plane, with_signatures(order, [*organisation.root[1:], *organisation.targets[1:]]))
    assert not plane.keys.is_self_contained
    known = {person.login: person for person in people.list_people(plane)}
    assert known["kai"].id == key.person
    assert known["kai"].custody == "own"
    assert {one.state for one in grants.list_grants(plane)} == {"in-force"}
    lena = known["lena"].id
    number = proposals.propose(plane, lena, files=library(), title="Begin", passphrase=secret("lena")).number
    review.check(plane, lena, number)
    seen = queries.show_proposal(plane, number).proposal.manifest
    for login in ("ruth", "sam", "tom", "ines", "nora"):
        said = {"role": known[login].roles[0], "reason": "read", "passphrase": secret(login), "manifest": seen}
        review.approve(plane, known[login].id, number, **said)
    assert releases.release(plane, known["remy"].id, number).number == 1
    edge = device(plane, tmp_path / "device")
    assert edge.refresh().ok
    assert edge.status().release == 1
    assert verifying.verify(plane).ok, verifying.verify(plane).problems
    plane.close()


def test_nothing_is_published_before_custodians_signed(
    organisation: Organisation, tmp_path: Path, clock: Clock
) -> None:
    """A home that began has people and no root; beginning again gives the order again, with the same people."""
    plane, order = begun(organisation, tmp_path, clock)
    assert not (plane.site / "metadata").exists()
    before = people.list_people(plane)
    again = begin(plane.settings, organisation.custody, parse_pool(POOL.encode(), "p"), ask=secret, clock=clock)
    assert again.trust == order.trust
    assert people.list_people(plane) == before
    with pytest.raises(Refused, match="lacks"):
        carry_out(plane, order)
    assert not (plane.site / "metadata").exists()
    with pytest.raises(Conflict, match="without people"):
        enrol_pool(plane, parse_pool(POOL.encode(), "p"), secret)
    plane.close()


def test_a_key_whose_holder_did_not_prove_it_is_not_enrolled(tmp_path: Path) -> None:
    """A key under another id, one that stands there twice, and a pool without an administrator are refused."""
    key = create_member_key(tmp_path / "kai.key", passphrase="a phrase of kai's own", cost=CHEAP)
    moved = listed(replace(key, person="p-0123456789ab"))
    for text, why in (
        (POOL + moved, "proof"),
        (POOL + listed(key) + listed(key, "kim"), "twice"),
        (POOL.replace("administrator, ", ""), "administrator"),
        (POOL.replace("roles: [compliance]", "role: x"), "expected login"),
    ):
        with pytest.raises(InvalidDocument, match=why):
            parse_pool(text.encode(), "people.yaml")


def test_an_order_for_another_installation_is_not_carried_out(
    organisation: Organisation, tmp_path: Path, clock: Clock
) -> None:
    """Custodians' signatures for one installation begin no other of the same name."""
    plane, order = begun(organisation, tmp_path, clock)
    signed = with_signatures(order, [*organisation.root[1:], *organisation.targets[1:]])
    other, _ = begun(organisation, tmp_path / "other", clock)
    before = fingerprint(other.site) if other.site.exists() else {}
    with pytest.raises(Conflict, match="key of"):
        carry_out(other, signed)
    assert (fingerprint(other.site) if other.site.exists() else {}) == before
    plane.close()
    other.close()
