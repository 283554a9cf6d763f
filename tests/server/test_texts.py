"""Texts of people: outside the log, encrypted, erased for good, and never in clear in any file of the home."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import col, select, text

from audit.acts import Act, Client
from audit.openings import ERASED_KIND, Opening, OpeningState, check_openings, encode_openings, parse_openings
from audit.record import LeafRecord, parse_leaf
from control_plane import db, ledger, texts, verifying
from control_plane.accounts import people, tokens
from control_plane.errors import NotFound, Refused
from control_plane.index import keeping as index
from control_plane.keeping import erasing
from control_plane.keeping.keepers import Asking
from control_plane.ledger.search import Query, search_in
from control_plane.overview import queries
from control_plane.plane import ControlPlane
from control_plane.tables.registry import LeafRow, LogHeadRow, TextKeyRow, TextRow
from control_plane.texts.sealing import unwrap
from edge_runtime.core.errors import InvalidDocument, Unavailable
from tests.server.acts import Acts, but_log, newest, refused, state_of
from tests.server.conftest import Clock, Stage
from tests.server.library import CLOSING, script

REASON = "Zanzibar lighthouse: it reads better aloud"
NAME = "Maya Lindqvist"
TITLE = "Quokka wording for the closing"
WHY = "asked for by letter, Xylophone Street"


def records(plane: ControlPlane) -> list[LeafRecord]:
    """Return every entry of the log."""
    with db.read(plane.engine) as session:
        return [parse_leaf(data) for data in session.exec(select(LeafRow.data).order_by(col(LeafRow.seq)))]


def keys_of(plane: ControlPlane, person: str) -> list[TextKeyRow]:
    """Return the keys of a person."""
    with db.read(plane.engine) as session:
        return list(session.exec(select(TextKeyRow).where(TextKeyRow.person == person).order_by(TextKeyRow.id)))


def reveal(plane: ControlPlane) -> tuple[Opening, ...]:
    """Return everything that can still be opened."""
    with db.read(plane.engine) as session:
        return texts.reveal(session, plane, range(len(records(plane))))


def erase(acts: Acts, login: str, *, by: str = "ruth", **options: str) -> erasing.Erasure:
    """Erase a demo person's texts as another."""
    given = {"reason": WHY, "passphrase": acts.passphrase(by), **options}
    return erasing.erase(acts.plane, login, asking=Asking(by=acts.id(by), **given))


def rejected(acts: Acts, _clock: Clock) -> None:
    """Tom rejects a proposal of Maya's, and Ines another."""
    made = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Thanks {{ work }}.")}, title=TITLE)
    acts.reject("tom", made.number, reason=REASON)
    acts.reject("ines", reason="another one")
    assert verifying.verify(acts.plane).ok


@pytest.fixture
def written(after: Callable[[Stage], Acts]) -> Acts:
    """The demo people after that."""
    return after(rejected)


@pytest.mark.databases
def test_every_commitment_of_the_log_opens(written: Acts) -> None:
    """Names and reasons open what the leaves commit to, and read back as a file of openings."""
    openings = reveal(written.plane)
    report = check_openings(records(written.plane), parse_openings(encode_openings(openings)))
    assert report.ok
    assert len(report.states) == len(report.of(OpeningState.VERIFIED)) > 10
    said = {one.text for one in openings}
    assert {REASON, TITLE, NAME, "Tom Baptiste"} <= said


def test_every_leaf_of_a_person_names_its_key(written: Acts) -> None:
    """A leaf of a person has a key, a name and a door; one of the installation has none of a person's."""
    for leaf in records(written.plane):
        if leaf.actor.id == ledger.SYSTEM:
            assert (leaf.subject, leaf.actor.name, leaf.actor.client) == ("", "", "system")
        else:
            assert leaf.subject.startswith("k-")
            assert leaf.actor.name.startswith("hmac-sha256:")
    keys = {(row.person, row.retention, row.month) for row in keys_of(written.plane, written.id("tom"))}
    assert {retention for _, retention, _ in keys} >= {"governance", "security"}


