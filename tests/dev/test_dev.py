"""`mentorplane dev`: every sound save is live on the developer's own devices, and on nobody else's."""

from __future__ import annotations

import http.client
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from control_plane.cli import app
from control_plane.cli.dev import Session
from control_plane.dev.checking import look
from control_plane.dev.publishing import Workshop
from control_plane.dev.serving import serving
from control_plane.dev.watching import Watch
from control_plane.errors import Conflict
from edge_runtime import EdgeRuntime
from edge_runtime.core.errors import InvalidDocument
from edge_runtime.following import Drafts, Following
from edge_runtime.reply import Refresh
from tests.dev.conftest import QUESTION, Desk
from tests.published import fingerprint


def test_a_save_is_live_on_the_developer_s_device(desk: Desk) -> None:
    """A prompt of an app runs under the starter policy; a save changes one entry, and the device adopts it."""
    assert desk.publish()[0] == 1
    edge = desk.open()
    assert edge.refresh().ok
    assert "micro-session" in edge.prompts()
    assert QUESTION in edge.prompt("app-opener").fallback

    desk.reword("what was new?")
    assert desk.publish() == (2, 1)

    assert edge.refresh().release == 2
    assert "what was new?" in edge.prompt("app-opener").fallback
    assert desk.open().status().release == 2


def test_a_save_that_changes_nothing_makes_no_release(desk: Desk) -> None:
    """Saving the same content keeps the release, and renews what would expire."""
    desk.publish()
    desk.open().refresh()
    assert desk.publish() == (1, 0)
    assert desk.open().refresh().ok


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("name: app-opener", "name: app-opener\nnot_a_member: 1", "app-opener.yaml:"),
        ("instruction: |", "instruction: |\n  {{ nobody_declared }}", ":68: expected declared variables only"),
        ("tier: ", "tier: [", "valid YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_last_good_release_stays(
    desk: Desk, before: str, after: str, told: str
) -> None:
    """A broken save names file, line and what was expected; nothing that is published changes."""
    said: list[str] = []
    session = Session(desk.workshop, desk.folder, said.append)
    assert session.publish()
    published = fingerprint(desk.workshop.site)
    text = desk.file.read_text("utf-8")
    assert before in text

    desk.save(text.replace(before, after, 1))
    assert not session.publish()

    assert told in said[-1]
    assert said[-1].startswith("app-opener.yaml:")
    assert said[-1].endswith("release 1 stays live")
    assert fingerprint(desk.workshop.site) == published
    desk.save(text)
    assert session.publish()


def test_what_names_something_that_is_not_there_is_told(desk: Desk) -> None:
    """References are checked over the whole folder, and so is that there is one policy."""
    (desk.folder / "other.yaml").write_text("kind: include\nformat: x\n", encoding="utf-8")
    assert any(line.startswith("other.yaml:") for line in look(desk.folder).problems)
    with pytest.raises(InvalidDocument, match="folder of sources"):
        look(desk.folder / "nowhere")


def test_a_prompt_that_went_comes_back(desk: Desk) -> None:
    """Epochs rise although the entry was gone in between: a device follows all the way."""
    desk.publish()
    edge = desk.open()
    edge.refresh()
    text = desk.file.read_text("utf-8")
    desk.file.unlink()
    assert desk.publish() == (2, 1)
    assert edge.refresh().ok
    assert "app-opener" not in edge.prompts()

    desk.save(text)
    assert desk.publish() == (3, 1)

    assert edge.refresh().ok
    assert "app-opener" in edge.prompts()


def test_a_device_that_missed_drafts_catches_up(desk: Desk) -> None:
    """Whoever was closed for several saves adopts the newest."""
    desk.publish()
    edge = desk.open()
    edge.refresh()
    genuine = desk.file.read_text("utf-8")
    desk.reword("what was new?")
    desk.publish()
    desk.save(genuine)
    assert desk.publish() == (3, 1)
    assert edge.refresh().release == 3


