"""Authors who keep their key themselves: what they sign is derived, compared and signed where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from control_plane import ledger, verifying
from control_plane.accounts import tokens
from control_plane.client import Client, Options
from control_plane.custody.deciding import derive, require_written, sign_authorship
from control_plane.custody.keyfile import KeyFile, open_key
from control_plane.errors import Conflict, Refused
from control_plane.overview import queries
from control_plane.registry.records import Proposal
from control_plane.reviewing import drafts, own_keys, proposals
from control_plane.reviewing.material import Material
from control_plane.signing import Elsewhere
from control_plane.sync.records import Change, Proposed, Registry
from control_plane.sync.registry import ClientRegistry
from edge_runtime.core import dsse
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, inside, newest, refused, state_of
from tests.server.keyholders import SALT, SECRET, fresh, live
from tests.server.library import CASES, CLOSING, OPENER, STANCE, script, stance
from tests.serving import served

BYE = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}
FAREWELL = {CLOSING: script("closing", tier="R1", fill="Farewell, {{ work }}.")}


@pytest.fixture
def own(acts: Acts, tmp_path: Path) -> KeyFile:
    """The key of noor, an author."""
    return fresh(acts, tmp_path, "author")


def signed(acts: Acts, own: KeyFile, material: Material, files: Mapping[str, str] | None = None) -> JsonObject:
    """Return what noor's machine signs of what a server sent."""
    require_written(material, files or {})
    derived = derive(material, live(acts))
    return sign_authorship(material, derived, open_key(own, SECRET), person=own.person, salt=SALT, at=acts.plane.now())


@contextmanager
def registry_of(acts: Acts, own: KeyFile, kind: str) -> Iterator[Registry]:
    """Give the registry as noor reaches it; a passphrase is never asked for."""

    def sign(material: Material, files: Mapping[str, str]) -> JsonObject:
        return signed(acts, own, material, files)

    def never() -> str:
        raise AssertionError("no passphrase")

    if kind == "home":
        yield ClientRegistry(inside(acts.plane, own.person), "home", never, sign)
        return
    token = tokens.issue_token(acts.plane, own.person)
    with served(acts.plane.settings) as url, Client(Options(url, token)) as client:
        yield ClientRegistry(client, url, never, sign)


def asked(acts: Acts, own: KeyFile, files: Mapping[str, str] = BYE, title: str = "A word") -> Material:
    """Return what there is to sign of a proposal of noor's."""
    return own_keys.unsigned(
        lambda proof: proposals.propose(acts.plane, own.person, files=files, title=title, passphrase=proof), Material
    )


def hand_in(acts: Acts, own: KeyFile, made: JsonObject, title: str = "A word") -> Proposed:
    """Hand in what was signed, as a proposal of BYE."""
    proof = own_keys.signed_elsewhere([(made["envelope"], dsse.decode_base64(made["salt"]))])
    done = proposals.propose(acts.plane, own.person, files=BYE, title=title, passphrase=proof)
    return Proposed(done.number, done.revision, done.state, done.manifest)


@pytest.mark.parametrize("kind", ["home", "server"])
def test_an_author_proposes_edits_and_proposes_a_draft_with_their_own_key(acts: Acts, own: KeyFile, kind: str) -> None:
    """Asking what to sign stores nothing; what was signed is a proposal like any other, up to its release."""
    live_now = queries.live_manifest(acts.plane)
    with registry_of(acts, own, kind) as registry:
        made = registry.propose(Change("", "", {**BYE, STANCE: stance("Listen first.")}, (), "A word"))
        again = registry.propose(Change("", "", FAREWELL, (), "", edit=made.number))
        draft = drafts.save_draft(acts.plane, own.person, files=BYE, title="Mine")
        other = registry.propose_draft(draft.id)
    assert (again.number, again.revision, again.state) == (made.number, 2, "open")
    shown = queries.show_proposal(acts.plane, other.number).proposal
    assert (shown.title, shown.author) == ("Mine", own.person)
    assert queries.live_manifest(acts.plane) == live_now
    acts.approve_fully(made.number)
    acts.release(made.number)
    [entry, *_] = ledger.search(acts.plane, act="proposed", actor=own.person)
    assert b'"auth":"key"' in entry.data
    assert verifying.verify(acts.plane).problems == ()


