"""What becomes of proposals and releases, by people who keep their key themselves: asked, derived, shown, signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from control_plane import ledger, verifying
from control_plane.accounts import tokens
from control_plane.cli import app
from control_plane.custody.deciding import Decision, derive, require_written, sign_authorship, sign_decision
from control_plane.custody.keyfile import KeyFile, open_key
from control_plane.custody.saying import Wish, derive_review, derive_words, describe, sign_words
from control_plane.custody.verified import verified_release
from control_plane.errors import Conflict, Refused
from control_plane.lifecycle import acts as lifecycle
from control_plane.lifecycle import emergency, rollout, withdrawing
from control_plane.overview import queries
from control_plane.registry.records import Proposal
from control_plane.repository import site_of
from control_plane.reviewing import closing, own_keys, proposals
from control_plane.reviewing.material import Material
from control_plane.signing import Elsewhere, Words
from edge_runtime.core import dsse
from edge_runtime.core.canonical import JsonObject
from edge_runtime.core.errors import NotTrusted
from edge_runtime.core.trustfile import TRUST_PATH
from tests.server.acts import Acts, newest, refused, state_of
from tests.server.conftest import Stage
from tests.server.keyholders import SALT, SECRET, fresh, live
from tests.server.library import CLOSING, script
from tests.server.test_channels import entry, promoted, released, trial, with_pilot
from tests.server.test_lifecycle import broken
from tests.server.test_rollout import staged
from tests.serving import served

SAFETY, MANAGER = "safety-owner", "release-manager"
Act = Callable[[Elsewhere], object]


def handed(made: list[JsonObject]) -> Elsewhere:
    """Return what somebody's machine signed, as it is handed in."""
    return own_keys.signed_elsewhere([(one["envelope"], dsse.decode_base64(one["salt"])) for one in made])


def author(acts: Acts, own: KeyFile, act: Callable[[Elsewhere], Proposal]) -> Proposal:
    """Do an act of an author's: ask, derive, sign, hand in; asking changes nothing."""
    before = state_of(acts.plane)
    material = own_keys.unsigned(act, Material)
    assert state_of(acts.plane) == before
    require_written(material, {})
    derived = derive(material, live(acts, material.channel))
    key = open_key(own, SECRET)
    return act(handed([sign_authorship(material, derived, key, person=own.person, salt=SALT, at=acts.plane.now())]))


def said(acts: Acts, own: KeyFile, act: Act, wish: Wish, reason: str = "it hurt somebody") -> list[JsonObject]:
    """Return what noor's machine signs about what is live."""
    before = state_of(acts.plane)
    words = own_keys.unsigned(act, Words)
    assert state_of(acts.plane) == before
    statements = derive_words(words, wish, partial(live, acts))
    assert describe(statements, wish, partial(live, acts))
    salts = [bytes([at]) * 16 for at in range(len(statements))]
    return sign_words(statements, open_key(own, SECRET), reason=reason, salts=salts, at=acts.plane.now())


def stopping(acts: Acts, own: KeyFile, target: str = "opener", **options: str) -> Act:
    """Return noor's withdrawal of a prompt."""
    given = {"reason": "it hurt somebody", **options}
    return lambda proof: withdrawing.withdraw(acts.plane, own.person, target=target, passphrase=proof, **given)


def opening(acts: Acts, own: KeyFile, stage: int = 2) -> Act:
    """Return noor's opening of a stage."""
    return lambda proof: rollout.open_stage(acts.plane, own.person, release=2, stage=stage, passphrase=proof)


