"""What was live at a moment: from entries, manifests and statements, to the second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import text

from audit.record import Act, Auth, LeafObject
from control_plane import db, ledger
from control_plane.app import create_app
from control_plane.errors import NotFound
from control_plane.evidence.asof import AsOf, Live, as_of
from control_plane.keeping import erasing
from control_plane.keeping.keepers import Asking
from edge_runtime.core.errors import Unavailable
from tests.server.acts import Acts, refused
from tests.server.conftest import Clock, Stage
from tests.server.library import CASES, CLOSING, OPENER, script
from tests.server.test_cli import run

SECOND = timedelta(seconds=1)


def told(acts: Acts, clock: Clock) -> None:
    """Release 2 of a new opener a day after release 1, and a day later closing is withdrawn."""
    clock.advance(days=1)
    acts.check()
    acts.approve("tom", reason="tom finds it clearer")
    acts.approve("ines", reason="ines too")
    clock.advance(hours=1)
    acts.release()
    clock.advance(days=1)
    acts.withdraw("sam", "closing")
    clock.advance(hours=1)


@pytest.fixture
def busy(after: Callable[[Stage], Acts]) -> Acts:
    """The demo people after all that."""
    return after(told)


def released_at(acts: Acts, number: int) -> datetime:
    """Return when a release was made."""
    [leaf] = ledger.search(acts.plane, act="released", name=f"release-production-{number}")
    return leaf.at


def asked(acts: Acts, at: datetime, name: str = "") -> AsOf:
    """Ask as compliance."""
    return as_of(acts.plane, acts.id("ruth"), at=at, name=name)


def story(acts: Acts, at: datetime, name: str) -> Live:
    """Return the one entry of that name."""
    [live] = asked(acts, at, name).entries
    return live


def release_again(acts: Acts, name: str, path: str, fill: str, tier: str = "R2") -> None:
    """Propose another wording, approve it with its quorum, and release it."""
    files = {path: script(name, tier=tier, fill=fill)}
    if name == "opener":
        said = fill.replace("{{ work }}", "the checklist")
        files["cases/opener.yaml"] = CASES.replace("You did the checklist.", said)
    number = acts.propose("maya", files).number
    acts.approve_fully(number)
    acts.release(number)


def test_before_the_first_release_nothing_was_live(busy: Acts) -> None:
    """A second before it there is no release, and no name."""
    first = released_at(busy, 1)
    found = asked(busy, first - SECOND)
    assert (found.release, found.manifest, found.released, found.entries, found.policies) == (0, "", None, (), ())
    with pytest.raises(NotFound):
        asked(busy, first - SECOND, "opener")
    assert asked(busy, first).release == 1


@pytest.mark.databases
def test_a_release_counts_from_its_own_second_on(busy: Acts) -> None:
    """The second before is the old version's, the second itself is the new one's, whatever its fraction."""
    second = released_at(busy, 2)
    assert story(busy, second - SECOND, "opener").epoch == 1
    for fraction in (0, 999_999):
        assert story(busy, second.replace(microsecond=fraction), "opener").epoch == 2


@pytest.mark.databases
def test_the_answer_says_who_and_why_and_where_it_stands(busy: Acts) -> None:
    """Release, policy, approvals with person, role, meaning, reason, and the entry that evidences each."""
    found = asked(busy, released_at(busy, 2))
    assert found.released is not None
    assert (found.release, found.released.person, found.released.role) == (2, busy.id("remy"), "release-manager")
    [policy] = found.policies
    assert (policy.name, policy.epoch, policy.since_release) == ("organisation", 1, 1)
    assert {live.name for live in found.entries} == {"opener", "closing", "reach-a-person"}
    opener = next(live for live in found.entries if live.name == "opener")
    assert [(deed.person, deed.role, deed.meaning, deed.reason) for deed in opener.approved] == [
        (busy.id("tom"), "facilitator", "approval", "tom finds it clearer"),
        (busy.id("ines"), "community-host", "approval", "ines too"),
    ]
    assert opener.approved[0].name.startswith("Tom")
    closing = next(live for live in found.entries if live.name == "closing")
    assert (closing.epoch, closing.since_release, closing.withdrawn) == (1, 1, None)
    assert len(closing.approved) == 5, "those of the release that brought it"
    leaves = {leaf.index: leaf for leaf in ledger.search(busy.plane)}
    for deed in (found.released, *opener.approved, *closing.approved, opener.released):
        leaf = leaves[deed.index]
        assert (leaf.act, leaf.actor, leaf.role, leaf.at) == (deed.act, deed.person, deed.role, deed.at)


@pytest.mark.databases
def test_a_withdrawal_counts_from_its_own_second_on(busy: Acts) -> None:
    """Before, in and after the second of a withdrawal; other prompts are not withdrawn by it."""
    [leaf] = ledger.search(busy.plane, act="withdrawn")
    assert story(busy, leaf.at - SECOND, "closing").withdrawn is None
    for at in (leaf.at, leaf.at + SECOND):
        withdrawn = story(busy, at, "closing").withdrawn
        assert withdrawn is not None
        assert (withdrawn.index, withdrawn.person) == (leaf.index, busy.id("sam"))
        assert (withdrawn.meaning, withdrawn.reason) == ("withdrawal", "it hurt somebody")
        assert story(busy, at, "opener").withdrawn is None


def test_a_lifted_withdrawal_counts_until_it_was_lifted(busy: Acts, clock: Clock) -> None:
    """What the log says was lifted is withdrawn before, and not after."""
    [withdrawn] = ledger.search(busy.plane, act="withdrawn")
    target = LeafObject("prompt", "closing", withdrawn.digest)
    event = ledger.Event(Act.WITHDRAWAL_LIFTED, busy.id("ruth"), "compliance", Auth.PASSPHRASE, target, "production")
    with ledger.act(busy.plane) as session:
        ledger.append(busy.plane, session, event)
    assert story(busy, clock.now, "closing").withdrawn is None
    assert story(busy, clock.now - SECOND, "closing").withdrawn is not None


def test_a_rollback_is_a_version_of_its_own(busy: Acts, clock: Clock) -> None:
    """Old content that comes back has the old digest, the next epoch, and its own release and approvals."""
    first = story(busy, released_at(busy, 1), "opener")
    release_again(busy, "opener", OPENER, "You did {{ work }}.")
    again = story(busy, clock.now, "opener")
    assert (again.digest, again.epoch, again.since_release) == (first.digest, 3, 3)
    assert {deed.index for deed in again.approved}.isdisjoint(deed.index for deed in first.approved)
    assert story(busy, clock.now - SECOND, "opener").epoch == 2


def test_new_content_of_a_withdrawn_name_is_not_withdrawn(busy: Acts, clock: Clock) -> None:
    """A withdrawal is of content: the next version is live, the old moment still says withdrawn."""
    before = clock.now
    clock.advance(hours=1)
    release_again(busy, "closing", CLOSING, "Bye, {{ work }}.", tier="R1")
    assert (story(busy, clock.now, "closing").epoch, story(busy, clock.now, "closing").withdrawn) == (2, None)
    assert story(busy, before, "closing").withdrawn is not None


@pytest.mark.databases
def test_of_two_releases_in_one_second_the_later_counts(busy: Acts, clock: Clock) -> None:
    """The clock does not tell them apart; the log does."""
    release_again(busy, "opener", OPENER, "One {{ work }}.")
    release_again(busy, "opener", OPENER, "Two {{ work }}.")
    assert released_at(busy, 3) == released_at(busy, 4) == clock.now.replace(microsecond=0)
    assert asked(busy, clock.now).release == 4
    assert asked(busy, clock.now - SECOND).release == 2


@pytest.mark.databases
def test_what_is_erased_is_not_told(busy: Acts, clock: Clock) -> None:
    """After an erasure the approval stands with person id, role and entry, without name and reason."""
    busy_tom = busy.id("tom")
    erasing.erase(
        busy.plane,
        busy_tom,
        asking=Asking(by=busy.id("ruth"), reason="asked for it", passphrase=busy.passphrase("ruth")),
    )
    tom, ines = story(busy, clock.now, "opener").approved
    assert (tom.person, tom.name, tom.reason, tom.meaning) == (busy_tom, "", "", "approval")
    assert ines.reason == "ines too"


@pytest.mark.parametrize(
    "change",
    [
        "leaf SET act = 'released', actor = 'p-x', role = 'x', channel = 'x', manifest = 'x'",
        "release SET person = (SELECT max(id) FROM person), leaf = 0",
        "version SET epoch = epoch + 7, author = (SELECT max(id) FROM person)",
        "statement SET role = 'x', proposal = NULL",
    ],
)
def test_columns_that_somebody_changed_change_no_answer(busy: Acts, clock: Clock, change: str) -> None:
    """Only bytes that hash to what the log says are believed."""
    before = asked(busy, clock.now)
    with db.write(busy.plane.engine) as session:
        session.connection().execute(text(f"UPDATE {change}"))
    assert asked(busy, clock.now) == before


@pytest.mark.parametrize(
    "change", ["revision SET digest = 'x' || digest", "statement SET digest = 'x' || digest WHERE act = 'approve'"]
)
def test_bytes_that_are_gone_are_missed(busy: Acts, clock: Clock, change: str) -> None:
    """Without the manifest or the statement that an entry names there is no answer, and no other one."""
    with db.write(busy.plane.engine) as session:
        session.connection().execute(text(f"UPDATE {change}"))
        session.connection().execute(text("UPDATE release SET digest = 'x' || digest"))
    with pytest.raises(Unavailable, match="got none of its digest"):
        asked(busy, clock.now)


def test_asking_is_an_entry(busy: Acts, clock: Clock) -> None:
    """Who asked what was live is logged; a stranger is not answered, and an unknown name is none."""
    asked(busy, clock.now)
    [own] = ledger.search(busy.plane, limit=1)
    assert (own.act, own.actor, own.digest[:7]) == ("audit-read", busy.id("ruth"), "sha256:")
    with refused(busy.plane, NotFound):
        as_of(busy.plane, "p-000000000000", at=clock.now)
    with pytest.raises(NotFound):
        asked(busy, clock.now, "nothing")
    assert as_of(busy.plane, busy.id("ruth"), at=clock.now, channel="pilot").release == 0


def test_the_same_over_http_and_from_the_command_line(busy: Acts, clock: Clock) -> None:
    """Both ask the use case; people read entries by number, machines read JSON."""
    client = TestClient(create_app(busy.plane.settings, clock=clock))
    header = {"Authorization": f"Bearer {busy.people['ruth']['token']}"}
    at = clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    found = client.get("/v1/audit/as-of", params={"at": at, "prompt": "opener"}, headers=header).json()
    assert (found["release"], found["entries"][0]["epoch"]) == (2, 2)
    assert client.get("/v1/audit/as-of", params={"at": at}).status_code == 401
    [approved] = client.get(
        "/v1/audit/search", params={"act": "approved", "words": "ines", "proofs": "true"}, headers=header
    ).json()
    proof = client.get(f"/v1/audit/entries/{approved['index']}/proof", headers=header)
    assert proof.text.startswith("c2sp.org/tlog-proof@v1\nindex ")
    assert approved["tlog_proof"].splitlines()[:2] == proof.text.splitlines()[:2]
    assert client.get("/v1/audit/entries/99999/proof", headers=header).status_code == 404
    client.app.state.plane.close()  # type: ignore[attr-defined]
    shown = run(busy, "as-of", "--at", at, "--as", "ruth", audit=True)
    assert shown.stdout.startswith("this moment is still to come")  # this clock is ahead of the machine's
    assert shown.exit_code == 0, shown.output
    for words in ("release 2 was live on production", "prompt opener, version 2", "tom finds it clearer", "WITHDRAWN"):
        assert words in shown.stdout
    early = run(busy, "as-of", "--at", "2020-01-01", audit=True)
    assert "before its first release" in early.stdout
