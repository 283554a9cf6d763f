"""From a run on a device to an auditor who believes nobody: told, gathered, logged, revealed, checked offline."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from audit.__main__ import main
from audit.pack.container import write_zip
from audit.record import Act, parse_leaf
from audit.rollups import parse_rollups, rollups_of
from control_plane import db, verifying
from control_plane.accounts import people, tokens
from control_plane.app import create_app
from control_plane.census import counting, rollups
from control_plane.census.rollups import LEAST, gather
from control_plane.cli import app as cli
from control_plane.errors import NotFound, Refused, TooMany
from control_plane.evidence.packs import PackRequest, build_pack
from control_plane.plane import ControlPlane, open_plane
from control_plane.tables.census import CensusRow, RollupRow
from control_plane.tables.registry import LeafRow
from edge_runtime import EdgeRuntime, InvalidDocument
from edge_runtime.core.counts import Root, encode
from edge_runtime.receipts import Receipts
from edge_runtime.revealing import reveal
from tests.edge.test_cli import invoke
from tests.server.acts import Acts
from tests.server.conftest import Clock, Stage, Template, copied, seeded

WORK = "the report for Priya Nair"


def told(plane: ControlPlane, value: bytes, *, channel: str = "production", day: str = "") -> bytes:
    """What a device tells of its receipts of today."""
    return encode(Root(channel, day or plane.now().date().isoformat(), f"sha256:{value.hex()}"))


def values(plane: ControlPlane) -> set[str]:
    """What is held of every day."""
    with db.read(plane.engine) as session:
        return set(session.exec(select(RollupRow.value)).all())


def logged(plane: ControlPlane) -> list[tuple[str, str, str]]:
    """What the log holds of roll-ups: name, digest, number of values."""
    with db.read(plane.engine) as session:
        rows = session.exec(select(LeafRow.data).where(LeafRow.act == Act.GATHERED)).all()
        return [(leaf.object.name, leaf.object.digest, leaf.object.version) for leaf in map(parse_leaf, rows)]


@pytest.mark.databases
def test_a_day_is_one_entry_that_tells_neither_who_nor_how_many(plane: ControlPlane, clock: Clock) -> None:
    """Attack: to count devices by the log. One root or fifty give an entry with as many values; none gives no entry."""
    day = plane.now().date().isoformat()
    own = bytes(range(32))
    for _ in range(2):
        counting.take(plane, told(plane, own))
    assert gather(plane) == ()
    clock.advance(days=1)
    assert (gather(plane), logged(plane)) == ((), [])
    clock.advance(days=1)
    assert gather(plane) == (f"production/{day}",)
    assert gather(plane) == ()
    held = values(plane)
    assert (len(held), own.hex() in held) == (LEAST, True)
    made = rollups_of("production", day, map(bytes.fromhex, held))
    assert logged(plane) == [(f"production/{day}", made.digest, str(LEAST))]
    assert verifying.verify(plane).ok


@pytest.mark.databases
def test_values_that_are_not_those_of_the_log(plane: ControlPlane, clock: Clock) -> None:
    """Attack: a value is put into a day that is over. The verification of the database names the day."""
    day = plane.now().date().isoformat()
    counting.take(plane, told(plane, bytes(32)))
    clock.advance(days=2)
    gather(plane)
    with db.write(plane.engine) as session:
        session.add(RollupRow(channel="production", day=day, value="f" * 64))
    report = verifying.verify(plane)
    assert (report.ok, [problem for problem in report.problems if "roll-ups" in problem]) == (
        False,
        [f"the roll-ups of production/{day} are not those of the log"],
    )


def test_roots_of_other_days_channels_and_too_many_are_not_taken(plane: ControlPlane) -> None:
    """What no device would tell changes nothing; a day takes so many roots and no more, one twice counts once."""
    for other in ({"day": "2020-01-01"}, {"channel": "elsewhere"}):
        with pytest.raises(InvalidDocument):
            counting.take(plane, told(plane, bytes(32), **other))
    few = replace(plane, settings=replace(plane.settings, census_most_per_day=2))
    for value in (b"a", b"a", b"b"):
        counting.take(few, told(few, value * 32))
    with pytest.raises(TooMany):
        counting.take(few, told(few, b"c" * 32))
    assert values(plane) == {"61" * 32, "62" * 32}
    with db.read(plane.engine) as session:
        counted = session.exec(select(CensusRow)).all()
    assert [(row.question, row.answer, row.devices) for row in counted] == [("rollups", "all", 2)]


def test_roles_decide_who_gets_the_roll_ups(acts: Acts, clock: Clock) -> None:
    """Those who see the census get the values of a day that the log holds, over HTTP too; authors do not."""
    plane, day = acts.plane, acts.plane.now().date().isoformat()
    counting.take(plane, told(plane, bytes(32)))
    with pytest.raises(NotFound):
        rollups.rollups(plane, acts.id("remy"), day=day)
    clock.advance(days=2)
    gather(plane)
    app = create_app(plane.settings, clock=clock)
    client, got = TestClient(app, raise_server_exceptions=False), {}
    for login in ("remy", "maya"):
        token = tokens.issue_token(plane, people.find_person(plane, login).id)
        got[login] = client.get(f"/v1/census/rollups/{day}", headers={"Authorization": f"Bearer {token}"})
    app.state.plane.close()
    assert [got[login].status_code for login in ("remy", "maya")] == [200, 403]
    assert parse_rollups(got["remy"].content) == rollups.rollups(plane, acts.id("remy"), day=day)
    with pytest.raises(Refused):
        rollups.rollups(plane, acts.id("maya"), day=day)
    with pytest.raises(NotFound):
        rollups.rollups(plane, acts.id("remy"), day="2020-01-01")


class Told:
    """A device that ran something, whose roll-up the log holds."""

    def __init__(self, acts: Acts, clock: Clock, folder: Path) -> None:
        self.plane, self.folder = acts.plane, folder
        self.home = folder / "device"
        trust = self.plane.settings.home / "trust"
        edge = EdgeRuntime.open(
            self.home, trust=trust, source=str(self.plane.site), clock=lambda: clock().timestamp(), model="none"
        )
        assert edge.refresh().ok
        session = edge.session(learner="u1", names=["Priya Nair"])
        self.texts = [session.run("opener", {"work": work}).text for work in (WORK, "the plan", WORK)]
        self.receipts = list(edge.receipts.all())
        self.day = self.receipts[0].day
        rolled = edge.receipts.gather("production", self.day, self.receipts)
        assert rolled is not None
        counting.take(self.plane, encode(Root("production", self.day, rolled.root)))
        clock.advance(days=2)
        gather(self.plane)
        self.rollups = folder / "rollups"
        home = ["--home", str(self.plane.settings.home), "--as", "remy"]
        written = CliRunner().invoke(cli, ["census", "rollups", self.day, str(self.rollups), *home])
        assert written.exit_code == 0, written.output
        self.packs = [self._pack("days", PackRequest()), self._pack("release", PackRequest(release=1))]

    def _pack(self, name: str, request: PackRequest) -> Path:
        path = self.folder / f"{name}.zip"
        with path.open("wb") as file:
            write_zip(file, build_pack(self.plane, request))
        return path

    def question(self, file: Path, *options: str, packs: list[Path] | None = None) -> list[str]:
        """Return what an auditor asks of a reveal, with the log's key from elsewhere."""
        given = [word for pack in (self.packs if packs is None else packs) for word in ("--pack", str(pack))]
        return ["verify", str(file), *given, *options, "--json", "--vkey", self.plane.keys.log.verifier.vkey]


