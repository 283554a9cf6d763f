"""The library: what relies on what is held together, translations keep their contract, and everything is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlmodel import select
from typer.testing import CliRunner

from audit.frozen import replace
from control_plane import db, verifying
from control_plane.cli import app
from control_plane.errors import Conflict, NotFound
from control_plane.overview import queries
from control_plane.plane import ControlPlane, open_plane
from control_plane.registry import library as shelves
from control_plane.registry.library import Query
from control_plane.registry.live import live_manifest
from control_plane.registry.shelves import known_shelf, shelf_of
from control_plane.seed import seed
from control_plane.settings import Settings
from control_plane.sources.closures import freeze
from control_plane.sources.parsing import parse_source
from control_plane.tables.library import CardRow
from edge_runtime.core import canonical
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, refused
from tests.server.conftest import CHEAP
from tests.server.library import OPENER, POLICY, VOCABULARY, WORDS, library, policy, script, stance
from tests.vectors import generate_kinds

AGREEMENT, SESSION, GERMAN, MODEL = "agreement.yaml", "session.yaml", "scripts/opener.de.yaml", "model.yaml"


def written(kind: str, document: dict[str, Any], **changes: object) -> str:
    """Return the YAML of a document of that kind."""
    members = {name: value for name, value in {"kind": kind, **document, **changes}.items() if name != "includes"}
    return yaml.safe_dump(members, allow_unicode=True, sort_keys=False)


def agreement(**changes: object) -> str:
    """Return an agreement."""
    return written("agreement", generate_kinds.agreement(), **changes)


def session(*prompts: str, **changes: object) -> str:
    """Return a session type that uses prompts."""
    stage = {"id": "ask", "title": "Ask", "goal": "Hear what changed.", "minutes": [5], "prompts": [*prompts]}
    given = {"name": "check-in", "handoff": "reach-a-person", "lengths": [5], "stages": [stage], **changes}
    return written("session-type", generate_kinds.session_type(), **given)


def opener(**changes: str) -> str:
    """Return the opener, used in the session type, with some of its lines changed."""
    lines = {"session_types": "[check-in]", "folder": "talk/openings", "tags": "[warm, short]", **changes}
    text = script("opener").replace("session_types: []\n", "")
    for name in lines:
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(f"{name}: "))
    head, rest = text.split("purpose: ", 1)
    return f"{head}{''.join(f'{name}: {value}{chr(10)}' for name, value in lines.items())}purpose: {rest}"


def digest_of(text: str) -> str:
    """Return the digest of a script's closure."""
    sources = [parse_source(one.encode(), "x") for one in (text, stance())]
    return canonical.digest(freeze(sources[0], sources))


def german(**changes: str) -> str:
    """Return the German opener."""
    source = f"{{name: opener, digest: '{digest_of(opener())}'}}"
    lines = {"name": "opener.de", "locale": "de", "title": "Über den Anfang", "translation_of": source}
    lines |= {"disclosure": "Sie nutzen einen Assistenten. Nur was Sie erlauben, verlässt dieses Gerät.", **changes}
    return opener(**lines)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with every kind, to be copied."""
    folder = tmp_path_factory.mktemp("library") / "home"
    plane = open_plane(Settings(home=folder, argon2=CHEAP), clock=lambda: NOW)
    more = {OPENER: opener(), GERMAN: german(), AGREEMENT: agreement(), SESSION: session("opener")}
    seed(plane, library={**library(), **more}, change=None)
    plane.close()
    return folder


@pytest.fixture(scope="module")
def everything(home: Path) -> Iterator[Acts]:
    """The demo people of a home with every kind; what tests refuse changes nothing, so they share it."""
    yield from _acting(home, home.parent / "shared")


@pytest.fixture
def own(home: Path, tmp_path: Path) -> Iterator[Acts]:
    """The demo people of a home of the test's own."""
    yield from _acting(home, tmp_path / "home")


def _acting(home: Path, copy: Path) -> Iterator[Acts]:
    shutil.copytree(home, copy)
    plane = open_plane(Settings(home=copy, argon2=CHEAP), clock=lambda: NOW)
    yield Acts(plane)
    plane.close()


NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


@pytest.fixture
def plane(everything: Acts) -> ControlPlane:
    """The control plane with every kind."""
    return everything.plane


def names(plane: ControlPlane, **asked: Any) -> list[str]:
    """Return the names of what a query finds."""
    return [item.name for item in shelves.search(plane, Query(**asked)).items]