def test_promotion_return_rollback_duplicate_and_rebase_with_an_own_key(
    after: Callable[[Stage], Acts], tmp_path: Path
) -> None:
    """Each is derived on the author's machine from the release of its channel, and is a proposal like any other."""
    acts = after(trial)
    own = fresh(acts, tmp_path, "author")
    plane, who = acts.plane, own.person
    bye = acts.propose("maya", {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")})
    up = author(
        acts, own, lambda proof: lifecycle.promote(plane, who, source="pilot", names=["opener"], passphrase=proof)
    )
    back = author(acts, own, lambda proof: lifecycle.prepare_return(plane, who, channel="pilot", passphrase=proof))
    other = author(
        acts, own, lambda proof: closing.duplicate(plane, who, bye.number, title="T", passphrase=proof, channel="pilot")
    )
    assert released(acts, up.number) == 2
    again = author(acts, own, lambda proof: proposals.rebase(plane, who, bye.number, passphrase=proof))
    undone = author(acts, own, lambda proof: lifecycle.rollback(plane, who, to=1, passphrase=proof))
    assert [(one.channel, one.state, one.revision, one.editor) for one in (back, other, again, undone)] == [
        ("pilot", "open", 1, who),
        ("pilot", "open", 1, who),
        ("production", "open", 2, who),
        ("production", "open", 1, who),
    ]
    assert verifying.verify(plane).ok


def test_a_withdrawal_with_an_own_key_is_signed_for_each_channel(
    after: Callable[[Stage], Acts], tmp_path: Path
) -> None:
    """One act, two statements, each by the person's key; all of a channel counts as one of the two people."""
    acts = after(with_pilot)
    own = fresh(acts, tmp_path, SAFETY)
    act = stopping(acts, own, channel="production")
    made = said(acts, own, act, Wish("withdraw", own.person, "production", "opener"))
    assert len(made) == 2
    act(handed(made))
    found = [queries.list_withdrawals(acts.plane, channel=name) for name in ("pilot", "production")]
    assert [(one.name, one.by, one.reason) for [one] in found] == [("opener", own.person, "it hurt somebody")] * 2
    assert {b'"auth":"key"' in leaf.data for leaf in ledger.search(acts.plane, act="withdrawn")} == {True}

    def whole(proof: Elsewhere) -> withdrawing.ChannelWithdrawn:
        return withdrawing.withdraw_channel(acts.plane, own.person, channel="pilot", reason="all", passphrase=proof)

    assert whole(handed(said(acts, own, whole, Wish("withdraw", own.person, "pilot"), "all"))).missing == 1
    assert verifying.verify(acts.plane).ok


def test_stages_open_and_halt_with_an_own_key(after: Callable[[Stage], Acts], tmp_path: Path) -> None:
    """The machine counts the stages by what was said before, and signs for the one that was asked for alone."""
    acts = after(staged)
    own = fresh(acts, tmp_path, MANAGER)
    for stage in (2, 3):
        act = opening(acts, own, stage)
        words = own_keys.unsigned(act, Words)
        wish = Wish("open", own.person, release=2, stage=stage)
        with pytest.raises(Conflict, match=f"stage {stage}, which is next"):
            derive_words(words, replace(wish, stage=stage + 1), partial(live, acts))
        act(handed(said(acts, own, act, wish, "")))
    assert rollout.show(acts.plane).stage == 3

    def halt(proof: Elsewhere) -> rollout.Staged:
        return rollout.halt(acts.plane, own.person, release=2, reason="puzzled", passphrase=proof)

    halt(handed(said(acts, own, halt, Wish("halt", own.person, "production", release=2), "puzzled")))
    assert rollout.show(acts.plane).halted
    assert verifying.verify(acts.plane).ok


def test_a_review_of_a_break_glass_release_with_an_own_key(after: Callable[[Stage], Acts], tmp_path: Path) -> None:
    """It is derived from what the release replaced, which it names by digest; another digest or base is refused."""
    acts = after(broken)
    own = fresh(acts, tmp_path)
    manifest = queries.list_releases(acts.plane)[0].manifest

    def act(proof: Elsewhere) -> bool:
        given = {"release": 2, "role": "facilitator", "reason": "it was right", "manifest": manifest}
        return emergency.review(acts.plane, own.person, passphrase=proof, **given)  # type: ignore[arg-type]

    material = own_keys.unsigned(act, Material)
    derived = derive_review(material, manifest, partial(live, acts))
    assert [change.name for change in derived.changes if change.kind == "prompt"] == ["opener"]
    with pytest.raises(Refused, match="digest that was given"):
        derive_review(material, "sha256:" + "0" * 64, partial(live, acts))
    with pytest.raises(Refused, match="replaced"):
        derive_review(replace(material, before=material.manifest), manifest, partial(live, acts))
    decision = Decision("approve", own.person, "facilitator", "it was right")
    made = sign_decision(derived, decision, open_key(own, SECRET), salt=SALT, at=acts.plane.now())
    assert act(handed([made])) is False
    last = newest(acts.plane)
    assert (last.act, last.actor.id, last.actor.auth) == ("reviewed", own.person, "key")
    with refused(acts.plane, Refused, "neither wrote nor approved"):
        act(handed([made]))


def test_the_first_proposal_of_a_channel_is_signed_and_approved_with_own_keys(acts: Acts, tmp_path: Path) -> None:
    """Nothing was released there, as the source's signed metadata says: all of it is new, and is shown."""
    own = fresh(acts, tmp_path, "author", "facilitator")
    settings = acts.plane.settings
    key = ["--key", tmp_path / "noor.key", "--source", acts.plane.site, "--trust", settings.home / "trust", "--yes"]
    key += ["--device", tmp_path / "device"]
    env = {"MENTORPLANE_PASSPHRASE": SECRET, "DATABASE_URL": settings.database_url}
    env["MENTORPLANE_HOME"] = str(settings.home)

    def run(*words: object) -> Result:
        return CliRunner().invoke(app, [*map(str, words), *map(str, key)], env=env)

    first = promoted(acts, source="production", target="pilot")
    acts.check(first.number)
    seen = ("--role", "facilitator", "--reason", "read it", "--json", "--manifest")
    other = run("approve", first.number, *seen, "0" * 12)
    assert (other.exit_code, "digest that was given" in other.stderr) == (2, True), other.output
    approved = run("approve", first.number, *seen, first.manifest.removeprefix("sha256:")[:12])
    assert (approved.exit_code, "prompt opener, tier" in approved.stderr) == (0, True), approved.output
    made = run("promote", "closing", "--from", "production", "--channel", "pilot", "--json")
    assert (made.exit_code, "prompt closing, tier" in made.stderr) == (0, True), made.output
    said = json.loads(made.stdout)
    assert (said["author"], said["channel"], said["state"]) == (own.person, "pilot", "open")
    second = promoted(acts, source="production", target="pilot", names=["opener"])
    no = run("reject", second.number, "--role", "facilitator", "--reason", "not alone", "--json")
    assert (no.exit_code, json.loads(no.stdout)["state"]) == (0, "rejected"), no.output
    assert verifying.verify(acts.plane).ok


def test_attack_a_source_that_says_a_channel_was_never_released(acts: Acts, tmp_path: Path) -> None:
    """Whoever saw a release there believes no signed metadata without it; nor does metadata that does not verify."""
    plane = acts.plane
    where: dict[str, Any] = {"trust": plane.settings.home / "trust", "source": str(plane.site), "channel": "production"}
    assert verified_release(tmp_path / "seen", **where).manifest is not None
    site = site_of(plane)
    told = site.target(TRUST_PATH)
    assert told is not None
    site.write(told, {"channels/another.json": b"{}"})
    with pytest.raises(NotTrusted):
        verified_release(tmp_path / "seen", **where)
    assert verified_release(tmp_path / "new", **where).manifest is None
    newest_one = max((plane.site / "metadata").glob("*.releases.json"), key=lambda one: int(one.name.split(".")[0]))
    newest_one.write_bytes(newest_one.read_bytes().replace(b"channels/another", b"channels/nothing"))
    with pytest.raises(NotTrusted):
        verified_release(tmp_path / "another", **where)


def test_attack_a_server_that_has_something_else_said_than_was_asked_for(
    after: Callable[[Stage], Acts], tmp_path: Path
) -> None:
    """Another prompt, replacement, channel, release, role or act in what it sends: nothing is signed."""
    acts = after(with_pilot)
    own = fresh(acts, tmp_path, SAFETY)
    wish = Wish("withdraw", own.person, "production", "opener")
    words = own_keys.unsigned(stopping(acts, own), Words)
    other = own_keys.unsigned(stopping(acts, own, "closing"), Words)
    first, second = words.statements
    closing_digest = entry(acts, "closing", "production").digest
    for lying in (
        other,
        Words((first, other.statements[1])),
        Words((first, first)),
        Words(()),
        Words(({**first, "replacement": closing_digest}, second)),
        Words(({**first, "role": "author"}, second)),
        Words(({**first, "act": "halt", "meaning": "halt"}, second)),
        Words(({**first, "person": acts.id("tom")}, second)),
        Words(({**first, "organisation": "another"}, second)),
        Words(({**first, "entries": []}, second)),
    ):
        with pytest.raises(Refused):
            derive_words(lying, wish, partial(live, acts))
    with pytest.raises(Conflict, match="release that this machine verified"):
        derive_words(Words(({**first, "manifest": closing_digest}, second)), wish, partial(live, acts))
    with pytest.raises(Refused, match="one statement for each channel"):
        derive_words(words, replace(wish, target=""), partial(live, acts))
    assert len(derive_words(words, replace(wish, channel=""), partial(live, acts))) == 2


def test_attack_words_that_are_not_what_the_server_would_sign(after: Callable[[Stage], Acts], tmp_path: Path) -> None:
    """For another prompt, one too few, replayed, after another's word, or by a machine: refused, nothing changes."""
    acts = after(with_pilot)
    own = fresh(acts, tmp_path, SAFETY, "author")
    wish = Wish("withdraw", own.person, "production", "opener")
    made = said(acts, own, stopping(acts, own), wish)
    with refused(acts.plane, Refused, "something else"):
        stopping(acts, own, "closing")(handed(made))
    with refused(acts.plane, Refused, "something else"):
        stopping(acts, own, reason="another reason")(handed(made))
    with refused(acts.plane, Refused, "2 signatures"):
        stopping(acts, own)(handed(made[:1]))
    with refused(acts.plane, Refused, "something else"):
        stopping(acts, own)(handed([made[0], made[0]]))
    machine = tokens.acting_for(acts.plane, tokens.issue_token(acts.plane, own.person))
    inside = Acts(replace(acts.plane, acting=replace(machine, machine="ci")))
    with refused(inside.plane, Refused, logged="withdraw"):
        stopping(inside, own)(handed(made))
    acts.withdraw("tom", "closing")
    with refused(acts.plane, Refused, "something else"):
        stopping(acts, own)(handed(made))
    again = said(acts, own, stopping(acts, own), wish)
    stopping(acts, own)(handed(again))
    with refused(acts.plane, Conflict, "withdrawn already"):
        stopping(acts, own)(handed(again))


def test_commands_sign_with_an_own_key_at_a_home_and_at_a_server(
    after: Callable[[Stage], Acts], tmp_path: Path
) -> None:
    """`--key` verifies, derives, shows and signs; a server sees what was signed; a passphrase is refused."""
    acts = after(staged)
    own = fresh(acts, tmp_path, MANAGER, "author")
    settings = acts.plane.settings
    key = ["--key", tmp_path / "noor.key", "--source", acts.plane.site, "--trust", settings.home / "trust", "--yes"]
    key += ["--device", tmp_path / "device"]

    def run(*words: object, by_key: bool = True) -> Result:
        env = {"MENTORPLANE_PASSPHRASE": SECRET, "DATABASE_URL": settings.database_url, **where}
        return CliRunner().invoke(app, [*map(str, words), *map(str, key if by_key else [])], env=env)

    where = {"MENTORPLANE_HOME": str(settings.home)}
    opened = run("rollout", "open", "--release", 2, "--stage", 2)
    assert (opened.exit_code, "stage 2 of" in opened.stdout) == (0, True), repr(opened.exception) + opened.output
    assert "open stage 2 as release-manager: release 2 on production" in opened.stderr
    nowhere = run("rollout", "open", "--release", 2, "--stage", 3, *key[:2], by_key=False)
    assert (nowhere.exit_code, "expected --source" in nowhere.stderr) == (3, True)
    again = run("rollout", "open", "--release", 2, "--stage", 2)
    assert (again.exit_code, "stage 3" in again.stderr) == (2, True)
    with served(settings) as url:
        token = tokens.issue_token(acts.plane, own.person)
        where = {"MENTORPLANE_SERVER": url, "MENTORPLANE_TOKEN": token, "MENTORPLANE_HOME": str(tmp_path / "none")}
        stopped = run("withdraw", "closing", "--reason", "it hurt somebody", "--json")
        assert (stopped.exit_code, json.loads(stopped.stdout)["by"]) == (0, own.person), stopped.output
        undone = run("rollback", 1)
        assert "on production, revision 1, open" in undone.stdout, undone.output
        sealed = run("withdraw", "opener", "--reason", "x", by_key=False)
        assert (sealed.exit_code, "key lies here" in sealed.stderr) == (2, True)
        shown = run("channels", by_key=False)
        assert "withdrawn    prompt closing on production" in shown.stdout, shown.output
    assert verifying.verify(acts.plane).ok
