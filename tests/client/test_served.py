"""The client against a real server: the workflow, the errors, both ways of calling."""

from __future__ import annotations

import asyncio

import pytest

from control_plane.client import ApiConflict, ApiNotSignedIn, ApiRefused, AsyncClient, Client, Options
from tests.server.acts import ROLE, Acts
from tests.server.library import CLOSING, script


def by(acts: Acts, login: str, url: str) -> Client:
    """Return a client with a demo person's token."""
    return Client(Options(url, acts.people[login]["token"]))


def test_the_workflow_through_the_client(url: str, acts: Acts) -> None:
    """Propose, check, approve, look: each method answers with its record."""
    files = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}
    with by(acts, "maya", url) as maya, by(acts, "tom", url) as tom:
        made = maya.proposals.propose(title="Shorter", files=files, passphrase=acts.passphrase("maya"))
        assert (made.title, made.state) == ("Shorter", "open")
        assert {check.status for check in maya.proposals.check(made.number)} >= {"passed"}
        seen = tom.proposals.get(made.number)
        assert [change.name for change in seen.changes] == ["closing"]
        signed = tom.proposals.approve(
            made.number, role=ROLE["tom"], reason="clear", passphrase=acts.passphrase("tom"), manifest=made.manifest
        )
        assert signed.number == made.number
        assert made.number in [one.number for one in tom.proposals.list(state="open")]
        assert {source.kind for source in tom.sources.list().sources} >= {"cases", "include", "prompt"}
        assert maya.people.me().login == "maya"


def test_refusals_keep_their_class(url: str, acts: Acts) -> None:
    """What the use case refuses arrives as the same kind of error, and nothing changed."""
    with by(acts, "tom", url) as tom, Client(Options(url)) as nobody:
        with pytest.raises(ApiNotSignedIn):
            nobody.people.me()
        with pytest.raises(ApiRefused):
            tom.proposals.release(2)
        with pytest.raises(ApiConflict):
            tom.proposals.approve(
                2, role=ROLE["tom"], reason="x", passphrase=acts.passphrase("tom"), manifest="sha256:" + "0" * 64
            )
    assert [one.number for one in by(acts, "tom", url).releases.list()] == [1]


def test_the_workflow_for_await(url: str, acts: Acts) -> None:
    """Several questions at once, and pages as they come."""

    async def run() -> tuple[int, str]:
        async with AsyncClient(Options(url, acts.people["maya"]["token"])) as maya:
            me, prompt = await asyncio.gather(maya.people.me(), maya.prompts.get("opener"))
            numbers = [release.number async for release in maya.releases.list()]
            return numbers[0], f"{me.login} {prompt.info.name}"

    assert asyncio.run(run()) == (1, "maya opener")


def test_a_write_meets_what_its_writer_saw(url: str, acts: Acts) -> None:
    """With the entity tag of what was looked at, an edit is refused if it is that no more."""
    with by(acts, "maya", url) as maya:
        maya.proposals.get(2)
        seen = maya.last_tag
        assert seen
        files = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}
        maya.proposals.edit(2, files=files, passphrase=acts.passphrase("maya"), revision=1, if_match=seen)
        with pytest.raises(ApiConflict):
            maya.proposals.edit(2, files=files, passphrase=acts.passphrase("maya"), revision=2, if_match=seen)