def files_of(home: Path) -> Iterator[bytes]:
    """Yield the bytes of every file of a home but the demo's own list of names."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.name != "demo-people.json":
            yield path.read_bytes()


def traces(home: Path, *secrets: bytes) -> list[bytes]:
    """Return which secrets stand in a file of the home: as they are, in hex, in base64."""
    found = []
    for data in files_of(home):
        for secret in secrets:
            forms = (secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"=")[:-1])
            found += [secret for form in forms if form in data]
    return found


@pytest.mark.usefixtures("sqlite_only")
def test_no_text_stands_in_clear_in_any_file(written: Acts) -> None:
    """Neither database nor write-ahead log nor published file holds a reason, a title or a display name."""
    secrets = [one.encode() for one in (REASON, TITLE, NAME, "Tom Baptiste")]
    assert traces(written.plane.settings.home, *secrets) == []


@pytest.mark.usefixtures("sqlite_only")
def test_an_erased_text_its_salt_and_its_key_leave_every_file(written: Acts) -> None:
    """After erasing, no file of the home holds the wrapped key, the encrypted texts, or what they decrypt to."""
    plane, tom = written.plane, written.id("tom")
    with db.read(plane.engine) as session:
        keys = session.exec(select(TextKeyRow).where(TextKeyRow.person == tom)).all()
        kept = [row.data for row in session.exec(select(TextRow).where(col(TextRow.key).in_([k.id for k in keys])))]
        plain = [unwrap(plane, row) for row in keys]
        wrapped = [part for row in keys for part in (row.wrapped, row.name_data)]
    secrets = [*wrapped, *kept, *plain]
    assert len(traces(plane.settings.home, *secrets)) >= len(wrapped)
    erase(written, "tom")
    assert traces(plane.settings.home, *secrets, REASON.encode()) == []


@pytest.mark.databases
def test_erasing_says_what_it_erased_and_the_log_stays_whole(written: Acts) -> None:
    """Each destroyed key has its entry, leaves alone tell which commitments it took, and everything still verifies."""
    plane, tom = written.plane, written.id("tom")
    before = records(plane)
    done = erase(written, "tom", ticket="DSR-2026/17")
    after = records(plane)
    assert after[: len(before)] == before
    erasures = after[len(before) :]
    assert [leaf.seq for leaf in erasures] == list(done.entries)
    assert [(leaf.object.kind, leaf.object.name) for leaf in erasures] == [(ERASED_KIND, key) for key in done.keys]
    for leaf in erasures:
        assert (leaf.act, leaf.outcome, leaf.actor.id, leaf.actor.behalf) == (
            Act.ERASED,
            "done",
            written.id("ruth"),
            tom,
        )
        assert (leaf.reason.code, leaf.ticket, leaf.retention) == ("requested", "DSR-2026/17", "governance")
    report = check_openings(after, reveal(plane))
    assert report.ok
    gone = {one.seq: one.event for one in report.of(OpeningState.ERASED)}
    assert set(gone) == {leaf.seq for leaf in before if leaf.actor.id == tom}
    assert set(gone.values()) == set(done.entries)
    assert done.concerned == len(gone)
    verified = verifying.verify(plane)
    assert verified.ok, verified.problems


@pytest.mark.databases
def test_erased_texts_show_which_entry_erased_them(written: Acts) -> None:
    """Name, reason and title give way to the entry that erased them, everywhere they are read."""
    plane = written.plane
    done = erase(written, "tom")
    shown = queries.show_proposal(plane, 3)
    [rejection] = [one for one in shown.signatures if one.act == "reject"]
    erased = {f"erased by entry {entry}" for entry in done.entries}
    assert rejection.reason in erased
    assert people.find_person(plane, "tom").name in erased
    assert {one.login: one.name for one in people.list_people(plane)}["tom"] in erased
    assert shown.proposal.title == TITLE
    erase(written, "maya")
    assert queries.show_proposal(plane, 3).proposal.title.startswith("erased by entry")
    assert {one.number: one.title for one in queries.list_proposals(plane)}[3].startswith("erased by entry")
    assert verifying.verify(plane).ok


@pytest.mark.databases
def test_erased_words_are_found_no_more(written: Acts) -> None:
    """Words of an erased reason leave the search index, and rebuilding it does not bring them back."""
    plane = written.plane
    wanted = Query(words="zanzibar")

    def found() -> int:
        with db.read(plane.engine) as session:
            return len(search_in(plane, session, wanted))

    assert found() == 1
    erase(written, "tom")
    assert found() == 0
    index.rebuild(plane)
    assert found() == 0
    assert verifying.verify(plane).ok


def test_a_withdrawal_keeps_its_effect_when_its_reason_is_erased(acts: Acts) -> None:
    """Erasing takes the reason of a withdrawal and nothing else of it."""
    acts.withdraw("sam", "closing")
    erase(acts, "sam")
    [withdrawal] = queries.list_withdrawals(acts.plane)
    assert withdrawal.reason.startswith("erased by entry")
    assert {one.name for one in queries.list_prompts(acts.plane) if one.withdrawn} == {"closing"}


@pytest.mark.databases
def test_who_erases_themselves_leaves_no_text_under_a_destroyed_key(written: Acts) -> None:
    """The entries of an erasure are written under a key of their own; a second erasure takes that too."""
    plane, ruth = written.plane, written.id("ruth")
    first = erase(written, "ruth")
    assert not set(first.keys) & {leaf.subject for leaf in records(plane) if leaf.seq >= first.entries[0]}
    [living] = [row for row in keys_of(plane, ruth) if row.erased_by is None]
    assert living.name == ""
    second = erase(written, "ruth")
    assert second.keys == (living.id,)
    assert check_openings(records(plane), reveal(plane)).ok
    assert verifying.verify(plane).ok


def test_a_person_goes_on_without_a_name_after_erasure(written: Acts) -> None:
    """Somebody whose texts were erased may act again; their new reasons can be read, their name stays erased."""
    erase(written, "ines")
    made = written.propose("maya", {CLOSING: script("closing", tier="R1", fill="Well, {{ work }}.")})
    written.reject("ines", made.number, reason="still not like this")
    last = newest(written.plane)
    assert (last.actor.name, last.reason.text[:5]) == ("", "hmac-")
    [said] = [one.reason for one in queries.show_proposal(written.plane, made.number).signatures if one.act == "reject"]
    assert said == "still not like this"
    assert people.find_person(written.plane, "ines").name.startswith("erased by entry")
    assert verifying.verify(written.plane).ok


@pytest.mark.databases
@pytest.mark.parametrize("login", ["tom", "remy"])
def test_only_compliance_and_administrators_erase(written: Acts, login: str) -> None:
    """Others are refused, the log says that they tried and on whom, and nothing is destroyed."""
    with refused(written.plane, Refused, "role compliance or administrator", logged="erase"):
        erase(written, "tom", by=login)
    last = newest(written.plane)
    assert (last.object.kind, last.object.name) == ("person", written.id("tom"))
    assert people.find_person(written.plane, "tom").name == "Tom Baptiste"


def test_an_administrator_erases_too(written: Acts) -> None:
    """An administrator may erase, in that role."""
    done = erase(written, "tom", by="lena")
    assert {leaf.actor.role for leaf in records(written.plane) if leaf.seq in done.entries} == {"administrator"}


def test_erasing_needs_a_reason_a_passphrase_and_a_person(written: Acts) -> None:
    """Without a reason, with a wrong passphrase, a ticket that is none, or for nobody, nothing is erased."""
    for bad in ({"reason": " "}, {"reason": "x" * 2001}, {"ticket": "two words"}):
        with refused(written.plane, InvalidDocument):
            erase(written, "tom", **bad)
    with refused(written.plane, NotFound):
        erase(written, "nobody")
    before = state_of(written.plane)
    with pytest.raises(Refused, match="passphrase"):
        erase(written, "tom", passphrase="not it at all")
    after = {name: one for name, one in but_log(state_of(written.plane)).items() if name != "person"}
    assert after == {name: one for name, one in but_log(before).items() if name != "person"}
    assert newest(written.plane).act == "signed-in-failed"


def test_what_would_be_erased_is_said_without_erasing(written: Acts) -> None:
    """The preview counts keys and entries as the erasure then does, and changes nothing."""
    before = state_of(written.plane)
    keys, concerned, holds = erasing.preview(written.plane, "tom")
    assert state_of(written.plane) == before
    done = erase(written, "tom")
    # The entries of the erasure itself are Ruth's.
    assert (len(done.keys), done.concerned, holds) == (keys, concerned, ())


@pytest.mark.databases
def test_a_restored_database_is_erased_again(written: Acts) -> None:
    """Keys, texts and words that an older copy of the database brings back go again when the entries are replayed."""
    plane = written.plane
    tables = ("text_key", "text", "audit_posting")
    with db.read(plane.engine) as session:
        kept = {t: [dict(r._mapping) for r in session.connection().execute(text(f"SELECT * FROM {t}"))] for t in tables}
    done = erase(written, "tom")
    with db.write(plane.engine) as session:  # what restoring an older copy of these tables does
        for table in reversed(tables):
            session.connection().execute(text(f"DELETE FROM {table}"))
        for table in tables:
            names = ", ".join(kept[table][0])
            values = ", ".join(f":{name}" for name in kept[table][0])
            session.connection().execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), kept[table])
    assert people.find_person(plane, "tom").name == "Tom Baptiste"
    assert "not destroyed by the entry" in "\n".join(verifying.verify(plane).problems)
    with db.write(plane.engine) as session:
        assert erasing.replay(session, records(plane)) == len(done.keys)
        assert erasing.replay(session, records(plane)) == 0
    index.rebuild(plane)  # the restored copy of the index lacks the entries since; erased words stay out
    assert people.find_person(plane, "tom").name.startswith("erased by entry")
    # What was written after the copy was made is lost, and said to be: the reasons for the erasure.
    lost = {f"entry {entry}: what is behind its reason.text is missing" for entry in done.entries}
    assert set(verifying.verify(plane).problems) == lost


@pytest.mark.databases
def test_nothing_opens_while_the_database_lacks_published_entries(written: Acts) -> None:
    """A database that is behind the published log shows no name and no reason: they may be erased since."""
    plane = written.plane
    with db.read(plane.engine) as session:
        head = session.get(LogHeadRow, 1)
        assert head is not None
        older = head.frontier
    tokens.issue_token(plane, "tom")
    assert people.find_person(plane, "tom").name == "Tom Baptiste"
    with db.write(plane.engine) as session:
        row = session.get(LogHeadRow, 1)
        assert row is not None
        row.frontier = older
    assert people.find_person(plane, "tom").name == ""
    assert {signature.reason for signature in queries.show_proposal(plane, 3).signatures} == {""}
    assert reveal(plane) == ()


def test_a_month_and_a_class_have_their_own_key(written: Acts, clock: object) -> None:
    """Next month's texts stand under another key, with the same name; each can be destroyed without the others."""
    clock.advance(days=40)  # type: ignore[attr-defined]
    made = written.propose("maya", {CLOSING: script("closing", tier="R1", fill="Oh, {{ work }}.")})
    last = newest(written.plane)
    months = {row.month for row in keys_of(written.plane, written.id("maya"))}
    assert len(months) == 2
    assert last.actor.name.startswith("hmac-sha256:")
    assert queries.show_proposal(written.plane, made.number).proposal.title == "A change"
    assert check_openings(records(written.plane), reveal(written.plane)).ok


