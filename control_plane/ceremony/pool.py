"""The people whom an installation begins with: read from one file, enrolled together, before anybody could let them in.

The file is YAML: `people`, each with `login`, `name` and `roles`; who keeps a key of their own adds `person`, `public`
and `proof`, as `mentorplane ceremony member` printed them on their machine. The others choose a passphrase at once.
Promises: all or none; once, and only before there are people; a key counts with a proof that its holder made. The log
has their enrolment, their first grants come with it, and no device believes them before custodians signed the keyring.
Does not: enrol anybody later (see `accounts.people`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from control_plane.accounts import people
from control_plane.accounts.people import NewPerson, OwnKey
from control_plane.custody.keyfile import COST, KeyFile, create_key
from control_plane.errors import Conflict
from control_plane.plane import ControlPlane
from control_plane.reviewing.own_keys import require_proof
from control_plane.settings import Argon2
from control_plane.sources.strict_yaml import read_yaml
from edge_runtime.core.errors import InvalidDocument

__all__ = ["create_member_key", "enrol_pool", "parse_pool"]

_MUST = {"login", "name", "roles"}
_OWN = {"person", "public", "proof"}
_ID = re.compile(r"p-[0-9a-f]{12}")


def create_member_key(path: Path, *, passphrase: str, cost: Argon2 = COST) -> KeyFile:
    """Make a key of one's own for somebody who is not enrolled yet, under a person id that is made with it.

    Raises: as for `create_key`.
    """
    return create_key(path, person=people.new_id(), passphrase=passphrase, cost=cost)


def parse_pool(data: bytes, path: str) -> tuple[NewPerson, ...]:
    """Return the people whom a file lists.

    Raises:
        InvalidDocument: it does not read; a key is not proven, or stands there twice; nobody is an administrator.
    """
    document, _ = read_yaml(data, path)
    listed = document.get("people")
    if set(document) != {"people"} or not isinstance(listed, list):
        raise InvalidDocument(f"expected {path} to hold a list of people, got something else")
    found = tuple(_person(one, f"{path}, person {number}") for number, one in enumerate(listed, 1))
    own = [one.own for one in found if one.own]
    if len({one.person for one in own}) != len(own) or len({one.public for one in own}) != len(own):
        raise InvalidDocument(f"expected each person of {path} to have a key of their own, got one key twice")
    if not any("administrator" in one.roles for one in found):
        raise InvalidDocument(f"expected an administrator among the people of {path}, got none")
    return found


def enrol_pool(
    plane: ControlPlane, pool: tuple[NewPerson, ...], ask: Callable[[str], str]
) -> tuple[people.Person, ...]:
    """Enrol these people as the installation; `ask` is asked for the passphrase of each login without an own key.

    Raises:
        Conflict: there are people already.
        InvalidDocument: a role or a name is none, or a passphrase is too short.
    """
    if people.list_people(plane):
        raise Conflict("expected an installation without people, got one that has some")
    return people.enrol_all(plane, [(one, "" if one.own else ask(one.login)) for one in pool])


def _person(listed: object, where: str) -> NewPerson:
    if not isinstance(listed, dict) or set(listed) not in (_MUST, _MUST | _OWN):
        raise InvalidDocument(f"{where}: expected login, name, roles; and person, public, proof with an own key")
    login, name, roles = listed["login"], listed["name"], listed["roles"]
    if not isinstance(login, str) or not isinstance(name, str) or not isinstance(roles, list):
        raise InvalidDocument(f"{where}: expected a login, a name and a list of roles")
    own = _own(listed, where) if "public" in listed else None
    return NewPerson(login, name, tuple(str(role) for role in roles), own)


def _own(listed: dict[str, object], where: str) -> OwnKey:
    person = str(listed["person"])
    try:
        public, proof = (bytes.fromhex(str(listed[name])) for name in ("public", "proof"))
        if not _ID.fullmatch(person):
            raise ValueError
        require_proof(person, public, proof)
    except (InvalidDocument, ValueError):
        raise InvalidDocument(f"{where}: expected an own key with the proof of its holder, got another") from None
    return OwnKey(person, public)