def test_a_home_is_one_process_s_and_opens_again(desk: Desk) -> None:
    """A second process is refused; after the first, the numbers go on under the same root."""
    desk.publish()
    root = (desk.workshop.trust / "root.json").read_bytes()
    with pytest.raises(Conflict):
        Workshop(desk.home)
    desk.workshop.close()
    desk.workshop = Workshop(desk.home)
    desk.reword("And now?")
    assert desk.publish() == (2, 1)
    assert (desk.workshop.trust / "root.json").read_bytes() == root


def test_a_file_counts_when_it_is_whole(desk: Desk) -> None:
    """Two looks in a row must be alike, and each save counts once; files that are no sources do not."""
    watch = Watch(desk.folder)
    assert not watch.saved()
    (desk.folder / "notes.txt").write_text("x", encoding="utf-8")
    assert not watch.saved()
    (desk.folder / "deep").mkdir()
    (desk.folder / "deep" / "new.yaml").write_text("a", encoding="utf-8")
    assert not watch.saved()
    (desk.folder / "deep" / "new.yaml").write_text("ab", encoding="utf-8")
    assert not watch.saved()
    assert watch.saved()
    assert not watch.saved()


def test_a_running_device_follows(desk: Desk) -> None:
    """Live reload: whoever follows adopts each save over HTTP by itself, and outlives a source that is gone."""
    desk.publish()
    with serving(desk.workshop.site, 0) as address:
        edge = EdgeRuntime.open(desk.device, trust=desk.workshop.trust, source=address, channel="draft", model="none")
        adopted = threading.Semaphore(0)

        def refresh() -> Refresh:
            done = edge.refresh()
            if done.changed:
                adopted.release()
            return done

        with Following(Drafts(address, refresh).look, every_s=0.01):
            assert adopted.acquire(timeout=60)
            desk.reword("what was new?")
            desk.publish()
            assert adopted.acquire(timeout=60)
        assert "what was new?" in edge.prompt("app-opener").fallback


def test_only_a_draft_is_followed(desk: Desk) -> None:
    """The channels of an organisation are not polled several times a second."""
    desk.publish()
    edge = EdgeRuntime.open(desk.device, trust=desk.workshop.trust, source=str(desk.workshop.site))
    with pytest.raises(ValueError, match="draft"):
        edge.follow()
    with pytest.raises(ValueError, match="draft"):
        EdgeRuntime.open(desk.device, trust=desk.workshop.trust, channel="draft").follow()


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/metadata/timestamp.json", "", 200),
        ("/metadata/timestamp.json", "evil.example", 421),
        ("/metadata/", "", 404),
        ("/metadata", "", 301),
        ("/log/.lock", "", 404),
        ("/../draft-keys/root.pem", "", 404),
        ("/%2e%2e/draft-keys/root.pem", "", 404),
    ],
)
def test_only_published_files_are_served_and_only_here(desk: Desk, path: str, host: str, status: int) -> None:
    """No listing, no hidden file, no way out of the folder, no other name for this machine."""
    desk.publish()
    with serving(desk.workshop.site, 0) as address:
        authority = address.removeprefix("http://")
        asking = http.client.HTTPConnection(authority)
        asking.putrequest("GET", path, skip_host=True)
        asking.putheader("Host", host or authority)
        asking.endheaders()
        answer = asking.getresponse()
        body = answer.read()
        asking.close()
    assert answer.status == status
    assert b"PRIVATE" not in body


def test_the_command_says_once_whether_a_folder_is_sound(desk: Desk, tmp_path: Path) -> None:
    """`--once` publishes and ends with 0, or tells what is wrong and ends with 3, as a check before a commit."""
    desk.workshop.close()
    given = ["dev", str(desk.folder), "--home", str(desk.home), "--once"]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    assert "release 1 is live on draft" in done.output
    desk.save("kind: prompt\n")
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 3
    assert "release 1 stays live" in done.output
    assert (desk.home / ".gitignore").read_text() == "*\n"


def test_a_content_that_a_power_cut_spoilt_is_mended_at_the_next_start(desk: Desk) -> None:
    """Contents are not written durably: a spoilt one is written anew although nothing was saved."""
    desk.publish()
    closures = desk.workshop.site / "closures"
    whole = fingerprint(closures)
    for file in closures.iterdir():
        file.write_bytes(b"")
    assert desk.publish() == (1, 0)
    assert fingerprint(closures) == whole
    assert desk.open().refresh().ok
