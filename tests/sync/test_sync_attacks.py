"""Attacks on a folder: by a server, by a lock, by links, and by ending the process between any two writes."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.client import BadAnswer
from control_plane.diffs.merging import merge
from control_plane.errors import Conflict
from control_plane.sources.strict_yaml import SourceError
from control_plane.sync.ignoring import parse_ignoring
from control_plane.sync.lock import FILE, Lock, Locked, load_lock, parse_lock
from control_plane.sync.paths import is_safe, places
from control_plane.sync.pulling import compared, pull
from control_plane.sync.records import LiveSource
from control_plane.sync.registry import ClientRegistry
from edge_runtime.core.errors import InvalidDocument
from tests.conftest import examples
from tests.sync.trees import Told, include, tree

HOSTILE = (
    "../out.yaml",
    "/etc/out.yaml",
    "a/../../out.yaml",
    "C:/out.yaml",
    "a\\..\\out.yaml",
    ".git/hooks.yaml",
    ".github/workflows/ci.yml",
    "a/.hidden.yaml",
    "con.yaml",
    "AUX/x.yaml",
    "a.yaml ",
    "a.yaml.",
    "a\0.yaml",
    "a\n.yaml",
    "mentorplane.lock",
    "run.sh",
    "x" * 300 + ".yaml",
    "/".join("abcdefghijk") + ".yaml",
    "",
)


@pytest.mark.parametrize("path", HOSTILE)
def test_attack_a_server_that_names_a_path_elsewhere(folder: Path, path: str) -> None:
    """A path that leaves the folder, hides, or means something else on another system is replaced by kind and name."""
    pull(Told({path: include("a")}), folder)
    assert set(tree(folder)) == {FILE, "include/a.yaml"}
    assert [one.name for one in folder.parent.iterdir() if one.name not in {"folder", "home"}] == []


def test_attack_two_sources_in_one_place(folder: Path) -> None:
    """Paths that are one file where case makes no difference, or a file and a folder at once, are told apart."""
    pull(
        Told({"A.yaml": include("a"), "a.yaml": include("b"), "x.yaml": include("c"), "x.yaml/y.yaml": include("d")}),
        folder,
    )
    paths = set(tree(folder)) - {FILE}
    assert {path.casefold() for path in paths} == {f"include/{n}.yaml" for n in "abc"} | {"x.yaml/y.yaml"}


@examples(60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcde"), st.sampled_from(("p.yaml", "P.yaml", "include/a.yaml", "p.yaml/q.yaml", "../x"))
        ),
        max_size=5,
        unique_by=lambda one: one[0],
    )
)
def test_places_are_safe_and_never_shared(given_paths: list[tuple[str, str]]) -> None:
    """Whatever paths authors gave: each source has a place of its own in the folder, and none within another."""
    at = places(LiveSource("include", name, path, "", 1) for name, path in given_paths)
    found = [path.casefold() for path in at.values()]
    assert len(set(found)) == len(found) == len(given_paths)
    assert all(map(is_safe, at.values()))
    assert not any(one != other and other.startswith(f"{one}/") for one in found for other in found)


def test_attack_a_link_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    """A link in place of a file, a folder, the lock or the ignore file is refused; what it leads to is untouched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text(include("a", "Outside."))
    registry = Told({"x/a.yaml": include("a")})
    pull(registry, folder)
    registry.files, registry.release = {"x/a.yaml": include("a", "New.")}, 2
    (folder / "x/a.yaml").unlink()
    (folder / "x").rmdir()
    (folder / "x").symlink_to(outside)
    with pytest.raises(SourceError, match="link"):
        pull(registry, folder)
    (folder / "x").unlink()
    (folder / "x").mkdir()
    (folder / "x/a.yaml").symlink_to(outside / "a.yaml")
    with pytest.raises(SourceError, match="link"):
        pull(registry, folder)
    (folder / "x/a.yaml").unlink()
    for name in (FILE, ".mentorplaneignore", ".mentorplane-sync"):
        kept = tree(folder)
        if (folder / name).exists():
            (folder / name).rename(tmp_path / "kept")
        (folder / name).symlink_to(outside / "a.yaml")
        with pytest.raises((InvalidDocument, Conflict)):
            pull(registry, folder)
        (folder / name).unlink()
        if (tmp_path / "kept").exists():
            (tmp_path / "kept").rename(folder / name)
        assert tree(folder) == kept
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(InvalidDocument):
        pull(registry, tmp_path / "link")
    assert (outside / "a.yaml").read_text() == include("a", "Outside.")


