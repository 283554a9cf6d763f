"""Seeding: an organisation to try everything with, made through the very use cases that people use.

It enrols a few people with mixed roles, lets a library author propose the whole starter library, has it approved by
enough distinct people, releases it as number 1, and leaves one small proposal open for the guided tour.

Promises: may be stopped anywhere and run again: it goes on where it stopped, loses nothing, and changes nothing once it
is done; it refuses a registry that holds other people. Does not: take a shortcut around checks, quorum or signatures.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from control_plane import publish
from control_plane.accounts import people, tokens
from control_plane.accounts.people import NewPerson
from control_plane.errors import Refused
from control_plane.files import write_atomic
from control_plane.lifecycle import releases
from control_plane.overview import queries
from control_plane.plane import ControlPlane
from control_plane.reviewing import proposals, review

__all__ = ["DEMO_PEOPLE", "seed", "starter_library"]

DEMO_PEOPLE = (
    NewPerson("lena", "Lena Okafor", ("administrator", "author")),
    NewPerson("maya", "Maya Lindqvist", ("author", "learning-designer")),
    NewPerson("tom", "Tom Baptiste", ("facilitator",)),
    NewPerson("ines", "Ines Carvalho", ("community-host",)),
    NewPerson("ruth", "Ruth Adeyemi", ("compliance",)),
    NewPerson("sam", "Sam Novak", ("safety-owner",)),
    NewPerson("nora", "Nora Haddad", ("employee-representative",)),
    NewPerson("remy", "Remy Fontaine", ("release-manager",)),
)
_LIBRARY_AUTHOR, _RELEASER = "lena", "remy"
_APPROVERS = (
    ("ruth", "compliance"),
    ("sam", "safety-owner"),
    ("tom", "facilitator"),
    ("ines", "community-host"),
    ("nora", "employee-representative"),
)
_LIBRARY_TITLE = "Starter library"
_REASON = "Read every script and text of the starter library."
_FILE = "demo-people.json"


@dataclass(frozen=True, slots=True)
class Rewording:
    """The change that the guided tour begins with: who words which prompt anew."""

    login: str
    prompt: str
    before: str
    after: str


DEMO_CHANGE = Rewording(
    "maya",
    "compliment-first-opener",
    "What felt different about it this time?",
    "What did you do differently this time?",
)


def starter_library() -> dict[str, str]:
    """Return the YAML files of the library that comes with the product, by path."""
    return dict(_yaml_files(resources.files("prompt_library"), ""))


def seed(
    plane: ControlPlane, *, library: Mapping[str, str] | None = None, change: Rewording | None = DEMO_CHANGE
) -> bool:
    """Seed the registry and return whether anything was done.

    Args:
        plane: the control plane.
        library: YAML files by path; None for the starter library.
        change: the proposal to leave open; None for none.

    Raises:
        Refused: the registry holds other people than the demo's.
    """
    demo = _people(plane)
    done = _enrol(plane, demo)
    known = {person["login"]: person for person in demo}
    if not queries.list_releases(plane):
        _release_library(plane, known, library if library is not None else starter_library())
        done = True
    if change and len(queries.list_proposals(plane)) == 1:
        person = known[change.login]
        proposals.propose(
            plane,
            person["id"],
            files=_reworded(plane, change),
            title=f"A clearer question in {change.prompt}",
            passphrase=person["passphrase"],
        )
        done = True
    if done:
        publish.publish(plane)
    return done


def _people(plane: ControlPlane) -> list[dict[str, Any]]:
    """Return the demo people with their passphrases; written before anybody is enrolled, so that none is lost."""
    path = plane.settings.home / _FILE
    if path.is_file():
        return list(json.loads(path.read_bytes())["people"])
    if people.list_people(plane):
        raise Refused("expected an empty registry to seed, got one with people")
    demo = [
        {"login": p.login, "name": p.name, "roles": list(p.roles), "passphrase": f"{p.login}-{secrets.token_hex(4)}"}
        for p in DEMO_PEOPLE
    ]
    _save(path, demo)
    return demo


def _enrol(plane: ControlPlane, demo: Sequence[dict[str, Any]]) -> bool:
    there = {person.login: person for person in people.list_people(plane)}
    missing = [p for p in demo if p["login"] not in there]
    new = [(NewPerson(p["login"], p["name"], tuple(p["roles"])), p["passphrase"]) for p in missing]
    there |= {person.login: person for person in people.enrol_all(plane, new)} if new else {}
    without = [person for person in demo if "token" not in person]
    # A crash before the file is written leaves tokens whose text nobody has; the next run issues new ones.
    issued = tokens.issue_tokens(plane, [person["login"] for person in without]) if without else ()
    for person, token in zip(without, issued, strict=True):
        person["id"], person["token"] = there[person["login"]].id, token
    if without:
        _save(plane.settings.home / _FILE, demo)
    return bool(new or without)


def _release_library(plane: ControlPlane, known: Mapping[str, dict[str, Any]], library: Mapping[str, str]) -> None:
    author, releaser = known[_LIBRARY_AUTHOR], known[_RELEASER]
    open_now = queries.list_proposals(plane, state="open")
    if open_now:
        number = open_now[-1].number
    else:
        proposal = proposals.propose(
            plane, author["id"], files=library, title=_LIBRARY_TITLE, passphrase=author["passphrase"]
        )
        number = proposal.number
    review.check(plane, author["id"], number)
    detail = queries.show_proposal(plane, number)
    signed = {signature.person for signature in detail.signatures}
    for login, role in _APPROVERS:
        person = known[login]
        if person["id"] not in signed:
            review.approve(
                plane,
                person["id"],
                number,
                role=role,
                reason=_REASON,
                passphrase=person["passphrase"],
                manifest=detail.proposal.manifest,
            )
    releases.release(plane, releaser["id"], number)


def _reworded(plane: ControlPlane, change: Rewording) -> dict[str, str]:
    """Return the prompt, and the cases that quote it, with the new wording."""
    files = [queries.show_source(plane, kind, change.prompt) for kind in ("prompt", "cases")]
    return {file.path: file.text.replace(change.before, change.after) for file in files}


def _save(path: Path, demo: Sequence[dict[str, Any]]) -> None:
    write_atomic(path, json.dumps({"people": list(demo)}, indent=2).encode(), private=True)


def _yaml_files(folder: Traversable, above: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for member in sorted(folder.iterdir(), key=lambda member: member.name):
        if member.is_dir() and not member.name.startswith((".", "__")):
            found += _yaml_files(member, f"{above}{member.name}/")
        elif member.name.endswith(".yaml"):
            found.append((above + member.name, member.read_text("utf-8")))
    return found
