"""`/v1`: texts of people: what erasing would take, erasing, legal holds, how long texts are kept.

Who may: compliance and administrators, each time with a reason, and showing that they are here; auditors read which
holds are in force; everybody signed in reads how long texts are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from audit.record import LeafObject
from control_plane.accounts import rights
from control_plane.accounts.rights import Attempt
from control_plane.api.routing import routes
from control_plane.api.shared import Actor, Explained, Plane, Text
from control_plane.keeping import erasing, holding, retention
from control_plane.keeping.erasing import Erasure
from control_plane.keeping.keepers import KEEPERS, Asking
from control_plane.texts.holds import Hold, list_holds

__all__ = ["router"]

router = routes()


class Reasoned(Explained):
    """Why, that one is here, and a reference to the request if there is one.

    `role` is the one in which somebody asks; whoever has several that fit says which.
    """

    ticket: Text = ""
    role: Text = ""


class Holding(Reasoned):
    """Whose texts are held, by login or id; "" for everybody's."""

    person: Text = ""


class ChangingSetting(Explained):
    """Days, on, or off, and why; `role` as for what is erased."""

    value: Text
    role: Text = ""


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
    rights.require_reader(plane, actor.person, KEEPERS, attempt=Attempt("erase", LeafObject("person")))
    return Erasable(*erasing.preview(plane, person))


@router.post("/people/{person}/erasure", status_code=201)
def erase_texts(plane: Plane, request: Request, actor: Actor, *, person: Text, body: Reasoned) -> Erasure:
    """Erase every text of somebody, name, address and reasons, for good."""
    return erasing.erase(plane, person, asking=_asked(actor, body, request))


@router.get("/holds")
def list_legal_holds(plane: Plane, actor: Actor, *, lifted: bool = False) -> tuple[Hold, ...]:
    """Return the legal holds in force, and with `lifted` all that ever were."""
    rights.require_reader(plane, actor.person, (*KEEPERS, "auditor"), attempt=Attempt("hold", LeafObject("log")))
    return list_holds(plane, lifted=lifted)


@router.post("/holds", status_code=201)
def place_hold(plane: Plane, request: Request, actor: Actor, *, body: Holding) -> Hold:
    """Place a legal hold on the texts of somebody, or of everybody."""
    return holding.hold(plane, body.person, asking=_asked(actor, body, request))


@router.post("/holds/{identity}/lift")
def lift_hold(plane: Plane, request: Request, actor: Actor, *, identity: Text, body: Reasoned) -> Hold:
    """Lift a legal hold."""
    return holding.lift_hold(plane, identity, asking=_asked(actor, body, request))


def _asked(actor: Actor, body: Reasoned, request: Request) -> Asking:
    """Return who asks and why, and how they show that they are here, as the use cases take it."""
    return Asking(actor.person, body.reason, body.present(request), body.ticket, body.role)


@router.get("/retention")
def show_retention(plane: Plane, _actor: Actor) -> dict[str, str]:
    """Return how long texts are kept, in days after their month, and whether reading the log is logged."""
    return retention.settings(plane)


@router.put("/retention/{name}")
def change_retention(
    plane: Plane, request: Request, actor: Actor, *, name: Text, body: ChangingSetting
) -> SettingChanged:
    """Change a setting; the log says so before it takes effect."""
    asking = Asking(actor.person, body.reason, body.present(request), role=body.role)
    entry = retention.change_setting(plane, name, body.value, asking=asking)
    return SettingChanged(name, body.value, entry)
