"""Bundle bombs: what is meant to cost a device its memory, or to mean one thing to one reader and another to the next.

The attacker holds the online keys, so that everything arrives just as it was signed.
"""

from __future__ import annotations

import pytest

from edge_runtime.core import canonical
from edge_runtime.core.parts import pack
from tests.attacks.world import World, wording


def _document(world: World, text: bytes) -> bytes:
    """Return the release file with `text` in the place of the number of its leaf."""
    data = world.site.targets()["channels/production.json"]
    index = canonical.parse(data, max_bytes=len(data))["log"]["index"]
    spoilt = data.replace(b'"index":%d' % index, b'"index":' + text, 1)
    assert spoilt != data
    return spoilt


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"[" * 200 + b"]" * 200, marks=pytest.mark.attack("bundle bomb: nesting")),
        pytest.param(b"[" * 1_000_000, marks=pytest.mark.attack("bundle bomb: nesting")),
        pytest.param(b"9007199254740993", marks=pytest.mark.attack("bundle bomb: 2^53 + 1")),
        pytest.param(b"1" * 100_000, marks=pytest.mark.attack("bundle bomb: 2^53 + 1")),
        pytest.param(b'1,"index":1', marks=pytest.mark.attack("bundle bomb: duplicate keys")),
        pytest.param(b"1.0", marks=pytest.mark.attack("bundle bomb: floats")),
        pytest.param(b"1e0", marks=pytest.mark.attack("bundle bomb: floats")),
        pytest.param(b"NaN", marks=pytest.mark.attack("bundle bomb: floats")),
    ],
    ids=lambda text: text[:20].decode(),
)
def test_a_document_that_readers_may_read_otherwise(world: World, text: bytes) -> None:
    """In the release file, the trust file's format or the list of withdrawals: malformed, V4."""
    world.written(production=_document(world, text))
    world.refused("V4")
    world.heals()


@pytest.mark.attack("bundle bomb: compression")
@pytest.mark.parametrize("kind", ["parts", "closures"])
def test_a_file_that_unpacks_to_more_than_it_may(world: World, kind: str) -> None:
    """A part or a content that is a bomb, is cut, goes on after its end or is two streams: refused, V3 to V5."""
    folder = world.published.folder / kind
    before = set(folder.iterdir())
    world.published.release(wording("Third"))
    [path, *_] = sorted(set(folder.iterdir()) - before)
    genuine = path.read_bytes()
    for data, check in (
        (pack(b"\0" * 40_000_000), "V3" if kind == "parts" else "V4"),
        (genuine[:-1], "V4"),
        (genuine + b"\0", "V4"),
        (genuine + genuine, "V4"),
        (pack(b"{}"), "V5"),
    ):
        path.write_bytes(data)
        world.refused(check)
    world.heals()
