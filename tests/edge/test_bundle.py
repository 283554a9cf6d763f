"""The bundle over HTTP: what a change costs a device, and what it makes of parts that are not what they should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from control_plane.repository import Site
from edge_runtime import EdgeRuntime, NotTrusted
from edge_runtime.core import canonical
from edge_runtime.core.manifest import PREVIOUS
from edge_runtime.core.parts import pack, part_path, unpack
from edge_runtime.core.release import closure_path, parse_release, parts_of, release_path
from tests.counting import Counting
from tests.published import Published, fingerprint
from tests.simulator import CHANNEL, prompt_document

PROMPTS = 150
BAR_BYTES = 64 * 1024
NEWER = "mentorplane-manifest/9"


def prompt(number: int, fallback: str = "What do you want to keep?") -> dict[tuple[str, str], bytes]:
    name = f"prompt-{number}"
    return {("prompt", name): canonical.encode(prompt_document(name, fallback=fallback))}


@pytest.fixture(scope="module")
def adopted_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an organisation of 150 prompts, and the home of a device that adopted them."""
    folder = tmp_path_factory.mktemp("bundle")
    published = Published(folder)
    documents = published.organisation.base_documents()
    for number in range(PROMPTS):
        documents |= prompt(number)
    published.release(documents)
    edge = EdgeRuntime.open(folder / "home", trust=published.trust, source=str(published.folder))
    assert edge.refresh().ok
    _MADE[folder] = published
    return folder


_MADE: dict[Path, Published] = {}


@pytest.fixture
def published(adopted_once: Path, tmp_path: Path) -> Published:
    """A copy of it."""
    return _MADE[adopted_once].copied(tmp_path)


@pytest.fixture
def server(published: Published) -> Iterator[Counting]:
    """What is published, over HTTP."""
    with Counting(published.folder) as made:
        yield made


@pytest.fixture
def edge(published: Published, server: Counting, tmp_path: Path) -> EdgeRuntime:
    """The device, which asks the server."""
    return EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=server.address)


def named(published: Published) -> list[str]:
    """Return the digests of the parts of what is published, the shards first."""
    data = Site(published.folder, published.keys, published.now).target(release_path(CHANNEL))
    assert data is not None
    return [part.digest for part in parts_of(parse_release(data))]


def refused(edge: EdgeRuntime, check: str, home: Path) -> str:
    """Assert that a refresh is refused at a check and nothing changed; return what was said."""
    before, state = fingerprint(home), edge.state
    result = edge.refresh()
    assert (result.ok, result.check, result.release) == (False, check, 1), result
    assert edge.state is state
    assert fingerprint(home) == before
    return result.message


def test_one_changed_prompt_costs_little(edge: EdgeRuntime, published: Published, server: Counting) -> None:
    """Of the parts one shard and one group of statements are fetched, of the contents one."""
    published.release(prompt(77, "Something else."))
    server.forget()

    assert edge.refresh().release == 2

    assert server.bytes <= BAR_BYTES / 4
    fetched = [path for path in server.paths if path.startswith(("/parts/", "/closures/"))]
    assert sorted(path.split("/")[1] for path in fetched) == ["closures", "parts", "parts"]
    assert edge.prompt("prompt-77").fallback == "Something else."
    server.forget()
    edge.refresh()
    assert not [path for path in server.paths if path.startswith(("/parts/", "/closures/", "/log/tile/"))]


def test_parts_that_are_damaged_on_the_device_are_fetched_again(
    edge: EdgeRuntime, published: Published, server: Counting, tmp_path: Path
) -> None:
    """A start refuses them; a device that runs mends them with its next refresh."""
    parts = tmp_path / "home" / "generations" / "000001" / "parts.jsonl"
    data = parts.read_bytes()
    parts.write_bytes(data[:100] + b"X" + data[101:])
    with pytest.raises(NotTrusted) as caught:
        EdgeRuntime.open(tmp_path / "home", trust=published.trust)
    assert caught.value.check == "V5"
    server.forget()
    assert edge.refresh().ok
    assert [path for path in server.paths if path.startswith("/parts/")] == [f"/{part_path(named(published)[0])}"]
    assert EdgeRuntime.open(tmp_path / "home", trust=published.trust).status().release == 1