def test_asking_what_to_sign_changes_nothing(acts: Acts, own: KeyFile) -> None:
    """Neither a row nor an entry of the log comes of it, and it may be asked again."""
    before = state_of(acts.plane)
    assert asked(acts, own) == asked(acts, own)
    assert state_of(acts.plane) == before
    with refused(acts.plane, Refused, "author", logged="propose"):
        own_keys.unsigned(
            lambda proof: proposals.propose(acts.plane, acts.id("remy"), files=BYE, title="x", passphrase=proof),
            Material,
        )


def test_attack_an_authorship_that_is_not_what_the_server_would_sign(acts: Acts, own: KeyFile) -> None:
    """Another title, content, person, signature or kind of statement: refused, and nothing changes."""
    made = signed(acts, own, asked(acts, own))
    other = signed(acts, own, asked(acts, own, FAREWELL))
    with refused(acts.plane, Refused, "something else"):
        hand_in(acts, own, made, title="Another word")
    with refused(acts.plane, Refused, "something else"):
        hand_in(acts, own, other)
    with refused(acts.plane, Refused, "something else"):
        hand_in(acts, replace(own, person=acts.id("maya")), made)
    flipped = dict(made["envelope"]) | {"signatures": [{**made["envelope"]["signatures"][0], "sig": "AAAA"}]}
    with refused(acts.plane, (Refused, InvalidDocument)):  # type: ignore[arg-type]
        hand_in(acts, own, {**made, "envelope": flipped})
    with refused(acts.plane, InvalidDocument, "salt"):
        hand_in(acts, own, {**made, "salt": "AAAA"})
    hand_in(acts, own, made)
    with refused(acts.plane, Conflict, "nobody proposes yet"):
        hand_in(acts, own, made)


def test_attack_the_world_moves_between_asking_and_signing(acts: Acts, own: KeyFile) -> None:
    """What was signed on one release is no authorship on another."""
    made = signed(acts, own, asked(acts, own))
    acts.approve_fully()
    acts.release()
    with refused(acts.plane, Refused, "something else"):
        hand_in(acts, own, made)


def test_attack_a_server_that_has_something_else_signed_than_what_was_written(acts: Acts, own: KeyFile) -> None:
    """A file that is frozen otherwise here, a shared passage that is not the manifest's, entries not shown: refused."""
    material = asked(acts, own)
    require_written(material, BYE)
    with pytest.raises(Refused, match="freezes it"):
        require_written(material, FAREWELL)
    with pytest.raises(Refused, match="freezes it"):
        require_written(material, {OPENER: script("opener", fill="You, {{ work }}.")})
    lying = {**material.shared, "include stance": stance("Lie first.")}
    with pytest.raises(Refused, match="freezes it"):
        require_written(replace(material, shared=lying), {})
    with pytest.raises(Refused, match="what changes"):
        signed(acts, own, replace(material, signs=("prompt opener",)))


def test_cases_alone_are_edited_with_an_own_key(acts: Acts, own: KeyFile) -> None:
    """The manifest stays as it is, and so do its signatures; what was signed says who edits."""
    done = hand_in(acts, own, signed(acts, own, asked(acts, own)))
    cases = {"cases/opener.yaml": CASES.replace("You did the checklist.", "Now the checklist.")}

    def act(proof: Elsewhere) -> Proposal:
        return proposals.edit(acts.plane, own.person, done.number, files=cases, passphrase=proof)

    made = signed(acts, own, own_keys.unsigned(act, Material), cases)
    again = act(own_keys.signed_elsewhere([(made["envelope"], SALT)]))
    assert (again.revision, again.manifest) == (2, done.manifest)
    last = newest(acts.plane)
    assert (last.act, last.actor.auth, last.reason.code) == ("edited", "key", "cases")


def test_attack_a_machine_hands_in_what_a_person_signed(acts: Acts, own: KeyFile) -> None:
    """Its own key signs what it proposes; nobody's own key acts through it."""
    made = signed(acts, own, asked(acts, own))
    issued = tokens.issue(
        acts.plane, acts.id("maya"), name="ci", passphrase=acts.passphrase("maya"), scopes=["propose"], machine="ci"
    )
    machine = Acts(replace(acts.plane, acting=tokens.acting_for(acts.plane, issued.text)))
    with refused(acts.plane, Refused, "person to sign"):
        hand_in(machine, replace(own, person=acts.id("maya")), made)