REFUSED: list[tuple[dict[str, str], str]] = [
    ({OPENER: opener(session_types="[gone]"), GERMAN: german(session_types="[gone]")}, "session-type that is there"),
    ({SESSION: session("opener", "gone")}, "session.yaml:.* prompt that is there, got 'gone'"),
    ({SESSION: session("opener", handoff="gone")}, "handoff that is there"),
    ({SESSION: session("opener", agreement="gone")}, "agreement that is there"),
    (
        {
            "p.yaml": opener(
                name="gone.de", locale="de", translation_of=f"{{name: gone, digest: '{'sha256:' + '0' * 64}'}}"
            )
        },
        "name of a prompt that is there, got 'gone'",
    ),
    ({POLICY: policy().replace("vocabulary: words", "vocabulary: gone")}, "a vocabulary 'gone', got none"),
    ({OPENER: opener().replace('include "stance"', 'include "gone"').replace("[stance]", "[gone]")}, "include 'gone'"),
]


@pytest.mark.parametrize(("files", "expected"), REFUSED, ids=[expected for _, expected in REFUSED])
def test_what_is_named_must_be_there(everything: Acts, files: dict[str, str], expected: str) -> None:
    """A dangling reference is refused where it stands, before anybody is asked to approve it."""
    with refused(everything.plane, InvalidDocument, expected):
        everything.propose("maya", files)


@pytest.mark.parametrize(
    ("key", "user"),
    [
        (("prompt", "opener"), "prompt 'opener.de' and 1 more relies on it"),
        (("session-type", "check-in"), "prompt 'opener' and 1 more relies on it"),
        (("agreement", "coaching-agreement"), "session-type 'check-in' relies on it"),
        (("handoff", "reach-a-person"), "session-type 'check-in' relies on it"),
    ],
    ids=str,
)
def test_attack_what_something_relies_on_cannot_go(everything: Acts, key: tuple[str, str], user: str) -> None:
    """Removing a prompt from under a session type, or an original from under its translation, is a conflict."""
    with refused(everything.plane, Conflict, user):
        everything.propose("maya", {}, remove=[key])


@pytest.mark.parametrize("key", [("include", "stance"), ("vocabulary", "words")], ids=str)
def test_attack_what_is_frozen_into_others_cannot_go(everything: Acts, key: tuple[str, str]) -> None:
    """An include that a script uses and a vocabulary that the policy uses stay."""
    with refused(everything.plane, InvalidDocument, "got none of that name"):
        everything.propose("maya", {}, remove=[key])


def test_both_sides_may_go_together(everything: Acts) -> None:
    """A session type, what names it and its translation are removed in one proposal."""
    keys = [("prompt", "opener"), ("prompt", "opener.de"), ("session-type", "check-in"), ("cases", "opener")]
    made = everything.propose("maya", {}, remove=keys)
    changed = {change.name for change in queries.show_proposal(everything.plane, made.number).changes}
    assert changed == {"opener", "opener.de", "check-in"}


CONTRACTS: list[tuple[str, str]] = [
    (german(tier="R1"), "to have tier as 'opener' has it"),
    (german(placement="cloud"), "to have placement as"),
    (german(audience="[mentor]"), "to have audience as"),
    (german().replace("maxLength: 200", "maxLength: 999"), "to have inputs.properties.work.maxLength as"),
    (german().replace("x-data-class: R1", "x-data-class: R0"), "to have inputs.properties.work.x-data-class as"),
    (german().replace("required: [message]", "required: []"), "to have output.required as"),
    (german(max_tokens="999"), "to have max_tokens as"),
]


@pytest.mark.parametrize(("text", "expected"), CONTRACTS, ids=[expected for _, expected in CONTRACTS])
def test_attack_a_translation_with_another_contract_is_refused(everything: Acts, text: str, expected: str) -> None:
    """Nobody gets looser rules, other inputs or another risk level by choosing a language."""
    with refused(everything.plane, InvalidDocument, expected):
        everything.propose("maya", {GERMAN: text})


def test_attack_an_original_cannot_leave_its_translations_behind(everything: Acts) -> None:
    """A new contract of the original brings its translations along in the same proposal, or is refused."""
    new = opener().replace("maxLength: 200", "maxLength: 100")
    with refused(everything.plane, InvalidDocument, "'opener.de' to have inputs.properties.work.maxLength"):
        everything.propose("maya", {OPENER: new})
    both = {OPENER: new, GERMAN: german().replace("maxLength: 200", "maxLength: 100")}
    assert everything.propose("maya", both).number


def test_attack_a_session_type_cannot_measure_what_nobody_agreed_to(everything: Acts) -> None:
    """Another measure, a smaller group, more eyes or a longer time than in the agreement are refused."""
    agreed = generate_kinds.session_type()["measures"][0]
    for change, why in (
        ({"id": "mood"}, "it is not agreed at all"),
        ({"from_people": 1}, "shown from 1 people on, not from 5"),
        ({"seen_by": ["programme", "learner"]}, "learner would see it"),
        ({"keep_days": 9999}, "kept for 9999 days, not for 365"),
    ):
        with refused(everything.plane, InvalidDocument, why):
            everything.propose("maya", {SESSION: session("opener", measures=[{**agreed, **change}])})
    with refused(everything.plane, InvalidDocument, "it is not agreed at all"):
        everything.propose("maya", {AGREEMENT: agreement(measures=[], version=2)})