SPOILT: tuple[tuple[Callable[[bytes], bytes], str, str], ...] = (
    (lambda _: pack(b"\0" * 1_500_000), "V4", "at most"),
    (lambda data: pack(unpack(data, max_bytes=10**6).replace(b":", b";")), "V5", "digest"),
    (lambda data: pack(unpack(data, max_bytes=10**6)[:-1]), "V5", "digest"),
    (lambda data: data[: len(data) // 2], "V4", "whole"),
    (lambda data: data + b"\0", "V4", "whole"),
    (lambda _: b"<html>", "V4", "compressed"),
)


@pytest.mark.parametrize("what", ["shard", "group", "closure"])
@pytest.mark.attack("bundle bomb: compression")
def test_a_bundle_bomb_or_another_part_is_refused(
    edge: EdgeRuntime, published: Published, tmp_path: Path, what: str
) -> None:
    """Attack: whoever serves the files puts a bomb, a cut file or another part in the place of one: nothing changes."""
    before = set(named(published))
    made = published.release(prompt(77, "Something else."))
    shard, group = (digest for digest in named(published) if digest not in before)
    entry = made.find("prompt", "prompt-77")
    assert entry is not None
    paths = {"shard": part_path(shard), "group": part_path(group), "closure": closure_path(entry.digest)}
    path = published.folder / paths[what]
    genuine = path.read_bytes()
    for spoil, check, said in SPOILT:
        path.write_bytes(spoil(genuine))
        assert said in refused(edge, check, tmp_path / "home")
    path.write_bytes(genuine)
    assert edge.refresh().release == 2


def test_a_part_that_is_not_there_is_waited_for(edge: EdgeRuntime, published: Published, tmp_path: Path) -> None:
    """A mirror that has not got everything yet: unavailable, and the last known good stays."""
    before = set(named(published))
    published.release(prompt(77, "Something else."))
    (published.folder / part_path(next(one for one in named(published) if one not in before))).unlink()

    assert "no such file" in refused(edge, "", tmp_path / "home")


def test_a_release_of_the_version_before_and_back(
    edge: EdgeRuntime, published: Published, server: Counting, tmp_path: Path
) -> None:
    """While older devices live a release is written as they read it; a device follows from either to the other."""
    organisation = published.organisation
    for number, version in enumerate([PREVIOUS, "mentorplane-manifest/3"], start=2):
        before = organisation.manifest
        manifest = organisation.build(prompt(number, "Else."), version=version)
        organisation.vouch(manifest, [("p-tom", "facilitator"), ("p-ines", "community-host")])
        assert before is not None
        organisation.manifest = manifest
        published.publish()
        assert edge.refresh().release == number
        again = EdgeRuntime.open(tmp_path / "home", trust=published.trust)
        assert again.state is not None
        assert again.state.manifest == manifest
        assert again.prompt(f"prompt-{number}").fallback == "Else."


def test_a_device_that_meets_a_later_format_says_so_and_keeps_going(
    edge: EdgeRuntime, published: Published, tmp_path: Path
) -> None:
    """It runs what it has, its status names the format, also after a restart, until a refresh succeeds."""
    organisation = published.organisation
    assert organisation.manifest is not None
    later = organisation.build(prompt(1, "Later."), version=NEWER)
    organisation.vouch(later, [("p-tom", "facilitator"), ("p-ines", "community-host")])
    published.publish(later)
    state, generations = edge.state, fingerprint(tmp_path / "home" / "generations")

    result = edge.refresh()

    assert (result.ok, result.check, result.release) == (False, "V4", 1)
    assert NEWER in result.message
    assert edge.state is state
    assert fingerprint(tmp_path / "home" / "generations") == generations
    again = EdgeRuntime.open(tmp_path / "home", trust=published.trust, source=str(published.folder))
    assert again.status().newer_format == edge.status().as_json()["newer_format"] == NEWER
    assert again.prompt("prompt-1").fallback == "What do you want to keep?"
    made = organisation.build(prompt(1, "Later."))
    organisation.vouch(made, [("p-tom", "facilitator"), ("p-ines", "community-host")])
    published.publish(made)
    assert again.refresh().release == 2
    assert again.status().newer_format == ""
