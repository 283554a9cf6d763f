"""A folder in step with a registry: pulled as authored, pushed as one proposal, never half of either."""

from __future__ import annotations

from pathlib import Path

import pytest

from control_plane.errors import Conflict
from control_plane.overview import queries
from control_plane.reviewing import drafts
from control_plane.sources.strict_yaml import SourceError
from control_plane.sync.errors import SyncConflict
from control_plane.sync.lock import FILE, load_lock
from control_plane.sync.pulling import compared, pull
from control_plane.sync.pushing import push
from control_plane.sync.records import Registry, digest_of
from edge_runtime.core.errors import InvalidDocument
from tests.server.acts import Acts, state_of
from tests.server.library import CASES, CLOSING, OPENER, STANCE, library, script, stance
from tests.sync.trees import Told, include, tree


def states(registry: Registry, folder: Path) -> dict[str, str]:
    """Return the state of each source that is not in step, by path."""
    return {one.path: one.state for one in compared(registry, folder).status.differences}


def test_what_is_pulled_is_what_was_authored(registry: Registry, folder: Path) -> None:
    """Every source of every kind comes back byte for byte, where its author had it, with a lock that says so."""
    done = pull(registry, folder)
    assert {path: data.decode() for path, data in tree(folder).items() if path != FILE} == library()
    lock = load_lock(folder)
    assert lock is not None
    assert (done.release, lock.release, lock.channel) == (1, 1, "production")
    assert {file.path: file.digest for file in lock.files} == {p: digest_of(t.encode()) for p, t in library().items()}
    assert states(registry, folder) == {}


def test_one_proposal_of_all_that_changed(registry: Registry, folder: Path, acts: Acts) -> None:
    """Added, changed and removed sources of several kinds become one proposal on the release that was pulled."""
    pull(registry, folder)
    (folder / CLOSING).write_text(script("closing", tier="R1", fill="Bye, {{ work }}."))
    (folder / STANCE).write_text(stance("Listen first."))
    (folder / "includes/tone.yaml").write_text("# new\n" + include("tone", "Be brief."))
    (folder / "cases/opener.yaml").unlink()
    wanted = {CLOSING: "changed", STANCE: "changed", "includes/tone.yaml": "added", "cases/opener.yaml": "removed"}
    assert states(registry, folder) == wanted
    before = tree(folder)
    made, change = push(registry, folder, title="Plainer words")
    assert tree(folder) == before
    detail = queries.show_proposal(acts.plane, made.number)
    assert detail.proposal.title == "Plainer words"
    assert detail.proposal.base == load_lock(folder).manifest  # type: ignore[union-attr]
    assert {one.name for one in detail.changes} >= {"closing", "opener"}
    assert (set(change.files), set(change.remove)) == (set(wanted) - {"cases/opener.yaml"}, {("cases", "opener")})


def test_a_proposal_is_edited_from_the_folder(registry: Registry, folder: Path, acts: Acts) -> None:
    """With the number of a proposal, what changed goes into it instead of a new one."""
    pull(registry, folder)
    (folder / CLOSING).write_text(script("closing", tier="R1", fill="Bye, {{ work }}."))
    made, _ = push(registry, folder, title="A word")
    (folder / CLOSING).write_text(script("closing", tier="R1", fill="Farewell, {{ work }}."))
    again, _ = push(registry, folder, title="", edit=made.number)
    assert (again.number, again.revision) == (made.number, 2)
    assert "Farewell" in queries.show_proposal(acts.plane, made.number).changes[0].source


def test_after_the_release_the_folder_is_in_step(home: Registry, folder: Path, acts: Acts) -> None:
    """What was pushed and released needs no second pull to be in step; pulling moves the lock on."""
    pull(home, folder)
    changed = {CLOSING: script("closing", tier="R1", fill="Bye, {{ work }}.")}
    for path, text in changed.items():
        (folder / path).write_text(text)
    made, _ = push(home, folder, title="A word")
    acts.approve_fully(made.number)
    acts.release(made.number)
    assert states(home, folder) == {}
    before = tree(folder)
    assert pull(home, folder).written == ()
    assert {path for path, data in tree(folder).items() if before[path] != data} == {FILE}