def test_attack_more_is_stored_under_the_same_version(everything: Acts) -> None:
    """What people must accept anew has a higher version; a version never falls; unknown consents are refused."""
    stored = generate_kinds.agreement()["stored"]
    with refused(everything.plane, InvalidDocument, "expected version 2 in version"):
        everything.propose("maya", {AGREEMENT: agreement(stored=[{**stored[0], "where": "cloud"}])})
    consent = {"id": "everything", "sentence": "Everything.", "without": "Nothing."}
    with refused(everything.plane, InvalidDocument, "consents that the policy knows"):
        everything.propose("maya", {AGREEMENT: agreement(version=2, consents=[consent])})
    assert everything.propose("maya", {AGREEMENT: agreement(version=2, stored=[{**stored[0], "where": "cloud"}])})


def test_a_rule_cannot_ask_for_an_agreement_that_nobody_can_accept(everything: Acts) -> None:
    """A version that no agreement has would switch a feature off for everybody, unseen."""
    words = VOCABULARY.replace("permissions:\n", "permissions:\n  agreement: {maximum: 9}\n").replace(
        "meanings:\n", "meanings:\n  agreement: The version that was accepted.\n"
    )
    rules = policy() + "  - {id: agreed, because: agree first, when: {agreement: {below: VERSION}}, at_most: device}\n"
    with refused(everything.plane, InvalidDocument, "at most 1, got 2"):
        everything.propose("maya", {POLICY: rules.replace("VERSION", "2"), WORDS: words})
    made = everything.propose("maya", {POLICY: rules.replace("VERSION", "1"), WORDS: words})
    changed = {change.name for change in queries.show_proposal(everything.plane, made.number).changes}
    assert changed == {"organisation", "words"}


def test_a_model_is_named_in_the_manifest_with_its_file(everything: Acts) -> None:
    """What devices must hold is what people approved: digest and size stand in the manifest too."""
    made = everything.propose("maya", {MODEL: written("model", generate_kinds.model())})
    with db.read(everything.plane.engine) as session:
        from control_plane.registry.store import find_proposal
        from edge_runtime.core.manifest import parse_manifest

        manifest = parse_manifest(find_proposal(session, made.number)[1].manifest)
    assert [(model.name, model.size_bytes) for model in manifest.models] == [("topics", 20)]
    assert manifest.models[0].digest == generate_kinds.model()["file"]["digest"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"words": "uber anfang"}, ["opener.de"]),
        ({"words": "OPEN", "kind": "prompt"}, ["opener", "opener.de"]),
        ({"words": "listens carefully nowhere"}, []),
        ({"kind": "agreement"}, ["coaching-agreement"]),
        ({"folder": "talk"}, ["opener", "opener.de"]),
        ({"folder": "talk/openings", "locale": "DE"}, ["opener.de"]),
        ({"folder": "tal"}, []),
        ({"tag": "warm", "tier": "R2"}, ["opener", "opener.de"]),
        ({"owner": "learning-designer", "kind": "session-type"}, ["check-in"]),
        ({"stale": True}, []),
        ({"withdrawn": True}, []),
        ({"tag": "') OR 1=1 --"}, []),
    ],
    ids=str,
)
def test_what_is_looked_for_is_found(plane: ControlPlane, asked: dict[str, Any], found: list[str]) -> None:
    """Words at their beginning, without accents and case; every other member just so; together they narrow."""
    assert names(plane, **asked) == found


def test_a_title_comes_before_a_text(plane: ControlPlane) -> None:
    """Who looks for a name finds it first."""
    assert names(plane, words="stance")[0] == "stance"


def test_pages_go_through_all_of_it_once(plane: ControlPlane) -> None:
    """Following the cursors gives each entry once, in one order, and the total is the same throughout."""
    for words in ("", "o"):
        everything = shelves.search(plane, Query(words=words))
        seen, after = [], ""
        while True:
            page = shelves.search(plane, Query(words=words, after=after, limit=2))
            seen += page.items
            assert page.total == everything.total
            if not (after := page.next):
                break
        assert tuple(seen) == everything.items


@pytest.mark.parametrize(
    "asked",
    [{"kind": "recipe"}, {"tier": "R9"}, {"limit": 0}, {"limit": 201}, {"after": "%"}, {"words": "a " * 17}],
    ids=str,
)
def test_a_question_that_makes_no_sense_is_refused(plane: ControlPlane, asked: dict[str, Any]) -> None:
    """An unknown kind or tier, a foreign cursor and an endless question are told, not answered with nothing."""
    with pytest.raises(InvalidDocument):
        shelves.search(plane, Query(**asked))