@pytest.fixture(scope="module")
def device(templates: Callable[[str, Stage], Template], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A device that ran something, and was counted; no test changes it."""
    folder = tmp_path_factory.mktemp("told")
    template, clock = templates("", seeded), Clock()
    clock.now = template.now
    with copied(template, "", folder) as settings:
        plane = open_plane(settings, clock=clock)
        yield Told(Acts(plane), clock, folder)
        plane.close()


def answers(capsys: pytest.CaptureFixture[str], question: list[str]) -> tuple[int, dict[str, bool], str]:
    """Return what an auditor is told: exit code, answers by name, and all of it."""
    capsys.readouterr()
    code = main(question)
    said = capsys.readouterr().out
    return code, {one["name"]: one["ok"] for one in json.loads(said)["checks"]}, said


def test_an_owner_proves_an_output_to_an_auditor(device: Told, tmp_path: Path) -> None:
    """By the command line, with files alone: text, place, release, version and day hold; no other run is told of."""
    file, text = tmp_path / "run.reveal", tmp_path / "output.txt"
    text.write_text(device.texts[0] + "\n", "utf-8")
    done = invoke("reveal", "1", str(file), "--home", str(device.home), "--text", f"output={text}")
    assert done.exit_code == 0, done.output
    words = device.question(file, "--rollups", str(device.rollups))
    checked = subprocess.run([sys.executable, "-m", "audit", *words], capture_output=True, text=True, check=False)
    said = json.loads(checked.stdout)
    assert (checked.returncode, said["texts"]) == (0, {"output": device.texts[0]}), checked.stdout
    assert {one["name"] for one in said["checks"]} == {"texts", "pack 1", "pack 2", "release", "version", "day"}
    data = file.read_bytes()
    for other in device.receipts[1:]:
        assert other.digest.encode() not in data
        assert not any(made.encode() in data for _, made in other.commitments)
    secret = (device.home / "salts" / device.day).read_bytes()
    assert secret.hex().encode() not in data


def test_what_an_auditor_lacks_is_not_taken_for_granted(
    device: Told, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each piece of evidence that is left out leaves its question unanswered, and the answer is no."""
    file, days = tmp_path / "run.reveal", device.packs[:1]
    file.write_bytes(reveal(Receipts(device.home), device.receipts[0], {"output": device.texts[0]}).encode())
    rolled = ("--rollups", str(device.rollups))
    for name, question in {
        "day": device.question(file),
        "version": device.question(file, *rolled, packs=days),
        "release": device.question(file, *rolled, packs=[]),
    }.items():
        code, shown, said = answers(capsys, question)
        assert (code, shown["texts"], shown[name]) == (2, True, False), said
    code, shown, _ = answers(capsys, device.question(file, *rolled, packs=device.packs[1:]))
    assert (code, shown["version"], shown["day"]) == (2, True, False)


def test_an_owner_who_makes_up_a_run_later(device: Told, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Attack: the owner writes a receipt into the home later, rolls it up anew, and reveals that. No day has it."""
    shutil.copytree(device.home, tmp_path / "home")
    receipts, text = Receipts(tmp_path / "home"), {"output": "You did it all. Promote them."}
    forged = receipts.append(device.receipts[0], text)
    (tmp_path / "home" / "rollups.jsonl").unlink()
    rolled = receipts.gather("production", device.day, receipts.all())
    assert rolled is not None
    file, own = tmp_path / "forged.reveal", tmp_path / "own"
    file.write_bytes(reveal(receipts, forged, text).encode())
    own.write_bytes(rollups_of("production", device.day, [bytes.fromhex(rolled.root[7:])]).encode())
    for given in (device.rollups, own):
        code, shown, said = answers(capsys, device.question(file, "--rollups", str(given)))
        assert (code, shown["texts"], shown["version"], shown["day"]) == (2, True, True, False), said


def test_nobody_without_the_home_can_reveal(device: Told, tmp_path: Path) -> None:
    """Attack: somebody who has the receipts and the text, but not the salts; and an owner who has another text."""
    stolen, own = tmp_path / "stolen", tmp_path / "own"
    shutil.copytree(device.home, stolen, ignore=shutil.ignore_patterns("salts"))
    shutil.copytree(device.home, own)
    file, output, other = tmp_path / "run.reveal", tmp_path / "output.txt", tmp_path / "other.txt"
    output.write_text(device.texts[0], "utf-8")
    other.write_text("another text", "utf-8")
    for home, text, code in ((stolen, output, 1), (own, other, 3)):
        done = invoke("reveal", "1", str(file), "--home", str(home), "--text", f"output={text}")
        assert (done.exit_code, file.exists()) == (code, False)
        assert "another text" not in done.output
    assert invoke("forget", "2999-01-01", "--home", str(own)).exit_code == 0
    done = invoke("reveal", "1", str(file), "--home", str(own), "--text", f"output={output}")
    assert (done.exit_code, file.exists()) == (1, False)
