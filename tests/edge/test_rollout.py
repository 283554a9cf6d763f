"""Devices in a rollout by stages: who adopts, who waits with what they have, and what reaches everybody anyhow."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_runtime import EdgeRuntime
from edge_runtime.cli.edge import app
from edge_runtime.core import canonical
from edge_runtime.core.errors import MentorplaneError
from edge_runtime.core.rollout import read_rollout
from tests.published import Published, adopted, fingerprint, published_once
from tests.simulator import prompt_document

STAGES = (1, 10, 50, 100)
NOTES = "We agreed on two things. I will write to Mara by Thursday. The weather was fine. Priya asked a good question."


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """An organisation with one release in a folder."""
    return published_once(tmp_path)


@pytest.fixture
def edge(published: Published, tmp_path: Path) -> EdgeRuntime:
    """A device that has adopted it."""
    return adopted(published, tmp_path)


def reworded(text: str = "Briefly:\n{{ notes }}") -> dict[tuple[str, str], bytes]:
    return {("prompt", "opener"): canonical.encode(prompt_document(instruction=text))}


def place(published: Published, tmp_path: Path, percent: int) -> None:
    """Give the device a key with which it draws exactly this place in the release that is live, or is next."""
    assert published.organisation.manifest is not None
    head = published.organisation.manifest.encode().split(b"\n")[0]
    rollout = read_rollout(head, (), keyring={})
    for number in range(100_000):
        key = number.to_bytes(32)
        at, above = ({**fields(rollout), "percent": p} for p in (percent, percent + 1))
        if not type(rollout)(**at).admits(key) and type(rollout)(**above).admits(key):
            (tmp_path / "home" / "rollout-key").write_bytes(key)
            return


def fields(rollout: object) -> dict[str, object]:
    return {name: getattr(rollout, name) for name in rollout.__slots__}  # type: ignore[attr-defined]


def opened(published: Published, act: str = "open") -> None:
    published.organisation.say(act)
    published.publish()


def again(published: Published, tmp_path: Path) -> EdgeRuntime:
    return EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))


def test_a_device_adopts_when_its_stage_opens_and_not_before(
    edge: EdgeRuntime, published: Published, tmp_path: Path
) -> None:
    """In place 30 of 100 it waits at 1 % and at 10 %, also after a restart and offline, and adopts at 50 %."""
    published.release_in_stages(reworded(), *STAGES)
    place(published, tmp_path, 30)
    for percent in (1, 10):
        result = edge.refresh()
        assert (result.ok, result.changed, result.release) == (True, False, 1)
        for runtime in (edge, again(published, tmp_path)):
            stage = runtime.status().stage
            assert stage is not None
            assert (stage.release, stage.percent, stage.of, stage.waits) == (2, percent, 4, True)
            assert runtime.session(learner="u1").run("opener", {"notes": NOTES}).release == 1
            assert runtime.status().fresh == "fresh"
        opened(published)
    result = edge.refresh()
    assert (result.ok, result.changed, result.release) == (True, True, 2)
    reopened = again(published, tmp_path)
    assert reopened.state == edge.state
    assert reopened.stage is not None
    assert (reopened.stage.percent, reopened.stage.waits) == (50, False)
    assert not list((tmp_path / "home" / "generations").glob("*2/running"))


def test_a_device_in_the_first_stage_adopts_at_once(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """In place 0 it is among the first hundredth."""
    published.release_in_stages(reworded(), *STAGES)
    place(published, tmp_path, 0)
    assert edge.refresh().release == 2


def test_a_new_device_takes_the_newest_whatever_its_stage(
    edge: EdgeRuntime, published: Published, tmp_path: Path
) -> None:
    """Without a last good release there is nothing to stay on."""
    published.release_in_stages(reworded(), *STAGES)
    place(published, tmp_path, 99)
    key = (tmp_path / "home" / "rollout-key").read_bytes()
    new = tmp_path / "new"
    (new / "home").mkdir(parents=True)
    (new / "home" / "rollout-key").write_bytes(key)
    assert adopted(published, new).status().release == 2


def test_a_withdrawal_reaches_who_waits_at_once(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """What is withdrawn does not run again on a device that waits, nor after a restart without a source."""
    before = published.organisation.manifest
    published.release_in_stages(reworded(), *STAGES)
    place(published, tmp_path, 99)
    assert edge.refresh().release == 1
    newest, published.organisation.manifest = published.organisation.manifest, before
    published.organisation.withdraw("prompt", "opener")
    published.organisation.manifest = newest
    published.publish()
    assert edge.refresh().ok
    shutil.rmtree(published.folder)
    for runtime in (edge, again(published, tmp_path)):
        assert runtime.state is not None
        assert runtime.state.manifest.number == 1
        assert runtime.session(learner="u1").run("opener", {"notes": NOTES}).outcome == "withdrawn"


def test_a_halt_keeps_everybody_where_they_are(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """Who waits goes on waiting, also in the first place; who has the release keeps it; the next one goes on."""
    published.release_in_stages(reworded(), *STAGES)
    place(published, tmp_path, 5)
    shutil.copytree(tmp_path / "home", tmp_path / "other" / "home")
    opened(published)
    assert adopted(published, tmp_path / "other").status().release == 2
    opened(published, "halt")
    assert edge.refresh().release == 1
    assert adopted(published, tmp_path / "other").status().release == 2
    stage = edge.status().stage
    assert stage is not None
    assert (stage.halted, stage.waits) == (True, True)
    published.release_in_stages(reworded("Shortly:\n{{ notes }}"), 100)
    assert edge.refresh().release == 3
    assert adopted(published, tmp_path / "other").status().release == 3


def test_the_key_is_made_once_and_for_its_owner_alone(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """Nothing is drawn without stages; then the key stays, and nobody else reads it."""
    path = tmp_path / "home" / "rollout-key"
    published.release(reworded())
    assert edge.refresh().ok
    assert not path.exists()
    published.release_in_stages(reworded("Shortly:\n{{ notes }}"), *STAGES)
    assert edge.refresh().ok
    key = path.read_bytes()
    assert (len(key), path.stat().st_mode & 0o777) == (32, 0o600)
    opened(published)
    assert edge.refresh().ok
    assert path.read_bytes() == key


def test_attack_words_on_stages_forged(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """Every server key signs a stage open that no release manager opened: V6, and nothing changes."""
    published.release_in_stages(reworded(), *STAGES)
    place(published, tmp_path, 30)
    published.organisation.say("open", key="p-tom")
    published.publish()
    before, state = fingerprint(tmp_path / "home"), edge.state
    result = edge.refresh()
    assert (result.ok, result.check) == (False, "V6")
    assert edge.state is state
    assert fingerprint(tmp_path / "home") == before


def test_attack_halt_hidden_by_the_server(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """A server that drops the halt that a device has seen, to let it adopt, is refused."""
    published.release_in_stages(reworded(), *STAGES)
    place(published, tmp_path, 5)
    opened(published, "halt")
    assert edge.refresh().ok
    published.organisation.words.clear()
    opened(published)
    assert edge.refresh().check == "V6"
    assert again(published, tmp_path).status().release == 1


@pytest.mark.parametrize("name", ["release.json", "parts.jsonl", "basis.json"])
def test_what_waits_beside_the_newest_is_hostile_when_read(
    edge: EdgeRuntime, published: Published, tmp_path: Path, name: str
) -> None:
    """What runs while the newest waits is verified again: edited or cut it is a refusal."""
    published.release_in_stages(reworded(), *STAGES)
    place(published, tmp_path, 99)
    assert edge.refresh().release == 1
    current = tmp_path / "home" / "generations" / (tmp_path / "home" / "current").read_text() / "running" / name
    original = current.read_bytes()
    for data in (original[: len(original) // 2], original[:40] + b"X" + original[41:], b""):
        current.write_bytes(data)
        with pytest.raises(MentorplaneError):
            again(published, tmp_path)


def test_attack_stranger_kept_alive_by_a_stage(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """What waits must still be approved by people who count: without them the newest is adopted, whatever the stage."""
    organisation = published.organisation
    before = organisation.manifest
    assert before is not None
    by = (("p-sam", "safety-owner"), ("p-nora", "facilitator"))
    organisation.people["p-nora"] = ("facilitator", "compliance")
    organisation.statements = [
        organisation.state("author", before, person="p-maya", role="author", refs=before.entries)
    ]
    organisation.statements += [
        organisation.state("approve", before, person=p, role=r, refs=before.entries) for p, r in by
    ]
    made = organisation.build(reworded(), stages=STAGES)
    organisation.vouch(made, by)
    organisation.manifest = made
    del organisation.people["p-tom"], organisation.people["p-ines"]
    published.publish()
    place(published, tmp_path, 99)
    assert edge.refresh().release == 2


def test_status_says_which_stage(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """`edge status` and `edge refresh` say it in a sentence, and in JSON."""
    published.release_in_stages(reworded(), *STAGES)
    place(published, tmp_path, 30)
    home = ["--home", str(tmp_path / "home"), "--trust", str(published.trust)]
    said = "release 2 goes out in stages: stage 1 of 4, 1 % of devices; this device waits for it"
    refreshed = CliRunner().invoke(app, ["refresh", *home, "--source", str(published.folder)])
    assert (refreshed.exit_code, refreshed.output.splitlines()[-2:]) == (0, ["release 1 is active", said])
    assert said in CliRunner().invoke(app, ["status", *home]).output
    assert (
        '"stage": {"release": 2, "number": 1, "of": 4,' in CliRunner().invoke(app, ["status", *home, "--json"]).output
    )
