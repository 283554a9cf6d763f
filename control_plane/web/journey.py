"""The journey of the guided tour: what happened already, and what one act does.

Everything about a proposal, its approvals and the log is asked of the use cases each time. Kept here, for as long as
the server runs, is only what no use case knows: that a page was read, which refusal was shown, what the device
reported. A new proposal starts a new journey.
Promises: an act goes through the use case that the console and the command line call; nothing is staged.
Does not: see a note. The device tells the page that one was read, never which.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import yaml

from control_plane import ledger, verifying
from control_plane.errors import NotFound, Refused
from control_plane.lifecycle import releases
from control_plane.overview import queries
from control_plane.plane import ControlPlane
from control_plane.registry.drafts import SourceFile
from control_plane.registry.records import ProposalDetail
from control_plane.reviewing import proposals, review
from control_plane.web.demo_people import DemoPeople, DemoPerson, load_demo_people, role_for
from control_plane.web.words import refusal_words, shown_forgery, shown_ledger, shown_proposal
from edge_runtime.core.errors import InvalidDocument

__all__ = ["Journey"]

AUTHOR = "maya"
APPROVERS = ("tom", "ines")
RELEASER_ROLE = "release-manager"
MAX_WORDING = 1000


@dataclass(slots=True)
class _Progress:
    """What the server remembers of one walk through the tour."""

    number: int = 0
    read: bool = False
    refused: str = ""
    refused_exactly: str = ""
    adopted: int = 0
    noted: bool = False
    forged: dict[str, str] = field(default_factory=dict)
    withstood: str = ""
    audit: dict[str, Any] = field(default_factory=dict)


class Journey:
    """One walk at a time: the tour of one demo installation. Acts follow one another, whoever asks."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._progress = _Progress()
        self._lock = threading.Lock()
        self._acts: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "read": self._read,
            "approve": self._approve,
            "publish": self._publish,
            "device": self._device,
            "tamper": self._tamper,
            "verify": self._verify,
            "propose": self._propose,
        }

    def act(self, request: Mapping[str, Any]) -> None:
        """Do what `request["act"]` names.

        Raises:
            InvalidDocument: an unknown act or person, or a wording that no script can have.
            Refused, Conflict: the use case did not allow it.
        """
        act = self._acts.get(str(request.get("act")))
        if act is None:
            raise InvalidDocument("expected an act of the tour")
        with self._lock:
            self._follow(self._newest())
            act(request)

    def state(self, *, has_device: bool) -> dict[str, Any]:
        """Return everything that the page shows; without a device there is no adoption to wait for."""
        detail = self._newest()
        people = self._people()
        progress = self._follow(detail)
        released = self._release_of(detail)
        approvals = sum(not signature.void and signature.act == "approve" for signature in detail.signatures)
        adopted = bool(released) and (progress.adopted >= released or not has_device)
        done = {
            "1": progress.read or approvals > 0 or bool(released),
            "2": bool(progress.refused),
            "3": bool(released),
            "4": adopted,
            "5": progress.noted,
            "6": bool(progress.withstood),
            "7": bool(progress.audit),
        }
        return {
            "proposal": shown_proposal(detail, people, released=bool(released), titles=self._titles()),
            "people": {p: self._person(people, p) for p in (AUTHOR, *APPROVERS)},
            "publisher": people.in_role(RELEASER_ROLE).first_name,
            "refused": progress.refused,
            "refused_exactly": progress.refused_exactly,
            "released": released,
            "adopted": progress.adopted,
            "forged": progress.forged,
            "withstood": progress.withstood,
            "audit": progress.audit,
            "done": done,
            "open": _open_steps(done, approvals),
        }

    def _newest(self) -> ProposalDetail:
        known = queries.list_proposals(self._plane)
        if not known:
            raise NotFound("expected a proposal to show, got none")
        return queries.show_proposal(self._plane, max(proposal.number for proposal in known))

    def _follow(self, detail: ProposalDetail) -> _Progress:
        """Return the progress with the proposal now shown; another proposal starts afresh."""
        if self._progress.number != detail.proposal.number:
            self._progress = _Progress(detail.proposal.number)
        return self._progress

    def _release_of(self, detail: ProposalDetail) -> int:
        number = detail.proposal.number
        return next((r.number for r in queries.list_releases(self._plane) if r.proposal == number), 0)

    def _people(self) -> DemoPeople:
        return load_demo_people(self._plane.settings.home)

    def _titles(self) -> dict[str, str]:
        return {script.name: script.title for script in queries.list_prompts(self._plane)}

    @staticmethod
    def _person(people: DemoPeople, login: str) -> dict[str, str]:
        person = people.of_login(login)
        return {"id": person.id, "name": person.first_name}

    def _read(self, _: Mapping[str, Any]) -> None:
        detail = self._newest()
        if not detail.checks:
            review.check(self._plane, detail.proposal.author, detail.proposal.number)
        self._progress.read = True

    def _approve(self, request: Mapping[str, Any]) -> None:
        person = self._people().of_login(str(request.get("person")))
        detail = self._newest()
        try:
            self._sign(person, detail, seen=str(request.get("manifest", "")))
        except Refused as refusal:
            if person.id != detail.proposal.author:
                raise
            self._progress.refused = refusal_words(str(refusal), person.first_name)
            self._progress.refused_exactly = str(refusal)

    def _sign(self, person: DemoPerson, detail: ProposalDetail, *, seen: str) -> None:
        review.approve(
            self._plane,
            person.id,
            detail.proposal.number,
            role=role_for(person, (role for missing in detail.missing for role in missing.roles)),
            reason="Read it in the guided tour; the new wording is clearer.",
            passphrase=person.passphrase,
            manifest=seen,
        )

    def _publish(self, _: Mapping[str, Any]) -> None:
        releases.release(self._plane, self._people().in_role(RELEASER_ROLE).id, self._progress.number)

    def _device(self, request: Mapping[str, Any]) -> None:
        """Take down what the device told the page; it decides nothing but which step is shown as done."""
        if request.get("noted"):
            self._progress.noted = True
        elif request.get("source") == "forged" and not request.get("ok"):
            self._progress.withstood = str(request.get("check"))[:2]
        elif request.get("source") == "" and type(request.get("release")) is int:
            self._progress.adopted = request["release"]

    def _tamper(self, _: Mapping[str, Any]) -> None:
        from control_plane.publish import forge_mirror  # brings `tuf`, which takes a third of a second to import

        forged = forge_mirror(self._plane, self._plane.settings.forged)
        self._progress.forged = shown_forgery(forged, queries.show_prompt(self._plane, forged.name).document)
        self._progress.withstood = ""

    def _verify(self, _: Mapping[str, Any]) -> None:
        report = verifying.verify(self._plane)
        # Not a reading: the tour shows its visitor what they just did; an entry for each look would push that out.
        last = ledger.search(self._plane, limit=8)
        self._progress.audit = shown_ledger(report, last, self._people(), titles=self._titles())

    def _propose(self, request: Mapping[str, Any]) -> None:
        wording = request.get("wording")
        if not isinstance(wording, str) or not 0 < len(wording.strip()) <= MAX_WORDING:
            raise InvalidDocument(f"expected a wording of at most {MAX_WORDING} characters")
        detail = self._newest()
        shown = shown_proposal(detail, self._people(), released=bool(self._release_of(detail)), titles=self._titles())
        author = self._people().of_login(AUTHOR)
        files = {
            file.path: reworded(file.text, shown["live"], wording.strip()) for file in self._sources(shown["name"])
        }
        proposals.propose(
            self._plane,
            author.id,
            files=files,
            title=f"Another wording in {shown['script']}",
            passphrase=author.passphrase,
        )

    def _sources(self, name: str) -> list[SourceFile]:
        """Return the live script and, if it has any, the cases that quote it."""
        found = [queries.show_source(self._plane, "prompt", name)]
        with suppress(NotFound):  # a script may have no cases
            found.append(queries.show_source(self._plane, "cases", name))
        return found


def reworded(source: str, before: str, after: str) -> str:
    """Return YAML with `before` replaced by `after` in its texts, comments and layout kept where that is safe."""
    wanted = _replaced(yaml.safe_load(source), before, after)
    edited = source.replace(before, after)
    try:
        if yaml.safe_load(edited) == wanted:
            return edited
    except yaml.YAMLError:
        pass  # words such as ": " mean something in YAML; written anew they are quoted
    return yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True, width=100)


def _replaced(value: Any, before: str, after: str) -> Any:
    if isinstance(value, str):
        return value.replace(before, after)
    if isinstance(value, list):
        return [_replaced(member, before, after) for member in value]
    if isinstance(value, dict):
        return {key: _replaced(member, before, after) for key, member in value.items()}
    return value


def _open_steps(done: Mapping[str, bool], approvals: int) -> list[int]:
    """Return the steps that are open: each opens when the one before is done, the last three together."""
    opened = [1]
    if done["1"]:
        opened.append(2)
    if done["2"] or approvals or done["3"]:
        opened.append(3)
    if done["3"]:
        opened.append(4)
    if done["4"]:
        opened += [5, 6, 7]
    return opened