def test_attack_a_name_that_would_be_a_path() -> None:
    """A server that answers with kinds or names that are no names is refused before a path is made of them."""

    class Evil:
        url = "https://coach.example"

        class sources:  # noqa: N801
            @staticmethod
            def list(**_: object) -> object:
                return type("Live", (), {"sources": (LiveSource("..", "../../etc/passwd", "x", "", 1),)})

    with pytest.raises(BadAnswer):
        ClientRegistry(Evil(), "evil").snapshot("")  # type: ignore[arg-type]


LOCK = Lock(
    "home:x", "production", 1, "sha256:" + "0" * 64, (Locked("include", "a", "a.yaml", "sha256:" + "1" * 64, 2),)
)


def test_a_lock_reads_back() -> None:
    """What is written is what is read."""
    assert parse_lock(LOCK.encode()) == LOCK
    assert parse_lock(LOCK.encode() + b"\n") == LOCK


def test_attack_any_byte_of_the_lock() -> None:
    """Every flipped byte is refused, or gives a lock that says something else."""
    data = LOCK.encode()
    for index in range(len(data)):
        flipped = data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]
        try:
            assert parse_lock(flipped) != LOCK
        except InvalidDocument:
            continue


@pytest.mark.parametrize("path", ["../a.yaml", "/a.yaml", ".git/a.yaml"])
def test_attack_a_lock_that_names_a_file_elsewhere(folder: Path, path: str) -> None:
    """A lock in Git is as hostile as any file: a path out of the folder is refused, and nothing there is removed."""
    folder.mkdir()
    document = json.loads(LOCK.encode())
    document["files"][0]["path"] = path
    (folder / FILE).write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    with pytest.raises(InvalidDocument, match="within the folder"):
        load_lock(folder)


def killed_at(step: int, registry: Told, folder: Path) -> bool:
    """Pull in a process that is killed at its n-th rename or removal, and return whether it was."""
    child = os.fork()
    if child == 0:
        left = [step]

        def hook(event: str, _arguments: object) -> None:
            if event in {"os.rename", "os.remove"}:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        pull(registry, folder)
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_attack_kill_between_any_two_writes(folder: Path) -> None:
    """Ended at each rename and removal: files are whole, the lock is the old or the new one, the next pull goes on."""
    old = Told({f"x/{name}.yaml": include(name) for name in "abd"})
    new = Told({f"x/{name}.yaml": include(name, "New.") for name in "abc"}, release=2)
    for step in range(40):
        for path in sorted(folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        pull(old, folder)
        before = tree(folder)
        killed = killed_at(step, new, folder)
        wanted = {f"x/{name}.yaml": include(name, "New.").encode() for name in "abc"}
        for path, data in tree(folder).items():
            if path != FILE and not path.rpartition("/")[2].startswith("."):
                assert data in {before.get(path), wanted.get(path)}, path
        assert load_lock(folder).release in {1, 2}  # type: ignore[union-attr]
        assert not compared(new, folder).status.of("conflicting", "changed", "added")
        pull(new, folder)
        assert {path: data for path, data in tree(folder).items() if path != FILE} == wanted
        if not killed:
            break
    assert step > 5


TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=8).map("".join)


@examples(300)
@given(TEXTS, TEXTS, TEXTS)
def test_a_merge_takes_both_sides_or_nothing(base: str, ours: str, theirs: str) -> None:
    """It does not matter which side is which; a side that changed nothing gives the other one."""
    assert merge(base, ours, theirs) == merge(base, theirs, ours)
    assert merge(base, base, theirs) == theirs
    assert merge(base, ours, ours) == ours


@pytest.mark.parametrize("line", ["!x", "a[b]", "a\\b", "*" * 7])
def test_patterns_that_could_surprise_are_refused(line: str) -> None:
    """No negation, no classes, no escapes, no pattern that takes long."""
    with pytest.raises(InvalidDocument, match=":2:"):
        parse_ignoring(f"ok\n{line}\n".encode())