def test_nothing_changed_is_no_proposal(home: Registry, folder: Path, acts: Acts) -> None:
    """A push of what is live already, and one of a folder that was never pulled, are refused."""
    before = state_of(acts.plane)
    with pytest.raises(InvalidDocument):
        push(home, folder, title="x")
    pull(home, folder)
    with pytest.raises(InvalidDocument, match="expected a change"):
        push(home, folder, title="x")
    assert state_of(acts.plane) == before


def test_a_folder_behind_is_not_pushed_and_pulling_keeps_what_changed(folder: Path) -> None:
    """When another release is live, the author pulls first; their own change stays, and is then pushed."""
    registry = Told({"a.yaml": include("a"), "b.yaml": include("b")})
    pull(registry, folder)
    (folder / "a.yaml").write_text(include("a", "Be brief."))
    registry.files, registry.release = {"a.yaml": include("a"), "b.yaml": include("b", "Be firm.")}, 2
    assert states(registry, folder) == {"a.yaml": "changed", "b.yaml": "behind"}
    before = tree(folder)
    with pytest.raises(Conflict, match="release 2"):
        push(registry, folder, title="x")
    assert (tree(folder), registry.proposed) == (before, [])
    done = pull(registry, folder)
    assert (done.written, done.kept) == (("b.yaml",), ("a.yaml",))
    push(registry, folder, title="x")
    assert registry.proposed[0].files == {"a.yaml": include("a", "Be brief.")}


@pytest.mark.parametrize("merging", [False, True])
def test_a_change_on_both_sides_is_refused_with_both_sides(folder: Path, merging: bool) -> None:
    """Nothing is written, not even what is merely behind; the report shows what changed here and there."""
    registry = Told({"a.yaml": include("a"), "b.yaml": include("b")})
    pull(registry, folder)
    (folder / "a.yaml").write_text(include("a", "Ours."))
    registry.files, registry.release = {"a.yaml": include("a", "Theirs."), "b.yaml": include("b", "Be firm.")}, 2
    before = tree(folder)
    with pytest.raises(SyncConflict) as caught:
        pull(registry, folder, merging=merging)
    assert "+text: Ours." in caught.value.report
    assert "+text: Theirs." in caught.value.report
    with pytest.raises(SyncConflict):
        push(registry, folder, title="x")
    assert (tree(folder), registry.proposed) == (before, [])


def test_removed_there_and_changed_here_is_a_conflict(folder: Path) -> None:
    """A change is not lost because somebody else removed the source, and the other way round."""
    registry = Told({"a.yaml": include("a"), "b.yaml": include("b")})
    pull(registry, folder)
    (folder / "a.yaml").write_text(include("a", "Ours."))
    (folder / "b.yaml").unlink()
    registry.files, registry.release = {"b.yaml": include("b", "Theirs.")}, 2
    assert states(registry, folder) == {"a.yaml": "conflicting", "b.yaml": "conflicting"}


def test_changes_of_different_lines_are_merged_on_request(folder: Path) -> None:
    """A clean merge is written and stays to be pushed; the lock says what is live."""
    lines = include("a", "x").replace("format", "# one\n# two\n# three\nformat")
    registry = Told({"a.yaml": lines})
    pull(registry, folder)
    (folder / "a.yaml").write_text(lines.replace("# one", "# ONE"))
    registry.files, registry.release = {"a.yaml": lines.replace("text: x", "text: y")}, 2
    assert pull(registry, folder, merging=True).merged == ("a.yaml",)
    assert (folder / "a.yaml").read_text() == lines.replace("# one", "# ONE").replace("text: x", "text: y")
    assert states(registry, folder) == {"a.yaml": "changed"}


def test_a_source_stays_where_its_author_moved_it(folder: Path) -> None:
    """A path is the author's: a moved file is no change, and what is live is written where they have it."""
    registry = Told({"a.yaml": include("a")})
    pull(registry, folder)
    (folder / "deep").mkdir()
    (folder / "a.yaml").rename(folder / "deep" / "a.yaml")
    assert states(registry, folder) == {}
    registry.files, registry.release = {"a.yaml": include("a", "New.")}, 2
    assert pull(registry, folder).written == ("deep/a.yaml",)