def test_a_thing_is_shown_with_what_it_relies_on(plane: ControlPlane) -> None:
    """Before somebody changes something they see who uses it, and in which languages it is there."""
    found = shelves.show(plane, "opener")
    assert {(one.kind, one.name) for one in found.relies_on} == {("include", "stance"), ("session-type", "check-in")}
    assert {(one.kind, one.name) for one in found.used_by} == {("prompt", "opener.de"), ("session-type", "check-in")}
    assert [item.name for item in found.translations] == ["opener.de"]
    assert found.source == opener()
    with pytest.raises(NotFound):
        shelves.show(plane, "opener", kind="agreement")


def test_folders_and_tags_are_counted(plane: ControlPlane) -> None:
    """A folder counts what is below it too."""
    counted = {one.name: one.entries for one in shelves.folders(plane)}
    assert (counted["talk"], counted["talk/openings"], counted["sessions"]) == (2, 2, 1)
    assert {one.name: one.entries for one in shelves.tags(plane)} == {"example": 2, "short": 2, "warm": 2}


def test_the_command_line_lists_searches_and_shows(plane: ControlPlane) -> None:
    """`mentorplane library` answers what the use case answers, and says where to go on."""
    run: Callable[..., Any] = CliRunner().invoke
    home = ["--home", str(plane.settings.home)]
    assert "opener.de" in run(app, ["library", "search", "Anfang", *home]).output
    listed = run(app, ["library", "list", "--limit", "1", *home]).output
    assert "more: --after " in listed
    assert "used by session-type check-in" in run(app, ["library", "show", "opener", *home]).output
    assert "  openings (2)" in run(app, ["library", "folders", *home]).output
    assert "warm (2)" in run(app, ["library", "tags", *home]).output
    assert run(app, ["library", "list", "--kind", "recipe", *home]).exit_code == 3


def test_a_changed_original_makes_its_translation_stale(own: Acts) -> None:
    """Lists say which, and what changed; a new tag of the original does not; the release goes on with the old text."""
    acts, plane = own, own.plane
    for number, (text, because) in enumerate(
        [(opener(tags="[cold]"), ()), (opener(tags="[cold]", fallback="Think again."), ("fallback",))], 2
    ):
        acts.propose("maya", {OPENER: text})
        acts.approve_fully(number)
        acts.release(number)
        [item] = shelves.search(plane, Query(locale="de")).items
        assert (item.name, item.stale) == ("opener.de", because)
    assert names(plane, stale=True) == ["opener.de"]
    acts.withdraw("tom", "opener")
    assert names(plane, withdrawn=True) == ["opener"]
    with refused(plane, InvalidDocument, "a prompt that is in use, got 'opener', which is withdrawn"):
        acts.propose("maya", {SESSION: session("opener", title="Another")})


def test_a_shelf_made_from_the_one_before_finds_what_one_made_anew_finds(own: Acts) -> None:
    """A release costs what it changes; what is found then is what a server that just started finds."""
    acts, plane = own, own.plane
    shelves.search(plane, Query())
    acts.propose("maya", {OPENER: opener(tags="[cold]", fallback="Think again.")})
    acts.approve_fully(2)
    acts.release(2)
    with db.read(plane.engine) as session:
        manifest, digest = live_manifest(session, plane.channel)
        assert manifest is not None
        assert known_shelf(manifest.base)
        grown = shelf_of(session, manifest, digest)
        anew = shelf_of(session, replace(manifest, base=""), "made anew")
    assert grown.volumes == anew.volumes
    for member in ("folder", "kind", "locale", "owner", "stale", "tag", "tier"):
        assert list(grown.values(member)) == list(anew.values(member))
    for words in (["think"], ["cold"], ["warm"], ["open"], ["o", "a"]):
        assert grown.search(words) == anew.search(words)
    for volume in grown.volumes:
        assert grown.users(volume.entry.key) == anew.users(volume.entry.key)
        assert grown.with_digests([volume.entry.digest]) == anew.with_digests([volume.entry.digest])


def test_attack_a_card_changed_in_the_database_is_named(own: Acts) -> None:
    """What lists show is compared with the closures by `audit verify`."""
    plane = own.plane
    assert verifying.verify(plane).ok
    with db.write(plane.engine) as session:
        row = session.exec(select(CardRow)).first()
        assert row is not None
        row.card = {**row.card, "title": "Approved by everybody"}
        session.add(row)
        digest = row.digest
    assert any(digest in problem for problem in verifying.verify(plane).problems)
