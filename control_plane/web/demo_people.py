"""The demo persons of an installation that was started as a demonstration: who they are and how they sign.

Does not: exist anywhere but in a demo home. Real persons type their passphrase themselves, once for each signature.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from edge_runtime.core.errors import InvalidDocument, Unavailable

__all__ = ["DemoPeople", "DemoPerson", "load_demo_people"]

FILE_NAME = "demo-people.json"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One demo person; the passphrase opens their signing key."""

    id: str
    login: str
    name: str
    roles: tuple[str, ...]
    passphrase: str = field(repr=False)

    @property
    def first_name(self) -> str:
        """Return the name that the tour calls them by."""
        return self.name.split()[0]


@dataclass(frozen=True, slots=True)
class DemoPeople:
    """All demo persons, in the order of the file."""

    people: tuple[DemoPerson, ...]

    def of_login(self, login: str) -> DemoPerson:
        """Return the demo person with that login.

        Raises:
            InvalidDocument: there is none.
        """
        found = next((person for person in self.people if person.login == login), None)
        if found is None:
            raise InvalidDocument("expected a demo person of this installation")
        return found

    def in_role(self, role: str) -> DemoPerson:
        """Return the first demo person in a role.

        Raises:
            InvalidDocument: there is none.
        """
        found = next((person for person in self.people if role in person.roles), None)
        if found is None:
            raise InvalidDocument(f"expected a demo person in the role {role}, got none")
        return found

    def name_of(self, person_id: str) -> str:
        """Return the first name that belongs to a person id, or the id itself."""
        return next((person.first_name for person in self.people if person.id == person_id), person_id)


def role_for(person: DemoPerson, wanted: Iterable[str]) -> str:
    """Return the role in which a person answers a request for one of the roles `wanted`."""
    asked = set(wanted)
    return next((role for role in person.roles if role in asked), person.roles[0])


def load_demo_people(home: Path) -> DemoPeople:
    """Return the demo persons of a home.

    Raises:
        Unavailable: this home was not made for a demonstration.
    """
    try:
        document = json.loads((home / FILE_NAME).read_bytes())
        people = tuple(
            DemoPerson(entry["id"], entry["login"], entry["name"], tuple(entry["roles"]), entry["passphrase"])
            for entry in document["people"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"expected {FILE_NAME} in the home, got {type(error).__name__}") from error
    return DemoPeople(people)