def test_equal_texts_look_unrelated(written: Acts) -> None:
    """The same reason twice has two commitments and two unrelated rows."""
    plane = written.plane
    made = written.propose("maya", {CLOSING: script("closing", tier="R1", fill="Ah, {{ work }}.")})
    written.reject("tom", made.number, reason=REASON)
    told = [
        leaf.reason.text for leaf in records(plane) if leaf.act is Act.REJECTED and leaf.actor.id == written.id("tom")
    ]
    assert len(set(told)) == len(told) == 2
    with db.read(plane.engine) as session:
        assert len({row.data for row in session.exec(select(TextRow))}) == len(session.exec(select(TextRow)).all())


def test_attack_a_text_moved_to_another_entry(written: Acts) -> None:
    """A row put under another entry does not open there, and the check names both entries."""
    plane = written.plane
    with db.read(plane.engine) as session:
        rows = session.exec(select(TextRow).order_by(col(TextRow.leaf).desc())).all()
        by_key = [[row.leaf for row in rows if row.key == key] for key in {row.key for row in rows}]
        first, second = max(by_key, key=len)[:2]
    with db.write(plane.engine) as session:
        one, other = session.get(TextRow, (first, "reason.text")), session.get(TextRow, (second, "reason.text"))
        assert one is not None
        assert other is not None
        one.data, other.data = other.data, one.data
    with db.read(plane.engine) as session, pytest.raises(Unavailable, match="as it was encrypted"):
        texts.reveal(session, plane, [first])
    problems = "\n".join(verifying.verify(plane).problems)
    assert f"entry {first}: what is behind its reason.text is altered" in problems
    assert f"entry {second}: what is behind its reason.text is altered" in problems