def test_what_goes_there_goes_here(folder: Path) -> None:
    """A source that is no longer live is removed, with the folders that are then empty."""
    registry = Told({"x/y/a.yaml": include("a"), "b.yaml": include("b")})
    pull(registry, folder)
    registry.files, registry.release = {"b.yaml": include("b")}, 2
    assert pull(registry, folder).removed == ("x/y/a.yaml",)
    assert not (folder / "x").exists()


def test_a_folder_of_another_registry_or_channel_is_refused(folder: Path) -> None:
    """A lock is compared, never asked: it sends nothing anywhere else."""
    pull(Told({"a.yaml": include("a")}), folder)
    with pytest.raises(Conflict, match="registry"):
        pull(Told({"a.yaml": include("a")}, name="https://other.example"), folder)
    with pytest.raises(Conflict, match="channel"):
        pull(Told({"a.yaml": include("a")}), folder, channel="pilot")


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("README.md", b"hello", "passes it over"),
        ("a b.yaml", include("b").encode(), "names of files"),
        ("b.yaml", include("b").replace("\n", "\r\n").encode(), "line feed"),
        ("b.yaml", b"\xef\xbb\xbf" + include("b").encode(), "byte order mark"),
        ("b.yaml", include("b").encode("utf-16"), "UTF-8"),
        ("b.yaml", include("a", "twice").encode(), "once"),
        ("b.yaml", include("b", "&x y").encode(), "anchor"),
    ],
)
def test_what_is_no_source_stops_everything(folder: Path, name: str, data: bytes, expected: str) -> None:
    """Unknown files, other encodings, other line ends, doubles: named by file, and nothing is written or proposed."""
    registry = Told({"a.yaml": include("a")})
    pull(registry, folder)
    (folder / name).write_bytes(data)
    registry.files, registry.release = {"a.yaml": include("a", "New.")}, 2
    before = tree(folder)
    with pytest.raises(SourceError, match=expected):
        pull(registry, folder)
    registry.release = 1
    with pytest.raises((SourceError, Conflict)):
        push(registry, folder, title="x")
    assert (tree(folder), registry.proposed) == (before, [])


def test_what_is_passed_over_is_left_alone(folder: Path) -> None:
    """Hidden files and what `.mentorplaneignore` names are neither read nor written."""
    folder.mkdir()
    for name in ("README.md", ".gitattributes", "drafts/x.yaml", "notes/a.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("not: a source")
    (folder / ".mentorplaneignore").write_text("# ours\nREADME.md\ndrafts/\nnotes/*.txt\n")
    registry = Told({"a.yaml": include("a")})
    pull(registry, folder)
    assert states(registry, folder) == {}
    registry.files = {"drafts/b.yaml": include("b"), "a.yaml": include("a")}
    with pytest.raises(Conflict, match="passed over"):
        pull(registry, folder)


def test_cases_alone_and_the_usual_library(home: Registry, folder: Path) -> None:
    """Cases are sources like the others: a change of them shows."""
    pull(home, folder)
    (folder / "cases/opener.yaml").write_text(CASES + "# a word\n")
    assert states(home, folder) == {"cases/opener.yaml": "changed"}
    assert (folder / OPENER).is_file()


def test_a_draft_is_saved_and_nothing_proposed(registry: Registry, folder: Path, acts: Acts) -> None:
    """Asked for a draft, a push saves one under its author: no proposal, no signature."""
    pull(registry, folder)
    (folder / CLOSING).write_text(script("closing", tier="R1", fill="Bye, {{ work }}."))
    before = [one.number for one in queries.list_proposals(acts.plane)]
    made, _ = push(registry, folder, title="An idea", draft=True)
    assert (made.state, made.manifest) == ("draft", "")
    assert [one.number for one in queries.list_proposals(acts.plane)] == before
    [saved] = drafts.list_drafts(acts.plane, acts.id("maya"))
    assert (saved.id, saved.title) == (made.number, "An idea")
