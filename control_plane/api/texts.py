"""`/v1`: texts of people: what erasing would take, erasing, legal holds, how long texts are kept.

Who may: compliance and administrators, each time with a reason and their passphrase; auditors read which holds are in
force; everybody signed in reads how long texts are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from audit.record import LeafObject
from control_plane import ledger
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.accounts.scopes import Acting
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Body, Explained, Plane, Text
from control_plane.plane import ControlPlane
from control_plane.texts import erasing, holding, retention
from control_plane.texts.erasing import Erasure
from control_plane.texts.holds import Hold, list_holds
from control_plane.texts.keepers import KEEPERS

__all__ = ["router"]

router = routes()


class Reasoned(Explained):
    """Why, in one's own words, one's passphrase, and a reference to the request if there is one."""

    ticket: Text = ""


class Holding(Reasoned):
    """Whose texts are held, by login or id; "" for everybody's."""

    person: Text = ""


class ChangingSetting(Body):
    """Days, on, or off, and why."""

    value: Text
    reason: Text
    passphrase: Text = Field(repr=False)


@dataclass(frozen=True, slots=True)
class Erasable:
    """What erasing somebody's texts would destroy: keys, to the texts of so many entries; holds that forbid it."""

    keys: int
    concerned: int
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettingChanged:
    """A setting, its value now, and the entry that says so."""

    name: str
    value: str
    entry: int


@router.get("/people/{person}/erasure")
def preview_erasure(plane: Plane, actor: Actor, person: Text) -> Erasable:
    """Return what erasing somebody's texts would destroy, and what forbids it."""
    _require_reader(plane, actor, KEEPERS, attempt=Attempt("erase", LeafObject("person")))
    return Erasable(*erasing.preview(plane, person))


@router.post("/people/{person}/erasure", status_code=201)
def erase_texts(plane: Plane, actor: Actor, person: Text, *, body: Reasoned) -> Erasure:
    """Erase every text of somebody, name, address and reasons, for good."""
    return erasing.erase(
        plane, person, by=actor.person, reason=body.reason, passphrase=body.passphrase, ticket=body.ticket
    )


@router.get("/holds")
def list_legal_holds(plane: Plane, actor: Actor, *, lifted: bool = False) -> tuple[Hold, ...]:
    """Return the legal holds in force, and with `lifted` all that ever were."""
    _require_reader(plane, actor, (*KEEPERS, "auditor"), attempt=Attempt("hold", LeafObject("log")))
    return list_holds(plane, lifted=lifted)


@router.post("/holds", status_code=201)
def place_hold(plane: Plane, actor: Actor, body: Holding) -> Hold:
    """Place a legal hold on the texts of somebody, or of everybody."""
    return holding.hold(
        plane, body.person, by=actor.person, reason=body.reason, passphrase=body.passphrase, ticket=body.ticket
    )


@router.post("/holds/{identity}/lift")
def lift_hold(plane: Plane, actor: Actor, identity: Text, *, body: Reasoned) -> Hold:
    """Lift a legal hold."""
    return holding.lift_hold(
        plane, identity, by=actor.person, reason=body.reason, passphrase=body.passphrase, ticket=body.ticket
    )


@router.get("/retention")
def show_retention(plane: Plane, _actor: Actor) -> dict[str, str]:
    """Return how long texts are kept, in days after their month, and whether reading the log is logged."""
    return retention.settings(plane)


@router.put("/retention/{name}")
def change_retention(plane: Plane, actor: Actor, name: Text, *, body: ChangingSetting) -> SettingChanged:
    """Change a setting; the log says so before it takes effect."""
    entry = retention.change_setting(
        plane, name, body.value, by=actor.person, reason=body.reason, passphrase=body.passphrase
    )
    return SettingChanged(name, body.value, entry)


def _require_reader(plane: ControlPlane, actor: Acting, roles: tuple[str, ...], *, attempt: Attempt) -> None:
    """Refuse whoever holds none of these roles; whoever works on the home itself has what is in it."""
    if actor.person != ledger.SYSTEM:
        rights.require_role(plane, actor.person, roles, attempt=attempt)