def test_another_wrapping_key_opens_nothing(written: Acts) -> None:
    """With another `keys/texts.key` no text is read, and the check says that texts are altered."""
    other = replace(written.plane, keys=replace(written.plane.keys, texts=bytes(32)))
    with pytest.raises(Unavailable, match="as it was encrypted"):
        people.list_people(other)
    assert not verifying.verify(other).ok


def test_a_key_cannot_be_destroyed_behind_the_log(written: Acts) -> None:
    """A key that is gone without an entry is named, and so are the entries whose texts it took."""
    plane = written.plane
    [key] = [row for row in keys_of(plane, written.id("tom")) if row.retention == "governance"]
    with db.write(plane.engine) as session:
        row = session.get(TextKeyRow, key.id)
        assert row is not None
        row.wrapped, row.name_data, row.erased_by = b"", b"", 3
    problems = "\n".join(verifying.verify(plane).problems)
    assert f"key {key.id}: not destroyed by the entry that the log says" in problems
    assert "what is behind its actor.name is missing" in problems


def test_the_door_and_the_token_stand_in_the_leaf(acts: Acts) -> None:
    """A leaf says through which door its act came, and which token was used."""
    used = tokens.token_digest(tokens.issue_token(acts.plane, "maya"))
    plane = replace(acts.plane, client=Client.API, token=used)
    person = Acts(plane)
    person.check()
    last = newest(plane)
    assert (last.actor.client, last.actor.session) == ("api", used)
    assert (last.clock, last.organisation, last.channel) == ("server", plane.organisation, plane.channel)
